#include "smtp/session/notice.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "smtp/session/notice_text.h"
#include "smtp/session/private.h"

struct noticing {
    struct list link;
    struct channel *vault; /* NULL once it has gone */
    uint64_t request;
    struct deposit *deposit;
};

static void answer(struct channel *vault, uint64_t request, bool stored)
{
    struct ipc_msg m = {.type = MSG_NOTICE_RESULT, .u.notice_result = {.stored = stored}};
    IGNORE(channel_answer(vault, request, &m), "a vault that is gone asks again by the same id");
}

static void on_deposited(void *owner, enum ipc_deliver_outcome outcome)
{
    struct noticing *n = owner;
    bool is_final = outcome == DELIVER_OUTCOME_STORED || outcome == DELIVER_OUTCOME_GONE;
    if (n->vault)
        answer(n->vault, n->request, is_final);
    list_drop(&n->link);
    free(n);
}

static fallible
write_octets(struct arrivals *a, const struct msg_notice *m, struct octets *octets, struct hash *ret_hash)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE * 2);
    struct notice n = {
        .kind = m->kind,
        .facts = m->facts,
        .address = m->address,
        .language = m->language,
        .hostname = a->env->hostname,
        .random = slice_of(m->delivery.b, sizeof m->delivery.b),
        .now_s = clock_unix_s(),
    };
    TRY(notice_write(&n, &text));
    *ret_hash = hash_of(NULL, buf_slice(&text));
    TRY(octets_put(octets, buf_slice(&text)));
    return octets_seal(octets);
}

static void deposit(
    struct arrivals *a, struct noticing *n, const struct msg_notice *m, struct octets *octets,
    const struct hash *hash)
{
    struct buf prefix CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS + 64);
    buf_put_str(&prefix, "Return-Path: <>\r\nDelivered-To: ");
    buf_put(&prefix, m->address);
    buf_put_str(&prefix, "\r\n");
    struct deposit_what what = {
        .account = m->account,
        .delivery = {.id = m->delivery, .octets = *hash},
        .octets = octets,
        .prefix = buf_slice(&prefix),
        .received_ms = clock_unix_ms(),
        .quota_bytes = m->quota_bytes,
    };
    n->deposit = deposit_start(a->env, &what, on_deposited, n);
}

void notice_take(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    const struct msg_notice *notice = &m->u.notice;
    struct hash hash;
    if (!keeper_owns(a->env, notice->slot) || a->env->stopping) {
        answer(from, m->id, false);
        return;
    }
    struct octets *octets = octets_new(a->root, notice->slot);
    enum err e = write_octets(a, notice, octets, &hash);
    if (e == OK) {
        struct noticing *n = NEW(struct noticing);
        *n = (struct noticing){.vault = from, .request = m->id};
        list_add(&a->notices, &n->link);
        deposit(a, n, notice, octets, &hash);
    } else {
        log_event(LOG_ERROR, "notice.unwritten", LOG_ERR(e), LOG_TEXT("kind", notice->kind));
        answer(from, m->id, false);
    }
    octets_unref(&octets);
}

void notices_vault_down(struct arrivals *a)
{
    LIST_EACH (&a->notices, struct noticing, link, n) {
        n->vault = NULL;
    }
}

void notices_drop(struct arrivals *a)
{
    LIST_EACH (&a->notices, struct noticing, link, n) {
        deposit_cancel(&n->deposit);
        list_drop(&n->link);
        free(n);
    }
}
