/* vault_gate.c - what gates ask: sign-ins, mechanisms, recipients, senders; and what they tell for `letterlock why`. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/directory.h"
#include "vault/mailbox.h"
#include "vault/resolve.h"
#include "vault/why.h"

enum { RESOLVE_MEMORY = 4 * 1024 * 1024 };

fallible vault_door_of(enum ipc_service service, enum vault_door *ret_door)
{
    static const struct {
        bool is_door;
        enum vault_door door;
    } doors[SERVICE_N] = {
        [SERVICE_SUBMISSION] = {true, VAULT_SUBMISSION},
        [SERVICE_IMAP] = {true, VAULT_IMAP},
        [SERVICE_POP3] = {true, VAULT_POP3},
        [SERVICE_API] = {true, VAULT_API},
    };
    if ((unsigned)service >= SERVICE_N || !doors[service].is_door)
        return ERR_NOT_FOUND;
    *ret_door = doors[service].door;
    return OK;
}

/* ---- the engine's surroundings ---- */

static uint64_t now_ms(void *owner)
{
    (void)owner;
    return clock_mono_ms();
}

static int64_t now_s(void *owner)
{
    (void)owner;
    return clock_unix_s();
}

static void wake_at(void *owner, uint64_t at)
{
    struct vault_process *vp = owner;
    uint64_t now = clock_mono_ms();
    if (at == UINT64_MAX)
        timer_stop(&vp->tick);
    else
        timer_start(&vp->tick, at > now ? at - now : 0);
}

static void on_answer(void *owner, unsigned gate, uint64_t reply, const struct signin_answer *a)
{
    static const enum ipc_signin_outcome outcomes[] = {
        [SIGNIN_CHALLENGE] = SIGNIN_OUTCOME_CHALLENGE,
        [SIGNIN_OK] = SIGNIN_OUTCOME_OK,
        [SIGNIN_NO] = SIGNIN_OUTCOME_NO,
        [SIGNIN_LATER] = SIGNIN_OUTCOME_LATER,
        [SIGNIN_MALFORMED] = SIGNIN_OUTCOME_MALFORMED,
    };
    struct vault_process *vp = owner;
    struct channel *ch = proc_peer(vp->proc, ROLE_GATE, gate);
    struct ipc_msg m = {.type = MSG_SIGNIN_RESULT};
    m.u.signin_result = (struct msg_signin_result){
        .outcome = outcomes[a->kind],
        .challenge = a->data,
        .ticket = a->ticket,
        .account = a->account,
        .slot = a->slot,
        .address = a->address,
        .credential = a->credential,
    };
    if (ch)
        IGNORE(channel_answer(ch, reply, &m), "a gate that is gone has no client either");
}

static void on_grant(void *owner, uint64_t exchange, const struct signin_grant *grant)
{
    vault_send_grant(owner, exchange, grant);
}

static bool is_exempt(void *owner, const struct ip *client)
{
    struct vault_process *vp = owner;
    return config_networks_have(vp->proc->config, CONFIG_CONNECTIONS_EXEMPT, client);
}

/* One comparison in the pool, and perhaps a new hash after it. It owns both secrets; the slab is touched on the loop thread
 * only. */
struct comparison {
    struct job job;
    struct vault_process *vp;
    uint64_t exchange;
    bool has_account;
    struct account_id account;
    struct secret stored, password;
    struct passhash_cost cost;
    enum err result;
    char hash[PASSHASH_TEXT_MAX];
};

static void comparison_free(struct comparison *c)
{
    secret_free(&c->stored);
    secret_free(&c->password);
    free(c);
}

static void rehash(struct job *j)
{
    struct comparison *c = CONTAINER_OF(j, struct comparison, job);
    c->result = passhash_make(secret_reveal(&c->password), c->cost, c->hash);
}

static void rehashed(struct job *j)
{
    struct comparison *c = CONTAINER_OF(j, struct comparison, job);
    enum err e = c->result;
    if (e == OK)
        e = vault_password_rehash(c->vp->vault, &c->account, secret_reveal(&c->stored), slice_str(c->hash));
    if (e != OK)
        log_event(LOG_WARN, "password.not-rehashed", LOG_ERR(e));
    comparison_free(c);
}

/* INV-M5 (vault/mailbox.h): the right password is here, in clear, this once. A full queue leaves it for another time. */
static bool start_rehash(struct comparison *c)
{
    if (c->result != OK || !c->has_account ||
        !vault_password_is_stale(c->vp->vault, secret_reveal(&c->stored)))
        return false;
    c->cost = vault_settings_of(c->vp->vault)->cost;
    c->job = (struct job){.work = rehash, .done = rehashed};
    return pool_submit(c->vp->proc->pool, &c->job) == OK;
}

