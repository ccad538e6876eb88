#include "doctor/steps/examine.h"

#include <stdlib.h>

#include "base/mem.h"
#include "crypto/clientpw.h"
#include "doctor/password.h"
#include "doctor/steps/find.h"
#include "doctor/steps/network.h"
#include "doctor/steps/sign_in.h"
#include "loop/pool.h"

/* What lasts as long as the examination. */
struct run {
    const struct wishes *wishes;
    const struct examine_way *way;
    struct examination *x;
    struct dns *dns;
    struct tls_trust *trust;
    struct loop *loop; /* while visits go on side by side */
    size_t begun, done;
    struct visiting *visits; /* one a server */
};
struct visiting {
    struct job job;
    struct run *run;
    struct visit visit;
};

static void tell(struct run *r, enum step step, const struct checked *server, size_t done)
{
    if (r->way->told)
        r->way->told(r->way->owner, step, server, done, r->x->server_count);
}

/* ------------------------------------------------------------------------------------------------------- visits */

static void look(struct visit *v)
{
    v->notes->step = STEP_NETWORK;
    network_look(v);
    if (!v->server->standing.connected)
        return;
    v->notes->step = STEP_TLS;
    tls_look(v);
    v->notes->step = STEP_GREETING;
    greeting_look(v);
}

static void on_work(struct job *j)
{
    struct visiting *g = j->owner;
    look(&g->visit);
}

static void on_done(struct job *j)
{
    struct visiting *g = j->owner;
    struct run *r = g->run;
    tell(r, STEP_GREETING, g->visit.server, ++r->done);
    if (r->done == r->begun)
        loop_stop(r->loop);
}

/* Each on a thread, as many as the way allows. */
static fallible visit_side_by_side(struct run *r)
{
    size_t servers = r->x->server_count;
    unsigned threads = servers < r->way->at_once ? (unsigned)servers : r->way->at_once;
    enum err e = OK;
    r->loop = loop_new();
    struct pool *pool = pool_new(r->loop, threads, servers);
    for (size_t i = 0; e == OK && i < servers; i++) {
        r->visits[i].job = (struct job){.work = on_work, .done = on_done, .owner = &r->visits[i]};
        e = pool_submit(pool, &r->visits[i].job);
        r->begun += e == OK;
    }
    if (r->begun) {
        enum err ran = loop_run(r->loop);
        e = e == OK ? ran : e;
    }
    pool_free(&pool);
    loop_free(&r->loop);
    return e;
}

static fallible visit_all(struct run *r)
{
    for (size_t i = 0; i < r->x->server_count; i++) {
        struct checked *c = &r->x->servers[i];
        r->visits[i].run = r;
        r->visits[i].visit = (struct visit){
            .wishes = r->wishes,
            .whole = r->x,
            .server = c,
            .notes = &c->notes,
            .dns = r->dns,
            .trust = r->trust};
    }
    tell(r, STEP_NETWORK, NULL, 0);
    if (r->way->at_once > 1 && r->x->server_count > 1)
        return visit_side_by_side(r);
    for (size_t i = 0; i < r->x->server_count; i++) {
        look(&r->visits[i].visit);
        tell(r, STEP_GREETING, r->visits[i].visit.server, i + 1);
    }
    return OK;
}

/* ------------------------------------------------------------------------------------------------------ sign-in */

/* Of several servers of a kind a mail program uses one: the best that greets; and it reads by POP3 only where there is no IMAP. What
 * the person named is tried all. */
static bool is_for_sign_in(const struct run *r, size_t i)
{
    const struct checked *c = &r->x->servers[i];
    if (!c->standing.greeted)
        return false;
    for (size_t j = 0; j < r->x->server_count && c->endpoint.source != SOURCE_GIVEN; j++) {
        const struct checked *other = &r->x->servers[j];
        bool better = other->endpoint.source < c->endpoint.source ||
                      (other->endpoint.source == c->endpoint.source && j < i);
        bool instead = c->endpoint.service == SERVICE_POP3 && other->endpoint.service == SERVICE_IMAP;
        if (other->standing.greeted &&
            (instead || (other->endpoint.service == c->endpoint.service && better)))
            return false;
    }
    return true;
}

static void sign_in_all(struct run *r)
{
    struct attempts attempts;
    attempts_init(&attempts, r->wishes->is_token);
    for (int service = 0; service < SERVICE_N; service++)
        for (size_t i = 0; i < r->x->server_count; i++) {
            struct visit *v = &r->visits[i].visit;
            if (v->server->endpoint.service != (enum service)service || !is_for_sign_in(r, i))
                continue;
            tell(r, STEP_SIGN_IN, v->server, i);
            v->notes->step = STEP_SIGN_IN;
            sign_in_look(v, &attempts);
        }
}

/* ---------------------------------------------------------------------------------------------------- the whole */

static bool has_form_of_ours(const struct secret *secret)
{
    struct clientpw read;
    enum clientpw_look form = clientpw_read(secret_reveal(secret), &read);
    secret_wipe(&read, sizeof read);
    return form != CLIENTPW_OTHER;
}

static fallible run_steps(struct run *r)
{
    struct examination *x = r->x;
    const struct wishes *w = r->wishes;
    if (x->domain.n && !x->provider)
        x->provider = knowledge_provider_of(x->general.knowledge, x->domain);
    x->has_secret = w->secret != NULL;
    x->is_token = w->is_token;
    x->is_client_password = w->secret && has_form_of_ours(w->secret);
    if (w->secret) {
        tell(r, STEP_PASSWORD, NULL, 0);
        x->general.step = STEP_PASSWORD;
        password_look(secret_reveal(w->secret), w->is_token, x->provider, &x->general);
    }
    tell(r, STEP_FIND, NULL, 0);
    x->general.step = STEP_FIND;
    TRY(find_servers(w, r->dns, x));
    r->visits = x->server_count ? mem_alloc(x->server_count * sizeof *r->visits) : NULL;
    TRY(visit_all(r));
    x->general.step = STEP_NETWORK;
    network_look_around(w, r->dns, x);
    if (w->secret)
        sign_in_all(r);
    return OK;
}

fallible examine(const struct wishes *wishes, const struct examine_way *way, struct examination *x)
{
    struct run r = {.wishes = wishes, .way = way, .x = x, .dns = way->shared_dns};
    struct dns *own = NULL;
    enum err e = OK;
    if (!r.dns) {
        e = dns_new(&way->dns, &own);
        r.dns = own;
    }
    if (e == OK)
        e = tls_trust_new(wishes->ca_pem, &r.trust);
    if (e == OK)
        e = run_steps(&r);
    mem_free(&r.visits);
    tls_trust_free(&r.trust);
    dns_free(&own);
    return e;
}
