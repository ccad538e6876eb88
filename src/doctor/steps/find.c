#include "doctor/steps/find.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "doctor/address_slips.h"
#include "doctor/password.h"
#include "doctor/settings_given.h"
#include "doctor/steps/find_parts.h"
#include "doctor/steps/tls_clock.h"
#include "mail/address.h"

/* RECORDS_MS: where servers were given, the domain is asked beside the way, and may not make anybody wait. */
enum { HUNTS_MAX = 8, RECORDS_MS = 2000 };

struct hunting {
    const struct wishes *wishes;
    struct dns *dns;
    struct examination *x;
    struct address_read read;
    struct autoconfig_who who;
    bool given;                  /* the person named servers */
    bool not_offered[SERVICE_N]; /* as the domain's records say */
    uint64_t until_ms;           /* for one round of hunts */
    struct hunt hunts[HUNTS_MAX];
    size_t hunt_count;
    struct slice kept_elsewhere; /* the record by which a provider that is known takes the domain's mail */
    struct candidates all;       /* the better source first */
};

/* ------------------------------------------------------------------------------------------------------- hunts */

static struct hunt *add_hunt(struct hunting *f, void (*look)(struct hunt *h), enum service service)
{
    struct hunt *h = &f->hunts[f->hunt_count++];
    *h = (struct hunt){
        .look = look,
        .service = service,
        .wishes = f->wishes,
        .dns = f->dns,
        .who = f->who,
        .until_ms = f->until_ms};
    notes_init(&h->notes, f->x->general.knowledge);
    h->notes.mask = f->x->general.mask;
    h->notes.step = STEP_FIND;
    return h;
}

static void drop_hunts(struct hunting *f)
{
    for (size_t i = 0; i < f->hunt_count; i++)
        notes_done(&f->hunts[i].notes);
    f->hunt_count = 0;
}

static void go(void *owner, size_t i)
{
    struct hunt *hunts = owner;
    hunts[i].look(&hunts[i]);
}

/* All that were added from `first` on, side by side. */
static fallible go_hunting(struct hunting *f, size_t first)
{
    const struct pieces hunts = {go, NULL, &f->hunts[first]};
    return pool_run_pieces(&hunts, f->hunt_count - first, HUNTS_MAX);
}

/* What a hunt brought, behind what there is; its texts move to the examination. */
static void bring_home(struct hunting *f, const struct hunt *h)
{
    struct arena *arena = &f->x->general.arena;
    struct candidates kept = h->found;
    for (size_t i = 0; i < kept.count; i++) {
        kept.rows[i].host = arena_copy(arena, kept.rows[i].host);
        kept.rows[i].user = arena_copy(arena, kept.rows[i].user);
    }
    candidates_join(&f->all, &kept);
    notes_join(&f->x->general, &h->notes);
}

/* --------------------------------------------------------------------------------------------------- providers */

static enum service service_of(enum where where)
{
    return where == WHERE_IMAP ? SERVICE_IMAP : where == WHERE_POP3 ? SERVICE_POP3 : SERVICE_SMTP;
}

/* A host that nobody looked up is still the provider's when it lies in one of the provider's own domains. */
static bool
is_surely_theirs(const struct knowledge *k, const struct provider *p, const struct provider_host *h)
{
    const struct provider *owner = knowledge_provider_of(k, h->host);
    return !h->unsure || (owner && slice_eq(owner->company, p->company));
}

static void add_provider(struct hunting *f, const struct provider *p, enum source source, bool proved)
{
    struct notes *n = &f->x->general;
    for (size_t i = 0; i < p->host_count; i++) {
        const struct provider_host *h = &p->hosts[i];
        struct endpoint e = {
            .service = service_of(h->where),
            .host = provider_host_for(h, f->who.domain, &n->arena),
            .port = h->port,
            .security = h->starttls ? SECURITY_STARTTLS : SECURITY_TLS,
            .source = source,
            .trusted = proved && is_surely_theirs(n->knowledge, p, h),
            .user = p->user_local ? f->who.local : SLICE_EMPTY,
            .takes = p->takes};
        if (p->access == ACCESS_BRIDGE) { /* on one's own machine: no name, and any port */
            if (f->all.count < LIMIT_DOCTOR_CANDIDATES)
                f->all.rows[f->all.count++] = e;
        } else
            candidates_add(&f->all, &e, &n->arena);
    }
}

