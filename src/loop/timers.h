/* timers.h - the heap of a loop's timers, earliest first.                      room: loop   runs in: all
 *
 * Private to the room. A timer knows its place in the heap, so that stopping one of many thousands is cheap. Owns the
 * array of pointers only; the timers belong to whoever embedded them.
 */
#ifndef LOOP_TIMERS_H
#define LOOP_TIMERS_H

#include "loop/loop.h"

struct timer_heap {
    struct timer **at;
    size_t count, cap;
};

void timer_heap_done(struct timer_heap *h);
/* Takes t out; it must be there. */
void timer_heap_drop(struct timer_heap *h, struct timer *t);
/* The earliest, or NULL. */
struct timer *timer_heap_first(const struct timer_heap *h);

/* The heap of a loop. */
struct timer_heap *loop_timers(struct loop *loop);

#endif
