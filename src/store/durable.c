/* durable.c - output commit: syncs, checkpoints, and what follows when they fail.
 *
 * At the end of each turn account_look decides for every account that changed, in this order: a poison found meanwhile; a sync,
 * if something is committed and not synced; then the one job that may have the connection. A sync and the loop share an
 * account, a job does not. Whatever ends calls account_attend, so all decisions are made in one place (INV-10 to INV-12).
 */
#include <stdio.h>

#include "db/disk.h"
#include "store/private.h"

/* --------------------------------------------------------------------------------------------------- who waits */

uint64_t account_committed(const struct account *a)
{
    return a->committed;
}

uint64_t account_synced(const struct account *a)
{
    return a->synced;
}

void synced_wait_start(struct synced_wait *w, struct account *a, uint64_t upto)
{
    list_drop(&w->link);
    w->upto = upto;
    struct list *behind = a->synced_waits.prev;
    while (behind != &a->synced_waits && CONTAINER_OF(behind, struct synced_wait, link)->upto > upto)
        behind = behind->prev;
    list_add_front(behind, &w->link);
    if (upto <= a->synced || a->state != ACCOUNT_OPEN)
        account_attend(a);
}

void synced_wait_stop(struct synced_wait *w)
{
    list_drop(&w->link);
}

static void tell_synced(struct account *a)
{
    struct synced_wait *w;
    a->refs++; /* a callback may drop the last handle */
    while ((w = LIST_FIRST(&a->synced_waits, struct synced_wait, link)) && w->upto <= a->synced) {
        list_drop(&w->link);
        w->synced(w, OK);
    }
    a->refs--;
}

static void tell_lost(struct account *a, enum err why)
{
    struct synced_wait *w;
    a->refs++;
    while ((w = LIST_FIRST(&a->synced_waits, struct synced_wait, link))) {
        list_drop(&w->link);
        w->synced(w, ERR_UNAVAILABLE);
    }
    struct account_guest *g;
    while ((g = LIST_FIRST(&a->guests, struct account_guest, link))) {
        list_drop(&g->link);
        g->ended(g, why);
    }
    snapshot_fail(a, why);
    a->refs--;
}

static void account_poison(struct account *a, enum err why)
{
    assert(!a->sync_runs && a->depth == 0 && a->iters == 0);
    char text[128] = "";
    if (a->db)
        snprintf(text, sizeof text, "%s", db_why(a->db));
    snapshot_stop_copies(a);
    db_abandon(&a->db); /* without checkpoint: it would take pages for synced that are not */
    account_forget(a);
    a->failure = why;
    a->heal_at_ms = loop_now(a->all->loop);
    account_set_state(a, ACCOUNT_POISONED);
    account_say(a, "poisoned", why, text);
    tell_lost(a, ERR_UNAVAILABLE);
    account_wake_waits(a);
}

/* -------------------------------------------------------------------------------------------------------- syncs */

/* What the next job on a pool thread shall unlink: files whose last row went with a commit that is synced (INV-21). */
static void collect_due(struct account *a)
{
    if (a->pins)
        return;
    LIST_EACH (&a->removals, struct removal, link, r) {
        if (r->after <= a->synced) {
            list_drop(&r->link);
            list_add(&a->due, &r->link);
        }
    }
}

static bool submit(struct account *a, struct job *j)
{
    enum err e = pool_submit(a->all->pool, j);
    if (e == OK) {
        a->all->jobs++;
        return true;
    }
    a->all->pool_was_full = true;
    accounts_tick_soon(a->all, 5);
    return false;
}

static void sync_work(struct job *j)
{
    struct account *a = j->owner;
    removals_run(a);
    a->sync_error = disk_sync(a->sync_fd);
}

static void sync_done(struct job *j)
{
    struct account *a = j->owner;
    a->all->jobs--;
    a->sync_runs = false;
    a->sync_last = true;
    account_attend(a);
    if (a->sync_error == OK) {
        a->synced = a->sync_upto;
        tell_synced(a);
    } else {
        a->want_poison = a->sync_error;
    }
}

