#include "gate/signin.h"

#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/private.h"

static void who_done(struct signin_who *who)
{
    secret_free(&who->ticket);
    *who = (struct signin_who){.ticket = SECRET_NONE};
}

/* -- answers -- */

static void tell(struct signin *s, enum signin_outcome outcome, struct slice challenge)
{
    struct connection *c = s->c;
    struct signin_answer answer = {.outcome = outcome, .challenge = challenge};
    c->asking = false;
    s->going_on = outcome == SIGNIN_CHALLENGE;
    if (outcome == SIGNIN_NO)
        answer.last = ++c->failed_signins >= config_number(c->gate->config, CONFIG_SIGNIN_TRIES);
    if (outcome != SIGNIN_OK)
        connection_pause(c, false);
    s->answered(s, &answer, s->owner);
}

static void on_late(struct task *t)
{
    struct signin *s = t->owner;
    tell(s, s->late_outcome, SLICE_EMPTY);
}

/* An answer known at once comes from the loop all the same. */
static void tell_later(struct signin *s, enum signin_outcome outcome)
{
    s->late_outcome = outcome;
    connection_pause(s->c, true);
    loop_defer(s->c->gate->loop, &s->late);
}

static void log_signin(const struct connection *c, const char *event)
{
    char peer[IP_TEXT_MAX];
    log_event(
        LOG_INFO, event, LOG_ID(c->id), LOG_STR("door", c->door->name),
        LOG_STR("peer", ip_text(&c->peer, peer)), LOG_STR("program", c->program),
        LOG_NUM("tries", c->failed_signins + 1));
}

static enum signin_outcome keep_who(struct signin *s, const struct msg_signin_result *r)
{
    who_done(&s->who);
    if (secret_copy(s->c->gate->secrets, r->ticket, &s->who.ticket) != OK)
        return SIGNIN_LATER; /* the ticket ends by itself */
    s->who.account = r->account;
    s->who.slot = r->slot;
    s->who.credential = r->credential;
    struct slice address = slice_sub(r->address, 0, sizeof s->who.address - 1);
    if (address.n)
        memcpy(s->who.address, address.p, address.n);
    s->who.address[address.n] = '\0';
    return SIGNIN_OK;
}

static enum signin_outcome outcome_of(struct signin *s, const struct msg_signin_result *r)
{
    switch (r->outcome) {
    case SIGNIN_OUTCOME_CHALLENGE:
        return SIGNIN_CHALLENGE;
    case SIGNIN_OUTCOME_OK:
        log_signin(s->c, "signin.ok");
        return keep_who(s, r);
    case SIGNIN_OUTCOME_NO:
        log_signin(s->c, "signin.failed");
        return SIGNIN_NO;
    case SIGNIN_OUTCOME_LATER:
        return SIGNIN_LATER;
    default:
        return SIGNIN_MALFORMED;
    }
}

static void on_answer(void *owner, enum err why, struct ipc_msg *m)
{
    struct signin *s = owner;
    s->request = 0;
    if (why != OK) {
        tell(s, SIGNIN_LATER, SLICE_EMPTY);
        return;
    }
    const struct msg_signin_result *r = &m->u.signin_result;
    tell(s, outcome_of(s, r), r->challenge);
}

/* -- questions -- */

static void ask(struct signin *s, struct ipc_msg *m)
{
    struct gate *g = s->c->gate;
    struct channel *vault = g->vault;
    /* A vault that came up meanwhile knows nothing of the exchange with the one before. */
    bool lost = s->going_on && s->asked != vault;
    s->going_on = false;
    if (!vault || lost || channel_request(vault, m, LIMIT_SIGNIN_ASKED, on_answer, s, &s->request) != OK) {
        tell_later(s, SIGNIN_LATER);
        return;
    }
    s->asked = vault;
    s->c->asking = true;
    connection_pause(s->c, true);
}

static bool has_name(struct slice names, struct slice wanted)
{
    struct slice name;
    while (wanted.n && slice_cut(&names, ' ', &name))
        if (slice_eq_nocase(name, wanted))
            return true;
    return false;
}

/* A client that was asked for a certificate and showed none, or a bad one, may still say EXTERNAL: the vault says no to it
 * like to any wrong secret (T-017). */
static bool is_offered(const struct connection *c, struct slice mechanism)
{
    const struct gate_offer *offer = &c->gate->offers[c->door->service];
    bool was_asked = tls_client_was_asked(stream_transport(c->stream));
    return has_name(slice_str(was_asked ? offer->with_certificate : offer->mechanisms), mechanism);
}

bool signin_takes_passwords(const struct connection *c)
{
    return has_name(signin_mechanisms(c), S("PLAIN"));
}

