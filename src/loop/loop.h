/* loop.h - the event loop of a process: readiness, timers, signals, deferred work.   room: loop   runs in: all
 *
 * One loop thread a process. The only file that sees libevent_core is loop.c. All callbacks run on the loop
 * thread, and may start, stop or free anything, themselves included. Structs are embedded in their owner and
 * must be stopped before their memory goes; stopping twice is fine.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "base/list.h"
#include "base/slice.h"

struct loop;
struct event;

struct loop *loop_new(void);
void loop_free(struct loop **loop);
/* Until loop_stop; returns OK, or ERR_IO when the kernel refuses. */
fallible loop_run(struct loop *loop);
/* One turn: waits at most max_wait_ms for something to happen. For tests. */
void loop_turn(struct loop *loop, unsigned max_wait_ms);
void loop_stop(struct loop *loop);
/* Milliseconds of the monotonic clock, read once a turn. */
uint64_t loop_now(const struct loop *loop);

/* Watches one descriptor. Level-triggered. The descriptor is borrowed. */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch {
    struct loop *loop;
    struct event *event;
    int fd;
    unsigned on; /* what is being watched now */
    void (*ready)(struct watch *w, unsigned what);
    void *owner;
};
void watch_init(
    struct watch *w, struct loop *loop, int fd, void (*ready)(struct watch *, unsigned), void *owner);
void watch_set(struct watch *w, unsigned what); /* 0 stops; cheap when nothing changes */
/* A listener shared by several processes: wakes one of them (EPOLLEXCLUSIVE), and none that is full. */
void watch_accept(struct watch *w);
void watch_stop(struct watch *w); /* and forgets the descriptor */

/* Counts on base's monotonic clock, so that tests move it by clock_set_offset. */
struct timer {
    struct loop *loop;
    uint64_t due; /* on the monotonic clock, ms */
    size_t place; /* in the loop's heap, while armed */
    bool armed;
    void (*fire)(struct timer *t);
    void *owner;
};
void timer_init(struct timer *t, struct loop *loop, void (*fire)(struct timer *), void *owner);
void timer_start(struct timer *t, uint64_t after_ms); /* restarts when armed */
void timer_stop(struct timer *t);

/* Runs once at the end of the current turn, after all readiness callbacks (output commit starts its syncs
 * there). */
struct task {
    struct list link;
    void (*run)(struct task *t);
    void *owner;
};
void task_init(struct task *t, void (*run)(struct task *), void *owner);
void loop_defer(struct loop *loop, struct task *t); /* nothing when already waiting */
void task_stop(struct task *t);

/* Signals of the process, delivered as callbacks on the loop. At most 8 different ones. */
fallible loop_on_signal(struct loop *loop, int signal, void (*got)(int signal, void *owner), void *owner);

#endif
