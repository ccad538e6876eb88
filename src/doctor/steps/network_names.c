#include "doctor/steps/network_parts.h"

enum { SLOW_ANSWER = 1000 /* ms */, NAMES_MEMORY = 262144 };

static const char *const status_words[] = {
    [DNS_FOUND] = "an answer",          [DNS_NO_NAME] = "NXDOMAIN", [DNS_NO_RECORD] = "no record",
    [DNS_SERVER_FAIL] = "SERVFAIL",     [DNS_REFUSED] = "REFUSED",  [DNS_SILENT] = "no answer",
    [DNS_LOOP] = "aliases in a circle",
};
static const enum observed status_means[] = {
    [DNS_NO_NAME] = OBSERVED_DNS_NO_SUCH_NAME,
    [DNS_NO_RECORD] = OBSERVED_DNS_NO_ADDRESS,
    [DNS_SERVER_FAIL] = OBSERVED_DNS_SERVER_FAILS,
    [DNS_REFUSED] = OBSERVED_DNS_REFUSED,
    [DNS_SILENT] = OBSERVED_DNS_SILENT,
    [DNS_LOOP] = OBSERVED_DNS_ALIAS_LOOP,
};

/* One question for addresses. */
struct asked {
    struct arena arena;
    const char *type;
    struct dns_answer answer;
};

/* "A imap.example.org: SERVFAIL (why)" */
static struct wording proof_of(struct asked *a, struct slice host)
{
    const char *status = a->answer.proof == DNS_BOGUS ? "DNSSEC: bogus" : status_words[a->answer.status];
    struct wording words = wording_fill(
        &a->arena, PHRASE_DNS_ANSWER, wording_same(slice_str(a->type)), wording_same(host),
        wording_known(&a->arena, slice_str(status)));
    if (a->answer.why.n)
        words = wording_fill(
            &a->arena, PHRASE_REMARK, words, wording_known(&a->arena, a->answer.why),
            wording_same(SLICE_EMPTY));
    return words;
}

static enum observed meaning_of(const struct dns_answer *x, struct slice host)
{
    if (x->proof == DNS_BOGUS)
        return OBSERVED_DNS_BOGUS;
    if (x->status == DNS_NO_NAME && !slice_eq(x->canonical, host))
        return OBSERVED_DNS_ALIAS_DEAD;
    return status_means[x->status];
}

/* False: nothing can be asked of this name. */
static bool ask(struct visit *v, enum dns_type type, uint64_t within_ms, struct asked *a)
{
    struct slice host = v->server->endpoint.host;
    a->type = type == DNS_A ? "A" : "AAAA";
    enum err e = dns_ask(v->dns, host, type, within_ms, &a->arena, &a->answer);
    if (e == OK)
        return true;
    if (e == ERR_SYNTAX)
        notes_observed(v->notes, TONE_FAULT, OBSERVED_DNS_NAME_MALFORMED, PROOF_SETTING, host);
    else
        notes_measured(v->notes, TONE_FAULT, OBSERVED_DNS_SERVER_FAILS, PROOF_MEASURED, wording_error(e));
    return false;
}

static bool is_answer(const struct dns_answer *x)
{
    return x->proof != DNS_BOGUS && (x->status == DNS_FOUND || x->status == DNS_NO_RECORD);
}

/* A name server that is silent and a connection that is none look the same. */
static void note_failure(struct visit *v, struct asked *a, enum tone tone, enum observed what)
{
    bool silent = a->answer.status == DNS_SILENT;
    struct observation *o = notes_measured(
        v->notes, tone, what, silent ? PROOF_MEASURED : PROOF_RECORD, proof_of(a, v->server->endpoint.host));
    if (what == OBSERVED_DNS_SILENT)
        o->alternative = knowledge_find(v->notes->knowledge, S("net-offline"));
}

