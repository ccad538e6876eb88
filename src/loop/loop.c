/* The only file that sees libevent. libevent watches descriptors and signals; timers have a heap of their own
 * (timers.c), so that they follow the clock of base, which tests script. */
#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "loop/loop_private.h"
#include "loop/timers.h"

enum {
    SIGNALS = 8,
    /* Deferred work may defer more; after this many rounds the next turn goes on with it, so that work that feeds
     * itself can't keep the loop from the network. */
    DEFERRED_ROUNDS = 4,
    WATCH_LISTEN = 4, /* in watch.on: the descriptor is in the listeners' epoll set */
};

struct signal_slot {
    struct loop *loop;
    struct event *event;
    void (*got)(int signal, void *owner);
    void *owner;
};

struct loop {
    struct event_base *base;
    struct event *wake; /* ends a wait at the next timer */
    struct timer_heap timers;
    struct list deferred;
    struct list endings; /* tasks for loop_free */
    /* Listeners stand in an epoll set of their own, because EPOLLEXCLUSIVE cannot be said through libevent. */
    int listeners;
    struct event *listening;
    struct signal_slot signals[SIGNALS];
    size_t signal_count;
    uint64_t now;
    bool now_is_read;
    bool stopping;
    bool failed;
};

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

/* The first callback of a turn reads the clock. */
static void read_clock(struct loop *loop)
{
    if (!loop->now_is_read)
        loop->now = clock_mono_ms();
    loop->now_is_read = true;
}

/* One listener a call: the callback may stop any other, and the set gives each its turn. */
static void on_listeners(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    (void)what;
    read_clock(loop);
    struct epoll_event e;
    if (epoll_wait(fd, &e, 1, 0) != 1)
        return; /* another process was faster */
    struct watch *w = e.data.ptr;
    w->ready(w, WATCH_READ);
}

struct loop *loop_new(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    event_config_require_features(config, EV_FEATURE_O1);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (!base)
        return NULL;
    struct loop *loop = NEW(struct loop);
    loop->base = base;
    list_init(&loop->deferred);
    list_init(&loop->endings);
    loop->now = clock_mono_ms();
    loop->wake = event_new(base, -1, 0, on_wake, loop);
    /* Now, because a sealed process may not make another set. */
    loop->listeners = epoll_create1(EPOLL_CLOEXEC);
    loop->listening = event_new(base, loop->listeners, EV_READ | EV_PERSIST, on_listeners, loop);
    if (!loop->wake || !loop->listening || loop->listeners < 0 || event_add(loop->listening, NULL) != 0)
        loop_free(&loop);
    return loop;
}

void loop_free(struct loop **loop_at)
{
    struct loop *loop = *loop_at;
    if (!loop)
        return;
    LIST_EACH (&loop->endings, struct task, link, t) {
        list_drop(&t->link);
        t->run(t);
    }
    for (size_t i = 0; i < loop->signal_count; i++)
        event_free(loop->signals[i].event);
    if (loop->listening)
        event_free(loop->listening);
    file_close(&loop->listeners);
    if (loop->wake)
        event_free(loop->wake);
    event_base_free(loop->base);
    timer_heap_done(&loop->timers);
    mem_free(loop_at);
}

struct timer_heap *loop_timers(struct loop *loop)
{
    return &loop->timers;
}

void loop_on_free(struct loop *loop, struct task *t)
{
    list_drop(&t->link);
    list_add(&loop->endings, &t->link);
}

uint64_t loop_now(const struct loop *loop)
{
    return loop->now;
}

static void run_timers(struct loop *loop)
{
    struct timer *t;
    /* The count bounds timers that restart themselves at once. */
    for (size_t most = loop->timers.count;
         most && (t = timer_heap_first(&loop->timers)) && t->due <= loop->now; most--) {
        timer_heap_drop(&loop->timers, t);
        t->fire(t);
    }
}

static void run_deferred(struct loop *loop)
{
    for (int round = 0; round < DEFERRED_ROUNDS && !list_is_empty(&loop->deferred); round++) {
        struct task last = {.run = NULL};
        list_init(&last.link);
        list_add(&loop->deferred, &last.link);
        struct task *t;
        while ((t = LIST_FIRST(&loop->deferred, struct task, link)) != &last) {
            list_drop(&t->link);
            t->run(t);
        }
        list_drop(&last.link);
    }
}

/* How long the next wait may be: to the first timer, or not at all while deferred work is left. */
static uint64_t longest_wait(struct loop *loop, uint64_t most)
{
    if (!list_is_empty(&loop->deferred))
        return 0;
    struct timer *first = timer_heap_first(&loop->timers);
    if (!first)
        return most;
    uint64_t now = clock_mono_ms();
    uint64_t until = first->due > now ? first->due - now : 0;
    return until < most ? until : most;
}