void signin_start(struct signin *s, struct slice mechanism, bool has_initial, struct slice initial)
{
    struct connection *c = s->c;
    assert(connection_may_sign_in(c)); /* INV-31 */
    assert(!s->request && !s->going_on);
    if (!is_offered(c, mechanism)) {
        tell_later(s, SIGNIN_UNKNOWN);
        return;
    }
    struct buf tls CLEANUP_BUF = BUF_INIT(128), point CLEANUP_BUF = BUF_INIT(64);
    uint8_t exporter[32];
    struct transport *t = stream_transport(c->stream);
    const struct tls_client *by = c->certificate;
    tls_put_description(t, &tls);
    buf_put_char(&tls, ' ');
    tls_put_fingerprint(t, &tls);
    bool has_exporter = tls_exporter(t, exporter) == OK;
    IGNORE(tls_end_point(t, &point), "then there is none to bind to, and it stays empty");
    struct ipc_msg m = {
        .type = MSG_SIGNIN_START,
        .u.signin_start = {
            .session = c->id,
            .service = c->door->service,
            .mechanism = mechanism,
            .has_initial = has_initial,
            .initial = initial,
            .client = c->peer,
            .tls = buf_slice(&tls),
            .exporter = has_exporter ? slice_of(exporter, sizeof exporter) : SLICE_EMPTY,
            .end_point = buf_slice(&point),
            .certificate_hash = by ? slice_of(by->hash, sizeof by->hash) : SLICE_EMPTY,
            .certificate_name = by ? slice_of(by->name, by->name_n) : SLICE_EMPTY,
            .program = slice_str(c->program),
        }};
    ask(s, &m);
    secret_wipe(exporter, sizeof exporter);
}

void signin_step(struct signin *s, struct slice response)
{
    assert(s->going_on && !s->request);
    struct ipc_msg m = {
        .type = MSG_SIGNIN_STEP, .u.signin_step = {.session = s->c->id, .response = response}};
    ask(s, &m);
}

/* Base64 decoded into secret memory. ERR_SYNTAX, ERR_LIMIT. */
static fallible decode(struct signin *s, struct slice text, struct secret *ret_octets)
{
    if (text.n > LIMIT_SASL_RESPONSE)
        return ERR_LIMIT;
    struct secret room CLEANUP_SECRET = SECRET_NONE;
    TRY(secret_new(s->c->gate->secrets, text.n + 2, &room));
    /* A buffer over that memory, which it never leaves: its limit is below its capacity. */
    struct buf over = {.p = (char *)room.bytes, .cap = room.n, .limit = room.n - 1};
    TRY(base64_get(text, &over));
    secret_shorten(&room, over.n);
    *ret_octets = TAKE(room, SECRET_NONE);
    return OK;
}

void signin_start_base64(struct signin *s, struct slice mechanism, bool has_initial, struct slice initial)
{
    struct secret octets CLEANUP_SECRET = SECRET_NONE;
    bool empty = slice_eq(initial, S("=")); /* RFC 4959 3 */
    enum err e = has_initial && !empty ? decode(s, initial, &octets) : OK;
    if (e != OK)
        tell_later(s, e == ERR_SYNTAX ? SIGNIN_MALFORMED : SIGNIN_LATER);
    else
        signin_start(s, mechanism, has_initial, secret_reveal(&octets));
}

void signin_step_base64(struct signin *s, struct slice line)
{
    struct secret octets CLEANUP_SECRET = SECRET_NONE;
    enum err e = slice_eq(line, S("*")) ? ERR_SYNTAX : decode(s, line, &octets);
    if (e == OK) {
        signin_step(s, secret_reveal(&octets));
        return;
    }
    signin_cancel(s);
    tell_later(s, e == ERR_SYNTAX ? SIGNIN_MALFORMED : SIGNIN_LATER);
}

void signin_login(struct signin *s, struct slice name, struct slice secret)
{
    struct secret plain CLEANUP_SECRET = SECRET_NONE;
    /* RFC 4616 2: NUL separates; no part may hold one, nor be empty. */
    if (slice_has(name, '\0') || slice_has(secret, '\0') || !name.n || !secret.n ||
        name.n + secret.n > LIMIT_SASL_RESPONSE / 2) {
        tell_later(s, SIGNIN_MALFORMED);
        return;
    }
    if (secret_new(s->c->gate->secrets, name.n + secret.n + 2, &plain) != OK) {
        tell_later(s, SIGNIN_LATER);
        return;
    }
    memcpy(plain.bytes + 1, name.p, name.n);
    memcpy(plain.bytes + 2 + name.n, secret.p, secret.n);
    signin_start(s, S("PLAIN"), true, secret_reveal(&plain));
}

/* Tells the vault that nobody waits any more. */
static void forget(struct signin *s)
{
    struct gate *g = s->c->gate;
    if (s->asked && s->asked == g->vault && (s->request || s->going_on)) {
        channel_forget(s->asked, s->request);
        struct ipc_msg m = {.type = MSG_SIGNIN_CANCEL, .u.signin_cancel = {.session = s->c->id}};
        IGNORE(channel_send(s->asked, &m), "the vault forgets an exchange by itself in the end");
    }
    s->request = 0;
    s->going_on = false;
    s->asked = NULL;
}

void signin_cancel(struct signin *s)
{
    forget(s);
    task_stop(&s->late);
    s->c->asking = false;
    connection_pause(s->c, false);
}

void signin_init(struct signin *s, struct connection *c, signin_answered_fn *answered, void *owner)
{
    *s = (struct signin){.c = c, .answered = answered, .owner = owner, .who = {.ticket = SECRET_NONE}};
    task_init(&s->late, on_late, s);
}

void signin_done(struct signin *s)
{
    forget(s);
    task_stop(&s->late);
    who_done(&s->who);
}

struct slice signin_mechanisms(const struct connection *c)
{
    const struct gate_offer *offer = &c->gate->offers[c->door->service];
    if (!connection_may_sign_in(c))
        return SLICE_EMPTY;
    return slice_str(c->certificate ? offer->with_certificate : offer->mechanisms);
}
