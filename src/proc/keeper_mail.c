#include "proc/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "store/quota.h"
#include "store/snapshot.h"

static void on_entered(struct account_wait *w)
{
    struct question *q = w->owner;
    enum err e = account_enter(q->account, &q->wait);
    if (e != ERR_AGAIN)
        q->work(q, e);
}

static void question_ask(struct question *q, struct keeper *k, struct channel *asker, uint64_t request)
{
    q->keeper = k;
    q->asker = asker;
    q->asker_role = channel_peer(asker);
    q->asker_index = channel_peer_index(asker);
    q->request = request;
    list_add(&k->questions, &q->link);
}

/* Enters the account, then calls work. */
static void question_start(
    struct keeper *k, struct channel *asker, uint64_t request, const struct account_id *account,
    void (*work)(struct question *, enum err), const struct question *facts)
{
    struct question *q = NEW(struct question);
    *q = *facts;
    question_ask(q, k, asker, request);
    q->work = work;
    q->account = account_ref(k->env.accounts, account);
    q->wait = (struct account_wait){.ready = on_entered, .owner = q};
    on_entered(&q->wait);
}

/* An item of the answer; takes the descriptors of m. */
static void question_item(struct question *q, struct ipc_msg *item)
{
    if (q->asker) {
        IGNORE(channel_answer(q->asker, q->request, item), "a dead asker is found by its channel");
    } else {
        for (unsigned i = 0; i < item->fd_count; i++)
            close(item->fds[i]);
    }
}

/* Sends the answer if the asker still lives, and frees. */
static void question_answer(struct question *q, struct ipc_msg *answer)
{
    question_item(q, answer);
    list_drop(&q->link);
    account_wait_stop(&q->wait);
    snapshot_free(&q->snapshot);
    account_unref(&q->account);
    free(q);
}

void questions_forget(struct keeper *k, enum ipc_role role, unsigned index)
{
    LIST_EACH (&k->questions, struct question, link, q) {
        if (q->asker_role == role && q->asker_index == index)
            q->asker = NULL;
    }
}

/* ---- quota and readiness at RCPT ---- */

static enum ipc_recipient_outcome outcome_of(enum err e)
{
    switch (e) {
    case OK:
        return RECIPIENT_OUTCOME_OK;
    case ERR_QUOTA:
        return RECIPIENT_OUTCOME_FULL;
    case ERR_GONE:
        return RECIPIENT_OUTCOME_GONE;
    default:
        return RECIPIENT_OUTCOME_LATER;
    }
}

static void check_recipient(struct question *q, enum err e)
{
    if (e == OK)
        e = quota_set(q->account, q->quota_bytes, 0);
    if (e == OK)
        e = quota_check(q->account, q->size ? q->size : 1, 1);
    if (e == OK)
        e = accounts_has_room(q->keeper->env.accounts, q->size);
    struct ipc_msg answer = {
        .type = MSG_RECIPIENT_CHECK_RESULT, .u.recipient_check_result = {.outcome = outcome_of(e)}};
    question_answer(q, &answer);
}

void keeper_on_recipient_check(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    const struct msg_recipient_check *c = &m->u.recipient_check;
    if (!keeper_owns(&k->env, c->slot) || k->env.stopping) {
        struct ipc_msg no = {
            .type = MSG_RECIPIENT_CHECK_RESULT,
            .u.recipient_check_result = {.outcome = RECIPIENT_OUTCOME_LATER}};
        IGNORE(channel_answer(from, m->id, &no), "a dead asker is found by its channel");
        return;
    }
    struct question facts = {.size = c->size, .quota_bytes = c->quota_bytes};
    question_start(k, from, m->id, &c->account, check_recipient, &facts);
}

/* ---- snapshots for backup ---- */