static void note_provider(struct hunting *f, const struct provider *p)
{
    struct notes *n = &f->x->general;
    struct slice asked = f->who.address.n ? f->who.address : f->who.domain;
    notes_fact(n, TONE_NOTE, FACT_PROVIDER, p->name[LANG_EN], p->name[LANG_ZH], SLICE_EMPTY);
    if (p->note[LANG_EN].n)
        notes_fact(n, TONE_NOTE, FACT_PROVIDER_NOTE, p->note[LANG_EN], p->note[LANG_ZH], SLICE_EMPTY);
    if (p->access == ACCESS_NONE)
        notes_observed(n, TONE_FAULT, OBSERVED_PROVIDER_WITHOUT_IMAP, PROOF_SETTING, asked);
    if (p->access == ACCESS_BRIDGE && !f->given)
        notes_observed(n, TONE_NOTE, OBSERVED_PROTON_NO_DIRECT_IMAP, PROOF_SETTING, asked);
}

/* The provider that takes the domain's mail most likely keeps it, too. */
static void take_exchanger(struct hunting *f, const struct hunt *h)
{
    struct notes *n = &f->x->general;
    struct slice host = arena_copy(&n->arena, h->exchanger);
    const struct provider *p = host.n ? knowledge_provider_of_mx(n->knowledge, host) : NULL;
    if (host.n)
        notes_fact(n, TONE_GOOD, FACT_EXCHANGER, f->who.domain, host, SLICE_EMPTY);
    if (!p)
        return;
    f->x->provider = p;
    struct slice record =
        arena_printf(&n->arena, SLICE_FMT " MX " SLICE_FMT, SLICE_ARG(f->who.domain), SLICE_ARG(host));
    f->kept_elsewhere = record;
    notes_measured(
        n, TONE_NOTE, OBSERVED_DNS_MX_REVEALS_PROVIDER, PROOF_RECORD,
        wording_fill(
            &n->arena, PHRASE_REMARK, wording_same(record),
            (struct wording){{p->name[LANG_EN], p->name[LANG_ZH]}}, wording_same(SLICE_EMPTY)));
    note_provider(f, p);
    add_provider(f, p, SOURCE_MX, h->exchanger_proved);
}

/* ----------------------------------------------------------------------------------------------- the domain says */

static bool has_no_answer(enum dns_status status)
{
    return status == DNS_SILENT || status == DNS_SERVER_FAIL || status == DNS_REFUSED;
}

static bool is_any_within(const struct examination *x, struct slice domain)
{
    for (size_t i = 0; i < x->server_count; i++)
        if (domain_is_within(x->servers[i].endpoint.host, domain))
            return true;
    return false;
}

