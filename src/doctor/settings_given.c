#include "doctor/settings_given.h"

#include "base/ip.h"
#include "doctor/address_slips.h"
#include "mail/address.h"

static void note(struct checked *c, enum observed what, struct slice proof)
{
    c->notes.step = STEP_FIND;
    notes_observed(&c->notes, TONE_WARNING, what, PROOF_SETTING, proof);
}

static void note_measured(struct checked *c, enum observed what, struct wording proof)
{
    c->notes.step = STEP_FIND;
    notes_measured(&c->notes, TONE_WARNING, what, PROOF_SETTING, proof);
}

/* "imap.example.org:993" */
static struct slice place(struct checked *c)
{
    return arena_printf(
        &c->notes.arena, SLICE_FMT ":%u", SLICE_ARG(c->endpoint.host), (unsigned)c->endpoint.port);
}

/* ------------------------------------------------------------------------------------------- the field as typed */

void settings_typed_look(struct slice typed, struct checked *c)
{
    struct slice bare = slice_trim(typed);
    bool blank = bare.n != typed.n || slice_has(bare, ' ') || slice_has(bare, '\t');
    if (slice_search(bare, S("://")) != SLICE_NPOS || slice_has(bare, '/') || slice_has(bare, '@') || blank)
        note(c, OBSERVED_HOST_HAS_SCHEME, typed);
}

/* ------------------------------------------------------------------------------------------ port and encryption */

static const struct {
    uint16_t port;
    bool implicit; /* set to TLS from the first octet; else to anything but that */
    enum observed what;
} modes[] = {
    {993, false, OBSERVED_PORT_993_STARTTLS}, {995, false, OBSERVED_PORT_995_STARTTLS},
    {465, false, OBSERVED_PORT_465_STARTTLS}, {143, true, OBSERVED_PORT_143_SSL},
    {110, true, OBSERVED_PORT_110_SSL},       {587, true, OBSERVED_PORT_587_SSL},
};

/* "993, STARTTLS" */
static struct wording port_and_security(struct checked *c)
{
    struct arena *arena = &c->notes.arena;
    return wording_fill(
        arena, PHRASE_PAIR, wording_same(arena_printf(arena, "%u", (unsigned)c->endpoint.port)),
        wording_of(security_words, c->endpoint.security), wording_same(SLICE_EMPTY));
}

static void look_at_mode(struct checked *c)
{
    const struct endpoint *e = &c->endpoint;
    for (size_t i = 0; i < sizeof modes / sizeof *modes && e->security != SECURITY_UNKNOWN; i++)
        if (modes[i].port == e->port && modes[i].implicit == (e->security == SECURITY_TLS))
            note_measured(c, modes[i].what, port_and_security(c));
}

/* SERVICE_N: of none alone. */
static enum service service_of_port(uint16_t port)
{
    static const struct {
        uint16_t port;
        enum service service;
    } known[] = {{143, SERVICE_IMAP}, {993, SERVICE_IMAP},  {110, SERVICE_POP3},
                 {995, SERVICE_POP3}, {25, SERVICE_SMTP},   {465, SERVICE_SMTP},
                 {587, SERVICE_SMTP}, {2525, SERVICE_SMTP}, {994, SERVICE_SMTP}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].port == port)
            return known[i].service;
    return SERVICE_N;
}

static bool is_of(const struct examination *x, const char *company)
{
    return x->provider && slice_eq(x->provider->company, slice_str(company));
}

static void look_at_port(const struct examination *x, struct checked *c)
{
    enum service owner = service_of_port(c->endpoint.port);
    if (owner != SERVICE_N && owner != c->endpoint.service)
        note(c, OBSERVED_PORT_OF_OTHER_SERVICE, place(c));
    else if (c->endpoint.port == 25)
        note(
            c,
            is_of(x, "netease") || is_of(x, "netease-enterprise") ? OBSERVED_PORT_994_NETEASE
                                                                  : OBSERVED_PORT_25_SUBMISSION,
            place(c));
}

/* -------------------------------------------------------------------------------------------------- the host */

static struct slice first_label(struct slice host)
{
    return slice_sub(host, 0, slice_find(host, '.'));
}

static bool is_one_of(struct slice word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(word, slice_str(words[i])))
            return true;
    return false;
}

static bool is_sending_name(struct slice label)
{
    static const char *const names[] = {"smtp", "smtps", "outgoing", "securesmtp"};
    return is_one_of(label, names, sizeof names / sizeof *names);
}

static bool is_imap_name(struct slice label)
{
    static const char *const names[] = {"imap", "imaps", "imap4", "secureimap"};
    return is_one_of(label, names, sizeof names / sizeof *names);
}

static bool is_pop3_name(struct slice label)
{
    static const char *const names[] = {"pop", "pop3", "pops", "pop3s", "securepop"};
    return is_one_of(label, names, sizeof names / sizeof *names);
}

