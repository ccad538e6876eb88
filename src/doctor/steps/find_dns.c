/* find_dns.c - what the domain's own records say: SRV and MX. */
#include "base/clock.h"
#include "doctor/steps/find_parts.h"
#include "mail/address.h"

enum { TAKEN_MAX = 2, QUESTION_MS = 4000, EXCHANGERS_ASKED = 3 };

uint64_t hunt_left_ms(const struct hunt *h)
{
    uint64_t now = clock_mono_ms();
    return now < h->until_ms ? h->until_ms - now : 0;
}

static fallible ask(struct hunt *h, struct slice name, enum dns_type type, struct dns_answer *ret_answer)
{
    uint64_t left = hunt_left_ms(h);
    TRY(dns_ask(h->dns, name, type, left < QUESTION_MS ? left : QUESTION_MS, &h->notes.arena, ret_answer));
    h->bogus = h->bogus || ret_answer->proof == DNS_BOGUS;
    return OK;
}

/* -------------------------------------------------------------------------------------------------------- SRV */

/* RFC 2782: the lowest priority first, of these the heaviest; a doctor does not throw dice. */
static bool is_before(const struct dns_record *a, const struct dns_record *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->weight > b->weight;
}

/* The best record behind `last` (NULL: of all); NULL: there is none. Records that are equal keep their order. */
static const struct dns_record *next_record(const struct dns_answer *answer, const struct dns_record *last)
{
    const struct dns_record *best = NULL;
    for (size_t i = 0; i < answer->count; i++) {
        const struct dns_record *r = &answer->records[i];
        if (last && (r == last || is_before(r, last) || (!is_before(last, r) && r < last)))
            continue;
        if (!best || is_before(r, best))
            best = r;
    }
    return best;
}

bool find_take_records(
    const struct dns_answer *answer, const struct endpoint *as, struct slice domain, struct arena *arena,
    struct candidates *found)
{
    const struct dns_record *r = next_record(answer, NULL);
    if (r && r->host.n == 0)
        return false;
    for (size_t taken = 0; r && taken < TAKEN_MAX; taken++, r = next_record(answer, r)) {
        struct endpoint e = *as;
        enum security by_port = security_of_port(r->port);
        e.host = r->host;
        e.port = r->port;
        e.security = by_port == SECURITY_UNKNOWN ? as->security : by_port;
        e.trusted = answer->proof == DNS_PROVED || domain_is_within(r->host, domain);
        candidates_add(found, &e, arena);
    }
    return true;
}

static const struct {
    const char *name;
    enum service service;
    enum security security;
} records[] = {
    {"_imaps._tcp", SERVICE_IMAP, SECURITY_TLS},       {"_imap._tcp", SERVICE_IMAP, SECURITY_STARTTLS},
    {"_pop3s._tcp", SERVICE_POP3, SECURITY_TLS},       {"_pop3._tcp", SERVICE_POP3, SECURITY_STARTTLS},
    {"_submissions._tcp", SERVICE_SMTP, SECURITY_TLS}, {"_submission._tcp", SERVICE_SMTP, SECURITY_STARTTLS},
};

void find_records(struct hunt *h)
{
    struct arena *arena = &h->notes.arena;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct slice name = arena_printf(arena, "%s." SLICE_FMT, records[i].name, SLICE_ARG(h->who.domain));
        struct endpoint as = {
            .service = records[i].service, .security = records[i].security, .source = SOURCE_SRV};
        struct dns_answer answer;
        if (ask(h, name, DNS_SRV, &answer) != OK || answer.status == DNS_SILENT)
            return; /* the others will not be answered either */
        if (answer.status == DNS_FOUND && !find_take_records(&answer, &as, h->who.domain, arena, &h->found))
            h->not_offered[as.service] = true;
    }
    for (int s = 0; s < SERVICE_N; s++)
        h->not_offered[s] = h->not_offered[s] && !candidates_have(&h->found, (enum service)s);
}

/* --------------------------------------------------------------------------------------------------------- MX */

/* The name service says for certain that this name has no address. */
static bool has_no_address(struct hunt *h, struct slice host)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct dns_answer answer;
        if (ask(h, host, types[i], &answer) != OK ||
            (answer.status != DNS_NO_NAME && answer.status != DNS_NO_RECORD))
            return false;
    }
    return true;
}

/* RFC 5321 section 5.1: the hosts of the MX records; without such records the domain itself. */
static bool leads_nowhere(struct hunt *h, const struct dns_answer *exchangers)
{
    if (exchangers->count == 0)
        return exchangers->status == DNS_NO_RECORD && has_no_address(h, h->who.domain);
    for (size_t i = 0; i < exchangers->count; i++)
        if (i == EXCHANGERS_ASKED || !has_no_address(h, exchangers->records[i].host))
            return false;
    return true;
}

void find_exchangers(struct hunt *h)
{
    struct dns_answer answer;
    h->domain = DNS_SILENT;
    if (ask(h, h->who.domain, DNS_MX, &answer) != OK)
        return;
    h->domain = answer.status;
    const struct dns_record *best = next_record(&answer, NULL);
    if (best) {
        h->takes_no_mail = best->host.n == 0;
        h->exchanger = best->host;
        h->exchanger_proved = answer.proof == DNS_PROVED;
    }
    h->leads_nowhere = !h->takes_no_mail && leads_nowhere(h, &answer);
}
