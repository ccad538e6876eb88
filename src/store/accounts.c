/* accounts.c - the table of accounts: handles, who may enter, who must wait, who is closed for others. */
#include "store/accounts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/log.h"
#include "db/disk.h"
#include "store/private.h"

enum { ACCOUNTS_KNOWN_MAX = 1 << 20 };

void store_init(void)
{
    db_init();
}

static void accounts_turn(struct task *t);
static void accounts_tick(struct timer *t);

struct accounts *accounts_new(struct loop *loop, struct pool *pool, const struct accounts_options *options)
{
    struct accounts *as = NEW(struct accounts);
    as->loop = loop;
    as->pool = pool;
    as->options = *options;
    if (!as->options.open_max)
        as->options.open_max = LIMIT_OPEN_ACCOUNTS;
    if (!as->options.inline_max)
        as->options.inline_max = LIMIT_INLINE_MAX;
    if (!as->options.checkpoint_size)
        as->options.checkpoint_size = LIMIT_WAL_CHECKPOINT;
    if (!as->options.idle_ms)
        as->options.idle_ms = LIMIT_STORE_IDLE;
    map_init(&as->table, ACCOUNTS_KNOWN_MAX);
    list_init(&as->lru);
    list_init(&as->attention);
    task_init(&as->turn, accounts_turn, as);
    timer_init(&as->tick, loop, accounts_tick, as);
    as->compress = ZSTD_createCCtx();
    as->expand = ZSTD_createDCtx();
    as->scratch_room =
        ZSTD_compressBound(as->options.inline_max > BODY_CHUNK ? as->options.inline_max : BODY_CHUNK);
    as->scratch = mem_alloc(as->scratch_room);
    if (!as->compress || !as->expand)
        log_fatal("out of memory");
    return as;
}

struct accounts_status accounts_status(const struct accounts *as)
{
    return (struct accounts_status){
        .known = as->table.count, .open = as->open, .waiting = as->waiting, .poisoned = as->poisoned};
}

fallible accounts_has_room(const struct accounts *as, uint64_t size)
{
    return disk_has_room(as->options.root, size);
}

/* ------------------------------------------------------------------------------------------------------ handles */

static void write_path(struct account *a)
{
    int n = snprintf(a->path, sizeof a->path, "%02x/", slot_of(&a->id));
    hex_text(slice_of(a->id.b, sizeof a->id.b), a->path + n);
}

static struct account *account_new(struct accounts *as, const struct account_id *id)
{
    struct account *a = NEW(struct account);
    a->magic = ACCOUNT_MAGIC;
    a->all = as;
    a->id = *id;
    write_path(a);
    struct list *lists[] = {&a->lru,     &a->attention, &a->waits, &a->guests,  &a->synced_waits,
                            &a->watches, &a->removals,  &a->due,   &a->touched, &a->snapshots};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_init(lists[i]);
    enum err e = map_add(&as->table, slice_of(a->id.b, sizeof a->id.b), a);
    if (e != OK)
        log_fatal("more accounts than a keeper may know");
    return a;
}

struct account *account_ref(struct accounts *as, const struct account_id *id)
{
    struct account *a = map_find(&as->table, slice_of(id->b, sizeof id->b));
    if (!a)
        a = account_new(as, id);
    a->refs++;
    return a;
}

void account_unref(struct account **at)
{
    struct account *a = TAKE(*at, NULL);
    if (!a)
        return;
    assert(a->magic == ACCOUNT_MAGIC && a->refs > 0);
    if (--a->refs == 0)
        account_settle(a);
}

static void free_removals(struct list *removals)
{
    LIST_EACH (removals, struct removal, link, r) {
        list_drop(&r->link);
        free(r);
    }
}

static void account_free(struct account *a)
{
    assert(list_is_empty(&a->waits) && list_is_empty(&a->guests) && list_is_empty(&a->synced_waits));
    assert(list_is_empty(&a->watches) && list_is_empty(&a->snapshots));
    map_drop(&a->all->table, slice_of(a->id.b, sizeof a->id.b));
    list_drop(&a->lru);
    list_drop(&a->attention);
    if (a->state == ACCOUNT_POISONED)
        a->all->poisoned--;
    account_forget(a);
    free_removals(&a->removals);
    free_removals(&a->due);
    a->magic = 0;
    free(a);
}