static void compare(struct job *j)
{
    struct comparison *c = CONTAINER_OF(j, struct comparison, job);
    c->result = passhash_check(secret_reveal(&c->stored), secret_reveal(&c->password));
}

static void compared(struct job *j)
{
    struct comparison *c = CONTAINER_OF(j, struct comparison, job);
    signin_hashed(c->vp->signins, c->exchange, c->result);
    if (!start_rehash(c))
        comparison_free(c);
}

static fallible on_hash(
    void *owner, uint64_t exchange, const struct account_id *account, struct secret *stored,
    struct secret *password)
{
    struct vault_process *vp = owner;
    struct slice id, address;
    if (vault_directory_read_stored(secret_reveal(stored), &id, &address)) {
        TRY(vault_directory_ask(vp, exchange, id, address, password));
        secret_free(stored);
        secret_free(password);
        return OK;
    }
    struct comparison *c = NEW(struct comparison);
    *c = (struct comparison){
        .job = {.work = compare, .done = compared},
        .vp = vp,
        .exchange = exchange,
        .has_account = account != NULL,
        .stored = *stored,
        .password = *password};
    if (account)
        c->account = *account;
    enum err e = vp->proc->pool ? pool_submit(vp->proc->pool, &c->job) : ERR_UNAVAILABLE;
    if (e != OK)
        free(c);
    return e;
}

const struct signin_ops vault_signin_ops = {
    .now_ms = now_ms,
    .now_s = now_s,
    .wake_at = wake_at,
    .answer = on_answer,
    .grant = on_grant,
    .hash = on_hash,
    .is_exempt = is_exempt,
};

void vault_set_offer(struct vault_process *vp)
{
    const struct config *c = vp->proc->config;
    struct signin_offer offer = {.certificates = config_text(c, CONFIG_CLIENT_CERTIFICATES).n > 0};
    size_t count;
    const struct slice *words = config_words(c, CONFIG_MECHANISMS, 0, &count);
    for (size_t i = 0; i < count; i++)
        if (signin_offer_add(&offer, words[i]) != OK)
            log_event(LOG_ERROR, "mechanism.unknown", LOG_TEXT("name", words[i]));
    signins_set_offer(vp->signins, &offer);
}

static void tell_gates(struct vault_process *vp, enum ipc_type type)
{
    for (unsigned i = 0; i < vp->proc->gates; i++) {
        struct channel *gate = proc_peer(vp->proc, ROLE_GATE, i);
        struct ipc_msg m = {.type = type};
        if (gate)
            IGNORE(channel_send(gate, &m), "a gate that is gone begins anew when it is back");
    }
}

void vault_tell_offer(struct vault_process *vp)
{
    tell_gates(vp, MSG_MECHANISMS_CHANGED);
}

void vault_tell_recipients(struct vault_process *vp)
{
    tell_gates(vp, MSG_RECIPIENTS_CHANGED);
}

/* ---- sign-in ---- */

static void answer_malformed(struct channel *from, uint64_t id)
{
    struct ipc_msg m = {.type = MSG_SIGNIN_RESULT, .u.signin_result.outcome = SIGNIN_OUTCOME_MALFORMED};
    IGNORE(channel_answer(from, id, &m), "a gate that is gone has no client either");
}

void vault_on_signin_start(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_signin_start *s = &m->u.signin_start;
    struct signin_request r = {
        .gate = channel_peer_index(from),
        .session = s->session,
        .reply = m->id,
        .mechanism = s->mechanism,
        .initial = s->has_initial ? &s->initial : NULL,
        .client = s->client,
        .tls = s->tls,
        .exporter = s->exporter,
        .end_point = s->end_point,
        .certificate_hash = s->certificate_hash,
        .certificate_name = s->certificate_name,
        .program = s->program,
    };
    if (vault_door_of(s->service, &r.door) != OK)
        answer_malformed(from, m->id);
    else
        signin_start(vp->signins, &r);
}

void vault_on_signin_step(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_signin_step *s = &m->u.signin_step;
    signin_step(vp->signins, channel_peer_index(from), s->session, m->id, s->response);
}

void vault_on_signin_cancel(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    signin_cancel(vp->signins, channel_peer_index(from), m->u.signin_cancel.session);
}

void vault_on_mechanisms(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    struct buf names CLEANUP_BUF = BUF_INIT(256);
    enum vault_door door;
    if (vault_door_of(m->u.mechanisms.service, &door) == OK)
        signin_mechanisms(vp->signins, door, m->u.mechanisms.tls, &names);
    struct ipc_msg answer = {.type = MSG_MECHANISMS_RESULT};
    answer.u.mechanisms_result.names = buf_slice(&names);
    IGNORE(channel_answer(from, m->id, &answer), "a gate that is gone needs no answer");
}

/* ---- recipients ---- */