static void look_at_role(struct checked *c)
{
    struct slice label = first_label(c->endpoint.host);
    bool sends = c->endpoint.service == SERVICE_SMTP;
    bool reads_otherwise = (c->endpoint.service == SERVICE_IMAP && is_pop3_name(label)) ||
                           (c->endpoint.service == SERVICE_POP3 && is_imap_name(label));
    if (sends ? is_imap_name(label) || is_pop3_name(label) : is_sending_name(label))
        note(c, OBSERVED_HOST_MIXED_UP, c->endpoint.host);
    else if (reads_otherwise) /* many a server answers to both names */
        notes_observed(
            &c->notes, TONE_NOTE, OBSERVED_HOST_OF_OTHER_PROTOCOL, PROOF_SETTING, c->endpoint.host);
}

static void look_for_webmail(struct checked *c)
{
    static const char *const pages[] = {
        "mail.163.com",    "mail.126.com",  "mail.yeah.net",    "mail.qq.com",     "outlook.live.com",
        "mail.google.com", "exmail.qq.com", "mail.sina.com.cn", "mail.aliyun.com", "mail.yahoo.com",
        "mail.sohu.com",   "e.mail.ru",     "www.icloud.com",   "outlook.com",     "outlook.office.com",
        "mail.yandex.ru",  "mail.139.com",  "www.gmail.com",    "mail.zoho.com",   "navigator-bs.gmx.com"};
    static const char *const labels[] = {"webmail", "owa", "www", "roundcube", "http", "https"};
    struct slice host = c->endpoint.host;
    if (is_one_of(host, pages, sizeof pages / sizeof *pages) ||
        is_one_of(first_label(host), labels, sizeof labels / sizeof *labels))
        note(c, OBSERVED_HOST_IS_WEBMAIL, host);
}

/* ------------------------------------------------------------------------------------------ against providers */

/* Is it a host of theirs, for one of their own domains at that? */
static bool is_host_of(const struct knowledge *k, const struct provider *p, struct slice host)
{
    for (size_t i = 0; i < p->host_count; i++) {
        struct slice pattern = p->hosts[i].host;
        size_t percent = slice_find(pattern, '%');
        struct slice front = slice_sub(pattern, 0, percent), back = slice_from(pattern, percent + 2);
        if (percent == SLICE_NPOS
                ? slice_eq(pattern, host)
                : slice_starts(host, front) && slice_ends(host, back) && host.n > front.n + back.n &&
                      knowledge_provider_of(k, slice_sub(host, front.n, host.n - front.n - back.n)) == p)
            return true;
    }
    return false;
}

static const struct provider *owner_of(const struct knowledge *k, struct slice host)
{
    for (size_t i = 0; i < knowledge_providers(k); i++)
        if (is_host_of(k, knowledge_provider_at(k, i), host))
            return knowledge_provider_at(k, i);
    return knowledge_provider_of(k, host);
}

/* Pairs of which more is known; OBSERVED_N: both serve the mailbox. */
static const struct {
    const char *of_address, *of_host;
    enum observed what;
} pairs[] = {
    {"qq", "tencent-exmail", OBSERVED_EXMAIL_WRONG_HOST},
    {"tencent-exmail", "qq", OBSERVED_EXMAIL_WRONG_HOST},
    {"gmx", "gmx-com", OBSERVED_GMX_COM_VS_NET},
    {"gmx-com", "gmx", OBSERVED_GMX_COM_VS_NET},
    {"zoho-custom-domain", "zoho", OBSERVED_ZOHO_CUSTOM_DOMAIN_HOST},
    {"zoho-custom-domain", "zoho-eu", OBSERVED_ZOHO_CUSTOM_DOMAIN_HOST},
    {"zoho-custom-domain-eu", "zoho", OBSERVED_ZOHO_CUSTOM_DOMAIN_HOST},
    {"zoho-custom-domain-eu", "zoho-eu", OBSERVED_ZOHO_CUSTOM_DOMAIN_HOST},
    {"cox", "yahoo", OBSERVED_N},
    {"att", "yahoo", OBSERVED_N},
    {"sky", "yahoo", OBSERVED_N},
};

static enum observed of_pair(const struct provider *mine, const struct provider *theirs)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (slice_eq(mine->id, slice_str(pairs[i].of_address)) &&
            slice_eq(theirs->id, slice_str(pairs[i].of_host)))
            return pairs[i].what;
    return slice_eq(mine->company, theirs->company) ? OBSERVED_N : OBSERVED_HOST_OTHER_PROVIDER;
}

/* "imap.qq.cn" for "imap.qq.com" */
static bool has_other_suffix(struct slice host, struct slice right)
{
    struct slice stem = slice_sub(right, 0, slice_rfind(right, '.') + 1), rest = slice_from(host, stem.n);
    size_t dot = slice_find(rest, '.');
    return slice_has(slice_sub(stem, 0, stem.n - 1), '.') && slice_starts(host, stem) && rest.n &&
           (dot == SLICE_NPOS || !slice_has(slice_from(rest, dot + 1), '.'));
}

/* Names such as "pop3" for "pop" may be there as well. */
static bool is_typo_of(struct slice host, struct slice right)
{
    struct slice label = first_label(host);
    bool common =
        is_sending_name(label) || is_imap_name(label) || is_pop3_name(label) || slice_eq(label, S("mail"));
    return slips_are_one(host, right, NULL) && (!common || slice_eq(label, first_label(right)));
}

