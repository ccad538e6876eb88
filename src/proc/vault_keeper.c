/* vault_keeper.c - what the vault tells keepers: grants, revoked credentials, removed accounts; and what they ask. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "proc/vault.h"
#include "vault/accounts.h"

/* ---- grants ---- */

struct granting {
    struct vault_process *vp;
    uint64_t exchange;
};

static void on_granted(void *owner, enum err why, struct ipc_msg *m)
{
    struct granting *g = owner;
    bool accepted = why == OK && m->u.grant_result.accepted;
    if (why != OK)
        log_event(LOG_WARN, "grant.unanswered", LOG_ERR(why));
    if (g->vp->signins)
        signin_granted(g->vp->signins, g->exchange, accepted);
    free(g);
}

static enum ipc_service service_of(enum vault_door door)
{
    static const enum ipc_service services[] = {
        [VAULT_SUBMISSION] = SERVICE_SUBMISSION,
        [VAULT_IMAP] = SERVICE_IMAP,
        [VAULT_POP3] = SERVICE_POP3,
        [VAULT_API] = SERVICE_API,
    };
    return services[door];
}

void vault_send_grant(struct vault_process *vp, uint64_t exchange, const struct signin_grant *g)
{
    struct channel *keeper = proc_keeper_of(vp->proc, g->slot);
    struct ipc_msg m = {.type = MSG_GRANT};
    m.u.grant = (struct msg_grant){
        .ticket = g->ticket,
        .account = g->account,
        .slot = g->slot,
        .credential = g->credential,
        .version = g->version,
        .service = service_of(g->door),
        .can_receive = g->can_receive,
        .can_send = g->can_send,
        .expires_s = g->expires_s,
        .address = g->address,
        .language = g->language,
        .quota_bytes = g->quota_bytes,
        .program = g->program,
        .limits = g->limits,
    };
    struct granting *wait = NEW(struct granting);
    *wait = (struct granting){vp, exchange};
    enum err e =
        keeper ? channel_request(keeper, &m, LIMIT_GRANT_WAIT, on_granted, wait, NULL) : ERR_UNAVAILABLE;
    if (e == OK)
        return;
    free(wait);
    log_event(LOG_WARN, "grant.unsent", LOG_ERR(e), LOG_NUM("slot", g->slot));
    signin_granted(vp->signins, exchange, false);
}

/* ---- revoking ---- */

/* A revocation on its way. When the channel is full (a policy that narrows a door for thousands) it waits its turn. */
struct revoking {
    struct list link; /* in vp->revoking.waiting */
    struct vault_process *vp;
    struct account_id account;
    uint64_t credential;
    uint32_t version;
};

static void on_revoked(void *owner, enum err why, struct ipc_msg *m)
{
    struct revoking *r = owner;
    if (why != OK)
        log_event(LOG_WARN, "revoke.unanswered", LOG_ERR(why), LOG_NUM("credential", r->credential));
    else
        log_event(
            LOG_INFO, "revoke.done", LOG_NUM("credential", r->credential),
            LOG_NUM("sessions", m->u.revoke_result.sessions));
    free(r);
}

/* A keeper that is away asks for every live credential when it is back, so nothing is lost then. False: there is no room now. */
static bool send_revoking(struct revoking *r)
{
    uint8_t slot = slot_of(&r->account);
    struct channel *keeper = proc_keeper_of(r->vp->proc, slot);
    struct ipc_msg m = {.type = MSG_REVOKE};
    m.u.revoke = (struct msg_revoke){
        .account = r->account, .slot = slot, .credential = r->credential, .version = r->version};
    enum err e = keeper ? channel_request(keeper, &m, 0, on_revoked, r, NULL) : OK;
    if (!keeper)
        free(r);
    return e == OK;
}

static void send_waiting(struct timer *t)
{
    struct vault_process *vp = t->owner;
    LIST_EACH (&vp->revoking.waiting, struct revoking, link, r) {
        list_drop(&r->link);
        if (!send_revoking(r)) {
            list_add_front(&vp->revoking.waiting, &r->link);
            break;
        }
    }
    if (!list_is_empty(&vp->revoking.waiting))
        timer_start(t, LIMIT_REVOKE_RETRY);
}

void vault_revoking_start(struct vault_process *vp)
{
    timer_init(&vp->revoking.retry, vp->proc->loop, send_waiting, vp);
}

void vault_revoking_stop(struct vault_process *vp)
{
    timer_stop(&vp->revoking.retry);
    LIST_EACH (&vp->revoking.waiting, struct revoking, link, r) {
        list_drop(&r->link);
        free(r);
    }
}

void vault_send_revoke(
    struct vault_process *vp, const struct account_id *account, uint64_t credential, uint32_t version)
{
    struct revoking *r = NEW(struct revoking);
    *r = (struct revoking){.vp = vp, .account = *account, .credential = credential, .version = version};
    list_init(&r->link);
    bool has_room = list_is_empty(&vp->revoking.waiting) && send_revoking(r);
    if (has_room)
        return;
    list_add(&vp->revoking.waiting, &r->link);
    timer_start(&vp->revoking.retry, LIMIT_REVOKE_RETRY);
}

void vault_on_credential_check(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_credential_check *c = &m->u.credential_check;
    enum err e = vault_client_is_live(vp->vault, &c->account, c->credential, c->version, clock_unix_s());
    struct ipc_msg answer = {.type = MSG_CREDENTIAL_CHECK_RESULT, .u.credential_check_result.live = e == OK};
    IGNORE(channel_answer(from, m->id, &answer), "a keeper that is gone has no sessions");
}

/* Of its own accounts alone; the mailbox password is no client's and has no row. */
void vault_on_client_program(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_client_program *p = &m->u.client_program;
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    if (proc_keeper_of(vp->proc, slot_of(&p->account)) == from &&
        vault_client_get(vp->vault, &p->account, p->credential, &c) == OK)
        vault_client_program(vp->vault, &c, p->program);
}

/* ---- removed accounts ---- */

static void send_removed(struct channel *keeper, const struct account_id *account)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_REMOVED};
    m.u.account_removed = (struct msg_account_removed){.account = *account, .slot = slot_of(account)};
    enum err e = channel_send(keeper, &m);
    if (e != OK)
        log_event(LOG_WARN, "removal.unsent", LOG_ERR(e));
}

void vault_send_removed(struct vault_process *vp, const struct account_id *account)
{
    struct channel *keeper = proc_keeper_of(vp->proc, slot_of(account));
    if (keeper)
        send_removed(keeper, account);
}

struct greeting {
    struct vault_process *vp;
    struct channel *keeper;
};

static void greet_one(void *owner, const struct account_id *account)
{
    struct greeting *g = owner;
    if (proc_keeper_of(g->vp->proc, slot_of(account)) == g->keeper)
        send_removed(g->keeper, account);
}

void vault_greet_keeper(struct vault_process *vp, struct channel *keeper, unsigned index)
{
    struct greeting g = {vp, keeper};
    enum err e = vault_account_removed_list(vp->vault, greet_one, &g);
    if (e != OK)
        log_event(LOG_ERROR, "removal.list", LOG_ERR(e), LOG_NUM("keeper", index));
}