static enum ipc_resolve_outcome outcome_of(enum err e)
{
    switch (e) {
    case OK:
        return RESOLVE_OUTCOME_KNOWN;
    case ERR_NOT_FOUND:
        return RESOLVE_OUTCOME_UNKNOWN;
    case ERR_UNSUPPORTED:
        return RESOLVE_OUTCOME_FOREIGN;
    case ERR_SYNTAX:
        return RESOLVE_OUTCOME_REFUSED;
    default:
        return RESOLVE_OUTCOME_LATER;
    }
}

static void
send_targets(struct channel *from, uint64_t id, const struct vault_target *targets, size_t count, enum err *e)
{
    for (size_t i = 0; *e == OK && i < count; i++) {
        struct ipc_msg item = {.type = MSG_RESOLVE_TARGET};
        item.u.resolve_target = (struct msg_resolve_target){
            .account = targets[i].account,
            .slot = targets[i].slot,
            .address = slice_str(targets[i].address),
            .quota_bytes = targets[i].quota_bytes,
        };
        *e = channel_answer(from, id, &item);
    }
}

/* T-050: a stranger's network gets LIMIT_RESOLVE_UNKNOWN answers that teach something, then none for a while. */
/* Does the credential forbid this address? Asked early, so that people learn it at the command it is about; the keeper, which
 * trusts no gate, asks again (smtp/session). */
static bool is_limited(
    struct vault_process *vp, const struct account_id *account, uint64_t credential,
    bool (*allows)(const struct scope *s, struct slice address), struct slice address)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    if (!credential || credential == VAULT_MAILBOX_CREDENTIAL)
        return false;
    return vault_client_get(vp->vault, account, credential, &c) != OK || !allows(&c.scopes.limits, address);
}

void vault_on_resolve(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_resolve *r = &m->u.resolve;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(RESOLVE_MEMORY);
    const struct vault_target *targets = NULL;
    size_t count = 0;
    bool counted = r->service == SERVICE_MX && !is_exempt(vp, &r->client);
    uint64_t now = clock_mono_ms();
    enum err e = ERR_AGAIN;
    if (!counted || !guard_is_harvesting(vp->guard, now, &r->client))
        e = vault_resolve(vp->vault, r->recipient, &arena, &targets, &count);
    if (e == ERR_NOT_FOUND && counted)
        guard_count_unknown(vp->guard, now, &r->client);
    send_targets(from, m->id, targets, count, &e);
    if (e != OK && outcome_of(e) == RESOLVE_OUTCOME_LATER && e != ERR_AGAIN)
        log_event(
            e == ERR_UNAVAILABLE ? LOG_WARN /* the gate died */ : LOG_ERROR, "resolve", LOG_ID(r->session),
            LOG_ERR(e));
    enum ipc_resolve_outcome outcome = outcome_of(e);
    if (is_limited(vp, &r->account, r->credential, scope_allows_recipient, r->recipient))
        outcome = RESOLVE_OUTCOME_LIMITED;
    struct ipc_msg answer = {.type = MSG_RESOLVE_RESULT, .u.resolve_result.outcome = outcome};
    IGNORE(channel_answer(from, m->id, &answer), "a gate that is gone needs no answer");
}

/* ---- senders ---- */

void vault_on_owns(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_owns *o = &m->u.owns;
    enum err e = vault_owns(vp->vault, &o->account, o->address);
    struct ipc_msg answer = {.type = MSG_OWNS_RESULT};
    answer.u.owns_result.outcome = e == OK           ? OWNS_OUTCOME_YES
                                   : e == ERR_DENIED ? OWNS_OUTCOME_NO
                                                     : OWNS_OUTCOME_LATER;
    if (e == OK && is_limited(vp, &o->account, o->credential, scope_allows_sender, o->address))
        answer.u.owns_result.outcome = OWNS_OUTCOME_LIMITED;
    IGNORE(channel_answer(from, m->id, &answer), "an asker that is gone needs no answer");
}

/* ---- what was refused ---- */

/* Kept under accounts only: whoever guesses addresses leaves nothing. An alias tells the people behind it. */
void vault_on_refusal(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_refusal *r = &m->u.refusal;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(RESOLVE_MEMORY);
    const struct vault_target *targets = NULL;
    size_t count = 0;
    (void)from;
    if (vault_resolve(vp->vault, r->address, &arena, &targets, &count) != OK)
        return;
    for (size_t i = 0; i < count && i < LIMIT_REFUSALS_TOLD; i++) {
        struct why_row row = {
            .time_s = r->time_s,
            .name = slice_str(targets[i].address),
            .account = &targets[i].account,
            .door = slice_str(ipc_service_name(r->service)),
            .outcome = S("refused"),
            .reason = r->reason,
            .client = r->client,
            .detail = r->detail,
        };
        vault_why_add(vp->vault, &row);
    }
}
