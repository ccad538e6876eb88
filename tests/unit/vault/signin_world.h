/* signin_world.h - the engine's surroundings, scripted: time stands still until a test moves it.        room: tests */
#ifndef TESTS_VAULT_SIGNIN_WORLD_H
#define TESTS_VAULT_SIGNIN_WORLD_H

#include "fixture.h"

#include "guard_limits.h"

#include "base/log.h"
#include "vault/policy.h"

enum { GATE = 3, MAX_ANSWERS = 64 };

struct world {
    struct fixture *f;
    struct guard *guard;
    struct secret guard_key;
    struct signins *s;
    uint64_t now, wake;
    /* the keeper */
    bool keeper_silent, keeper_refuses;
    unsigned grants;
    uint64_t granted; /* exchange of the last grant */
    struct signin_grant grant;
    uint8_t grant_ticket[SIGNIN_TICKET_LEN];
    char grant_limits[512];
    /* the pool */
    bool pool_full, pool_waits;
    unsigned hashes;
    uint64_t hashing;
    struct secret stored, password;
    /* answers */
    bool any_gate;
    unsigned answers;
    struct {
        uint64_t reply, at;
        enum signin_answer_kind kind;
        uint8_t ticket[SIGNIN_TICKET_LEN];
        uint64_t credential;
        char data[512];
    } last;
};
static struct world w;
static struct vault_account alice, bob;
static struct clientpw pw;
static uint64_t client;
static char log_text[200000];
static size_t log_n;

static inline void keep_log(enum log_level level, struct slice line, void *arg)
{
    if (log_n + line.n < sizeof log_text) {
        memcpy(log_text + log_n, line.p, line.n);
        log_n += line.n;
    }
}

static inline uint64_t now_ms(void *owner)
{
    return w.now;
}
static inline int64_t now_s(void *owner)
{
    return 1795352645 + (int64_t)(w.now / 1000);
}
static inline void wake_at(void *owner, uint64_t at)
{
    w.wake = at;
}
/* For everybody here. */
static inline void set_policy(const char *word)
{
    assert_int_equal(vault_policy_set(w.f->v, SLICE_EMPTY, S("mailbox_password_imap"), slice_str(word)), OK);
}
static inline bool is_exempt(void *owner, const struct ip *ip)
{
    return false;
}

static inline void on_answer(void *owner, unsigned gate, uint64_t reply, const struct signin_answer *a)
{
    assert_true(gate == GATE || w.any_gate);
    w.answers++;
    w.last.reply = reply;
    w.last.at = w.now;
    w.last.kind = a->kind;
    w.last.credential = a->credential;
    fixture_text(w.last.data, sizeof w.last.data, a->data);
    if (a->kind == SIGNIN_OK) {
        assert_int_equal(a->ticket.n, SIGNIN_TICKET_LEN);
        memcpy(w.last.ticket, a->ticket.p, SIGNIN_TICKET_LEN);
        assert_true(account_id_eq(&a->account, &alice.id));
        assert_true(slice_eq(a->address, S("alice@example.test")));
    } else {
        /* INV-S1, T-254: nothing but the kind. */
        assert_int_equal(a->ticket.n + a->address.n + a->credential + a->slot, 0);
        assert_true(a->kind == SIGNIN_CHALLENGE || a->data.n == 0);
    }
}

static inline void on_grant(void *owner, uint64_t exchange, const struct signin_grant *g)
{
    w.grants++;
    w.granted = exchange;
    w.grant = *g;
    assert_int_equal(g->ticket.n, SIGNIN_TICKET_LEN);
    memcpy(w.grant_ticket, g->ticket.p, SIGNIN_TICKET_LEN);
    fixture_text(w.grant_limits, sizeof w.grant_limits, g->limits);
    if (!w.keeper_silent)
        signin_granted(w.s, exchange, !w.keeper_refuses);
}

static inline void run_hash(void)
{
    enum err e = passhash_check(secret_reveal(&w.stored), secret_reveal(&w.password));
    secret_free(&w.stored);
    secret_free(&w.password);
    signin_hashed(w.s, w.hashing, e);
}

static inline fallible on_hash(
    void *owner, uint64_t exchange, const struct account_id *account, struct secret *stored,
    struct secret *password)
{
    if (w.pool_full)
        return ERR_LIMIT;
    w.hashes++;
    w.hashing = exchange;
    w.stored = *stored;
    w.password = *password;
    return OK;
}

static const struct signin_ops ops = {
    .now_ms = now_ms,
    .now_s = now_s,
    .wake_at = wake_at,
    .answer = on_answer,
    .grant = on_grant,
    .hash = on_hash,
    .is_exempt = is_exempt,
};

static inline int setup(void **state)
{
    struct fixture *f = fixture_new();
    w = (struct world){.f = f, .now = 1000003, .wake = UINT64_MAX};
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account_with(f, "alice@example.test", "correct horse battery");
    bob = fixture_account(f, "bob@example.test");
    client = fixture_client(f, &alice.id, "", true, true, &pw);
    assert_int_equal(secret_random(f->slab, 32, &w.guard_key), OK);
    w.guard = guard_new(&w.guard_key, &guard_presets);
    w.s = signins_new(f->v, w.guard, &ops, &w);
    log_n = 0;
    log_set_sink(keep_log, NULL);
    return 0;
}

static inline int teardown(void **state)
{
    signins_free(&w.s);
    guard_free(&w.guard);
    secret_free(&w.guard_key);
    secret_free(&w.stored);
    secret_free(&w.password);
    log_set_sink(NULL, NULL);
    fixture_free(w.f);
    return 0;
}

static inline void start_from(
    uint64_t session, enum vault_door door, struct slice name, struct slice secret, const char *from,
    struct slice authzid)
{
    struct buf initial = BUF_INIT(4000);
    buf_put(&initial, authzid);
    buf_put_char(&initial, '\0');
    buf_put(&initial, name);
    buf_put_char(&initial, '\0');
    buf_put(&initial, secret);
    struct slice text = buf_slice(&initial);
    struct signin_request r = {
        .gate = GATE,
        .session = session,
        .reply = session + 1000,
        .door = door,
        .mechanism = S("PLAIN"),
        .initial = &text,
        .tls = S("TLSv1.3"),
        .program = S("Test Program"),
    };
    assert_int_equal(ip_parse(slice_str(from), &r.client), OK);
    signin_start(w.s, &r);
    buf_wipe(&initial);
}

static inline void start(uint64_t session, enum vault_door door, struct slice name, struct slice secret)
{
    start_from(session, door, name, secret, "192.0.2.1", SLICE_EMPTY);
}

static inline struct slice right(void)
{
    return clientpw_slice(&pw);
}

/* Moves time to the next wake-up. */
static inline void wake(void)
{
    assert_true(w.wake != UINT64_MAX);
    if (w.wake > w.now)
        w.now = w.wake;
    signin_tick(w.s);
}

struct reasons {
    unsigned n;
    char first[64];
};
static inline void take_reason(void *owner, const struct why_row *row)
{
    struct reasons *r = owner;
    if (r->n++ == 0)
        fixture_text(r->first, sizeof r->first, row->reason);
}

static inline void expect_why(struct slice name, const char *reason)
{
    struct reasons r = {.n = 0};
    assert_int_equal(vault_why_list(w.f->v, name, 100, take_reason, &r), OK);
    assert_true(r.n > 0);
    assert_string_equal(r.first, reason);
}

static const struct slice a_name = {"alice@example.test", 18};

#endif
