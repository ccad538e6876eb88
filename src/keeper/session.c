#include "keeper/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

static const char *const wait_name[] = {"input", "output", "disk", "store", "work", "changes", "process"};
static_assert(sizeof wait_name / sizeof *wait_name == WAIT_N, "a wait without a name");

static const char *const end_text[] = {
    "the password was revoked", "the server is stopping", "the account is unavailable",
    "the account was removed", "the password has expired"};
static_assert(sizeof end_text / sizeof *end_text == END_REASONS, "a reason without words");

enum { EXPIRY_LOOK_MS = 1000 };

struct sessions {
    struct list all;
    size_t count;
    struct timer expiry;
    void (*on_drop)(struct session *s, void *arg);
    void *on_drop_arg;
    int64_t earliest_s; /* no grant of a session expires before it; meaningful while the timer runs */
};

const char *session_wait_name(enum session_wait wait)
{
    return wait_name[wait];
}

const char *session_end_text(enum session_end_reason reason)
{
    return end_text[reason];
}

/* ---- grants that expire ---- */

/* Dates are the wall clock's, which may be set while we wait: so it is looked at every second. */
static void wait_for_expiry(struct sessions *all)
{
    int64_t left_ms = all->earliest_s * 1000 - clock_unix_ms();
    timer_start(
        &all->expiry, left_ms < 0                ? 0
                      : left_ms < EXPIRY_LOOK_MS ? (uint64_t)left_ms
                                                 : EXPIRY_LOOK_MS);
}

static struct session *find_expiring(const struct sessions *all, int64_t until_s)
{
    LIST_EACH ((struct list *)&all->all, struct session, link, s) {
        if (s->grant.expires_s && s->grant.expires_s <= until_s)
            return s;
    }
    return NULL;
}

static void expect_expiry(struct sessions *all, int64_t expires_s)
{
    if (!expires_s || (all->expiry.armed && all->earliest_s <= expires_s))
        return;
    all->earliest_s = expires_s;
    wait_for_expiry(all);
}

static void on_expiry(struct timer *t)
{
    struct sessions *all = t->owner;
    int64_t now_s = clock_unix_s();
    if (now_s < all->earliest_s) {
        wait_for_expiry(all);
        return;
    }
    /* Ending one may end others of the account, so each search starts anew. */
    for (struct session *s; (s = find_expiring(all, now_s));) {
        size_t before = all->count;
        s->ops->end(s, END_EXPIRED);
        assert(all->count < before);
    }
    LIST_EACH (&all->all, struct session, link, s) {
        expect_expiry(all, s->grant.expires_s);
    }
}

struct sessions *sessions_new(struct loop *loop)
{
    struct sessions *all = NEW(struct sessions);
    list_init(&all->all);
    timer_init(&all->expiry, loop, on_expiry, all);
    return all;
}

void sessions_free(struct sessions **all)
{
    assert(!*all || list_is_empty(&(*all)->all));
    if (*all)
        timer_stop(&(*all)->expiry);
    mem_free(all);
}

fallible sessions_add(struct sessions *all, struct session *s)
{
    if (all->count >= LIMIT_SESSIONS)
        return ERR_LIMIT;
    s->grant = grant_ref(&s->grant);
    list_add(&all->all, &s->link);
    all->count++;
    expect_expiry(all, s->grant.expires_s);
    return OK;
}

void sessions_drop(struct sessions *all, struct session *s)
{
    if (s->link.next && s->link.next != &s->link) {
        list_drop(&s->link);
        all->count--;
        if (all->on_drop)
            all->on_drop(s, all->on_drop_arg);
        grant_done(&s->grant);
    }
}

void sessions_on_drop(struct sessions *all, void (*fn)(struct session *s, void *arg), void *arg)
{
    all->on_drop = fn;
    all->on_drop_arg = arg;
}

size_t sessions_count(const struct sessions *all)
{
    return all->count;
}

struct session *sessions_find(const struct sessions *all, uint64_t id)
{
    LIST_EACH ((struct list *)&all->all, struct session, link, s) {
        if (s->id == id)
            return s;
    }
    return NULL;
}

struct session *
sessions_find_first(const struct sessions *all, const struct account_id *account, enum ipc_service service)
{
    LIST_EACH ((struct list *)&all->all, struct session, link, s) {
        if (s->grant.service == service && account_id_eq(&s->grant.account, account))
            return s;
    }
    return NULL;
}

static struct session *find_granted(
    const struct sessions *all, const struct account_id *account, uint64_t credential, uint32_t version)
{
    LIST_EACH ((struct list *)&all->all, struct session, link, s) {
        if (account_id_eq(&s->grant.account, account) &&
            (!credential || (s->grant.credential == credential && s->grant.version < version)))
            return s;
    }
    return NULL;
}

unsigned sessions_revoke(
    struct sessions *all, const struct account_id *account, uint64_t credential, uint32_t version,
    enum session_end_reason reason)
{
    unsigned ended = 0;
    struct session *s;
    /* Ending one may end others of the account, so each search starts anew. */
    while ((s = find_granted(all, account, credential, version))) {
        size_t before = all->count;
        s->ops->end(s, reason);
        assert(all->count < before);
        ended++;
    }
    return ended;
}

void sessions_end_all(struct sessions *all, enum session_end_reason reason)
{
    while (!list_is_empty(&all->all)) {
        struct session *s = LIST_FIRST(&all->all, struct session, link);
        size_t before = all->count;
        s->ops->end(s, reason);
        assert(all->count < before);
    }
}

void sessions_each(const struct sessions *all, void (*fn)(const struct session *s, void *arg), void *arg)
{
    LIST_EACH ((struct list *)&all->all, struct session, link, s) {
        fn(s, arg);
    }
}
