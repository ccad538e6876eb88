#include "smtp/session/deposit.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "ipc/poison.h"
#include "keeper/poisoned.h"
#include "store/body.h"
#include "store/quota.h"

enum { SLICE = 65536 };

struct deposit {
    struct keeper_env *env;
    struct deposit_what what;
    deposit_done_fn *done;
    void *owner;
    struct account *account;
    struct account_wait wait;
    struct synced_wait synced;
    struct task next;
    /* The steps in order; each runs with the account entered, and says OK (next one), ERR_AGAIN (called again) or why not. */
    enum { STEP_LOOK, STEP_FEED, STEP_FINISH, STEP_STORE, STEP_SYNC } step;
    struct body_writer *body;
    uint64_t fed;
    enum ipc_deliver_outcome outcome;
    char prefix[];
};

static void advance(struct deposit *d);

static void release(struct deposit *d)
{
    body_writer_free(&d->body);
    account_wait_stop(&d->wait);
    synced_wait_stop(&d->synced);
    task_stop(&d->next);
    octets_unref(&d->what.octets);
    account_unref(&d->account);
    free(d);
}

static void end(struct deposit *d, enum ipc_deliver_outcome outcome)
{
    deposit_done_fn *done = d->done;
    void *owner = d->owner;
    release(d);
    done(owner, outcome);
}

static enum ipc_deliver_outcome outcome_of(enum err e)
{
    switch (e) {
    case OK:
        return DELIVER_OUTCOME_STORED;
    case ERR_QUOTA:
        return DELIVER_OUTCOME_FULL;
    case ERR_GONE:
        return DELIVER_OUTCOME_GONE;
    case ERR_DISK_FULL:
        return DELIVER_OUTCOME_DISK_FULL;
    default:
        return DELIVER_OUTCOME_LATER;
    }
}

static void on_entered(struct account_wait *w)
{
    advance(w->owner);
}

static void on_next(struct task *t)
{
    advance(t->owner);
}

static void on_body_ready(struct body_writer *w, enum err e, void *owner)
{
    struct deposit *d = owner;
    (void)w;
    if (e != OK) {
        end(d, outcome_of(e));
        return;
    }
    d->step = STEP_STORE;
    advance(d);
}

static void on_synced(struct synced_wait *w, enum err e)
{
    struct deposit *d = w->owner;
    end(d, outcome_of(e));
}

static uint64_t mark_of(const struct deposit *d)
{
    return poisoned_mark_delivery(&d->what.delivery.octets);
}

/* The prefix, then the octets, a slice a turn when they are in a file. */
static fallible feed(struct deposit *d)
{
    if (!d->body) {
        uint64_t size = d->what.prefix.n + octets_size(d->what.octets);
        TRY(body_writer_new(d->account, size, &d->body));
        if (poisoned_has(d->env->poisoned, &d->what.account, mark_of(d)))
            body_writer_be_opaque(d->body);
        TRY(body_feed(d->body, d->what.prefix));
        struct slice memory = octets_memory(d->what.octets);
        if (memory.p)
            return body_feed(d->body, memory);
    }
    int fd;
    size_t n;
    TRY(octets_fd(d->what.octets, &fd));
    TRY(body_feed_fd(d->body, fd, d->fed, SLICE, &n));
    d->fed += n;
    if (d->fed == octets_size(d->what.octets))
        return OK;
    return n == 0 ? ERR_CORRUPT : ERR_AGAIN;
}

static fallible store(struct deposit *d)
{
    const struct mailbox *inbox;
    TRY(mailbox_find(d->account, S("INBOX"), &inbox));
    struct append append = {
        .body = d->body, .internal_date = d->what.received_ms / 1000, .beyond_quota = true};
    struct uid uid;
    return delivery_store(d->account, &d->what.delivery, inbox->id, &append, &uid);
}

static fallible run_step(struct deposit *d)
{
    bool stored = false;
    enum err e;
    switch (d->step) {
    case STEP_LOOK:
        TRY(quota_set(d->account, d->what.quota_bytes, 0));
        TRY(delivery_find(d->account, &d->what.delivery, &stored));
        d->step = stored ? STEP_SYNC : STEP_FEED;
        return OK;
    case STEP_FEED:
        poison_enter(d->env->poison, &d->what.account, mark_of(d), "parse");
        e = feed(d);
        poison_leave(d->env->poison);
        if (e == OK)
            d->step = STEP_FINISH;
        return e;
    case STEP_FINISH:
        poison_enter(d->env->poison, &d->what.account, mark_of(d), "structure");
        e = body_finish(d->body, on_body_ready, d);
        poison_leave(d->env->poison);
        TRY(e);
        d->step = STEP_STORE;
        return OK;
    case STEP_STORE:
        TRY(store(d));
        d->step = STEP_SYNC;
        return OK;
    case STEP_SYNC:
        synced_wait_start(&d->synced, d->account, account_committed(d->account));
        return ERR_AGAIN;
    }
    return ERR_STATE;
}

static void advance(struct deposit *d)
{
    enum err e = account_enter(d->account, &d->wait);
    if (e == ERR_AGAIN)
        return; /* the wait calls again */
    while (e == OK)
        e = run_step(d);
    if (e != ERR_AGAIN)
        end(d, outcome_of(e));
    else if (d->step == STEP_FEED)
        loop_defer(d->env->loop, &d->next);
    /* else: the body or the sync calls again */
}

struct deposit *
deposit_start(struct keeper_env *env, const struct deposit_what *what, deposit_done_fn *done, void *owner)
{
    struct deposit *d = mem_alloc(sizeof *d + what->prefix.n);
    *d = (struct deposit){.env = env, .what = *what, .done = done, .owner = owner};
    if (what->prefix.n)
        memcpy(d->prefix, what->prefix.p, what->prefix.n);
    d->what.prefix = slice_of(d->prefix, what->prefix.n);
    d->what.octets = octets_ref(what->octets);
    d->account = account_ref(env->accounts, &what->account);
    d->wait = (struct account_wait){.ready = on_entered, .owner = d};
    d->synced = (struct synced_wait){.synced = on_synced, .owner = d};
    task_init(&d->next, on_next, d);
    loop_defer(env->loop, &d->next);
    return d;
}

void deposit_cancel(struct deposit **d_ptr)
{
    struct deposit *d = *d_ptr;
    *d_ptr = NULL;
    if (d)
        release(d);
}

/* ---- confirming ---- */

struct confirmation {
    struct account *account;
    struct account_wait wait;
    struct delivery_id id;
};

static void confirm(struct account_wait *w)
{
    struct confirmation *c = w->owner;
    enum err e = account_enter(c->account, &c->wait);
    if (e == ERR_AGAIN)
        return;
    if (e == OK)
        IGNORE(
            delivery_confirm(c->account, &c->id), "an unconfirmed mark only lets equal octets be recognised");
    account_wait_stop(&c->wait);
    account_unref(&c->account);
    free(c);
}

void deposit_confirm(struct keeper_env *env, const struct account_id *account, const struct delivery_id *id)
{
    struct confirmation *c = NEW(struct confirmation);
    *c = (struct confirmation){.account = account_ref(env->accounts, account), .id = *id};
    c->wait = (struct account_wait){.ready = confirm, .owner = c};
    confirm(&c->wait);
}
