/* entry_world.h - alice signs in at the portal, in a world with a scripted clock and pool.        room: tests */
#ifndef TESTS_VAULT_ENTRY_WORLD_H
#define TESTS_VAULT_ENTRY_WORLD_H

#include "fixture.h"

#include "cases.h"
#include "guard_limits.h"

#include "factor/ceremony.h"
#include "factor/totp.h"
#include "vault/entry.h"
#include "vault/policy.h"

#define RIGHT "grey gravel otter 77"
#define SECOND "wooden lamp 99 Fjord"
enum { NOW = 1700000000, ARGON_MS = 120 };

struct world {
    struct fixture *f;
    struct secret guard_key;
    struct guard *guard;
    struct entries *entries;
    uint64_t ms;
    struct vault_account alice;
    uint8_t secret[TOTP_SECRET];
    bool pool_is_full;
    struct {
        uint64_t entry;
        struct secret stored, password;
    } hashing;
    bool has_hash, has_work;
    struct password_work work;
    uint64_t working;
    /* the last answer */
    unsigned answers;
    uint64_t reply;
    struct entry_answer a;
    char token[ENTRY_TOKEN_LEN], session[SESSION_TOKEN_LEN], device[DEVICE_TOKEN];
    uint64_t answered_ms;
};
static struct world *w;

static inline uint64_t now_ms(void *owner)
{
    return w->ms;
}
static inline int64_t now_s(void *owner)
{
    return NOW + (int64_t)(w->ms / 1000);
}
static inline void wake_at(void *owner, uint64_t at)
{
}
static inline void on_answer(void *owner, uint64_t reply, const struct entry_answer *a)
{
    w->answers++;
    w->reply = reply;
    w->a = *a;
    w->answered_ms = w->ms;
    if (a->token.n)
        memcpy(w->token, a->token.p, a->token.n);
    if (a->session.n)
        memcpy(w->session, a->session.p, a->session.n);
    if (a->device.n)
        memcpy(w->device, a->device.p, a->device.n);
}
static inline fallible on_hash(
    void *owner, uint64_t entry, const struct account_id *account, struct secret *stored,
    struct secret *password)
{
    if (w->pool_is_full)
        return ERR_LIMIT;
    assert_false(w->has_hash);
    w->hashing.entry = entry;
    w->hashing.stored = *stored;
    w->hashing.password = *password;
    w->has_hash = true;
    return OK;
}
static inline fallible on_work(void *owner, uint64_t entry, struct password_work *work)
{
    if (w->pool_is_full)
        return ERR_LIMIT;
    w->work = *work;
    w->working = entry;
    w->has_work = true;
    return OK;
}
static inline bool is_exempt(void *owner, const struct ip *client)
{
    return false;
}
static const struct entry_ops ops = {now_ms, now_s, wake_at, on_answer, on_hash, on_work, is_exempt};

static inline struct slice token(void)
{
    return slice_of(w->token, sizeof w->token);
}
static inline struct slice session(void)
{
    return slice_of(w->session, sizeof w->session);
}

static inline void pool(void)
{
    if (w->has_hash) {
        w->ms += ARGON_MS;
        w->has_hash = false;
        enum err r = passhash_check(secret_reveal(&w->hashing.stored), secret_reveal(&w->hashing.password));
        secret_free(&w->hashing.stored);
        secret_free(&w->hashing.password);
        entry_hashed(w->entries, w->hashing.entry, r);
    }
    if (w->has_work) {
        w->ms += ARGON_MS;
        w->has_work = false;
        password_work_run(&w->work);
        entry_worked(w->entries, w->working, &w->work);
    }
}

/* Until the call is answered. */
static inline enum entry_answer_kind settled(unsigned before)
{
    for (int i = 0; w->answers == before && i < 10000; i++) {
        pool();
        if (w->answers != before)
            break;
        w->ms++;
        entry_tick(w->entries);
    }
    assert_int_equal(w->answers, before + 1);
    return w->a.kind;
}

static const struct entry_client browser = {.program = {"Browser", 7}};

static inline void start(const char *name)
{
    unsigned before = w->answers;
    entry_start(w->entries, 1, slice_str(name), &browser);
    assert_int_equal(settled(before), ENTRY_ASK_PASSWORD);
}
static inline enum entry_answer_kind password(const char *text)
{
    unsigned before = w->answers;
    entry_password(w->entries, 2, token(), slice_str(text));
    return settled(before);
}
static inline enum entry_answer_kind code_of(enum factor_kind kind, const char *text, bool remember)
{
    unsigned before = w->answers;
    entry_code(w->entries, 3, token(), kind, slice_str(text), remember);
    return settled(before);
}
static inline enum entry_answer_kind device(void)
{
    unsigned before = w->answers;
    entry_device(w->entries, 5, token(), slice_of(w->device, sizeof w->device));
    return settled(before);
}
static inline const char *totp(void)
{
    static char text[TOTP_DIGITS_MAX + 1];
    w->ms += 2 * TOTP_STEP_S * 1000; /* each code once */
    totp_code(
        slice_of(w->secret, sizeof w->secret), (uint64_t)(now_s(NULL) / TOTP_STEP_S), TOTP_DIGITS, text);
    text[TOTP_DIGITS] = '\0';
    return text;
}
static inline enum entry_answer_kind change(const char *text)
{
    unsigned before = w->answers;
    entry_change(w->entries, 4, token(), slice_str(text));
    return settled(before);
}

static inline void enrol(void)
{
    struct factor_totp_new made;
    struct vault *v = w->f->v;
    assert_ok(factors_enrol_totp(v, &w->alice.id, S("phone"), S("example.test"), now_s(NULL), &made));
    fixture_unbase32(secret_reveal(&made.secret), w->secret, TOTP_SECRET);
    secret_free(&made.secret);
    secret_free(&made.uri);
    const char *code = totp(); /* moves the clock */
    assert_ok(factors_confirm(v, &w->alice.id, made.id, slice_str(code), now_s(NULL)));
}

static inline int entry_setup(void **state)
{
    w = calloc(1, sizeof *w);
    w->f = fixture_new();
    factor_init();
    assert_ok(secret_random(w->f->slab, 32, &w->guard_key));
    w->guard = guard_new(&w->guard_key, &guard_presets);
    w->entries = entries_new(w->f->v, w->guard, &ops, NULL);
    assert_ok(vault_domain_add(w->f->v, S("example.test")));
    w->alice = fixture_account_with(w->f, "alice@example.test", RIGHT);
    return 0;
}

static inline int entry_teardown(void **state)
{
    entries_free(&w->entries);
    guard_free(&w->guard);
    secret_free(&w->guard_key);
    secret_free(&w->hashing.stored);
    secret_free(&w->hashing.password);
    if (w->has_work)
        password_work_done(&w->work);
    fixture_free(w->f);
    free(w);
    return 0;
}

static inline void forget_guesses(void)
{
    guard_free(&w->guard);
    w->guard = guard_new(&w->guard_key, &guard_presets);
    entries_free(&w->entries);
    w->entries = entries_new(w->f->v, w->guard, &ops, NULL);
}

static inline void fresh_world(void)
{
    void *state = NULL;
    entry_teardown(&state);
    entry_setup(&state);
}

#define ENTRY_TEST(name) cmocka_unit_test_setup_teardown(name, entry_setup, entry_teardown)

#endif
