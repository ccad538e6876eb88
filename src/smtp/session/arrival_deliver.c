#include <assert.h>
#include <fcntl.h>

#include "base/log.h"
#include "mail/address.h"
#include "mail/message.h"
#include "smtp/session/arrival.h"
#include "smtp/session/private.h"

enum { FIRST_TRY_MS = 1000 };

struct slice arrival_prefix(struct arrival *a, struct slice address)
{
    struct buf text = BUF_INIT(2048);
    buf_put_str(&text, "Return-Path: <");
    buf_put(&text, a->reverse_path);
    buf_put_str(&text, ">\r\nDelivered-To: ");
    buf_put(&text, address);
    buf_put_str(&text, "\r\n");
    struct slice kept = arena_copy(&a->memory, buf_slice(&text));
    buf_done(&text);
    return kept;
}

static struct deposit_what what_for(const struct arrival *a, const struct target *t)
{
    return (struct deposit_what){
        .account = t->account,
        .delivery = {.id = a->delivery, .octets = a->hash, .unconfirmed = a->target_count > 1},
        .octets = a->octets,
        .prefix = t->prefix,
        .received_ms = a->received_ms,
        .quota_bytes = t->quota_bytes,
    };
}

/* ---- settling: everybody has answered ---- */

static void confirm_stored(struct arrival *a)
{
    for (unsigned i = 0; i < a->target_count && a->target_count > 1; i++) {
        const struct target *t = &a->targets[i];
        if (t->outcome != DELIVER_OUTCOME_STORED)
            continue;
        if (keeper_owns(a->all->env, t->slot)) {
            deposit_confirm(a->all->env, &t->account, &a->delivery);
            continue;
        }
        struct channel *keeper = a->all->env->peers[slot_owner(t->slot, a->all->env->keepers)];
        struct ipc_msg m = {
            .type = MSG_DELIVER_CONFIRM,
            .u.deliver_confirm = {.delivery = a->delivery, .account = t->account, .slot = t->slot}};
        if (keeper)
            IGNORE(channel_send(keeper, &m), "an unconfirmed mark only lets equal octets be recognised");
    }
}

static void end_stored(struct arrival *a)
{
    if (a->gate) /* nobody was told 250 otherwise, and the retry shall find the marks */
        confirm_stored(a);
    arrival_end(a, ARRIVE_OUTCOME_STORED, "");
}

static void on_transit(void *owner, enum err e)
{
    struct arrival *a = owner;
    a->in_transit = false;
    if (e != OK) {
        arrival_end(a, ARRIVE_OUTCOME_LATER, err_text(e));
        return;
    }
    handover_wake(a->all, a->slot);
    end_stored(a);
}

/* Some have it, some do not: what is missing goes into transit.db before anybody is told 250. */
static void put_in_transit(struct arrival *a, unsigned missing)
{
    struct transit_item *items = arena_array(&a->memory, missing, sizeof *items);
    int fd;
    enum err e = items ? octets_fd(a->octets, &fd) : ERR_LIMIT;
    unsigned n = 0;
    for (unsigned i = 0; e == OK && i < a->target_count; i++) {
        const struct target *t = &a->targets[i];
        if (t->outcome == DELIVER_OUTCOME_STORED || t->outcome == DELIVER_OUTCOME_GONE)
            continue;
        items[n++] = (struct transit_item){
            .delivery = a->delivery,
            .account = t->account,
            .octets = a->hash,
            .received_ms = a->received_ms,
            .meta = handover_meta(&a->memory, t->slot, t->quota_bytes, t->prefix),
            .next_try_ms = a->received_ms + FIRST_TRY_MS,
        };
    }
    if (e == OK)
        e = arena_check(&a->memory);
    if (e != OK) {
        arrival_end(a, ARRIVE_OUTCOME_LATER, err_text(e));
        return;
    }
    log_event(LOG_WARN, "message.transit", LOG_NUM("recipients", missing));
    a->state = ARRIVAL_TRANSIT;
    a->in_transit = true;
    transit_put(arrivals_transit(a->all, a->slot), fd, items, n, on_transit, a);
}

/* Nobody has it: one answer for all, the one that keeps the sender trying when any of them says so. */
static enum ipc_arrive_outcome refusal(const struct arrival *a)
{
    static const enum ipc_arrive_outcome of[DELIVER_OUTCOME_N] = {
        [DELIVER_OUTCOME_STORED] = ARRIVE_OUTCOME_STORED,
        [DELIVER_OUTCOME_FULL] = ARRIVE_OUTCOME_QUOTA,
        [DELIVER_OUTCOME_GONE] = ARRIVE_OUTCOME_LATER,
        [DELIVER_OUTCOME_LATER] = ARRIVE_OUTCOME_LATER,
        [DELIVER_OUTCOME_DISK_FULL] = ARRIVE_OUTCOME_DISK_FULL,
    };
    enum ipc_arrive_outcome outcome = of[a->targets[0].outcome];
    for (unsigned i = 1; i < a->target_count; i++)
        if (of[a->targets[i].outcome] != outcome)
            return ARRIVE_OUTCOME_LATER;
    return outcome;
}

