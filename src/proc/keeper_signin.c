#include "proc/keeper.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "imap/session/session.h"
#include "pop3/session/session.h"
#include "smtp/session/submission.h"

/* Who serves what the gate brings. */
static session_start_fn *const starters[SERVICE_N] = {
    [SERVICE_IMAP] = imap_session_start,
    [SERVICE_POP3] = pop3_session_start,
    [SERVICE_SUBMISSION] = submission_session_start,
};

void keeper_on_grant(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    const struct msg_grant *grant = &m->u.grant;
    bool mine = keeper_owns(&k->env, grant->slot) && !k->env.stopping;
    enum err e = mine ? grants_add(k->env.grants, grant) : ERR_DENIED;
    if (e != OK)
        log_event(LOG_WARN, "grant.refused", LOG_ERR(e), LOG_NUM("slot", grant->slot));
    struct ipc_msg answer = {.type = MSG_GRANT_RESULT, .u.grant_result = {.accepted = e == OK}};
    IGNORE(channel_answer(from, m->id, &answer), "a vault that is gone has closed the sign-in itself");
}

static enum ipc_attach_outcome attach(struct keeper *k, struct ipc_msg *m)
{
    const struct msg_attach *a = &m->u.attach;
    struct session_start start = {
        .id = a->session,
        .client = a->client,
        .tag = a->tag,
        .tls = a->tls,
        .fd = -1,
    };
    enum err e =
        k->env.stopping ? ERR_UNAVAILABLE : grants_take(k->env.grants, a->ticket, a->service, &start.grant);
    if (e != OK) {
        log_event(LOG_WARN, "attach.refused", LOG_ID(a->session), LOG_ERR(e));
        return e == ERR_UNAVAILABLE ? ATTACH_OUTCOME_LATER : ATTACH_OUTCOME_NO;
    }
    session_start_fn *starter = starters[a->service];
    if (!starter || !file_is_stream_socket(m->fds[MSG_ATTACH_FD_STREAM])) {
        grant_done(&start.grant);
        return ATTACH_OUTCOME_NO;
    }
    start.fd = TAKE(m->fds[MSG_ATTACH_FD_STREAM], -1);
    e = starter(&k->env, &start);
    grant_done(&start.grant); /* a session that was registered holds its own */
    if (e != OK)
        log_event(LOG_WARN, "session.refused", LOG_ID(a->session), LOG_ERR(e));
    return e == OK ? ATTACH_OUTCOME_OK : ATTACH_OUTCOME_LATER;
}

void keeper_on_attach(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    uint64_t request = m->id;
    struct ipc_msg answer = {.type = MSG_ATTACH_RESULT, .u.attach_result = {.outcome = attach(k, m)}};
    IGNORE(channel_answer(from, request, &answer), "the stream of a gate that died ends the session");
}

void keeper_on_revoke(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    const struct msg_revoke *r = &m->u.revoke;
    grants_revoke(k->env.grants, &r->account, r->credential, r->version);
    unsigned ended = sessions_revoke(k->env.sessions, &r->account, r->credential, r->version, END_REVOKED);
    if (ended)
        log_event(
            LOG_INFO, "sessions.revoked", LOG_NUM("credential", r->credential), LOG_NUM("sessions", ended));
    struct ipc_msg answer = {.type = MSG_REVOKE_RESULT, .u.revoke_result = {.sessions = ended}};
    IGNORE(channel_answer(from, m->id, &answer), "a new vault asks for all live credentials anyway");
}

/* ---- confirming credentials with a new vault ---- */

struct confirmation {
    struct keeper *keeper;
    struct account_id account;
    uint64_t credential;
    uint32_t version;
};

static void on_confirmed(void *owner, enum err why, struct ipc_msg *m)
{
    struct confirmation *c = owner;
    bool live = why == OK && m->u.credential_check_result.live;
    if (!live) {
        unsigned ended =
            sessions_revoke(c->keeper->env.sessions, &c->account, c->credential, c->version + 1, END_REVOKED);
        grants_revoke(c->keeper->env.grants, &c->account, c->credential, c->version + 1);
        if (ended)
            log_event(
                LOG_INFO, "sessions.unconfirmed", LOG_NUM("credential", c->credential),
                LOG_NUM("sessions", ended), LOG_ERR(why));
    }
    free(c);
}

static void confirm_session(const struct session *s, void *arg)
{
    struct keeper *k = arg;
    struct confirmation *c = NEW(struct confirmation);
    *c = (struct confirmation){
        .keeper = k,
        .account = s->grant.account,
        .credential = s->grant.credential,
        .version = s->grant.version};
    struct ipc_msg ask = {
        .type = MSG_CREDENTIAL_CHECK,
        .u.credential_check = {.account = c->account, .credential = c->credential, .version = c->version}};
    if (channel_request(k->env.vault, &ask, LIMIT_CREDENTIAL_CHECK, on_confirmed, c, NULL) != OK)
        free(c); /* the next channel to the vault asks again */
}

void keeper_confirm_credentials(struct keeper *k)
{
    sessions_each(k->env.sessions, confirm_session, k);
}