void account_settle(struct account *a)
{
    bool in_use = a->refs > 0 || a->state == ACCOUNT_BUSY || a->state == ACCOUNT_OPEN || a->sync_runs;
    /* A failed disk is not forgotten because nobody looks: the next one would take its log at its word. INV-3 holds for
     * a new handle as well, but the pause between two tries would be lost. */
    if (!in_use && !(a->state == ACCOUNT_POISONED && a->heal_at_ms > loop_now(a->all->loop)))
        account_free(a);
}

const struct account_id *account_id(const struct account *a)
{
    return &a->id;
}

void account_say(struct account *a, const char *what, enum err why, const char *text)
{
    if (a->all->options.event)
        a->all->options.event(a->all->options.owner, &a->id, what, why, slice_str(text));
}

/* ------------------------------------------------------------------------------------------------------- states */

void account_set_state(struct account *a, enum account_state state)
{
    struct accounts *as = a->all;
    assert(state == ACCOUNT_OPEN ? a->db != NULL : state == ACCOUNT_BUSY || !a->db);
    as->poisoned += (state == ACCOUNT_POISONED) - (a->state == ACCOUNT_POISONED);
    a->state = state;
    bool is_open = state == ACCOUNT_OPEN || state == ACCOUNT_BUSY;
    if (is_open && !a->is_open)
        as->open++;
    if (!is_open && a->is_open)
        as->open--;
    a->is_open = is_open;
    list_drop(&a->lru);
    if (is_open)
        list_add(&as->lru, &a->lru);
    if (as->open)
        accounts_tick_soon(as, as->options.idle_ms / 4 + 1);
}

void account_attend(struct account *a)
{
    if (list_is_empty(&a->attention))
        list_add(&a->all->attention, &a->attention);
    loop_defer(a->all->loop, &a->all->turn);
}

void accounts_make_room(struct accounts *as)
{
    if (as->open < as->options.open_max)
        return;
    LIST_EACH (&as->lru, struct account, lru, a) {
        if (a->state == ACCOUNT_OPEN && !a->want_close) {
            a->want_close = true;
            account_attend(a);
            return;
        }
    }
}

static void maybe_stopped(struct accounts *as)
{
    if (as->stopping && as->stopped && as->open == 0 && as->jobs == 0) {
        void (*stopped)(void *owner) = TAKE(as->stopped, NULL);
        stopped(as->stopped_owner);
    }
}

static void accounts_turn(struct task *t)
{
    struct accounts *as = t->owner;
    struct list now;
    list_init(&now);
    LIST_EACH (&as->attention, struct account, attention, a) {
        list_drop(&a->attention);
        list_add(&now, &a->attention);
    }
    struct account *a;
    while ((a = LIST_FIRST(&now, struct account, attention))) {
        list_drop(&a->attention);
        account_look(a);
    }
    maybe_stopped(as);
}

void accounts_tick_soon(struct accounts *as, uint64_t within_ms)
{
    if (as->ticking && !as->pool_was_full)
        return;
    as->ticking = true;
    timer_start(&as->tick, within_ms);
}

/* An account that nobody changed or looked at: first what is left to do is done and the log moved, then it is closed, so that
 * sessions that only wait (IDLE) hold no connection, cache or descriptors. */
static void tick_idle(struct account *a, uint64_t now)
{
    uint64_t idle_ms = a->all->options.idle_ms;
    if (a->state != ACCOUNT_OPEN || now - a->idle_since_ms < idle_ms)
        return;
    if (a->checkpointed != a->committed)
        a->want_checkpoint = a->job_idle = true;
    else if (now - a->entered_ms >= idle_ms && !a->want_checkpoint && list_is_empty(&a->snapshots))
        a->want_close = true;
}

