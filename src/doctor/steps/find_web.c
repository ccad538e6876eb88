/* find_web.c - what the domain publishes on the web: autoconfig and Autodiscover. */
#include "base/clock.h"
#include "doctor/steps/fetch.h"
#include "doctor/steps/find_parts.h"
#include "doctor/steps/tls_clock.h"
#include "mail/address.h"

enum { HTTP_FINE = 200, HTTP_UNAUTHORIZED = 401, SHOWN = 200 };

static fallible
get(struct hunt *h, struct slice url, struct slice post, struct fetched *ret_fetched, struct slice *ret_why)
{
    uint64_t left = hunt_left_ms(h);
    struct fetch f = {
        .wishes = h->wishes,
        .dns = h->dns,
        .url = url,
        .post = post,
        .within_ms = left < LIMIT_DOCTOR_FETCH_WAIT ? left : LIMIT_DOCTOR_FETCH_WAIT};
    *ret_why = SLICE_EMPTY;
    TRY(fetch_url(&f, &h->notes.arena, ret_fetched, ret_why));
    struct fetch_place place;
    if (ret_fetched->authenticated && tls_clock_differs(ret_fetched->date_s) &&
        fetch_place_of(ret_fetched->url, &h->notes.arena, &place) == OK) {
        h->ahead_s = clock_unix_s() - ret_fetched->date_s;
        h->ahead_of = place.host;
    }
    return OK;
}

/* The address as a parameter of a URL (RFC 3986 2.3). */
static struct slice escaped(struct hunt *h, struct slice text)
{
    struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    for (size_t i = 0; i < text.n; i++)
        if (ascii_is_alpha(text.p[i]) || ascii_is_digit(text.p[i]) || slice_has(S("-._~"), text.p[i]))
            buf_put_char(&b, text.p[i]);
        else
            buf_printf(&b, "%%%02X", (unsigned char)text.p[i]);
    return arena_copy(&h->notes.arena, buf_slice(&b));
}

/* Is it meant to be a file for mail programs? Web servers answer with pages to everything. */
static bool is_meant(struct slice body)
{
    return slice_search_nocase(body, S("<html")) == SLICE_NPOS &&
           (slice_search(body, S("clientConfig")) != SLICE_NPOS ||
            slice_search(body, S("Autodiscover")) != SLICE_NPOS);
}

static void note_bad_file(struct hunt *h, const struct fetched *file, enum err e)
{
    if (!is_meant(file->body))
        return;
    bool hostile = e == ERR_DENIED || e == ERR_LIMIT;
    notes_observed(
        &h->notes, TONE_WARNING, hostile ? OBSERVED_FIND_AUTOCONFIG_HOSTILE : OBSERVED_FIND_AUTOCONFIG_BROKEN,
        PROOF_RECORD,
        arena_printf(
            &h->notes.arena, SLICE_FMT ": " SLICE_FMT, SLICE_ARG(file->url),
            SLICE_ARG(slice_sub(file->body, 0, SHOWN))));
}

/* What came over https says what the domain wants; over http only hosts of the domain itself can be proved, later. */
static void judge_trust(struct candidates *c, bool authenticated, struct slice domain)
{
    for (size_t i = 0; i < c->count; i++)
        c->rows[i].trusted = authenticated || domain_is_within(c->rows[i].host, domain);
}

/* ---------------------------------------------------------------------------------------------------- autoconfig */

/* ERR_TIMEOUT: the web server is silent, and another question would be lost time; ERR_NOT_FOUND: no such file. */
static fallible take_autoconfig(struct hunt *h, struct slice url)
{
    struct fetched file;
    struct slice why;
    enum err e = get(h, url, SLICE_EMPTY, &file, &why);
    if (e == ERR_DENIED)
        notes_measured(
            &h->notes, TONE_NOTE, OBSERVED_FIND_AUTOCONFIG_CERTIFICATE, PROOF_CERTIFICATE,
            wording_say(&h->notes.arena, PHRASE_WEB_CERTIFICATE, url, why, SLICE_EMPTY));
    TRY(e);
    if (file.status != HTTP_FINE)
        return ERR_NOT_FOUND;
    e = autoconfig_read(file.body, &h->who, &h->notes.arena, &h->found);
    if (e != OK)
        note_bad_file(h, &file, e);
    else
        judge_trust(&h->found, file.authenticated, h->who.domain);
    return e;
}