static void start_sync(struct account *a)
{
    a->sync = (struct job){.work = sync_work, .done = sync_done, .owner = a};
    a->sync_upto = a->committed;
    a->sync_fd = db_log_fd(a->db);
    collect_due(a);
    a->sync_runs = submit(a, &a->sync);
}

/* --------------------------------------------------------------------------------------------------------- jobs */

static enum err work_open(struct account *a)
{
    removals_run(a);
    TRY(folder_open(a));
    enum err e = account_load(a);
    if (e != OK) {
        snprintf(a->job_why, sizeof a->job_why, "%s", db_why(a->db));
        db_abandon(&a->db);
    }
    return e;
}

static enum err work_checkpoint(struct account *a)
{
    removals_run(a);
    if (a->job_idle)
        TRY(account_tidy(a));
    return db_checkpoint(a->db);
}

static enum err work_copy(struct account *a)
{
    snapshot_step(snapshot_waiting(a));
    return OK;
}

static enum err work_close(struct account *a)
{
    removals_run(a);
    return db_close(&a->db);
}

static enum err work_delete(struct account *a)
{
    snapshot_stop_copies(a);
    db_abandon(&a->db);
    return folder_delete(a);
}

/* Open: everything is on disk now, by db_open. */
static void done_open(struct account *a)
{
    enum err e = a->job_error;
    a->want_open = a->want_close = false;
    if (e == OK) {
        bool healed = a->failure != OK;
        a->failure = OK;
        a->swept = true;
        a->synced = a->checkpointed = a->committed;
        a->idle_since_ms = a->entered_ms = loop_now(a->all->loop);
        account_set_state(a, ACCOUNT_OPEN);
        account_say(a, healed ? "healed" : a->made ? "made" : "opened", OK, NULL);
        tell_synced(a);
    } else {
        bool damaged = e == ERR_CORRUPT || e == ERR_UNSUPPORTED;
        a->failure = e;
        a->heal_at_ms = loop_now(a->all->loop) + LIMIT_STORE_HEAL;
        account_forget(a);
        account_set_state(a, damaged ? ACCOUNT_DAMAGED : ACCOUNT_POISONED);
        account_say(a, damaged ? "damaged" : "unavailable", e, a->job_why);
        tell_lost(a, damaged ? e : ERR_UNAVAILABLE);
    }
}

/* A disk without room for the checkpoint keeps the log, which is synced: reading goes on, and the next try comes later. */
static void back_to_open(struct account *a)
{
    account_set_state(a, ACCOUNT_OPEN);
    if (a->job_error == ERR_DISK_FULL)
        a->checkpoint_after_ms = loop_now(a->all->loop) + LIMIT_STORE_HEAL;
    else if (a->job_error != OK)
        a->want_poison = a->job_error;
}

static void done_checkpoint(struct account *a)
{
    a->want_checkpoint = a->job_idle = a->graves && a->job_idle && a->job_error == OK;
    if (a->job_error == OK) {
        a->synced = a->checkpointed = a->committed;
        account_say(a, "checkpointed", OK, NULL);
    }
    back_to_open(a);
    if (a->job_error == OK)
        tell_synced(a);
}

static void done_copy(struct account *a)
{
    back_to_open(a);
    snapshot_stepped(snapshot_waiting(a));
}

static void done_close(struct account *a)
{
    a->want_close = a->want_checkpoint = a->job_idle = false;
    account_forget(a);
    if (a->job_error == OK || a->job_error == ERR_DISK_FULL) {
        a->synced = a->checkpointed = a->committed;
        account_set_state(a, ACCOUNT_CLOSED);
        a->all->closed_some = true;
        accounts_tick_soon(a->all, a->all->options.idle_ms / 4 + 1);
        account_say(a, "closed", a->job_error, NULL);
        tell_synced(a);
    } else {
        a->state = ACCOUNT_CLOSED;
        account_poison(a, a->job_error);
    }
}

