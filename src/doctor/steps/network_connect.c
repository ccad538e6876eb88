#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "doctor/steps/network_parts.h"
#include "net/connect.h"

enum { SLOW_CONNECT = 1000 /* ms */, OTHER_PORTS = 3, HTTPS = 443 };

/* All addresses of the server, tried. */
struct tried {
    struct connect_try tries[LIMIT_DOCTOR_ADDRESSES];
    size_t n;
};

static const struct connect_try *first_with(const struct tried *t, enum err e)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->tries[i].e == e)
            return &t->tries[i];
    return NULL;
}

static struct wording number(struct arena *a, unsigned n)
{
    return wording_same(arena_printf(a, "%u", n));
}

/* "192.0.2.1 port 993: Connection refused", or "...: 1840 ms" */
static struct wording words_of(struct arena *a, const struct connect_try *t)
{
    char text[IP_TEXT_MAX];
    struct slice ms = arena_printf(a, "%llu", (unsigned long long)t->took_ms);
    return wording_fill(
        a, PHRASE_TRY, wording_same(slice_str(ip_text(&t->ip, text))), number(a, t->port),
        t->e == OK ? wording_say(a, PHRASE_MILLISECONDS, ms, SLICE_EMPTY, SLICE_EMPTY)
                   : wording_errno(a, t->error_number));
}

static struct observation *
note_try(struct visit *v, enum tone tone, enum observed what, const struct connect_try *t)
{
    return notes_measured(v->notes, tone, what, PROOF_MEASURED, words_of(&v->notes->arena, t));
}

/* ------------------------------------------------------------------------------------------------ it is connected */

static int faster(const void *a, const void *b)
{
    const struct connect_try *x = a, *y = b;
    return (x->took_ms > y->took_ms) - (x->took_ms < y->took_ms);
}

static void keep_addresses(struct visit *v, struct tried *t)
{
    qsort(t->tries, t->n, sizeof *t->tries, faster);
    for (size_t i = 0; i < t->n; i++) {
        const struct connect_try *one = &t->tries[i];
        char text[IP_TEXT_MAX], ms[24];
        if (one->e != OK)
            continue;
        v->addresses[v->address_count++] = one->ip;
        snprintf(ms, sizeof ms, "%llu", (unsigned long long)one->took_ms);
        notes_fact(
            v->notes, TONE_GOOD, FACT_CONNECTED, slice_str(ip_text(&one->ip, text)), slice_str(ms),
            SLICE_EMPTY);
        if (v->address_count == 1 && one->took_ms > SLOW_CONNECT)
            note_try(v, TONE_WARNING, OBSERVED_NET_SLOW, one);
    }
}

/* Of one family: does any answer, and the first that does not, though there is a way to it. */
struct family {
    bool answers;
    const struct connect_try *dead;
};

static struct family family_of(const struct tried *t, bool v4)
{
    struct family f = {.answers = false};
    for (size_t i = 0; i < t->n; i++) {
        const struct connect_try *one = &t->tries[i];
        if (ip_is_v4(&one->ip) != v4)
            continue;
        f.answers |= one->e == OK;
        if (one->e != OK && one->e != ERR_NOT_FOUND && !f.dead)
            f.dead = one;
    }
    return f;
}

/* A part of the addresses answers: what about the others? A family that this machine has no way to is not the server's fault. */
static void note_dead_addresses(struct visit *v, const struct tried *t)
{
    struct family v4 = family_of(t, true), v6 = family_of(t, false);
    if (v6.dead)
        note_try(v, TONE_WARNING, v6.answers ? OBSERVED_NET_ADDRESS_DEAD : OBSERVED_NET_IPV6_BROKEN, v6.dead);
    if (v4.dead)
        note_try(v, TONE_WARNING, v4.answers ? OBSERVED_NET_ADDRESS_DEAD : OBSERVED_NET_IPV4_BROKEN, v4.dead);
}

/* -------------------------------------------------------------------------------------------- it is not connected */

