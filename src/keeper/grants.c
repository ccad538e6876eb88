#include "keeper/grants.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

struct grant_limits {
    unsigned refs;
    struct arena memory;
    struct scope scope;
};

static const struct scope no_limits = {.rights = SCOPE_ALL};

const struct scope *grant_scope(const struct grant *g)
{
    return g->limits ? &g->limits->scope : &no_limits;
}

struct grant grant_ref(const struct grant *g)
{
    if (g->limits)
        g->limits->refs++;
    return *g;
}

void grant_done(struct grant *g)
{
    struct grant_limits *l = g->limits;
    g->limits = NULL;
    if (!l || --l->refs)
        return;
    arena_done(&l->memory);
    free(l);
}

static fallible limits_new(struct slice text, struct grant_limits **ret_limits)
{
    if (!text.n)
        return OK;
    struct grant_limits *l = NEW(struct grant_limits);
    *l = (struct grant_limits){.refs = 1, .memory = ARENA_INIT(LIMIT_SCOPE_MEMORY)};
    enum err e = scope_parse(text, &l->memory, &l->scope, NULL);
    if (e == OK) {
        *ret_limits = l;
        return OK;
    }
    arena_done(&l->memory);
    free(l);
    return e;
}

struct waiting {
    struct list link; /* oldest first */
    uint64_t until;
    uint8_t ticket[TICKET_OCTETS];
    struct grant grant;
};

struct grants {
    struct loop *loop;
    struct map by_ticket;
    struct list by_age;
    struct timer expiry;
};

static void drop(struct grants *g, struct waiting *w)
{
    map_drop(&g->by_ticket, slice_of(w->ticket, sizeof w->ticket));
    list_drop(&w->link);
    grant_done(&w->grant);
    explicit_bzero(w, sizeof *w);
    free(w);
}

static void on_expiry(struct timer *t)
{
    struct grants *g = t->owner;
    LIST_EACH (&g->by_age, struct waiting, link, w) {
        if (w->until > loop_now(g->loop)) {
            timer_start(t, w->until - loop_now(g->loop));
            return;
        }
        drop(g, w);
    }
}

struct grants *grants_new(struct loop *loop)
{
    struct grants *g = NEW(struct grants);
    g->loop = loop;
    map_init(&g->by_ticket, LIMIT_SESSIONS);
    list_init(&g->by_age);
    timer_init(&g->expiry, loop, on_expiry, g);
    return g;
}

void grants_free(struct grants **g_ptr)
{
    struct grants *g = *g_ptr;
    *g_ptr = NULL;
    if (!g)
        return;
    LIST_EACH (&g->by_age, struct waiting, link, w) {
        drop(g, w);
    }
    map_done(&g->by_ticket);
    timer_stop(&g->expiry);
    free(g);
}

static void copy_text(char *into, size_t size, struct slice s)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;
    if (n)
        memcpy(into, s.p, n);
    into[n] = '\0';
}

fallible grants_add(struct grants *g, const struct msg_grant *m)
{
    struct grant_limits *limits = NULL;
    if (m->ticket.n != TICKET_OCTETS)
        return ERR_SYNTAX;
    TRY(limits_new(m->limits, &limits));
    struct waiting *w = NEW(struct waiting);
    memcpy(w->ticket, m->ticket.p, sizeof w->ticket);
    w->until = loop_now(g->loop) + LIMIT_TICKET_LIFE;
    w->grant = (struct grant){
        .account = m->account,
        .slot = m->slot,
        .credential = m->credential,
        .version = m->version,
        .service = m->service,
        .can_receive = m->can_receive,
        .can_send = m->can_send,
        .expires_s = m->expires_s,
        .quota_bytes = m->quota_bytes,
        .limits = limits,
    };
    copy_text(w->grant.address, sizeof w->grant.address, m->address);
    copy_text(w->grant.language, sizeof w->grant.language, m->language);
    enum err e = map_add(&g->by_ticket, slice_of(w->ticket, sizeof w->ticket), w);
    if (e != OK) {
        grant_done(&w->grant);
        free(w);
        return e;
    }
    list_add(&g->by_age, &w->link);
    if (!g->expiry.armed)
        timer_start(&g->expiry, LIMIT_TICKET_LIFE);
    return OK;
}

fallible grants_take(struct grants *g, struct slice ticket, enum ipc_service service, struct grant *ret_grant)
{
    struct waiting *w = ticket.n == TICKET_OCTETS ? map_find(&g->by_ticket, ticket) : NULL;
    if (!w)
        return ERR_NOT_FOUND;
    enum err e = w->until <= loop_now(g->loop) ? ERR_NOT_FOUND
                 : w->grant.service != service ? ERR_DENIED
                                               : OK;
    if (e == OK)
        *ret_grant = grant_ref(&w->grant);
    drop(g, w);
    return e;
}

void grants_revoke(struct grants *g, const struct account_id *account, uint64_t credential, uint32_t version)
{
    LIST_EACH (&g->by_age, struct waiting, link, w) {
        if (account_id_eq(&w->grant.account, account) &&
            (!credential || (w->grant.credential == credential && w->grant.version < version)))
            drop(g, w);
    }
}