static void note_addresses(struct visit *v, const struct asked *a, struct found *f)
{
    const struct dns_answer *x = &a->answer;
    for (size_t i = 0; i < x->count && f->count < LIMIT_DOCTOR_ADDRESSES; i++) {
        char text[IP_TEXT_MAX];
        f->ips[f->count++] = x->records[i].ip;
        notes_fact(
            v->notes, TONE_GOOD, FACT_ADDRESS, v->server->endpoint.host,
            slice_str(ip_text(&x->records[i].ip, text)), SLICE_EMPTY);
    }
}

/* What else an answer shows. */
static void note_answer(struct visit *v, struct asked *a)
{
    struct slice host = v->server->endpoint.host;
    if (!slice_eq(a->answer.canonical, host))
        notes_fact(v->notes, TONE_GOOD, FACT_ALIAS, host, a->answer.canonical, SLICE_EMPTY);
    if (a->answer.proof == DNS_PROVED)
        notes_fact(v->notes, TONE_GOOD, FACT_NAME_PROVED, host, SLICE_EMPTY, SLICE_EMPTY);
    if (a->answer.took_ms > SLOW_ANSWER)
        notes_measured(
            v->notes, TONE_WARNING, OBSERVED_DNS_SLOW, PROOF_MEASURED,
            wording_say(
                &a->arena, PHRASE_MILLISECONDS,
                arena_printf(&a->arena, "%llu", (unsigned long long)a->answer.took_ms), SLICE_EMPTY,
                SLICE_EMPTY));
}

/* IPv6 after IPv4: most programs ask for both, so a failure counts though there are addresses. */
static void look_v6(struct visit *v, struct asked *a, struct found *f)
{
    if (!ask(v, DNS_AAAA, v->wishes->patience_ms / 5, a))
        return;
    if (is_answer(&a->answer))
        note_addresses(v, a, f);
    else if (f->count)
        note_failure(v, a, TONE_WARNING, OBSERVED_DNS_IPV6_FAILS);
    else
        note_failure(v, a, TONE_FAULT, meaning_of(&a->answer, v->server->endpoint.host));
}

bool network_names(struct visit *v, struct found *ret_found)
{
    struct found f = {.count = 0};
    struct asked a = {.arena = ARENA_INIT(NAMES_MEMORY)}, a6 = a;
    f.literal = ip_parse(v->server->endpoint.host, &f.ips[0]) == OK;
    f.count = f.literal;
    if (!f.literal && ask(v, DNS_A, 2 * v->wishes->patience_ms / 5, &a)) {
        if (is_answer(&a.answer)) {
            note_answer(v, &a);
            note_addresses(v, &a, &f);
            look_v6(v, &a6, &f);
            if (f.count == 0 && is_answer(&a6.answer))
                note_failure(v, &a, TONE_FAULT, OBSERVED_DNS_NO_ADDRESS);
        } else {
            note_failure(v, &a, TONE_FAULT, meaning_of(&a.answer, v->server->endpoint.host));
        }
    }
    arena_done(&a.arena);
    arena_done(&a6.arena);
    *ret_found = f;
    return f.count > 0;
}

/* --------------------------------------------------------------------------------------------- kinds of addresses */

enum address_kind address_kind(const struct ip *ip)
{
    static const struct {
        const char *net;
        enum address_kind kind;
    } rows[] = {
        {"0.0.0.0/8", ADDRESS_NOTHING},      {"::/128", ADDRESS_NOTHING},
        {"127.0.0.0/8", ADDRESS_LOOPBACK},   {"::1/128", ADDRESS_LOOPBACK},
        {"198.18.0.0/15", ADDRESS_FAKE}, /* RFC 2544: no mail server is there */
        {"10.0.0.0/8", ADDRESS_PRIVATE},     {"172.16.0.0/12", ADDRESS_PRIVATE},
        {"192.168.0.0/16", ADDRESS_PRIVATE}, {"169.254.0.0/16", ADDRESS_PRIVATE},
        {"100.64.0.0/10", ADDRESS_PRIVATE},  {"fc00::/7", ADDRESS_PRIVATE},
        {"fe80::/10", ADDRESS_PRIVATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_net net;
        if (ip_net_parse(slice_str(rows[i].net), &net) == OK && ip_net_has(&net, ip))
            return rows[i].kind;
    }
    return ADDRESS_PUBLIC;
}