/* Ports at which the same server may answer: the others of the service, and the web. */
static const uint16_t other_ports[SERVICE_N][OTHER_PORTS] = {
    [SERVICE_IMAP] = {993, 143, HTTPS},
    [SERVICE_POP3] = {995, 110, HTTPS},
    [SERVICE_SMTP] = {465, 587, HTTPS}};

struct others {
    unsigned mail, web; /* a port that answers; 0: none */
    bool refuses;       /* somebody is there, at least, to refuse */
};

static struct others look_at_others(const struct visit *v, const struct ip *ip, uint64_t within_ms)
{
    const struct endpoint *at = &v->server->endpoint;
    struct connect_try tries[OTHER_PORTS];
    struct others found = {.mail = 0};
    size_t n = 0;
    for (size_t i = 0; i < OTHER_PORTS; i++)
        if (other_ports[at->service][i] != at->port)
            tries[n++] = (struct connect_try){.ip = *ip, .port = other_ports[at->service][i]};
    connect_all(tries, n, within_ms, LIMIT_DOCTOR_AFTERTHOUGHT, v->wishes->stop);
    for (size_t i = 0; i < n; i++) {
        unsigned *kind = tries[i].port == HTTPS ? &found.web : &found.mail;
        if (tries[i].e == OK && !*kind)
            *kind = tries[i].port;
        found.refuses |= tries[i].e == ERR_DENIED;
    }
    connect_close_all(tries, n);
    return found;
}

/* The try, and what the other ports show. */
static struct observation *note_try_and(
    struct visit *v, enum tone tone, enum observed what, const struct connect_try *t, const struct others *o)
{
    struct arena *a = &v->notes->arena;
    struct wording words = words_of(a, t), none = wording_same(SLICE_EMPTY);
    unsigned port = o->mail ? o->mail : o->web;
    if (port)
        words = wording_fill(a, PHRASE_PORT_ANSWERS, words, number(a, port), none);
    else if (o->refuses)
        words = wording_fill(a, PHRASE_PORTS_REFUSE, words, none, none);
    return notes_measured(v->notes, tone, what, PROOF_MEASURED, words);
}

static bool is_local(const struct visit *v, const struct connect_try *t)
{
    struct ip literal;
    struct slice host = v->server->endpoint.host;
    return ip_is_loopback(&t->ip) && (slice_eq(host, S("localhost")) || ip_parse(host, &literal) == OK);
}

static void note_refused(struct visit *v, enum tone tone, const struct connect_try *t, uint64_t within_ms)
{
    enum { BRIDGE_IMAP = 1143, BRIDGE_SMTP = 1025 };
    if (is_local(v, t)) {
        bool bridge = t->port == BRIDGE_IMAP || t->port == BRIDGE_SMTP;
        note_try(v, tone, bridge ? OBSERVED_PROTON_BRIDGE_REFUSED : OBSERVED_NET_LOCAL_REFUSED, t);
        return;
    }
    struct others o = look_at_others(v, &t->ip, within_ms);
    struct observation *note =
        note_try_and(v, tone, o.mail ? OBSERVED_NET_PORT_CLOSED : OBSERVED_NET_REFUSED, t, &o);
    if (!o.mail) /* some firewalls refuse whom they have banned */
        note->alternative = knowledge_find(v->notes->knowledge, S("fail2ban-silent-drop"));
}

/* Silence: of this port, of the mail ports, or of the whole machine. That a firewall of the server keeps us out after wrong
 * passwords looks the same from here. */
static void note_silent(struct visit *v, enum tone tone, const struct connect_try *t, uint64_t within_ms)
{
    enum { PORT_25 = 25 };
    struct others o = look_at_others(v, &t->ip, within_ms);
    bool there = o.mail || o.web || o.refuses, relay = t->port == PORT_25;
    struct observation *note = note_try_and(
        v, tone,
        relay   ? OBSERVED_PORT_25_SUBMISSION
        : there ? OBSERVED_NET_PORT_FILTERED
                : OBSERVED_NET_TIMEOUT,
        t, &o);
    if (!relay && !o.mail)
        note->alternative = knowledge_find(v->notes->knowledge, S("fail2ban-silent-drop"));
}

