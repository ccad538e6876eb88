#include "smtp/front/front.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/handover.h"
#include "mail/message.h"
#include "smtp/front/arrival.h"
#include "smtp/front/dialogue.h"
#include "smtp/front/lookup.h"
#include "smtp/front/refusals.h"

#define MAGIC 0x534d5450u
#define RATE_CHECK_MS 5000
#define FAREWELL_MS 5000

struct smtp {
    unsigned magic;
    struct connection *c;
    struct smtp_dialogue d;
    struct signin signin;
    struct handover handover;
    struct lookup lookup;
    struct arrival arrival;
    struct stream *keeper; /* submission: its end means that the sign-in is withdrawn */
    bool withdrawn;        /* so it is, and the message that is being judged is answered first */
    struct lookup_who who;
    struct refusals refusals;
    char account[LIMIT_ADDRESS + 1]; /* the address of who signed in */
    uint8_t slot;                    /* of the account that signed in */
    struct timer rate;
    uint64_t body_start, full_since,
        full_ms;  /* receiving since, waiting for the keeper since, and so long in all */
    bool tls_due; /* start the handshake once the line is taken */
    bool pumping;
};

static void pump(struct smtp *s);
static void withdraw(struct smtp *s);

static uint64_t now(const struct smtp *s)
{
    return loop_now(s->c->gate->loop);
}

/* ---- the least rate of a message (T-035) ---- */

static bool is_too_slow(const struct smtp *s)
{
    uint64_t spent = now(s) - s->body_start - s->full_ms;
    if (spent > LIMIT_BODY_TIME)
        return true;
    return spent > LIMIT_BODY_GRACE &&
           s->d.intake.content.octets < (spent - LIMIT_BODY_GRACE) / 1000 * LIMIT_BODY_RATE;
}

static void on_rate(struct timer *t)
{
    struct smtp *s = t->owner;
    if (!smtp_dialogue_is_receiving(&s->d) || s->d.wait == SMTP_WAIT_STORE)
        return;
    timer_start(&s->rate, RATE_CHECK_MS);
    if (s->d.wait != SMTP_WAIT_ROOM && is_too_slow(s)) {
        smtp_dialogue_end(&s->d, STATUS_TOO_SLOW);
        pump(s);
    }
}

/* ---- the dialogue's world ---- */

static void world_resolve(void *owner, const struct address *recipient)
{
    struct smtp *s = owner;
    lookup_recipient(&s->lookup, &s->who, recipient, s->d.envelope.size);
}

static void world_owns(void *owner, const struct address *sender)
{
    struct smtp *s = owner;
    lookup_sender(&s->lookup, &s->who, sender);
}

static struct slice world_mechanisms(void *owner)
{
    struct smtp *s = owner;
    return signin_mechanisms(s->c);
}

static void world_auth_start(void *owner, struct slice mechanism, bool has_initial, struct slice initial)
{
    struct smtp *s = owner;
    connection_set_program(s->c, slice_str(s->d.helo));
    signin_start(&s->signin, mechanism, has_initial, initial);
}

static void world_auth_step(void *owner, struct slice response)
{
    struct smtp *s = owner;
    signin_step(&s->signin, response);
}

static void world_auth_cancel(void *owner)
{
    struct smtp *s = owner;
    signin_cancel(&s->signin);
}

static void world_tls_start(void *owner)
{
    struct smtp *s = owner;
    s->tls_due = true;
}

/* The Received field (RFC 5321 4.4). Recipients stand in it only when there is one, and the address of a device of our own
 * people only when the configuration says so (T-083). */
static void put_trace(const struct smtp *s, struct buf *out)
{
    struct connection *c = s->c;
    const struct smtp_dialogue *d = &s->d;
    char ip[IP_TEXT_MAX], id[17];
    struct buf tls CLEANUP_BUF = BUF_INIT(256), to CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2);
    bool hide = d->signed_in && config_is(c->gate->config, CONFIG_HIDE_CLIENT_ADDRESS);
    connection_put_tls(c, &tls);
    if (d->envelope.recipients == 1 && d->envelope.refused == 0)
        address_put(&to, &d->asked);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)c->id);
    struct message_received r = {
        .helo = hide ? SLICE_EMPTY : slice_str(d->helo),
        .address = hide ? SLICE_EMPTY : slice_str(ip_text(&c->peer, ip)),
        .by = d->options.hostname,
        .protocol = slice_str(message_protocol(d->esmtp, d->envelope.smtputf8, d->options.tls, d->signed_in)),
        .cipher = buf_slice(&tls),
        .id = slice_str(id),
        .for_address = buf_slice(&to),
        .when_unix_s = clock_unix_s()};
    message_put_received(out, &r);
}