/* What the name service says about the domain itself: the reason why there may be nothing to find. */
static void note_domain(struct hunting *f, const struct hunt *exchangers)
{
    struct notes *n = &f->x->general;
    struct slice domain = f->who.domain;
    enum tone tone = f->all.count || f->given ? TONE_WARNING : TONE_FAULT;
    struct observation *o = NULL;
    if (exchangers->bogus)
        return; /* nothing was learned */
    if (exchangers->takes_no_mail)
        o = notes_observed(
            n, tone, OBSERVED_FIND_DOMAIN_TAKES_NO_MAIL, PROOF_RECORD,
            arena_printf(&n->arena, SLICE_FMT " MX 0 .", SLICE_ARG(domain)));
    else if (exchangers->domain == DNS_NO_NAME && !f->read.meant.n)
        o = notes_observed(n, tone, OBSERVED_FIND_NO_DOMAIN, PROOF_RECORD, domain);
    else if (exchangers->leads_nowhere)
        notes_observed(
            n, TONE_WARNING, OBSERVED_FIND_MAIL_CANNOT_ARRIVE, PROOF_RECORD,
            arena_printf(
                &n->arena, SLICE_FMT " MX " SLICE_FMT, SLICE_ARG(domain),
                SLICE_ARG(exchangers->exchanger.n ? exchangers->exchanger : S("-"))));
    else if (has_no_answer(exchangers->domain) && !f->all.count && !f->given)
        notes_observed(n, tone, OBSERVED_FIND_DNS_SILENT, PROOF_MEASURED, domain);
    /* A server of another domain has other reasons for not being there. */
    if (o && f->given && !is_any_within(f->x, domain))
        o->sure = SURE_LOW;
}

static void note_doubt(struct hunting *f, const struct hunt *exchangers)
{
    struct notes *n = &f->x->general;
    bool is_gone = exchangers->domain == DNS_NO_NAME;
    if (!f->read.meant.n)
        return;
    struct observation *o = notes_observed(
        n, is_gone && !f->given ? TONE_FAULT : TONE_WARNING, f->read.doubt, PROOF_SETTING,
        arena_printf(
            &n->arena, SLICE_FMT " (" SLICE_FMT ")", SLICE_ARG(f->who.domain), SLICE_ARG(f->read.meant)));
    o->sure = is_gone ? SURE_HIGH : o->sure;
}

static void note_forgery(struct hunting *f, const struct hunt *exchangers, const struct hunt *srv)
{
    if (exchangers->bogus || srv->bogus)
        notes_observed(
            &f->x->general, f->all.count || f->given ? TONE_WARNING : TONE_FAULT, OBSERVED_FIND_DNS_FORGED,
            PROOF_RECORD, f->who.domain);
}

static void take_records(struct hunting *f, const struct hunt *srv)
{
    bring_home(f, srv);
    for (int s = 0; s < SERVICE_N; s++) {
        f->not_offered[s] = srv->not_offered[s];
        if (srv->not_offered[s])
            notes_fact(
                &f->x->general, TONE_NOTE, FACT_NOT_OFFERED, slice_str(service_words((enum service)s)),
                SLICE_EMPTY, SLICE_EMPTY);
    }
}

/* A clock that is wrong spoils certificates and one-time codes; a web server that proved itself tells the time. By itself it is a
 * fact: the steps behind say what it explains. */
static void note_clock(struct hunting *f)
{
    struct notes *n = &f->x->general;
    for (size_t i = 0; i < f->hunt_count; i++) {
        int64_t ahead = f->hunts[i].ahead_s;
        if (ahead == 0)
            continue;
        f->x->clock_ahead_s = ahead;
        tls_clock_note(n, f->hunts[i].ahead_of, clock_unix_s() - ahead);
        return;
    }
}

/* Services that no better source names are looked for under their common names; POP3 only where there is no IMAP. */
static fallible guess(struct hunting *f)
{
    size_t first = f->hunt_count;
    f->until_ms = clock_mono_ms() + f->wishes->patience_ms;
    for (int s = 0; s < SERVICE_N; s++)
        if (!candidates_have(&f->all, (enum service)s) &&
            (s != SERVICE_POP3 || !candidates_have(&f->all, SERVICE_IMAP)))
            add_hunt(f, find_guess, (enum service)s);
    if (first == f->hunt_count)
        return OK;
    TRY(go_hunting(f, first));
    for (size_t i = first; i < f->hunt_count; i++)
        if (f->hunts[i].service != SERVICE_POP3 || !candidates_have(&f->all, SERVICE_IMAP))
            bring_home(f, &f->hunts[i]);
    return OK;
}

