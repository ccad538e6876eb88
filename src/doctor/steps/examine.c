#include "doctor/steps/examine.h"

#include <stdlib.h>

#include "base/mem.h"
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
    struct visit *visits; /* one a server */
    size_t done;          /* of them */
};

static void tell(struct run *r, enum step step, const struct checked *server, size_t done)
{
    if (r->way->told)
        r->way->told(r->way->owner, step, server, done, r->x->server_count);
}

/* ------------------------------------------------------------------------------------------------------- visits */

/* A step that the stop broke off saw what was no server's doing: the server is as before it. False: stopped. */
static bool take_step(struct visit *v, enum step step, void (*look)(struct visit *v))
{
    struct checked *c = v->server;
    const struct endpoint endpoint = c->endpoint;
    const struct standing standing = c->standing;
    const struct tls_profile tls = c->tls;
    size_t noted = c->notes.count;
    if (stop_signal(v->wishes->stop))
        return false;
    c->notes.step = step;
    look(v);
    if (!stop_signal(v->wishes->stop))
        return true;
    c->notes.count = noted;
    c->endpoint = endpoint;
    c->standing = standing;
    c->tls = tls;
    return false;
}

static void look(struct visit *v)
{
    if (take_step(v, STEP_NETWORK, network_look) && v->server->standing.connected &&
        take_step(v, STEP_TLS, tls_look))
        take_step(v, STEP_GREETING, greeting_look);
}

static void on_work(void *owner, size_t i)
{
    struct run *r = owner;
    look(&r->visits[i]);
}

static void on_done(void *owner, size_t i)
{
    struct run *r = owner;
    tell(r, STEP_GREETING, r->visits[i].server, ++r->done);
}

static fallible visit_all(struct run *r)
{
    const struct pieces visits = {on_work, on_done, r};
    for (size_t i = 0; i < r->x->server_count; i++) {
        struct checked *c = &r->x->servers[i];
        r->visits[i] = (struct visit){
            .wishes = r->wishes,
            .whole = r->x,
            .server = c,
            .notes = &c->notes,
            .dns = r->dns,
            .trust = r->trust};
    }
    tell(r, STEP_NETWORK, NULL, 0);
    return pool_run_pieces(&visits, r->x->server_count, r->way->at_once);
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
    attempts.failures = r->way->refusals ? *r->way->refusals : 0;
    for (int service = 0; service < SERVICE_N; service++)
        for (size_t i = 0; i < r->x->server_count; i++) {
            struct visit *v = &r->visits[i];
            if (v->server->endpoint.service != (enum service)service || !is_for_sign_in(r, i) ||
                stop_signal(r->wishes->stop))
                continue;
            tell(r, STEP_SIGN_IN, v->server, i);
            sign_in_look(v, &attempts);
        }
    if (r->way->refusals)
        *r->way->refusals = attempts.failures;
}

/* ---------------------------------------------------------------------------------------------------- the whole */

/* Stopped? Then what the whole was noted since does not count: questions were left without their answer. */
static bool is_broken_off(struct run *r, size_t noted)
{
    bool stopped = stop_signal(r->wishes->stop) != 0;
    if (stopped)
        r->x->general.count = noted;
    return stopped;
}

static fallible run_steps(struct run *r)
{
    struct examination *x = r->x;
    const struct wishes *w = r->wishes;
    if (x->domain.n && !x->provider)
        x->provider = knowledge_provider_of(x->general.knowledge, x->domain);
    x->has_secret = w->secret != NULL;
    x->is_token = w->is_token;
    if (w->secret) {
        tell(r, STEP_PASSWORD, NULL, 0);
        x->general.step = STEP_PASSWORD;
        x->is_client_password =
            password_look(secret_reveal(w->secret), w->is_token, x->provider, &x->general);
    }
    tell(r, STEP_FIND, NULL, 0);
    x->general.step = STEP_FIND;
    size_t noted = x->general.count;
    TRY(find_servers(w, r->dns, x));
    if (is_broken_off(r, noted))
        return OK;
    r->visits = x->server_count ? mem_alloc(x->server_count * sizeof *r->visits) : NULL;
    TRY(visit_all(r));
    x->general.step = STEP_NETWORK;
    noted = x->general.count;
    if (!stop_signal(w->stop))
        network_look_around(w, r->dns, x);
    if (!is_broken_off(r, noted) && w->secret)
        sign_in_all(r);
    return OK;
}

fallible examine(const struct wishes *wishes, const struct examine_way *way, struct examination *x)
{
    struct run r = {.wishes = wishes, .way = way, .x = x, .dns = way->shared_dns};
    struct dns *own = NULL;
    enum err e = OK;
    if (!r.dns) {
        struct dns_options options = way->dns;
        options.stop = wishes->stop;
        e = dns_new(&options, &own);
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