static enum status world_begin(void *owner, const struct smtp_envelope *envelope)
{
    struct smtp *s = owner;
    struct buf trace CLEANUP_BUF = BUF_INIT(4096);
    put_trace(s, &trace);
    const struct smtp_target *first = LIST_FIRST(&envelope->targets, struct smtp_target, link);
    struct arrival_facts facts = {
        .session = s->d.signed_in ? s->c->id : 0,
        .service = s->who.service,
        .slot = s->d.signed_in ? s->slot : first->slot,
        .client = s->c->peer,
        .trace = buf_slice(&trace)};
    enum status status = arrival_begin(&s->arrival, &facts, envelope);
    s->body_start = now(s);
    s->full_ms = 0;
    timer_start(&s->rate, RATE_CHECK_MS);
    return status;
}

static void world_put(void *owner, struct slice octets)
{
    struct smtp *s = owner;
    arrival_put(&s->arrival, octets);
}

static bool world_is_full(void *owner)
{
    struct smtp *s = owner;
    bool full = arrival_is_full(&s->arrival);
    if (full)
        s->full_since = now(s);
    return full;
}

static void world_end(void *owner)
{
    struct smtp *s = owner;
    arrival_end(&s->arrival);
}

static void world_drop(void *owner)
{
    struct smtp *s = owner;
    arrival_drop(&s->arrival);
}

/* At port 25 the MAIL itself is refused to a stranger: nobody here would ask. */
static void world_refused(void *owner, enum status why, const struct address *about)
{
    struct smtp *s = owner;
    struct refusal what = {
        .service = s->who.service,
        .client = s->c->peer,
        .why = why,
        .account = slice_str(s->account),
        .about = about,
        .envelope = &s->d.envelope};
    bool has_sender = s->d.state & (SMTP_IN_MAIL | SMTP_IN_RCPT);
    if (s->who.service != SERVICE_MX || !about || has_sender)
        refusals_tell(&s->refusals, &what);
}

static const struct smtp_world world = {
    .refused = world_refused,
    .resolve = world_resolve,
    .owns = world_owns,
    .mechanisms = world_mechanisms,
    .auth_start = world_auth_start,
    .auth_step = world_auth_step,
    .auth_cancel = world_auth_cancel,
    .tls_start = world_tls_start,
    .begin = world_begin,
    .put = world_put,
    .is_full = world_is_full,
    .end = world_end,
    .drop = world_drop,
};

/* ---- what others answered ---- */

static void on_resolved(struct lookup *l, enum status verdict, const struct smtp_target *found, size_t count)
{
    struct smtp *s = l->owner;
    struct buf as_typed CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2);
    address_put(&as_typed, &s->d.asked);
    if (verdict != STATUS_RECIPIENT_OK)
        log_event(
            LOG_INFO, "smtp.rcpt.refused", LOG_ID(s->c->id), LOG_TEXT("recipient", buf_slice(&as_typed)),
            LOG_NUM("code", status_info(verdict)->basic), LOG_STR("status", status_info(verdict)->enhanced));
    for (size_t i = 0; i < count; i++) /* they are the lookup's own, and not used again */
        ((struct smtp_target *)found)[i].recipient = buf_slice(&as_typed);
    smtp_dialogue_resolved(&s->d, verdict, found, count);
    pump(s);
}

static void on_owned(struct lookup *l, enum status verdict)
{
    struct smtp *s = l->owner;
    smtp_dialogue_owned(&s->d, verdict);
    pump(s);
}

static const struct lookup_events lookup_events = {.resolved = on_resolved, .owned = on_owned};

