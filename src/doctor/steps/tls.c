#include "doctor/steps/tls.h"

#include "base/clock.h"
#include "doctor/steps/dialogue.h"
#include "doctor/steps/fetch.h"
#include "doctor/steps/greeting_words.h"
#include "doctor/steps/portal.h"
#include "doctor/steps/tls_probes.h"

enum { ALERT_UNRECOGNIZED_NAME = 112 };

/* The step while it is taken. */
struct looking {
    struct visit *v;
    const struct dialogue *dialogue;
    struct arena arena; /* what is said in clear */
    uint64_t until_ms;  /* of the whole step */
    uint64_t probes_until_ms;
    struct reply greeting; /* in clear, or in TLS where it was read */
    struct offer offer;    /* in clear */
};

static struct endpoint *endpoint_of(const struct looking *l)
{
    return &l->v->server->endpoint;
}

static uint64_t left_until(uint64_t until_ms)
{
    uint64_t now = clock_mono_ms();
    return until_ms > now ? until_ms - now : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct observation *
note(const struct looking *l, enum tone tone, enum observed what, enum proof_kind kind, struct slice proof)
{
    return notes_observed(l->v->notes, tone, what, kind, proof);
}

/* ------------------------------------------------------------------------------------------------------- talks */

static fallible open_within(const struct looking *l, uint64_t ms, struct talk **ret_talk)
{
    TRY(talk_open(l->v, ret_talk));
    talk_within(*ret_talk, least(ms, left_until(l->until_ms)));
    return OK;
}

static fallible shake(const struct looking *l, struct talk *t)
{
    return talk_start_tls(t, l->v->trust, endpoint_of(l)->host);
}

/* Greeting and question, in clear. ERR_DENIED: the greeting is a no. */
static fallible ask_in_clear(struct looking *l, struct talk *t)
{
    TRY(l->dialogue->greet(t, &l->arena, &l->greeting));
    if (l->greeting.kind != REPLY_YES)
        return ERR_DENIED;
    return l->dialogue->ask(t, &l->arena, &l->offer);
}

/* What came in clear where TLS was to begin; empty: it was TLS, or nothing. */
static struct slice clear_text(struct looking *l, const struct talk *t)
{
    const struct transport *tls = talk_transport(t);
    if (!tls)
        return arena_copy(&l->arena, slice_sub(talk_input(t), 0, LIMIT_DOCTOR_PROOF));
    if (talk_break(t, NULL, NULL) == TLS_BREAK_PLAIN)
        return arena_copy(&l->arena, tls_outgoing_first(tls));
    return SLICE_EMPTY;
}

/* Does this port answer to a hello with TLS, good or bad? */
static bool speaks_tls(const struct looking *l)
{
    struct talk *t = NULL;
    if (open_within(l, left_until(l->until_ms) / 2, &t) != OK)
        return false;
    bool speaks = shake(l, t) == OK;
    if (!speaks && talk_transport(t)) {
        enum tls_break kind = talk_break(t, NULL, NULL);
        speaks = kind != TLS_BREAK_NONE && kind != TLS_BREAK_PLAIN && kind != TLS_BREAK_CLOSED;
    }
    talk_close(&t);
    return speaks;
}

/* -------------------------------------------------------------------------------------------------------- probes */

/* To where the next octet is TLS. */
static fallible open_for_probe(struct looking *l, struct talk **ret_talk)
{
    uint64_t most = least(l->v->wishes->patience_ms / 4, LIMIT_DOCTOR_PROBE_WAIT);
    struct reply answer = {.kind = REPLY_YES};
    struct talk *t = NULL;
    TRY(open_within(l, least(most, left_until(l->probes_until_ms)), &t));
    enum err e = OK;
    if (endpoint_of(l)->security == SECURITY_STARTTLS) {
        e = ask_in_clear(l, t);
        if (e == OK)
            e = l->dialogue->start_tls(t, &l->arena, &answer);
    }
    if (e == OK && answer.kind == REPLY_YES)
        *ret_talk = t;
    else
        talk_close(&t);
    return e == OK && answer.kind != REPLY_YES ? ERR_DENIED : e;
}

static fallible read_answer(struct talk *t, bool exchange, struct buf *got, struct probe_answer *ret_answer)
{
    for (;;) {
        struct slice octets;
        enum err e = probe_read(buf_slice(got), exchange, ret_answer);
        if (e != ERR_AGAIN)
            return e;
        TRY(talk_wait(t, talk_left_ms(t)));
        TRY(talk_octets(t, talk_input(t).n, &octets));
        buf_put(got, octets);
        TRY(buf_check(got));
    }
}

static fallible
on_question(void *owner, const struct probe_ask *ask, bool exchange, struct probe_answer *ret_answer)
{
    struct looking *l = owner;
    struct buf hello CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_HELLO),
                     got CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_ANSWER);
    struct talk *t = NULL;
    if (!left_until(l->probes_until_ms))
        return ERR_TIMEOUT;
    probe_put(ask, &hello);
    TRY(buf_check(&hello));
    enum err e = open_for_probe(l, &t);
    if (e != OK)
        return e == ERR_CLOSED ? ERR_UNAVAILABLE : e; /* before the hello it says nothing of it */
    e = talk_put(t, buf_slice(&hello));
    if (e == OK)
        e = read_answer(t, exchange, &got, ret_answer);
    /* It agreed, but what should follow did not come. */
    if (e != OK && exchange && probe_read(buf_slice(&got), false, ret_answer) == OK)
        e = OK;
    talk_close(&t);
    return e == ERR_IO ? ERR_CLOSED : e;
}