/* The surer way first. */
static void take_either(struct hunt *h, struct slice https, struct slice http)
{
    enum err e = take_autoconfig(h, https);
    if (e != OK && e != ERR_TIMEOUT)
        IGNORE(take_autoconfig(h, http), "what there is to say is noted");
}

void find_autoconfig(struct hunt *h)
{
    struct arena *arena = &h->notes.arena;
    struct slice domain = h->who.domain;
    take_either(
        h,
        arena_printf(
            arena, "https://autoconfig." SLICE_FMT "/mail/config-v1.1.xml%s" SLICE_FMT, SLICE_ARG(domain),
            h->who.address.n ? "?emailaddress=" : "", SLICE_ARG(escaped(h, h->who.address))),
        arena_printf(arena, "http://autoconfig." SLICE_FMT "/mail/config-v1.1.xml", SLICE_ARG(domain)));
}

void find_well_known(struct hunt *h)
{
    static const char path[] = "/.well-known/autoconfig/mail/config-v1.1.xml";
    struct arena *arena = &h->notes.arena;
    struct slice domain = h->who.domain;
    take_either(
        h, arena_printf(arena, "https://" SLICE_FMT "%s", SLICE_ARG(domain), path),
        arena_printf(arena, "http://" SLICE_FMT "%s", SLICE_ARG(domain), path));
}

/* -------------------------------------------------------------------------------------------------- Autodiscover */

/* A service that a record names outside of the domain learns the address only if the record is proved. */
static struct slice named_by_record(struct hunt *h)
{
    struct arena *arena = &h->notes.arena;
    struct dns_answer answer;
    struct slice name = arena_printf(arena, "_autodiscover._tcp." SLICE_FMT, SLICE_ARG(h->who.domain));
    if (dns_ask(h->dns, name, DNS_SRV, hunt_left_ms(h), arena, &answer) != OK || answer.count == 0)
        return SLICE_EMPTY;
    const struct dns_record *r = &answer.records[0];
    bool proved = answer.proof == DNS_PROVED || domain_is_within(r->host, h->who.domain);
    return proved && r->host.n && r->port == 443 ? r->host : SLICE_EMPTY;
}

/* *ret_next: where a redirect inside the domain leads; else empty. True: there is nothing more to ask for. */
static bool take_autodiscover(struct hunt *h, struct slice url, struct slice *ret_next)
{
    struct slice why, next;
    struct fetch_place place;
    struct fetched file;
    *ret_next = SLICE_EMPTY;
    enum err e = get(h, url, autodiscover_question(&h->who, &h->notes.arena), &file, &why);
    if (e != OK)
        return e == ERR_TIMEOUT;
    if (file.status == HTTP_UNAUTHORIZED)
        notes_fact(&h->notes, TONE_NOTE, FACT_ASKS_PASSWORD, url, SLICE_EMPTY, SLICE_EMPTY);
    if (file.status != HTTP_FINE)
        return false;
    e = autodiscover_read(file.body, &h->who, &h->notes.arena, &h->found, &next);
    if (e != OK)
        note_bad_file(h, &file, e);
    if (e != OK)
        return false;
    judge_trust(&h->found, file.authenticated, h->who.domain);
    if (next.n && fetch_place_of(next, &h->notes.arena, &place) == OK && place.https &&
        domain_is_within(place.host, h->who.domain))
        *ret_next = next;
    return h->found.count > 0;
}

void find_autodiscover(struct hunt *h)
{
    struct arena *arena = &h->notes.arena;
    struct slice hosts[] = {
        arena_printf(arena, "autodiscover." SLICE_FMT, SLICE_ARG(h->who.domain)), h->who.domain,
        named_by_record(h)};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct slice next, last;
        if (!hosts[i].n)
            continue;
        if (take_autodiscover(
                h,
                arena_printf(
                    arena, "https://" SLICE_FMT "/autodiscover/autodiscover.xml", SLICE_ARG(hosts[i])),
                &next))
            return;
        if (next.n && take_autodiscover(h, next, &last))
            return;
    }
}
