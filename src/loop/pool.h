/* pool.h - a few threads for work that must not stop the loop: syncs, checkpoints, Argon2.
 *                                                              room: loop   runs in: keeper vault directory cli
 *
 * Jobs touch no session state: they get what they need in their own struct and report back on the loop
 * thread. Threads start in pool_new (after Landlock, before seccomp) and never later.
 */
#ifndef LOOP_POOL_H
#define LOOP_POOL_H

#include "loop/loop.h"

struct pool;
struct job {
    struct list link;
    void (*work)(struct job *j); /* on a pool thread */
    void (*done)(struct job *j); /* on the loop thread; may free the job */
    void *owner;
};
/* queue_max: jobs waiting beyond those running. */
struct pool *pool_new(struct loop *loop, unsigned threads, size_t queue_max);
/* Waits for running jobs, drops waiting ones without `done`. */
void pool_free(struct pool **pool);
/* ERR_LIMIT when the queue is full. */
fallible pool_submit(struct pool *pool, struct job *job);

/* For commands, which have nothing else to do: work(owner, i) for each i below count, on at most `threads` threads, and after each
 * done(owner, i) (may be NULL) on this one; returns when all are done. With one thread, or one piece, everything happens on this one.
 * ERR_LIMIT: no threads could be started. */
struct pieces {
    void (*work)(void *owner, size_t i);
    void (*done)(void *owner, size_t i);
    void *owner;
};
fallible pool_run_pieces(const struct pieces *pieces, size_t count, unsigned threads);

#endif