static void done_delete(struct account *a)
{
    a->want_delete = a->want_open = false;
    account_forget(a);
    account_set_state(a, ACCOUNT_GONE);
    account_say(a, "removed", a->job_error, NULL);
    tell_lost(a, ERR_GONE);
}

static const struct {
    enum err (*work)(struct account *a);
    void (*done)(struct account *a);
} jobs[JOBS] = {
    [JOB_OPEN] = {work_open, done_open},       [JOB_CHECKPOINT] = {work_checkpoint, done_checkpoint},
    [JOB_COPY] = {work_copy, done_copy},       [JOB_CLOSE] = {work_close, done_close},
    [JOB_DELETE] = {work_delete, done_delete},
};

static void job_work(struct job *j)
{
    struct account *a = j->owner;
    a->job_error = jobs[a->job_kind].work(a);
}

static void job_done(struct job *j)
{
    struct account *a = j->owner;
    a->all->jobs--;
    enum account_job kind = TAKE(a->job_kind, JOB_NONE);
    account_attend(a);
    jobs[kind].done(a);
    if (a->state == ACCOUNT_OPEN ? a->want_poison == OK : true)
        account_wake_waits(a);
}

static void start_job(struct account *a, enum account_job kind)
{
    enum account_state before = a->state;
    if (kind == JOB_OPEN)
        accounts_make_room(a->all);
    a->job = (struct job){.work = job_work, .done = job_done, .owner = a};
    a->job_kind = kind;
    a->job_error = OK;
    a->job_why[0] = '\0';
    collect_due(a);
    account_set_state(a, ACCOUNT_BUSY);
    if (!submit(a, &a->job)) {
        a->job_kind = JOB_NONE;
        account_set_state(a, before);
    }
}

/* ----------------------------------------------------------------------------------------------------- deciding */

static enum account_job wanted_job(const struct account *a)
{
    bool open = a->state == ACCOUNT_OPEN;
    if (a->want_delete && a->state != ACCOUNT_GONE)
        return JOB_DELETE;
    if (!open)
        return a->want_open && !a->all->stopping &&
                       (a->state == ACCOUNT_CLOSED || a->state == ACCOUNT_POISONED)
                   ? JOB_OPEN
                   : JOB_NONE;
    if (a->want_close)
        return list_is_empty(&a->snapshots) ? JOB_CLOSE : JOB_COPY;
    if (a->want_checkpoint)
        return JOB_CHECKPOINT;
    return snapshot_waiting(a) ? JOB_COPY : JOB_NONE;
}

void account_look(struct account *a)
{
    assert(a->depth == 0 && a->iters == 0);
    if (a->state == ACCOUNT_BUSY || a->sync_runs)
        return;
    if (a->want_poison != OK) {
        account_poison(a, TAKE(a->want_poison, OK));
        account_attend(a);
        return;
    }
    if (a->state == ACCOUNT_OPEN) {
        tell_synced(a);
        if (db_log_size(a->db) >= a->all->options.checkpoint_size &&
            loop_now(a->all->loop) >= a->checkpoint_after_ms)
            a->want_checkpoint = true;
    } else if (!a->want_open && a->state != ACCOUNT_CLOSED) {
        tell_lost(a, a->state == ACCOUNT_GONE ? ERR_GONE : ERR_UNAVAILABLE);
    } else if (a->state == ACCOUNT_CLOSED) {
        tell_synced(a);
    }
    if (a->all->stopping && a->state == ACCOUNT_OPEN)
        a->want_close = true;
    enum account_job kind = wanted_job(a);
    bool dirty = a->state == ACCOUNT_OPEN && a->committed > a->synced;
    if (dirty && !(a->sync_last && kind != JOB_NONE))
        start_sync(a);
    else if (kind != JOB_NONE)
        start_job(a, kind);
    a->sync_last = false;
    if ((a->all->stopping || a->wake) && a->state != ACCOUNT_BUSY) {
        a->wake = false;
        account_wake_waits(a);
    }
    account_settle(a);
}