/* What came without proof ranks behind everything but guesses. */
static void bring_files_home(struct hunting *f, struct hunt *const *files, size_t count, bool trusted)
{
    for (size_t i = 0; i < count; i++) {
        struct hunt *h = files[i];
        bool proved = false;
        for (size_t r = 0; r < h->found.count; r++)
            proved |= h->found.rows[r].trusted;
        if (proved == trusted && h->found.count)
            bring_home(f, h);
    }
}

static fallible ask_domain(struct hunting *f)
{
    f->until_ms = clock_mono_ms() + f->wishes->patience_ms;
    struct hunt *exchangers = add_hunt(f, find_exchangers, SERVICE_N),
                *srv = add_hunt(f, find_records, SERVICE_N);
    struct hunt *files[] = {add_hunt(f, find_autoconfig, SERVICE_N), add_hunt(f, find_well_known, SERVICE_N)};
    struct hunt *discover = add_hunt(f, find_autodiscover, SERVICE_N);
    TRY(go_hunting(f, 0));
    bring_files_home(f, files, 2, true);
    take_records(f, srv);
    bring_home(f, discover);
    take_exchanger(f, exchangers);
    bring_files_home(f, files, 2, false);
    for (size_t i = 0; i < 2; i++)
        if (files[i]->found.count == 0)
            notes_join(&f->x->general, &files[i]->notes);
    if (exchangers->domain != DNS_NO_NAME && !has_no_answer(exchangers->domain))
        TRY(guess(f));
    note_forgery(f, exchangers, srv);
    note_domain(f, exchangers);
    note_doubt(f, exchangers);
    note_clock(f);
    return OK;
}

/* Only the DNS, and not for long: to hold the given servers against it. */
static fallible ask_records(struct hunting *f)
{
    uint64_t patience = f->wishes->patience_ms < RECORDS_MS ? f->wishes->patience_ms : RECORDS_MS;
    f->until_ms = clock_mono_ms() + patience;
    struct hunt *exchangers = add_hunt(f, find_exchangers, SERVICE_N),
                *srv = add_hunt(f, find_records, SERVICE_N);
    TRY(go_hunting(f, 0));
    take_records(f, srv);
    take_exchanger(f, exchangers);
    note_forgery(f, exchangers, srv);
    note_domain(f, exchangers);
    note_doubt(f, exchangers);
    return OK;
}

/* --------------------------------------------------------------------------------------------------- the result */

static void note_server(struct notes *n, const struct endpoint *e)
{
    struct slice place = arena_printf(&n->arena, SLICE_FMT ":%u", SLICE_ARG(e->host), (unsigned)e->port);
    notes_fact(
        n, e->trusted ? TONE_GOOD : TONE_NOTE, e->trusted ? FACT_SERVER : FACT_SERVER_UNPROVED,
        slice_str(service_words(e->service)), place, slice_str(source_name(e->source)));
}

static void add_servers(struct hunting *f)
{
    struct candidates chosen;
    candidates_choose(&f->all, &chosen);
    for (size_t i = 0; i < chosen.count; i++) {
        struct endpoint *e = &chosen.rows[i];
        e->trusted = e->trusted && !f->read.meant.n;
        if (examination_add(f->x, e))
            note_server(&f->x->general, e);
    }
}

/* "imap.example.org (from the domain's SRV record)" */
static struct wording named(struct arena *a, const struct endpoint *e)
{
    return wording_fill(
        a, PHRASE_REMARK, wording_same(e->host), wording_of(source_words, e->source),
        wording_same(SLICE_EMPTY));
}

static void note_difference(struct hunting *f)
{
    const struct endpoint *one, *other;
    struct notes *n = &f->x->general;
    if (candidates_differ(&f->all, &one, &other))
        notes_measured(
            n, TONE_NOTE, OBSERVED_FIND_SOURCES_DIFFER, PROOF_RECORD,
            wording_fill(
                &n->arena, PHRASE_DIFFERENCE, wording_same(slice_str(service_words(one->service))),
                named(&n->arena, one), named(&n->arena, other)));
}

