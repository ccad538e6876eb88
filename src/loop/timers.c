#include "loop/timers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

void timer_heap_done(struct timer_heap *h)
{
    free(h->at);
    *h = (struct timer_heap){0};
}

static void set(struct timer_heap *h, size_t place, struct timer *t)
{
    h->at[place] = t;
    t->place = place;
}

static void move_up(struct timer_heap *h, struct timer *t)
{
    size_t place = t->place;
    while (place > 0 && h->at[(place - 1) / 2]->due > t->due) {
        set(h, place, h->at[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    set(h, place, t);
}

static void move_down(struct timer_heap *h, struct timer *t)
{
    size_t place = t->place;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < h->count && h->at[child + 1]->due < h->at[child]->due)
            child++;
        if (child >= h->count || h->at[child]->due >= t->due)
            break;
        set(h, place, h->at[child]);
        place = child;
    }
    set(h, place, t);
}

/* Adds t, or moves it when it is there, to where its `due` belongs. */
static void timer_heap_put(struct timer_heap *h, struct timer *t)
{
    if (!t->armed) {
        if (h->count == h->cap) {
            h->cap = h->cap ? 2 * h->cap : 32;
            h->at = mem_resize(h->at, h->cap * sizeof *h->at);
        }
        t->armed = true;
        set(h, h->count++, t);
    }
    move_up(h, t);
    move_down(h, t);
}

void timer_heap_drop(struct timer_heap *h, struct timer *t)
{
    assert(t->armed && t->place < h->count && h->at[t->place] == t);
    struct timer *last = h->at[--h->count];
    t->armed = false;
    if (last == t)
        return;
    set(h, t->place, last);
    move_up(h, last);
    move_down(h, last);
}

struct timer *timer_heap_first(const struct timer_heap *h)
{
    return h->count ? h->at[0] : NULL;
}

void timer_init(struct timer *t, struct loop *loop, void (*fire)(struct timer *), void *owner)
{
    *t = (struct timer){.loop = loop, .fire = fire, .owner = owner};
}

void timer_start(struct timer *t, uint64_t after_ms)
{
    /* Not loop_now: a turn may have been long, and the wait begins now. */
    t->due = clock_mono_ms() + after_ms;
    timer_heap_put(loop_timers(t->loop), t);
}

void timer_stop(struct timer *t)
{
    if (t->armed)
        timer_heap_drop(loop_timers(t->loop), t);
}