static void probe(struct looking *l, bool works)
{
    struct ip ip;
    struct slice host = endpoint_of(l)->host;
    l->probes_until_ms = clock_mono_ms() + least(l->v->wishes->patience_ms / 2, left_until(l->until_ms));
    tls_probes_run(&l->v->server->tls, ip_parse(host, &ip) == OK ? SLICE_EMPTY : host, on_question, l);
    tls_note_probes(l->v, works);
}

/* ------------------------------------------------------------------------------------------- a handshake was made */

/* The time that an SMTP server tells in its greeting. */
static int64_t clock_of_server(struct looking *l, struct talk *t)
{
    int64_t told = 0;
    talk_within(t, least(talk_left_ms(t), LIMIT_DOCTOR_PROBE_WAIT));
    if (!l->greeting.text.n && l->dialogue->greet(t, &l->arena, &l->greeting) != OK)
        return 0;
    return greeting_time(l->greeting.text, &told) == OK ? told : 0;
}

/* The time that a page says which everybody knows. Anybody on the way could forge it: it counts for the clock of this device, and
 * for nothing that is believed. */
static int64_t clock_of_web(struct looking *l)
{
    const struct portal_page *page = &portal_pages[0];
    struct fetched fetched;
    struct fetch f = {
        .wishes = l->v->wishes,
        .dns = l->v->dns,
        .url = arena_printf(&l->arena, "http://%s%s", page->host, page->path),
        .within_ms = least(left_until(l->until_ms), LIMIT_DOCTOR_PROBE_WAIT),
        .stay = true};
    if (!f.dns || fetch_url(&f, &l->arena, &fetched, NULL) != OK)
        return 0;
    return fetched.date_s;
}

/* Another clock than the local one; 0: none. */
static int64_t other_clock(struct looking *l, struct talk *t)
{
    int64_t told = clock_of_server(l, t);
    return told ? told : clock_of_web(l);
}

/* TLS 1.3 refuses only after our side is done: with the first thing that is read. So the server is made to say something. Its
 * refusal may be lost when it closes at once; the end alone then tells, less surely. */