static void look_at_given(struct hunting *f)
{
    for (size_t i = 0; i < f->x->server_count; i++) {
        struct checked *c = &f->x->servers[i];
        c->notes.step = STEP_FIND;
        settings_given_look(f->x, c);
        /* Under the domain's own name that provider's servers seldom stand: it is what was there before. */
        if (f->kept_elsewhere.n && domain_is_within(c->endpoint.host, f->who.domain))
            notes_observed(
                &c->notes, TONE_WARNING, OBSERVED_FIND_MAIL_MOVED, PROOF_RECORD, f->kept_elsewhere);
        if (f->not_offered[c->endpoint.service])
            notes_observed(&c->notes, TONE_WARNING, OBSERVED_FIND_NOT_OFFERED, PROOF_RECORD, f->who.domain);
        if (f->all.count)
            settings_published_look(c, f->all.rows, f->all.count);
    }
}

/* The characters of the names, before anything is done with them. */
static void look_at_names(struct hunting *f)
{
    const struct wishes *w = f->wishes;
    if (w->address.n)
        name_look(w->address, &f->x->general);
    if (w->user.n && !slice_eq(w->user, w->address))
        name_look(w->user, &f->x->general);
    f->x->general.step = STEP_FIND;
}

/* A domain in its own right: what it publishes is for whoever lives there. */
static void read_domain(struct hunting *f)
{
    struct examination *x = f->x;
    domain_slips_look(x->domain, &x->general, &f->read);
    x->provider = knowledge_provider_of(x->general.knowledge, x->domain);
    f->who.domain = x->domain;
}

static void read_address(struct hunting *f)
{
    struct examination *x = f->x;
    if (!f->wishes->address.n && x->domain.n)
        read_domain(f);
    if (!f->wishes->address.n)
        return;
    address_slips_look(f->wishes->address, &x->general, &f->read);
    size_t at = slice_rfind(f->read.address, '@');
    x->address = f->read.address;
    x->domain = f->read.domain;
    x->provider = x->domain.n ? knowledge_provider_of(x->general.knowledge, x->domain) : NULL;
    f->who = (struct autoconfig_who){
        f->read.address, slice_sub(f->read.address, 0, at == SLICE_NPOS ? 0 : at), f->read.domain};
}

static bool is_without_servers(const struct provider *p)
{
    return p->host_count == 0 && p->access != ACCESS_NONE;
}

static fallible find_all(struct hunting *f)
{
    struct examination *x = f->x;
    struct notes *n = &x->general;
    look_at_names(f);
    read_address(f);
    if (x->provider) {
        note_provider(f, x->provider);
        add_provider(f, x->provider, SOURCE_PROVIDER, true);
    }
    /* Of some providers only the name is known: each customer has servers of its own. Who goes through a proxy to servers that he
     * names may not want the name server here to hear of them. */
    bool hidden = f->given && f->wishes->proxy.host.n;
    if (f->who.domain.n && f->wishes->find && !hidden && (!x->provider || is_without_servers(x->provider)))
        TRY(f->given ? ask_records(f) : ask_domain(f));
    user_slips_look(f->wishes->user, f->read.address, x->provider, n);
    note_difference(f);
    if (f->given)
        look_at_given(f);
    else
        add_servers(f);
    bool told = notes_worst(n, STEP_FIND) == TONE_FAULT;
    if (x->server_count == 0 && !told)
        notes_observed(n, TONE_FAULT, OBSERVED_FIND_NO_SERVERS, PROOF_MEASURED, f->who.domain);
    return arena_check(&n->arena);
}

fallible find_servers(const struct wishes *wishes, struct dns *dns, struct examination *x)
{
    struct hunting *f = NEW(struct hunting);
    *f = (struct hunting){.wishes = wishes, .dns = dns, .x = x, .given = x->server_count > 0};
    x->general.step = STEP_FIND;
    enum err e = find_all(f);
    drop_hunts(f);
    mem_free(&f);
    return e;
}
