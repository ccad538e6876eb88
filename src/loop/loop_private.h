/* loop_private.h - what the files of this room tell each other.                room: loop   runs in: all */
#ifndef LOOP_LOOP_PRIVATE_H
#define LOOP_LOOP_PRIVATE_H

#include "loop/loop.h"

/* Runs t in loop_free, unless task_stop comes first: for what lives on without an owner (a stream that flushes). */
void loop_on_free(struct loop *loop, struct task *t);

#endif
