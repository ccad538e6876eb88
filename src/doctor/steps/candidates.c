#include "doctor/steps/candidates.h"

#include "base/ip.h"
#include "mail/address.h"

bool candidates_port_is_for_mail(uint16_t port)
{
    static const uint16_t mail[] = {25, 110, 143, 465, 587, 993, 994, 995};
    /* SQL Server, Oracle, MySQL, remote desktop, PostgreSQL, VNC, X11, Redis, Elasticsearch, Memcached, MongoDB */
    static const uint16_t others[] = {1433, 1521, 3306, 3389, 5432, 5900, 6000, 6379, 9200, 11211, 27017};
    for (size_t i = 0; i < sizeof mail / sizeof *mail; i++)
        if (mail[i] == port)
            return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] == port)
            return false;
    return port >= 1024;
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
    return a->service == b->service && a->port == b->port && slice_eq(a->host, b->host);
}

static void put(struct candidates *c, const struct endpoint *e)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_same(&c->rows[i], e))
            return;
    if (c->count < LIMIT_DOCTOR_CANDIDATES)
        c->rows[c->count++] = *e;
    else
        c->refused++;
}

void candidates_add(struct candidates *c, const struct endpoint *e, struct arena *arena)
{
    struct endpoint one = *e;
    struct domain host;
    struct ip ip;
    if (!candidates_port_is_for_mail(e->port) || ip_parse(e->host, &ip) == OK ||
        domain_parse(e->host, &host) != OK || !slice_has(domain_text(&host), '.')) {
        c->refused++;
        return;
    }
    one.host = arena_copy(arena, domain_text(&host));
    if (one.host.n)
        put(c, &one);
}

void candidates_join(struct candidates *c, const struct candidates *more)
{
    for (size_t i = 0; i < more->count; i++)
        put(c, &more->rows[i]);
    c->refused += more->refused;
}

bool candidates_have(const struct candidates *c, enum service service)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->rows[i].service == service)
            return true;
    return false;
}

static const struct endpoint *
next_of(const struct candidates *c, size_t *at, enum service service, enum source source, bool tls)
{
    while (*at < c->count) {
        const struct endpoint *e = &c->rows[(*at)++];
        if (e->service == service && e->source == source && (e->security == SECURITY_TLS) == tls)
            return e;
    }
    return NULL;
}

static void choose_of(const struct candidates *c, enum service service, struct candidates *chosen)
{
    enum source source = SOURCE_N;
    size_t begun = chosen->count;
    for (size_t i = 0; i < c->count && source == SOURCE_N; i++)
        if (c->rows[i].service == service)
            source = c->rows[i].source;
    for (int tls = 1; tls >= 0; tls--) {
        size_t at = 0;
        const struct endpoint *e;
        while (chosen->count < begun + 2 && (e = next_of(c, &at, service, source, tls)))
            put(chosen, e);
    }
}

void candidates_choose(const struct candidates *c, struct candidates *ret_chosen)
{
    *ret_chosen = (struct candidates){.refused = c->refused};
    for (int s = 0; s < SERVICE_N; s++)
        choose_of(c, (enum service)s, ret_chosen);
}

static bool is_published(const struct endpoint *e)
{
    return e->source == SOURCE_AUTOCONFIG || e->source == SOURCE_SRV || e->source == SOURCE_AUTODISCOVER;
}

/* Does the source of `e` name this host for this service? */
static bool
names_host(const struct candidates *c, enum source source, enum service service, struct slice host)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->rows[i].source == source && c->rows[i].service == service && slice_eq(c->rows[i].host, host))
            return true;
    return false;
}

bool candidates_differ(
    const struct candidates *c, const struct endpoint **ret_one, const struct endpoint **ret_other)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t j = i + 1; j < c->count; j++) {
            const struct endpoint *a = &c->rows[i], *b = &c->rows[j];
            if (a->service != b->service || a->source == b->source || !is_published(a) || !is_published(b) ||
                names_host(c, b->source, a->service, a->host) ||
                names_host(c, a->source, b->service, b->host))
                continue;
            *ret_one = a;
            *ret_other = b;
            return true;
        }
    return false;
}