static void settle(struct arrival *a)
{
    unsigned stored = 0, missing = 0;
    for (unsigned i = 0; i < a->target_count; i++) {
        stored += a->targets[i].outcome == DELIVER_OUTCOME_STORED;
        missing +=
            a->targets[i].outcome != DELIVER_OUTCOME_STORED && a->targets[i].outcome != DELIVER_OUTCOME_GONE;
    }
    if (!stored)
        arrival_end(a, refusal(a), "no recipient could be stored");
    else if (!missing)
        end_stored(a);
    else if (!a->gate)
        arrival_end(a, ARRIVE_OUTCOME_CANCELLED, "the gate went away");
    else
        put_in_transit(a, missing);
}

/* ---- asking the owners ---- */

static void ask_next(struct arrival *a);

static void answered(struct target *t, enum ipc_deliver_outcome outcome)
{
    struct arrival *a = t->arrival;
    assert(!t->answered && a->waiting);
    t->answered = true;
    t->outcome = outcome;
    t->deposit = NULL;
    t->keeper = NULL;
    a->waiting--;
    ask_next(a);
}

static void on_deposited(void *owner, enum ipc_deliver_outcome outcome)
{
    answered(owner, outcome);
}

static void on_delivered(void *owner, enum err why, struct ipc_msg *m)
{
    answered(owner, why == OK ? m->u.deliver_result.outcome : DELIVER_OUTCOME_LATER);
}

fallible deliver_to_keeper(
    struct arrivals *all, uint8_t slot, const struct deposit_what *what, channel_answer_fn *fn, void *owner,
    struct channel **ret_keeper, uint64_t *ret_request)
{
    struct channel *keeper = all->env->peers[slot_owner(slot, all->env->keepers)];
    int fd;
    if (!keeper)
        return ERR_UNAVAILABLE;
    TRY(octets_fd(what->octets, &fd));
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return ERR_UNAVAILABLE;
    struct ipc_msg m = {
        .type = MSG_DELIVER,
        .u.deliver =
            {.delivery = what->delivery.id,
             .account = what->account,
             .slot = slot,
             .size = octets_size(what->octets),
             .prefix = what->prefix,
             .octets_hash = hash_slice(&what->delivery.octets),
             .received_ms = what->received_ms,
             .quota_bytes = what->quota_bytes,
             .unconfirmed = what->delivery.unconfirmed},
        .fd_count = 1,
        .fds = {copy},
    };
    TRY(channel_request(keeper, &m, LIMIT_DELIVER_WAIT, fn, owner, ret_request));
    *ret_keeper = keeper;
    return OK;
}

/* False: the owner cannot be asked, which counts as "later". */
static bool ask_owner(struct arrival *a, struct target *t)
{
    struct deposit_what what = what_for(a, t);
    if (keeper_owns(a->all->env, t->slot))
        t->deposit = deposit_start(a->all->env, &what, on_deposited, t);
    else if (deliver_to_keeper(a->all, t->slot, &what, on_delivered, t, &t->keeper, &t->request) != OK) {
        t->answered = true;
        t->outcome = DELIVER_OUTCOME_LATER;
        return false;
    }
    return true;
}

/* At most LIMIT_ARRIVAL_DEPOSITS at a time: a message to a thousand leaves room for the messages to one. */
static void ask_next(struct arrival *a)
{
    while (a->asked < a->target_count && a->waiting < LIMIT_ARRIVAL_DEPOSITS)
        a->waiting += ask_owner(a, &a->targets[a->asked++]);
    if (!a->waiting)
        settle(a);
}

void arrival_deliver(struct arrival *a)
{
    a->state = ARRIVAL_DELIVERING;
    submission_forget(a);
    if (arena_check(&a->memory) != OK || a->target_count == 0) {
        arrival_end(a, ARRIVE_OUTCOME_LATER, "recipients missing, or too many");
        return;
    }
    assert(!a->waiting);
    ask_next(a);
}

void arrival_keeper_gone(struct arrival *a, unsigned index)
{
    for (unsigned i = 0; i < a->target_count; i++)
        if (a->targets[i].keeper && channel_peer_index(a->targets[i].keeper) == index)
            a->targets[i].keeper = NULL; /* its request has been failed already */
}

void arrival_forget_targets(struct arrival *a)
{
    for (unsigned i = 0; i < a->target_count; i++) {
        struct target *t = &a->targets[i];
        deposit_cancel(&t->deposit);
        if (t->keeper)
            channel_forget(t->keeper, t->request);
    }
}