static void turn(struct loop *loop, uint64_t most_ms)
{
    uint64_t wait = longest_wait(loop, most_ms);
    int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
    if (wait == 0) {
        flags |= EVLOOP_NONBLOCK;
    } else if (wait != UINT64_MAX) {
        struct timeval tv = {.tv_sec = (time_t)(wait / 1000), .tv_usec = (suseconds_t)(wait % 1000 * 1000)};
        event_add(loop->wake, &tv);
    }
    loop->now_is_read = false;
    if (event_base_loop(loop->base, flags) < 0)
        loop->failed = true;
    read_clock(loop);
    run_timers(loop);
    run_deferred(loop);
}

void loop_turn(struct loop *loop, unsigned max_wait_ms)
{
    turn(loop, max_wait_ms);
}

fallible loop_run(struct loop *loop)
{
    loop->stopping = false;
    while (!loop->stopping && !loop->failed)
        turn(loop, UINT64_MAX);
    return loop->failed ? ERR_IO : OK;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

void task_init(struct task *t, void (*run)(struct task *), void *owner)
{
    *t = (struct task){.run = run, .owner = owner};
    list_init(&t->link);
}

void loop_defer(struct loop *loop, struct task *t)
{
    if (list_is_empty(&t->link))
        list_add(&loop->deferred, &t->link);
}

void task_stop(struct task *t)
{
    list_drop(&t->link);
}

/* -- descriptors -- */

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    (void)fd;
    read_clock(w->loop);
    w->ready(w, (what & EV_READ ? WATCH_READ : 0u) | (what & EV_WRITE ? WATCH_WRITE : 0u));
}

void watch_init(
    struct watch *w, struct loop *loop, int fd, void (*ready)(struct watch *, unsigned), void *owner)
{
    *w = (struct watch){.loop = loop, .fd = fd, .ready = ready, .owner = owner};
}

static void stop_listening(struct watch *w)
{
    if (epoll_ctl(w->loop->listeners, EPOLL_CTL_DEL, w->fd, NULL) != 0)
        assert(errno != EBADF); /* a listener is closed after its watch is stopped, not before */
    w->on = 0;
}

void watch_set(struct watch *w, unsigned what)
{
    assert((what & ~(unsigned)(WATCH_READ | WATCH_WRITE)) == 0);
    if (w->on & WATCH_LISTEN)
        stop_listening(w);
    if (w->on == what)
        return;
    short events =
        (short)((what & WATCH_READ ? EV_READ : 0) | (what & WATCH_WRITE ? EV_WRITE : 0) | EV_PERSIST);
    if (!w->event) {
        w->event = event_new(w->loop->base, w->fd, events, on_ready, w);
        assert(w->event);
    } else {
        event_del(w->event);
    }
    w->on = what;
    if (what) {
        event_assign(w->event, w->loop->base, w->fd, events, on_ready, w);
        if (event_add(w->event, NULL) != 0)
            w->loop->failed = true; /* the kernel has no memory for one more descriptor */
    }
}

void watch_accept(struct watch *w)
{
    if (w->on & WATCH_LISTEN)
        return;
    watch_set(w, 0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = w};
    if (epoll_ctl(w->loop->listeners, EPOLL_CTL_ADD, w->fd, &e) == 0)
        w->on = WATCH_LISTEN;
    else
        w->loop->failed = true;
}

void watch_stop(struct watch *w)
{
    if (w->on & WATCH_LISTEN)
        stop_listening(w);
    if (w->event)
        event_free(w->event);
    w->event = NULL;
    w->on = 0;
    w->fd = -1;
}

/* -- signals -- */

static void on_signal(evutil_socket_t signal, short what, void *arg)
{
    struct signal_slot *slot = arg;
    (void)what;
    read_clock(slot->loop);
    slot->got((int)signal, slot->owner);
}

fallible loop_on_signal(struct loop *loop, int signal, void (*got)(int signal, void *owner), void *owner)
{
    assert(loop->signal_count < SIGNALS);
    struct signal_slot *slot = &loop->signals[loop->signal_count];
    struct event *event = evsignal_new(loop->base, signal, on_signal, slot);
    if (!event || event_add(event, NULL) != 0) {
        if (event)
            event_free(event);
        return ERR_IO;
    }
    *slot = (struct signal_slot){.loop = loop, .event = event, .got = got, .owner = owner};
    loop->signal_count++;
    return OK;
}