static void send_snapshot(struct snapshot *s, enum err e, void *owner)
{
    struct question *q = owner;
    struct buf folder = BUF_INIT(2 * ID_HEX_LEN);
    hex_put(&folder, slice_of(account_id(q->account)->b, sizeof account_id(q->account)->b));
    struct slice name;
    uint64_t size;
    int fd;
    while (e == OK && (e = snapshot_next(s, &name, &size, &fd)) == OK) {
        char path[256];
        int n = snprintf(
            path, sizeof path, "accounts/%s/" SLICE_FMT "/" SLICE_FMT,
            slot_name(slot_of(account_id(q->account))), SLICE_ARG(buf_slice(&folder)), SLICE_ARG(name));
        struct ipc_msg item = {
            .type = MSG_SNAPSHOT_FILE,
            .u.snapshot_file = {.name = slice_of(path, (size_t)n), .size = size},
            .fd_count = 1,
            .fds = {fd}};
        question_item(q, &item);
    }
    buf_done(&folder);
    struct ipc_msg answer = {
        .type = MSG_SNAPSHOT_RESULT,
        .u.snapshot_result = {.outcome = outcome_of(e == ERR_NOT_FOUND ? OK : e)}};
    question_answer(q, &answer);
}

static void start_snapshot(struct question *q, enum err e)
{
    if (e == OK) {
        q->snapshot = snapshot_new(q->account, send_snapshot, q);
        return;
    }
    struct ipc_msg answer = {.type = MSG_SNAPSHOT_RESULT, .u.snapshot_result = {.outcome = outcome_of(e)}};
    question_answer(q, &answer);
}

void keeper_on_snapshot(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    if (keeper_owns(&k->env, m->u.snapshot.slot)) {
        question_start(k, from, m->id, &m->u.snapshot.account, start_snapshot, &(struct question){0});
        return;
    }
    struct ipc_msg no = {
        .type = MSG_SNAPSHOT_RESULT, .u.snapshot_result = {.outcome = RECIPIENT_OUTCOME_GONE}};
    IGNORE(channel_answer(from, m->id, &no), "a dead asker is found by its channel");
}

/* ---- the same of the hand-overs that wait in a slot ---- */

static void send_transit(void *owner, enum err e, int fd)
{
    struct question *q = owner;
    off_t size = e == OK ? lseek(fd, 0, SEEK_END) : 0;
    if (size < 0)
        e = ERR_IO;
    if (e == OK) {
        char path[64];
        int n = snprintf(path, sizeof path, "accounts/%s/transit.db", slot_name(q->slot));
        struct ipc_msg item = {
            .type = MSG_SNAPSHOT_FILE,
            .u.snapshot_file = {.name = slice_of(path, (size_t)n), .size = (uint64_t)size},
            .fd_count = 1,
            .fds = {fd}};
        question_item(q, &item);
    } else if (fd >= 0) {
        close(fd);
    }
    struct ipc_msg answer = {.type = MSG_SNAPSHOT_RESULT, .u.snapshot_result = {.outcome = outcome_of(e)}};
    question_answer(q, &answer);
}

void keeper_on_snapshot_transit(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    uint8_t slot = m->u.snapshot_transit.slot;
    struct question *q = NEW(struct question);
    question_ask(q, k, from, m->id);
    q->slot = slot;
    enum err e =
        keeper_owns(&k->env, slot) ? arrivals_snapshot(k->arrivals, slot, send_transit, q) : ERR_GONE;
    if (e == OK)
        return;
    enum ipc_recipient_outcome outcome = e == ERR_NOT_FOUND ? RECIPIENT_OUTCOME_OK : outcome_of(e);
    struct ipc_msg none = {.type = MSG_SNAPSHOT_RESULT, .u.snapshot_result = {.outcome = outcome}};
    question_answer(q, &none);
}

void keeper_on_account_removed(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    (void)from;
    if (!keeper_owns(&k->env, m->u.account_removed.slot))
        return;
    sessions_revoke(k->env.sessions, &m->u.account_removed.account, 0, 0, END_REMOVED);
    grants_revoke(k->env.grants, &m->u.account_removed.account, 0, 0);
    struct account *account = account_ref(k->env.accounts, &m->u.account_removed.account);
    account_remove(account);
    account_unref(&account);
}