/* The server can be reached over IPv6 alone, and there is none here. */
static bool is_six_only(const struct tried *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (ip_is_v4(&t->tries[i].ip))
            return false;
    return true;
}

static void note_failure(struct visit *v, const struct tried *t, enum tone tone, uint64_t within_ms)
{
    const struct connect_try *one;
    if ((one = first_with(t, ERR_DENIED)) && one->error_number == ECONNRESET)
        note_try(v, tone, OBSERVED_NET_RESET, one);
    else if (one) /* by the server, or by a firewall, of this machine even */
        note_refused(v, tone, one, within_ms);
    else if ((one = first_with(t, ERR_TIMEOUT)))
        note_silent(v, tone, one, within_ms);
    else
        note_try(v, tone, is_six_only(t) ? OBSERVED_NET_ONLY_IPV6 : OBSERVED_NET_UNREACHABLE, &t->tries[0]);
}

/* ---------------------------------------------------------------------------------------------- false addresses */

/* An address that a public mail server cannot have. `false` when nothing is wrong with it. */
static bool note_false_address(struct visit *v, const struct found *f)
{
    struct slice host = v->server->endpoint.host;
    const struct provider *p = knowledge_provider_of(v->notes->knowledge, host);
    enum tone tone = v->server->standing.connected ? TONE_WARNING : TONE_FAULT;
    char text[IP_TEXT_MAX];
    for (size_t i = 0; !f->literal && i < f->count; i++) {
        enum address_kind kind = address_kind(&f->ips[i]);
        enum observed what = kind == ADDRESS_FAKE ? OBSERVED_SOCKS_FAKE_IP : OBSERVED_DNS_HIJACK;
        if (kind == ADDRESS_PUBLIC || (!(p && p->hosted) && kind != ADDRESS_FAKE && kind != ADDRESS_NOTHING))
            continue;
        notes_observed(v->notes, tone, what, PROOF_RECORD, slice_str(ip_text(&f->ips[i], text)));
        return true;
    }
    return false;
}

/* Nothing answers, and the name leads into this network or this computer: it may lead there falsely. A company's own server
 * stands there rightly, so this is only what it could be as well. */
static void doubt_address(struct visit *v, const struct found *found)
{
    struct observation *o = &v->notes->rows[v->notes->count - 1];
    bool public = found->literal || slice_eq(v->server->endpoint.host, S("localhost"));
    for (size_t i = 0; i < found->count; i++)
    public |= address_kind(&found->ips[i]) == ADDRESS_PUBLIC;
    if (!public)
        o->alternative = knowledge_find(v->notes->knowledge, S("dns-hijack"));
}

void network_connect(struct visit *v, const struct found *found, uint64_t until_ms)
{
    struct tried t = {.n = found->count};
    uint64_t patience = v->wishes->patience_ms, last = patience / 6, now = clock_mono_ms();
    uint64_t within = until_ms > now + last + patience / 4 ? until_ms - now - last : patience / 4;
    for (size_t i = 0; i < t.n; i++)
        t.tries[i] = (struct connect_try){.ip = found->ips[i], .port = v->server->endpoint.port};
    connect_all(t.tries, t.n, within, LIMIT_DOCTOR_LATECOMERS, v->wishes->stop);
    connect_close_all(t.tries, t.n);
    v->server->standing.connected = first_with(&t, OK) != NULL;
    bool lie = note_false_address(v, found);
    if (v->server->standing.connected) {
        keep_addresses(v, &t);
        note_dead_addresses(v, &t);
    } else {
        note_failure(v, &t, lie ? TONE_NOTE : TONE_FAULT, last);
        if (!lie)
            doubt_address(v, found);
    }
}