static void on_room(struct arrival *a)
{
    struct smtp *s = a->owner;
    if (s->d.wait != SMTP_WAIT_ROOM)
        return;
    s->full_ms += now(s) - s->full_since;
    smtp_dialogue_room(&s->d);
    pump(s);
}

static void on_stored(struct arrival *a, enum status verdict, struct slice id)
{
    struct smtp *s = a->owner;
    log_event(
        LOG_INFO, verdict == STATUS_STORED ? "smtp.stored" : "smtp.refused", LOG_ID(s->c->id),
        LOG_TEXT("message", id), LOG_NUM("octets", s->d.intake.content.octets),
        LOG_NUM("recipients", s->d.envelope.recipients), LOG_NUM("code", status_info(verdict)->basic),
        LOG_STR("status", status_info(verdict)->enhanced));
    smtp_dialogue_stored(&s->d, verdict, id);
    withdraw(s);
    pump(s);
}

static const struct arrival_events arrival_events = {.room = on_room, .stored = on_stored};

/* ---- signing in: the vault's yes counts once the keeper has taken the ticket ---- */

static void on_signin(struct signin *signin, const struct signin_answer *answer, void *owner)
{
    struct smtp *s = owner;
    static const enum smtp_auth outcomes[] = {
        [SIGNIN_CHALLENGE] = SMTP_AUTH_CHALLENGE,
        [SIGNIN_OK] = SMTP_AUTH_OK,
        [SIGNIN_NO] = SMTP_AUTH_NO,
        [SIGNIN_LATER] = SMTP_AUTH_LATER,
        [SIGNIN_MALFORMED] = SMTP_AUTH_MALFORMED,
        [SIGNIN_UNKNOWN] = SMTP_AUTH_UNKNOWN,
    };
    if (answer->outcome == SIGNIN_OK) {
        s->who.account = signin->who.account;
        s->who.credential = signin->who.credential;
        s->slot = signin->who.slot;
        snprintf(s->account, sizeof s->account, "%s", signin->who.address);
        handover_start(&s->handover, &signin->who, SLICE_EMPTY);
        return;
    }
    enum smtp_auth outcome = answer->last ? SMTP_AUTH_NO_MORE : outcomes[answer->outcome];
    smtp_dialogue_auth(&s->d, outcome, answer->challenge);
    pump(s);
}

static void on_keeper_input(struct stream *stream, void *owner)
{
    stream_take(stream, stream_input(stream).n); /* nothing is said on it */
}

/* The verdict on a complete message comes first: it may be the reason why (a budget is used), and what is stored must not be
 * sent again. */
static void withdraw(struct smtp *s)
{
    if (s->withdrawn && s->d.wait != SMTP_WAIT_STORE)
        smtp_dialogue_end(&s->d, s->c->gate->stopping ? STATUS_SHUTTING_DOWN : STATUS_REVOKED);
}

static void on_keeper_closed(struct stream *stream, enum err why, void *owner)
{
    struct smtp *s = owner;
    stream_close(&s->keeper);
    s->withdrawn = true;
    withdraw(s);
    pump(s);
}

static const struct stream_events keeper_events = {.input = on_keeper_input, .closed = on_keeper_closed};

static void on_handover(struct handover *h, enum handover_outcome outcome, struct stream *keeper, void *owner)
{
    struct smtp *s = owner;
    if (outcome == HANDOVER_OK) {
        connection_signed_in(s->c, slice_str(s->account), s->who.credential);
        s->keeper = keeper;
        stream_set_events(keeper, &keeper_events, s);
    } else {
        s->who.account = (struct account_id){{0}};
        s->account[0] = '\0';
    }
    smtp_dialogue_auth(&s->d, outcome == HANDOVER_OK ? SMTP_AUTH_OK : SMTP_AUTH_LATER, SLICE_EMPTY);
    pump(s);
}

/* ---- the connection ---- */

