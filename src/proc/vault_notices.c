/* vault_notices.c - the outbox of notices, handed to keepers one at a time until each is stored. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/notices.h"

static void look_again(struct vault_process *vp)
{
    if (!vp->notice.request)
        timer_start(&vp->notice.look, LIMIT_NOTICE_LOOK);
}

/* The account is gone: nobody is left to be told. */
static void forget(struct vault_process *vp, uint64_t id)
{
    enum err e = vault_notice_done(vp->vault, id);
    if (e != OK)
        log_event(LOG_ERROR, "notice.outbox", LOG_ERR(e));
}

static void send_next(struct vault_process *vp);

static void on_noticed(void *owner, enum err why, struct ipc_msg *m)
{
    struct vault_process *vp = owner;
    vp->notice.request = 0;
    if (why == OK && m->u.notice_result.stored)
        forget(vp, vp->notice.at);
    send_next(vp); /* what was not stored comes again with the next look */
}

static fallible
send_one(struct vault_process *vp, const struct notice *n, const struct vault_account *account)
{
    struct channel *keeper = proc_keeper_of(vp->proc, account->slot);
    struct ipc_msg m = {.type = MSG_NOTICE};
    m.u.notice = (struct msg_notice){
        .account = account->id,
        .slot = account->slot,
        .address = slice_str(account->address),
        .language = slice_str(account->language),
        .quota_bytes = account->quota_bytes,
        .delivery = n->delivery,
        .kind = slice_str(n->kind),
        .facts = slice_str(n->facts),
    };
    return keeper ? channel_request(keeper, &m, 0, on_noticed, vp, &vp->notice.request) : ERR_UNAVAILABLE;
}

static void send_next(struct vault_process *vp)
{
    struct notice n;
    struct vault_account account;
    enum err e;
    while ((e = vault_notice_next(vp->vault, vp->notice.at, &n)) == OK) {
        vp->notice.at = n.id;
        e = vault_account_get(vp->vault, &n.account, &account);
        if (e == ERR_NOT_FOUND)
            forget(vp, n.id);
        else if (e == OK && send_one(vp, &n, &account) == OK)
            return;
    }
    if (e != ERR_NOT_FOUND)
        log_event(LOG_ERROR, "notice.outbox", LOG_ERR(e));
    look_again(vp);
}

static void on_look(struct timer *t)
{
    struct vault_process *vp = t->owner;
    vp->notice.at = 0;
    send_next(vp);
}

static void on_expiry_look(struct timer *t)
{
    struct vault_process *vp = t->owner;
    enum err e = vault_expiring(vp->vault, clock_unix_s());
    if (e != OK)
        log_event(LOG_ERROR, "notice.expiring", LOG_ERR(e));
    timer_start(t, LIMIT_EXPIRY_LOOK);
}

void vault_notices_start(struct vault_process *vp)
{
    timer_init(&vp->notice.look, vp->proc->loop, on_look, vp);
    timer_init(&vp->notice.expiry, vp->proc->loop, on_expiry_look, vp);
    if (vp->proc->offline) /* no keeper is there; they wait for the server */
        return;
    look_again(vp);
    timer_start(&vp->notice.expiry, LIMIT_NOTICE_LOOK);
}

void vault_notices_stop(struct vault_process *vp)
{
    timer_stop(&vp->notice.look);
    timer_stop(&vp->notice.expiry);
}
