/* A handshake was made: what it shows, what time others say it is, and whether the server goes on with us. */

#include "base/clock.h"
#include "doctor/steps/fetch.h"
#include "doctor/steps/greeting_words.h"
#include "doctor/steps/portal.h"
#include "doctor/steps/tls.h"
#include "doctor/steps/tls_clock.h"
#include "doctor/steps/tls_parts.h"

/* The time that an SMTP server tells in its greeting. */
static int64_t clock_of_server(struct looking *l, struct talk *t)
{
    int64_t told = 0;
    talk_within(t, looking_least(talk_left_ms(t), LIMIT_DOCTOR_PROBE_WAIT));
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
        .within_ms = looking_least(looking_left(l->until_ms), LIMIT_DOCTOR_PROBE_WAIT),
        .stay = true};
    if (!f.dns || fetch_url(&f, &l->arena, &fetched, NULL) != OK)
        return 0;
    return fetched.date_s;
}

/* Another clock than the local one: what was told before by who proved himself, else what the server says, else the web. */
static struct told_time other_clock(struct looking *l, struct talk *t)
{
    int64_t ahead_s = l->v->whole ? l->v->whole->clock_ahead_s : 0;
    if (ahead_s)
        return (struct told_time){.unix_s = clock_unix_s() - ahead_s, .proved = true};
    struct told_time told = {.unix_s = clock_of_server(l, t)};
    if (!tls_clock_may_be(told.unix_s))
        told.unix_s = clock_of_web(l);
    if (!tls_clock_may_be(told.unix_s))
        told.unix_s = 0;
    return told;
}

/* TLS 1.3 refuses only after our side is done: with the first thing that is read. So the server is made to say something. Its
 * refusal may be lost when it closes at once; the end alone then tells, less surely. */
static bool is_let_in(struct looking *l, struct talk *t)
{
    struct offer offer;
    talk_within(t, looking_least(talk_left_ms(t), LIMIT_DOCTOR_PROBE_WAIT));
    enum err e = looking_endpoint(l)->security == SECURITY_STARTTLS
                     ? l->dialogue->ask(t, &l->arena, &offer)
                     : l->dialogue->greet(t, &l->arena, &l->greeting);
    enum tls_break kind = talk_break(t, NULL, NULL);
    if (e == OK || kind == TLS_BREAK_NONE) {
        notes_fact(l->v->notes, TONE_NOTE, FACT_TLS_ASKS_CERTIFICATE, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
        return true;
    }
    struct observation *o = notes_measured(
        l->v->notes, TONE_FAULT, OBSERVED_TLS_CLIENT_CERTIFICATE, PROOF_MEASURED,
        wording_bare(PHRASE_ASKS_CERTIFICATE));
    if (kind != TLS_BREAK_CLIENT_CERTIFICATE)
        o->sure = SURE_MEDIUM;
    return false;
}

void looking_at_session(struct looking *l, struct talk *t)
{
    struct checked *c = l->v->server;
    struct tls_seen seen;
    if (tls_outgoing_seen(talk_transport(t), &l->v->notes->arena, &seen) != OK)
        return; /* the notes are full */
    tls_profile_fill(&c->tls, &seen);
    c->tls.issuer = mask_text(l->v->notes->mask, &l->v->notes->arena, c->tls.issuer);
    c->standing.encrypted = !seen.asks_certificate || is_let_in(l, t);
    c->standing.private_ = c->standing.encrypted && seen.verdict == TLS_VERDICT_GOOD;
    bool asks = c->standing.encrypted && tls_dates_doubtful(&seen);
    tls_note_seen(l->v, &seen, asks ? other_clock(l, t) : (struct told_time){.unix_s = 0});
}