/* One turn: input to the dialogue, replies to the client, then what the dialogue came to. May end the connection. */
static void pump(struct smtp *s)
{
    struct connection *c = s->c;
    if (s->pumping) /* an answer from within: the turn that is going on sees it */
        return;
    s->pumping = true;
    struct slice input = connection_input(c);
    size_t before = input.n;
    s->d.out = connection_out(c);
    smtp_dialogue_feed(&s->d, &input);
    connection_take(c, before - input.n);
    connection_flush(c);
    s->pumping = false;
    if (smtp_dialogue_is_closed(&s->d)) {
        connection_end(c, GATE_END_DONE);
        return;
    }
    if (TAKE(s->tls_due, false)) {
        connection_start_tls(c);
        return;
    }
    bool waiting = s->d.wait != SMTP_WAIT_INPUT;
    c->asking = waiting;
    if (c->paused != waiting)
        connection_pause(c, waiting);
    connection_expect(c, config_number(c->gate->config, CONFIG_TIMEOUT_SMTP));
}

static void *front_open(struct connection *c)
{
    struct smtp *s = NEW(struct smtp);
    struct gate *g = c->gate;
    bool mx = c->door->service == SERVICE_MX;
    s->magic = MAGIC;
    s->c = c;
    s->refusals.gate = g;
    s->who = (struct lookup_who){.session = c->id, .client = c->peer, .service = c->door->service};
    struct smtp_options options = {
        .door = mx ? SMTP_DOOR_MX : SMTP_DOOR_SUBMISSION,
        .tls = c->tls,
        .tls_possible = connection_can_start_tls(c),
        .hostname = g->hostname,
        .message_limit = config_number(g->config, CONFIG_MESSAGE_SIZE),
        .recipients =
            (unsigned)config_number(g->config, mx ? CONFIG_RECIPIENTS : CONFIG_SUBMISSION_RECIPIENTS)};
    smtp_dialogue_init(&s->d, &options, &world, s, connection_out(c));
    signin_init(&s->signin, c, on_signin, s);
    handover_init(&s->handover, c, on_handover, s);
    lookup_init(&s->lookup, g, &lookup_events, s);
    arrival_init(&s->arrival, g, &arrival_events, s);
    timer_init(&s->rate, g->loop, on_rate, s);
    smtp_dialogue_greet(&s->d, connection_input(c).n > 0);
    connection_flush(c);
    connection_expect(c, config_number(g->config, CONFIG_TIMEOUT_SMTP));
    return s;
}

static void front_input(struct connection *c, void *state)
{
    pump(state);
}

static void front_drained(struct connection *c, void *state)
{
    struct smtp *s = state;
    if (s->d.wait == SMTP_WAIT_INPUT)
        pump(s);
}

static void front_tls_on(struct connection *c, void *state)
{
    struct smtp *s = state;
    smtp_dialogue_tls_on(&s->d);
    pump(s);
}

static void front_farewell(const struct gate *g, enum gate_end why, struct buf *out)
{
    static const enum status words[GATE_ENDS] = {
        [GATE_END_TIMEOUT] = STATUS_TIMED_OUT,
        [GATE_END_CROWDED] = STATUS_TOO_MANY_CONNECTIONS,
        [GATE_END_STOPPING] = STATUS_SHUTTING_DOWN,
        [GATE_END_OVERFLOW] = STATUS_TOO_BUSY,
    };
    if (why != GATE_END_DONE && why != GATE_END_GONE)
        smtp_put(out, words[why]);
}

static void front_close(struct connection *c, void *state)
{
    struct smtp *s = state;
    if (s->d.wait == SMTP_WAIT_STORE)
        s->d.begun = false; /* complete: it goes on without us (RFC 1047) */
    smtp_dialogue_done(&s->d);
    lookup_done(&s->lookup);
    arrival_done(&s->arrival);
    signin_done(&s->signin);
    handover_done(&s->handover);
    timer_stop(&s->rate);
    stream_finish(&s->keeper, FAREWELL_MS);
    s->magic = 0;
    free(s);
}

static const char *front_waits(const struct connection *c, const void *state)
{
    const struct smtp *s = state;
    return smtp_wait_name(s->d.wait);
}

const struct front smtp_front = {
    .name = "smtp",
    .limits =
        {.input = LIMIT_STREAM_INPUT,
         .output_high = LIMIT_SESSION_OUTPUT,
         .output_max = 2 * LIMIT_SESSION_OUTPUT},
    .open = front_open,
    .input = front_input,
    .drained = front_drained,
    .tls_on = front_tls_on,
    .farewell = front_farewell,
    .close = front_close,
    .waits = front_waits,
};
