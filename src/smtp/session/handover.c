#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "smtp/session/arrival.h"
#include "smtp/session/private.h"

enum { BATCH = 16, LOOK_MS = 1000, LONGEST_MS = 15 * 60 * 1000, META_HEAD = 9 };

/* One hand-over that is being tried. */
struct handover {
    struct list link;
    struct arrivals *all;
    struct transit *transit;
    uint64_t id;
    unsigned tries;
    uint8_t slot; /* of the recipient */
    struct deposit_what what;
    struct octets *octets;
    struct deposit *deposit;
    struct channel *keeper;
    uint64_t request;
    char prefix[];
};

struct transit *arrivals_transit(struct arrivals *a, uint8_t slot)
{
    if (!a->transit[slot])
        a->transit[slot] = transit_new(a->pool, a->root, slot);
    return a->transit[slot];
}

struct slice handover_meta(struct arena *mem, uint8_t slot, uint64_t quota_bytes, struct slice prefix)
{
    char *meta = arena_alloc(mem, META_HEAD + prefix.n);
    if (!meta)
        return SLICE_EMPTY;
    meta[0] = (char)slot;
    memcpy(meta + 1, &quota_bytes, sizeof quota_bytes);
    memcpy(meta + META_HEAD, prefix.p, prefix.n);
    return slice_of(meta, META_HEAD + prefix.n);
}

static void release(struct handover *h)
{
    list_drop(&h->link);
    deposit_cancel(&h->deposit);
    if (h->keeper)
        channel_forget(h->keeper, h->request);
    octets_unref(&h->octets);
    free(h);
}

static void on_noted(void *owner, enum err e)
{
    (void)owner;
    if (e != OK)
        log_event(LOG_WARN, "transit.note", LOG_ERR(e));
}

static void answered(struct handover *h, enum ipc_deliver_outcome outcome)
{
    bool over = outcome == DELIVER_OUTCOME_STORED || outcome == DELIVER_OUTCOME_GONE;
    log_event(
        LOG_INFO, "transit.tried", LOG_STR("outcome", ipc_deliver_outcome_name(outcome)),
        LOG_NUM("tries", h->tries + 1));
    int64_t pause = (int64_t)1000 << (h->tries < 10 ? h->tries : 10);
    if (over)
        transit_done(h->transit, h->id, on_noted, NULL);
    else
        transit_later(
            h->transit, h->id, clock_unix_ms() + (pause < LONGEST_MS ? pause : LONGEST_MS), on_noted, NULL);
    release(h);
}

static void on_deposited(void *owner, enum ipc_deliver_outcome outcome)
{
    struct handover *h = owner;
    h->deposit = NULL;
    answered(h, outcome);
}

static void on_delivered(void *owner, enum err why, struct ipc_msg *m)
{
    struct handover *h = owner;
    h->keeper = NULL;
    answered(h, why == OK ? m->u.deliver_result.outcome : DELIVER_OUTCOME_LATER);
}

static void on_octets(void *owner, enum err e, int fd)
{
    struct handover *h = owner;
    off_t size = e == OK ? lseek(fd, 0, SEEK_END) : -1;
    if (e != OK || size < 0 || octets_of_fd(fd, (uint64_t)size, &h->octets) != OK) {
        answered(h, DELIVER_OUTCOME_LATER);
        return;
    }
    h->what.octets = h->octets;
    if (keeper_owns(h->all->env, h->slot))
        h->deposit = deposit_start(h->all->env, &h->what, on_deposited, h);
    else if (deliver_to_keeper(h->all, h->slot, &h->what, on_delivered, h, &h->keeper, &h->request) != OK)
        answered(h, DELIVER_OUTCOME_LATER);
}

static bool is_being_tried(const struct arrivals *a, const struct transit *t, uint64_t id)
{
    LIST_EACH ((struct list *)&a->handovers, struct handover, link, h) {
        if (h->transit == t && h->id == id)
            return true;
    }
    return false;
}

static void try_one(struct arrivals *a, struct transit *t, const struct transit_item *item)
{
    if (item->meta.n < META_HEAD || is_being_tried(a, t, item->id))
        return;
    struct slice prefix = slice_from(item->meta, META_HEAD);
    struct handover *h = mem_alloc(sizeof *h + prefix.n);
    *h = (struct handover){.all = a, .transit = t, .id = item->id, .tries = item->tries};
    memcpy(h->prefix, prefix.p, prefix.n);
    h->slot = (uint8_t)item->meta.p[0];
    h->what = (struct deposit_what){
        .account = item->account,
        .delivery = {.id = item->delivery, .octets = item->octets},
        .prefix = slice_of(h->prefix, prefix.n),
        .received_ms = item->received_ms,
    };
    memcpy(&h->what.quota_bytes, item->meta.p + 1, sizeof h->what.quota_bytes);
    list_add(&a->handovers, &h->link);
    transit_octets(t, item->id, on_octets, h);
}

/* One look at a slot: what is due is tried, and the slot stays live while anything stands there. */
struct look {
    struct arrivals *all;
    uint8_t slot;
};

static void on_items(void *owner, enum err e, const struct transit_item *items, size_t count)
{
    struct look *look = owner;
    struct arrivals *a = look->all;
    int64_t now = clock_unix_ms();
    if (e == OK && count == 0)
        a->transit_live[look->slot] = false;
    for (size_t i = 0; e == OK && i < count; i++)
        if (items[i].next_try_ms <= now)
            try_one(a, a->transit[look->slot], &items[i]);
    free(look);
}

static void on_timer(struct timer *t)
{
    struct arrivals *a = t->owner;
    bool any = false;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (!a->transit_live[slot])
            continue;
        any = true;
        struct look *look = NEW(struct look);
        *look = (struct look){.all = a, .slot = (uint8_t)slot};
        transit_due(arrivals_transit(a, (uint8_t)slot), INT64_MAX, BATCH, on_items, look);
    }
    if (any)
        timer_start(t, LOOK_MS);
}

void handover_wake(struct arrivals *a, uint8_t slot)
{
    a->transit_live[slot] = true;
    if (!a->transit_timer.armed)
        timer_start(&a->transit_timer, LOOK_MS);
}

/* Looking into transit makes the file: only where there is one. */
static bool has_file(const struct arrivals *a, uint8_t slot)
{
    char path[32];
    snprintf(path, sizeof path, "%02x/transit.db", slot);
    return keeper_owns(a->env, slot) && faccessat(a->root, path, F_OK, 0) == 0;
}

void handover_start(struct arrivals *a)
{
    list_init(&a->handovers);
    timer_init(&a->transit_timer, a->env->loop, on_timer, a);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (has_file(a, (uint8_t)slot))
            handover_wake(a, (uint8_t)slot);
}

fallible arrivals_snapshot(
    struct arrivals *a, uint8_t slot, void (*done)(void *owner, enum err e, int fd), void *owner)
{
    if (!has_file(a, slot))
        return ERR_NOT_FOUND;
    transit_snapshot(arrivals_transit(a, slot), done, owner);
    return OK;
}

void handover_keeper_gone(struct arrivals *a, unsigned index)
{
    LIST_EACH (&a->handovers, struct handover, link, h) {
        if (h->keeper && channel_peer_index(h->keeper) == index)
            h->keeper = NULL;
    }
}

void handover_stop(struct arrivals *a)
{
    timer_stop(&a->transit_timer);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        transit_free(&a->transit[slot]);
    LIST_EACH (&a->handovers, struct handover, link, h) {
        release(h);
    }
}
