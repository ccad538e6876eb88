#include "dns/resolver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

struct question {
    struct list link;
    struct resolver *resolver;
    struct ub_result *result;
    int error; /* of the library */
    bool done, abandoned;
};

struct resolver {
    struct ub_ctx *context;
    const struct stop *stop; /* may be NULL */
    pthread_mutex_t lock;
    pthread_cond_t news; /* a question is done, or nobody looks after the answers any more */
    bool looked_after;
    struct list questions;
};

/* ---------------------------------------------------------------------------------------------- set up and end */

/* The library answers some names by itself, those of RFC 6303 and RFC 6761, and does not ask servers of this machine; a mail
 * program on this machine gets what the network says, and so do we. An answer that comes after the time limit of a try
 * is lost, so these limits are patient ones. */
static fallible set_options(struct ub_ctx *c)
{
    static const char *const options[][2] = {
        {"do-not-query-localhost:", "no"},       {"unblock-lan-zones:", "yes"},
        {"insecure-lan-zones:", "yes"},          {"local-zone:", "test. transparent"},
        {"local-zone:", "invalid. transparent"}, {"infra-keep-probing:", "yes"},
        {"unknown-server-time-limit:", "1500"},  {"infra-cache-min-rtt:", "1500"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (ub_ctx_set_option(c, options[i][0], options[i][1]) != 0)
            return ERR_UNSUPPORTED;
    return ub_ctx_async(c, 1) == 0 && ub_ctx_debugout(c, NULL) == 0 ? OK : ERR_IO;
}

static fallible set_servers(struct ub_ctx *c, const struct dns_server *servers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[IP_TEXT_MAX], at[IP_TEXT_MAX + 8];
        snprintf(at, sizeof at, "%s@%u", ip_text(&servers[i].ip, text), servers[i].port);
        if (ub_ctx_set_fwd(c, at) != 0)
            return ERR_SYNTAX;
    }
    return count || ub_ctx_resolvconf(c, NULL) == 0 ? OK : ERR_NOT_FOUND;
}

static fallible set_up(struct ub_ctx *c, const struct dns_server *servers, size_t count, const char *anchor)
{
    TRY(set_options(c));
    TRY(set_servers(c, servers, count));
    if (anchor && ub_ctx_add_ta_file(c, anchor) != 0)
        return ERR_SYNTAX;
    /* Files are read, and found wrong, with the first question or with this, which changes nothing. */
    return ub_ctx_zone_remove(c, "nothing.invalid.") == 0 ? OK : ERR_SYNTAX;
}

fallible resolver_new(
    const struct dns_server *servers, size_t server_count, const char *anchor, const struct stop *stop,
    struct resolver **ret_resolver)
{
    struct ub_ctx *c = ub_ctx_create();
    pthread_condattr_t monotonic;
    if (!c)
        return ERR_MEMORY;
    enum err e = set_up(c, servers, server_count, anchor);
    if (e != OK) {
        ub_ctx_delete(c);
        return e;
    }
    struct resolver *r = NEW(struct resolver);
    r->context = c;
    r->stop = stop;
    list_init(&r->questions);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *ret_resolver = r;
    return OK;
}

static void question_free(struct question *q)
{
    list_drop(&q->link);
    ub_resolve_free(q->result);
    mem_free(&q);
}

void resolver_free(struct resolver **r_at)
{
    struct resolver *r = *r_at;
    if (!r)
        return;
    ub_ctx_delete(r->context); /* from here on no answer comes */
    LIST_EACH (&r->questions, struct question, link, q)
        question_free(q);
    pthread_cond_destroy(&r->news);
    pthread_mutex_destroy(&r->lock);
    mem_free(r_at);
}

/* -------------------------------------------------------------------------------------------------------- asking */

static uint64_t left_ms(uint64_t until_ms)
{
    uint64_t now = clock_mono_ms();
    return until_ms > now ? until_ms - now : 0;
}

/* Called by the library from ub_process, without our lock. */
static void on_answer(void *owner, int error, struct ub_result *result)
{
    struct question *q = owner;
    struct resolver *r = q->resolver;
    pthread_mutex_lock(&r->lock);
    q->error = error;
    q->result = result;
    q->done = true;
    if (q->abandoned)
        question_free(q);
    pthread_cond_broadcast(&r->news);
    pthread_mutex_unlock(&r->lock);
}

/* Takes what answers there are, or come in time; the lock is open meanwhile. */
static void look_after(struct resolver *r, uint64_t until_ms)
{
    struct pollfd p = {.fd = ub_fd(r->context), .events = POLLIN};
    uint64_t left = left_ms(until_ms);
    r->looked_after = true;
    pthread_mutex_unlock(&r->lock);
    if (stop_poll(r->stop, &p, 1, left < INT32_MAX ? (int)left : INT32_MAX) > 0)
        ub_process(r->context);
    pthread_mutex_lock(&r->lock);
    r->looked_after = false;
    pthread_cond_broadcast(&r->news);
}

static void wait_for_news(struct resolver *r, uint64_t until_ms)
{
    uint64_t left = left_ms(until_ms);
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(left / 1000);
    end.tv_nsec += (long)(left % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&r->news, &r->lock, &end);
}

/* What became of it, with the lock held; it is not to be used any more. */
static fallible question_end(struct question *q, struct ub_result **ret_result)
{
    enum err e = !q->done                 ? ERR_TIMEOUT
                 : q->error == UB_NOMEM   ? ERR_MEMORY
                 : q->error || !q->result ? ERR_IO
                                          : OK;
    if (e == OK)
        *ret_result = TAKE(q->result, NULL);
    if (q->done)
        question_free(q);
    else
        q->abandoned = true;
    return e;
}

fallible
resolver_ask(struct resolver *r, const char *name, int type, uint64_t until_ms, struct ub_result **ret_result)
{
    struct question *q = NEW(struct question);
    q->resolver = r;
    pthread_mutex_lock(&r->lock);
    list_add(&r->questions, &q->link);
    pthread_mutex_unlock(&r->lock);
    int failed = ub_resolve_async(r->context, name, type, 1 /* IN */, q, on_answer, NULL);
    pthread_mutex_lock(&r->lock);
    if (failed) {
        q->done = true;
        q->error = failed;
    }
    while (!q->done && left_ms(until_ms) > 0 && !stop_signal(r->stop)) {
        if (r->looked_after)
            wait_for_news(r, until_ms);
        else
            look_after(r, until_ms);
    }
    enum err e = question_end(q, ret_result);
    pthread_mutex_unlock(&r->lock);
    return e;
}