static bool is_let_in(struct looking *l, struct talk *t)
{
    struct offer offer;
    talk_within(t, least(talk_left_ms(t), LIMIT_DOCTOR_PROBE_WAIT));
    enum err e = endpoint_of(l)->security == SECURITY_STARTTLS
                     ? l->dialogue->ask(t, &l->arena, &offer)
                     : l->dialogue->greet(t, &l->arena, &l->greeting);
    enum tls_break kind = talk_break(t, NULL, NULL);
    if (e == OK || kind == TLS_BREAK_NONE) {
        notes_fact(l->v->notes, TONE_NOTE, FACT_TLS_ASKS_CERTIFICATE, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
        return true;
    }
    struct observation *o = note(
        l, TONE_FAULT, OBSERVED_TLS_CLIENT_CERTIFICATE, PROOF_MEASURED,
        S("the server asks for a certificate, and breaks off because there is none"));
    if (kind != TLS_BREAK_CLIENT_CERTIFICATE)
        o->sure = SURE_MEDIUM;
    return false;
}

static void look_at_session(struct looking *l, struct talk *t)
{
    struct checked *c = l->v->server;
    struct tls_seen seen;
    if (tls_outgoing_seen(talk_transport(t), &l->v->notes->arena, &seen) != OK)
        return; /* the notes are full */
    tls_profile_fill(&c->tls, &seen);
    c->standing.encrypted = !seen.asks_certificate || is_let_in(l, t);
    c->standing.private_ = c->standing.encrypted && seen.verdict == TLS_VERDICT_GOOD;
    tls_note_seen(l->v, &seen, c->standing.encrypted && tls_dates_doubtful(&seen) ? other_clock(l, t) : 0);
}

/* ------------------------------------------------------------------------------------------------ a handshake broke */

static enum observed observed_of_break(const struct looking *l, enum tls_break kind, int alert)
{
    static const enum observed of[] = {
        [TLS_BREAK_NONE] = OBSERVED_TLS_CLOSED_EARLY,
        [TLS_BREAK_PLAIN] = OBSERVED_TLS_STARTTLS_BROKEN,
        [TLS_BREAK_VERSION] = OBSERVED_TLS_ONLY_OLD_VERSIONS,
        [TLS_BREAK_CIPHER] = OBSERVED_TLS_NO_COMMON_SUITE,
        [TLS_BREAK_ALERT] = OBSERVED_TLS_ALERT_RECEIVED,
        [TLS_BREAK_CLIENT_CERTIFICATE] = OBSERVED_TLS_CLIENT_CERTIFICATE,
        [TLS_BREAK_WEAK] = OBSERVED_TLS_WEAK_PARAMETERS,
        [TLS_BREAK_CLOSED] = OBSERVED_TLS_CLOSED_EARLY,
        [TLS_BREAK_OTHER] = OBSERVED_TLS_BROKEN_RECORDS,
    };
    const struct tls_profile *p = &l->v->server->tls;
    if (alert == ALERT_UNRECOGNIZED_NAME)
        return OBSERVED_TLS_NAME_UNKNOWN;
    /* Servers have many ways to say that they are too old; the probes have seen it. */
    bool old = p->versions && !(p->versions & ~(unsigned)TLS_HAS_OLD);
    if (old && kind != TLS_BREAK_CLIENT_CERTIFICATE && kind != TLS_BREAK_PLAIN)
        return OBSERVED_TLS_ONLY_OLD_VERSIONS;
    if (kind == TLS_BREAK_VERSION && p->versions)
        return OBSERVED_TLS_NO_COMMON_SUITE;
    return of[kind];
}

/* The server speaks TLS, or should, and it did not come to a session: the probes tell what it would have agreed to. */
static void look_at_break(struct looking *l, struct talk **t, enum err e)
{
    const char *text = "";
    int alert = -1;
    enum tls_break kind = e == ERR_TIMEOUT ? TLS_BREAK_NONE : TLS_BREAK_CLOSED;
    if (talk_transport(*t))
        kind = talk_break(*t, &text, &alert);
    struct slice proof = alert < 0 ? arena_printf(&l->arena, "%s", *text ? text : err_text(e))
                                   : arena_printf(&l->arena, "alert %d: %s", alert, text);
    talk_close(t);
    if (kind == TLS_BREAK_NONE && e == ERR_TIMEOUT) {
        note(l, TONE_FAULT, OBSERVED_TLS_SILENT, PROOF_MEASURED, proof);
        return;
    }
    if (kind == TLS_BREAK_VERSION || kind == TLS_BREAK_CIPHER || kind == TLS_BREAK_WEAK ||
        kind == TLS_BREAK_CLOSED || (kind == TLS_BREAK_ALERT && alert != ALERT_UNRECOGNIZED_NAME))
        probe(l, false);
    note(l, TONE_FAULT, observed_of_break(l, kind, alert), PROOF_MEASURED, proof);
}

/* -------------------------------------------------------------------------------------------------------- STARTTLS */

/* Does the provider say that this very port does it? */
static bool provider_says_starttls(const struct looking *l)
{
    const struct endpoint *at = endpoint_of(l);
    const struct provider *p = knowledge_provider_of(l->v->notes->knowledge, at->host);
    for (size_t i = 0; p && i < p->host_count; i++)
        if (p->hosts[i].starttls && p->hosts[i].port == at->port &&
            p->hosts[i].where == service_where(at->service))
            return true;
    return false;
}

/* Was it to be expected here? Published by who cannot be forged. */
static bool is_promised(const struct looking *l)
{
    const struct endpoint *at = endpoint_of(l);
    bool published = at->source != SOURCE_GIVEN && at->source != SOURCE_GUESS && at->trusted;
    return published || provider_says_starttls(l);
}

static void note_not_offered(struct looking *l, const struct reply *answer)
{
    struct endpoint *at = endpoint_of(l);
    struct slice proof = l->offer.text.n ? l->offer.text : answer->text;
    bool promised = is_promised(l);
    if (l->offer.masked) { /* whoever hides keywords hides this one */
        l->v->server->tls.starttls_stripped = true;
        note(l, TONE_FAULT, OBSERVED_GREETING_MASKED, PROOF_REPLY, proof);
        return;
    }
    struct observation *o = note(
        l, TONE_FAULT, promised ? OBSERVED_TLS_STARTTLS_MISSING : OBSERVED_TLS_STARTTLS_NOT_OFFERED,
        PROOF_REPLY, proof);
    l->v->server->tls.starttls_stripped = promised;
    if (at->source == SOURCE_GUESS)
        at->security = SECURITY_NONE;
    else if (!promised) /* from here nobody can tell */
        o->alternative = knowledge_find(l->v->notes->knowledge, S("tls-starttls-missing"));
}

/* After the server's yes. */
static void shake_after_starttls(struct looking *l, struct talk **t)
{
    bool hidden = l->offer.asked && !l->offer.starttls;
    enum err e = shake(l, *t);
    if (e == OK) {
        if (hidden)
            note(l, TONE_FAULT, OBSERVED_TLS_STARTTLS_HIDDEN, PROOF_REPLY, l->offer.text);
        l->v->server->tls.starttls_stripped = hidden;
        look_at_session(l, *t);
        talk_close(t);
        probe(l, true);
    } else if (e == ERR_DENIED) {
        l->v->server->tls.starttls_injected = true;
        note(l, TONE_FAULT, OBSERVED_TLS_STARTTLS_INJECTION, PROOF_REPLY, clear_text(l, *t));
    } else {
        look_at_break(l, t, e);
    }
}

/* The greeting was read, and the offer. */
static void begin_tls(struct looking *l, struct talk **t)
{
    struct reply answer = {.kind = REPLY_NO};
    enum err e = l->dialogue->start_tls(*t, &l->arena, &answer);
    if (e == OK && answer.kind == REPLY_YES)
        shake_after_starttls(l, t);
    else if (!l->offer.starttls)
        note_not_offered(l, &answer);
    else if (e == OK)
        note(l, TONE_FAULT, OBSERVED_TLS_STARTTLS_DECLINED, PROOF_REPLY, answer.text);
    else
        look_at_break(l, t, e);
}

/* ----------------------------------------------------------------------------------------------------------- modes */

static void look_at_clear_port(struct looking *l, struct slice said);

/* TLS from the first octet. */
static void look_implicit(struct looking *l)
{
    struct talk *t = NULL;
    if (open_within(l, left_until(l->until_ms), &t) != OK)
        return; /* the network's trouble */
    enum err e = shake(l, t);
    struct slice said = e == OK ? SLICE_EMPTY : clear_text(l, t);
    if (e == OK) {
        look_at_session(l, t);
        talk_close(&t);
        probe(l, true);
    } else if (said.n) {
        talk_close(&t);
        look_at_clear_port(l, said);
    } else {
        look_at_break(l, &t, e);
    }
}

/* It was to be TLS, and this was said in clear. Another protocol than the expected one is told by the greeting step. */
static void look_at_clear_port(struct looking *l, struct slice said)
{
    struct talk *t = NULL;
    endpoint_of(l)->security = SECURITY_NONE;
    if (greets_of(said) != greets_of_service(endpoint_of(l)->service) ||
        open_within(l, left_until(l->until_ms), &t) != OK)
        return;
    enum err e = ask_in_clear(l, t);
    if (e == OK && l->offer.starttls) {
        endpoint_of(l)->security = SECURITY_STARTTLS;
        note(l, TONE_FAULT, OBSERVED_TLS_ON_STARTTLS_PORT, PROOF_REPLY, l->greeting.text);
        begin_tls(l, &t);
    } else if (e == OK) {
        note(l, TONE_FAULT, OBSERVED_TLS_PORT_IS_PLAIN, PROOF_REPLY, l->greeting.text);
    }
    talk_close(&t);
}

/* Waits for a greeting in clear; when none comes soon, asks whether the port speaks TLS. ERR_SYNTAX: it does. */
static fallible wait_for_greeting(const struct looking *l, struct talk *t)
{
    enum err e = talk_wait(t, least(l->v->wishes->patience_ms / 4, LIMIT_DOCTOR_CLEAR_WAIT));
    if (e != ERR_TIMEOUT)
        return e;
    if (speaks_tls(l))
        return ERR_SYNTAX;
    return talk_wait(t, talk_left_ms(t));
}

/* The settings want clear text first. */
static void note_tls_port(const struct looking *l)
{
    if (endpoint_of(l)->security != SECURITY_UNKNOWN)
        note(
            l, TONE_FAULT, OBSERVED_TLS_PORT_SPOKEN_PLAIN, PROOF_MEASURED,
            S("no greeting comes in clear, and a hello of TLS is answered"));
    endpoint_of(l)->security = SECURITY_TLS;
}

static void look_at_clear(struct looking *l, struct talk **t)
{
    struct endpoint *at = endpoint_of(l);
    bool unknown = at->security == SECURITY_UNKNOWN;
    enum err e = ask_in_clear(l, *t);
    if (unknown)
        at->security = e == OK && l->offer.starttls ? SECURITY_STARTTLS : SECURITY_NONE;
    if (e != OK)
        return; /* the greeting step tells */
    if (at->security == SECURITY_STARTTLS)
        begin_tls(l, t);
    else
        note(
            l, TONE_WARNING, l->offer.starttls ? OBSERVED_TLS_STARTTLS_AVAILABLE : OBSERVED_TLS_NONE,
            PROOF_REPLY, l->offer.text.n ? l->offer.text : l->greeting.text);
}

/* Clear text first: STARTTLS, nothing, or not known. */
static void look_clear_first(struct looking *l)
{
    struct talk *t = NULL;
    if (open_within(l, left_until(l->until_ms), &t) != OK)
        return;
    enum err e = wait_for_greeting(l, t);
    if (e == ERR_SYNTAX) {
        talk_close(&t);
        note_tls_port(l);
        look_implicit(l);
        return;
    }
    if (e == OK)
        look_at_clear(l, &t);
    else if (endpoint_of(l)->security == SECURITY_UNKNOWN)
        endpoint_of(l)->security = SECURITY_NONE; /* the greeting step waits, and tells */
    talk_close(&t);
}

void tls_look(struct visit *v)
{
    struct looking l = {
        .v = v,
        .dialogue = dialogue_of(v->server->endpoint.service),
        .arena = ARENA_INIT(LIMIT_DOCTOR_TALK),
        .until_ms = clock_mono_ms() + v->wishes->patience_ms};
    if (!v->server->standing.connected)
        return;
    if (v->server->endpoint.security == SECURITY_TLS)
        look_implicit(&l);
    else
        look_clear_first(&l);
    arena_done(&l.arena);
}