static bool has_name_of_one(struct slice host)
{
    struct slice label;
    while (slice_cut(&host, '.', &label))
        if (slips_is_name_of_one(label))
            return true;
    return false;
}

/* Is the host nearly one of this provider's? Then it is noted. */
static bool has_slip(const struct examination *x, const struct provider *p, struct checked *c)
{
    struct slice host = c->endpoint.host;
    bool mine = p == x->provider, likely = mine || has_name_of_one(host);
    for (size_t i = 0; i < p->host_count; i++) {
        struct slice right =
            mine ? provider_host_for(&p->hosts[i], x->domain, &c->notes.arena) : p->hosts[i].host;
        bool suffix = likely && !slice_eq(host, right) && has_other_suffix(host, right);
        if (!suffix && !is_typo_of(host, right))
            continue;
        note(
            c, suffix ? OBSERVED_HOST_WRONG_SUFFIX : OBSERVED_HOST_TYPO,
            arena_printf(&c->notes.arena, SLICE_FMT " (" SLICE_FMT ")", SLICE_ARG(host), SLICE_ARG(right)));
        return true;
    }
    return false;
}

/* "imap.exampel.org" for somebody of example.org. */
static void look_at_own_domain(const struct examination *x, struct checked *c)
{
    enum { LEAST = 6 }; /* octets: shorter domains are one letter away from everything */
    struct slice host = c->endpoint.host, label = first_label(host);
    struct slice rest = slice_from(host, label.n < host.n ? label.n + 1 : host.n);
    if (x->domain.n >= LEAST && slips_are_one(rest, x->domain, NULL))
        note(
            c, OBSERVED_HOST_TYPO,
            arena_printf(
                &c->notes.arena, SLICE_FMT " (" SLICE_FMT "." SLICE_FMT ")", SLICE_ARG(host),
                SLICE_ARG(label), SLICE_ARG(x->domain)));
}

static void look_at_provider(const struct examination *x, struct checked *c)
{
    const struct knowledge *k = x->general.knowledge;
    const struct provider *mine = x->provider, *theirs = owner_of(k, c->endpoint.host);
    if (slice_ends(c->endpoint.host, S(".verizon.net"))) {
        note(c, OBSERVED_VERIZON_MOVED_TO_AOL, c->endpoint.host);
        return;
    }
    if (mine && is_host_of(k, mine, c->endpoint.host))
        return;
    if (mine && theirs && mine != theirs) {
        enum observed what = of_pair(mine, theirs);
        if (what != OBSERVED_N)
            note(c, what, c->endpoint.host);
        return;
    }
    bool found = mine ? has_slip(x, mine, c) : theirs || domain_is_within(c->endpoint.host, x->domain);
    for (size_t i = 0; i < knowledge_providers(k) && !mine && !found; i++)
        found = has_slip(x, knowledge_provider_at(k, i), c);
    if (!found)
        look_at_own_domain(x, c);
}

static bool is_here(struct slice host)
{
    struct ip ip;
    return slice_eq(host, S("localhost")) || (ip_parse(host, &ip) == OK && ip_is_loopback(&ip));
}

static void look_at_access(const struct examination *x, struct checked *c)
{
    const struct provider *p = x->provider;
    bool pop3 = false;
    for (size_t i = 0; p && i < p->host_count; i++)
        pop3 |= p->hosts[i].where == WHERE_POP3;
    if (!p || is_here(c->endpoint.host))
        return;
    if (p->access == ACCESS_BRIDGE)
        note(c, OBSERVED_PROTON_NO_DIRECT_IMAP, c->endpoint.host);
    else if (p->access == ACCESS_NONE)
        note(c, OBSERVED_PROVIDER_WITHOUT_IMAP, c->endpoint.host);
    else if (c->endpoint.service == SERVICE_POP3 && p->host_count && !pop3)
        note(c, OBSERVED_ICLOUD_NO_POP, c->endpoint.host);
}

void settings_given_look(const struct examination *x, struct checked *c)
{
    struct ip ip;
    look_at_mode(c);
    look_at_port(x, c);
    look_at_access(x, c);
    if (ip_parse(c->endpoint.host, &ip) == OK)
        return;
    look_at_role(c);
    look_for_webmail(c);
    look_at_provider(x, c);
}

/* ------------------------------------------------------------------------------------- against what is published */

void settings_published_look(struct checked *c, const struct endpoint *published, size_t count)
{
    const struct endpoint *given = &c->endpoint, *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (published[i].service != given->service)
            continue;
        if (slice_eq(published[i].host, given->host) && published[i].port == given->port)
            return;
        if (!best)
            best = &published[i];
    }
    if (!best)
        return;
    c->notes.step = STEP_FIND;
    notes_fact(
        &c->notes, TONE_NOTE, FACT_PUBLISHED, slice_str(service_words(best->service)),
        arena_printf(&c->notes.arena, SLICE_FMT ":%u", SLICE_ARG(best->host), (unsigned)best->port),
        slice_str(source_name(best->source)));
}
