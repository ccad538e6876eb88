#include "doctor/steps/tls.h"

#include "base/clock.h"
#include "doctor/steps/greeting_words.h"
#include "doctor/steps/tls_parts.h"

/* ------------------------------------------------------------------------------------------------------ shared */

struct endpoint *looking_endpoint(const struct looking *l)
{
    return &l->v->server->endpoint;
}

uint64_t looking_left(uint64_t until_ms)
{
    uint64_t now = clock_mono_ms();
    return until_ms > now ? until_ms - now : 0;
}

uint64_t looking_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct observation *looking_note(
    const struct looking *l, enum tone tone, enum observed what, enum proof_kind kind, struct slice proof)
{
    return notes_observed(l->v->notes, tone, what, kind, proof);
}

/* ------------------------------------------------------------------------------------------------------- talks */

fallible looking_open(const struct looking *l, uint64_t ms, struct talk **ret_talk)
{
    TRY(talk_open(l->v, ret_talk));
    talk_within(*ret_talk, looking_least(ms, looking_left(l->until_ms)));
    return OK;
}

fallible looking_shake(const struct looking *l, struct talk *t)
{
    return talk_start_tls(t, l->v->trust, looking_endpoint(l)->host);
}

fallible looking_ask_in_clear(struct looking *l, struct talk *t)
{
    TRY(dialogue_greet(l->dialogue, t, &l->arena, &l->greeting));
    if (l->greeting.kind != REPLY_YES)
        return ERR_DENIED;
    return l->dialogue->ask(t, &l->arena, &l->offer);
}

struct slice looking_clear_text(struct looking *l, const struct talk *t)
{
    const struct transport *tls = talk_transport(t);
    if (!tls)
        return arena_copy(&l->arena, slice_sub(talk_input(t), 0, LIMIT_DOCTOR_PROOF));
    if (talk_break(t, NULL, NULL) == TLS_BREAK_PLAIN)
        return arena_copy(&l->arena, tls_outgoing_first(tls));
    return SLICE_EMPTY;
}

/* ----------------------------------------------------------------------------------------------------------- modes */

/* Does this port answer to a hello with TLS, good or bad? */
static bool speaks_tls(const struct looking *l)
{
    struct talk *t = NULL;
    if (looking_open(l, looking_left(l->until_ms) / 2, &t) != OK)
        return false;
    bool speaks = looking_shake(l, t) == OK;
    if (!speaks && talk_transport(t)) {
        enum tls_break kind = talk_break(t, NULL, NULL);
        speaks = kind != TLS_BREAK_NONE && kind != TLS_BREAK_PLAIN && kind != TLS_BREAK_CLOSED;
    }
    talk_close(&t);
    return speaks;
}

static void look_at_clear_port(struct looking *l, struct slice said);

/* TLS from the first octet. */
static void look_implicit(struct looking *l)
{
    struct talk *t = NULL;
    if (looking_open(l, looking_left(l->until_ms), &t) != OK)
        return; /* the network's trouble */
    enum err e = looking_shake(l, t);
    struct slice said = e == OK ? SLICE_EMPTY : looking_clear_text(l, t);
    if (e == OK) {
        looking_at_session(l, t);
        talk_close(&t);
        looking_probe(l, true);
    } else if (said.n) {
        talk_close(&t);
        look_at_clear_port(l, said);
    } else {
        looking_at_break(l, &t, e);
    }
}

/* It was to be TLS, and this was said in clear. Another protocol than the expected one is told by the greeting step. */
static void look_at_clear_port(struct looking *l, struct slice said)
{
    struct talk *t = NULL;
    looking_endpoint(l)->security = SECURITY_NONE;
    if (greets_of(said) != greets_of_service(looking_endpoint(l)->service) ||
        looking_open(l, looking_left(l->until_ms), &t) != OK)
        return;
    enum err e = looking_ask_in_clear(l, t);
    if (e == OK && l->offer.starttls) {
        looking_endpoint(l)->security = SECURITY_STARTTLS;
        looking_note(l, TONE_FAULT, OBSERVED_TLS_ON_STARTTLS_PORT, PROOF_REPLY, l->greeting.text);
        looking_begin_tls(l, &t);
    } else if (e == OK) {
        looking_note(l, TONE_FAULT, OBSERVED_TLS_PORT_IS_PLAIN, PROOF_REPLY, l->greeting.text);
    }
    talk_close(&t);
}

/* Waits for a greeting in clear; when none comes soon, asks whether the port speaks TLS. ERR_SYNTAX: it does. */
static fallible wait_for_greeting(const struct looking *l, struct talk *t)
{
    enum err e = talk_wait(t, looking_least(l->v->wishes->patience_ms / 4, LIMIT_DOCTOR_CLEAR_WAIT));
    if (e != ERR_TIMEOUT)
        return e;
    if (speaks_tls(l))
        return ERR_SYNTAX;
    return talk_wait(t, talk_left_ms(t));
}

/* The settings want clear text first. */
static void note_tls_port(const struct looking *l)
{
    if (looking_endpoint(l)->security != SECURITY_UNKNOWN)
        notes_measured(
            l->v->notes, TONE_FAULT, OBSERVED_TLS_PORT_SPOKEN_PLAIN, PROOF_MEASURED,
            wording_bare(PHRASE_NO_CLEAR_GREETING));
    looking_endpoint(l)->security = SECURITY_TLS;
}

static void look_at_clear(struct looking *l, struct talk **t)
{
    struct endpoint *at = looking_endpoint(l);
    bool unknown = at->security == SECURITY_UNKNOWN;
    enum err e = looking_ask_in_clear(l, *t);
    if (unknown)
        at->security = e == OK && l->offer.starttls ? SECURITY_STARTTLS : SECURITY_NONE;
    if (e != OK)
        return; /* the greeting step tells */
    if (!l->offer.asked && greets_of(l->greeting.text) != greets_of_service(at->service))
        return; /* another protocol's digits, such as FTP's: also told there */
    if (at->security == SECURITY_STARTTLS)
        looking_begin_tls(l, t);
    else
        looking_note(
            l, TONE_WARNING, l->offer.starttls ? OBSERVED_TLS_STARTTLS_AVAILABLE : OBSERVED_TLS_NONE,
            PROOF_REPLY, l->offer.text.n ? l->offer.text : l->greeting.text);
}

/* Clear text first: STARTTLS, nothing, or not known. */
static void look_clear_first(struct looking *l)
{
    struct talk *t = NULL;
    if (looking_open(l, looking_left(l->until_ms), &t) != OK)
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
    else if (looking_endpoint(l)->security == SECURITY_UNKNOWN)
        looking_endpoint(l)->security = SECURITY_NONE; /* the greeting step waits, and tells */
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