static void accounts_tick(struct timer *t)
{
    struct accounts *as = t->owner;
    uint64_t now = loop_now(as->loop);
    as->ticking = false;
    bool was_full = TAKE(as->pool_was_full, false);
    size_t at = 0;
    void *value;
    while (map_next(&as->table, &at, &value)) {
        struct account *a = value;
        tick_idle(a, now);
        if (was_full || a->want_checkpoint || a->want_close || (a->state == ACCOUNT_POISONED && a->refs == 0))
            account_attend(a);
    }
    if (TAKE(as->closed_some, false))
        mem_trim();
    if (as->open || as->poisoned)
        accounts_tick_soon(as, as->options.idle_ms / 4 + 1);
}

/* ----------------------------------------------------------------------------------------------------- entering */

static fallible wait_in_line(struct account *a, struct account_wait *w)
{
    list_drop(&w->link);
    list_add(&a->waits, &w->link);
    return ERR_AGAIN;
}

fallible account_enter(struct account *a, struct account_wait *w)
{
    assert(a->magic == ACCOUNT_MAGIC);
    if (a->want_delete || a->state == ACCOUNT_GONE)
        return ERR_GONE;
    if (a->all->stopping || a->want_poison != OK)
        return ERR_UNAVAILABLE;
    switch (a->state) {
    case ACCOUNT_OPEN:
        a->want_close = false;
        a->entered_ms = loop_now(a->all->loop);
        list_drop(&a->lru);
        list_add(&a->all->lru, &a->lru);
        return OK;
    case ACCOUNT_DAMAGED:
        return a->failure;
    case ACCOUNT_POISONED:
        if (loop_now(a->all->loop) < a->heal_at_ms)
            return a->failure == ERR_DISK_FULL ? ERR_DISK_FULL : ERR_UNAVAILABLE;
        break;
    default:
        break;
    }
    if (a->state != ACCOUNT_BUSY) { /* or else the end of the job looks at it */
        a->want_open = true;
        account_attend(a);
    } else if (a->job_kind == JOB_CLOSE) {
        a->want_open = true;
    }
    return wait_in_line(a, w);
}

void account_wait_stop(struct account_wait *w)
{
    list_drop(&w->link);
}

void account_wake_waits(struct account *a)
{
    struct list now;
    list_init(&now);
    LIST_EACH (&a->waits, struct account_wait, link, w) {
        list_drop(&w->link);
        list_add(&now, &w->link);
    }
    struct account_wait *w;
    a->refs++; /* a callback may drop the last handle */
    while ((w = LIST_FIRST(&now, struct account_wait, link))) {
        list_drop(&w->link);
        w->ready(w);
    }
    a->refs--;
}

void account_wait_later(struct account *a, struct account_wait *w)
{
    IGNORE(wait_in_line(a, w), "it says that one must wait");
    a->wake = true;
    account_attend(a);
}

void account_guest_add(struct account *a, struct account_guest *g)
{
    list_drop(&g->link);
    list_add(&a->guests, &g->link);
}

void account_guest_drop(struct account_guest *g)
{
    list_drop(&g->link);
}

void account_remove(struct account *a)
{
    a->want_delete = true;
    account_attend(a);
}

/* ----------------------------------------------------------------------------------------------------- stopping */

void accounts_stop(struct accounts *as, void (*stopped)(void *owner), void *owner)
{
    as->stopping = true;
    as->stopped = stopped;
    as->stopped_owner = owner;
    size_t at = 0;
    void *value;
    while (map_next(&as->table, &at, &value)) {
        ((struct account *)value)->want_close = true;
        account_attend(value);
    }
    loop_defer(as->loop, &as->turn);
}

void accounts_free(struct accounts **at)
{
    struct accounts *as = TAKE(*at, NULL);
    if (!as)
        return;
    size_t next = 0;
    void *value;
    while (map_next(&as->table, &next, &value)) {
        struct account *a = value;
        assert(a->refs == 0);
        db_abandon(&a->db);
        account_free(a);
    }
    map_done(&as->table);
    task_stop(&as->turn);
    timer_stop(&as->tick);
    ZSTD_freeCCtx(as->compress);
    ZSTD_freeDCtx(as->expand);
    free(as->scratch);
    free(as);
}
