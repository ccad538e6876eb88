/* People signing in: the machine of entry.h, its half-sessions and sessions. Rows T-230, T-231. */
#include "fixture.h"

#include <math.h>

#include "cases.h"
#include "guard_limits.h"

#include "factor/ceremony.h"
#include "factor/totp.h"
#include "vault/entry.h"
#include "vault/policy.h"

#define RIGHT "grey gravel otter 77"
#define SECOND "wooden lamp 99 Fjord"
enum { NOW = 1700000000, JOBS = 8, ARGON_MS = 120 };

/* ---- a world with a scripted clock and pool ---- */

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

static uint64_t now_ms(void *owner)
{
    return w->ms;
}
static int64_t now_s(void *owner)
{
    return NOW + (int64_t)(w->ms / 1000);
}
static void wake_at(void *owner, uint64_t at)
{
}
static void on_answer(void *owner, uint64_t reply, const struct entry_answer *a)
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
static fallible on_hash(
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
static fallible on_work(void *owner, uint64_t entry, struct password_work *work)
{
    if (w->pool_is_full)
        return ERR_LIMIT;
    w->work = *work;
    w->working = entry;
    w->has_work = true;
    return OK;
}
static bool is_exempt(void *owner, const struct ip *client)
{
    return false;
}
static const struct entry_ops ops = {now_ms, now_s, wake_at, on_answer, on_hash, on_work, is_exempt};

static struct slice token(void)
{
    return slice_of(w->token, sizeof w->token);
}
static struct slice session(void)
{
    return slice_of(w->session, sizeof w->session);
}

static void pool(void)
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
static enum entry_answer_kind settled(unsigned before)
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

static void start(const char *name)
{
    unsigned before = w->answers;
    entry_start(w->entries, 1, slice_str(name), &browser);
    assert_int_equal(settled(before), ENTRY_ASK_PASSWORD);
}
static enum entry_answer_kind password(const char *text)
{
    unsigned before = w->answers;
    entry_password(w->entries, 2, token(), slice_str(text));
    return settled(before);
}
static enum entry_answer_kind code_of(enum factor_kind kind, const char *text, bool remember)
{
    unsigned before = w->answers;
    entry_code(w->entries, 3, token(), kind, slice_str(text), remember);
    return settled(before);
}
static const char *totp(void)
{
    static char text[TOTP_DIGITS_MAX + 1];
    w->ms += 2 * TOTP_STEP_S * 1000; /* each code once */
    totp_code(
        slice_of(w->secret, sizeof w->secret), (uint64_t)(now_s(NULL) / TOTP_STEP_S), TOTP_DIGITS, text);
    text[TOTP_DIGITS] = '\0';
    return text;
}
static enum entry_answer_kind change(const char *text)
{
    unsigned before = w->answers;
    entry_change(w->entries, 4, token(), slice_str(text));
    return settled(before);
}

static void enrol(void)
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

static int setup(void **state)
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

static int teardown(void **state)
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

static void forget_guesses(void)
{
    guard_free(&w->guard);
    w->guard = guard_new(&w->guard_key, &guard_presets);
    entries_free(&w->entries);
    w->entries = entries_new(w->f->v, w->guard, &ops, NULL);
}

/* ---- the ways through ---- */

static void a_password_alone(void **state)
{
    struct session s;
    start("Alice@Example.test");
    assert_int_equal(password(RIGHT), ENTRY_SESSION);
    assert_ok(session_find(w->f->v, session(), now_s(NULL), &s));
    assert_true(account_id_eq(&s.account, &w->alice.id));
    assert_int_equal(entries_count(w->entries), 0);
    assert_int_equal(password(RIGHT), ENTRY_GONE); /* the half-session is used up */
}

static void with_a_code_and_a_remembered_browser(void **state)
{
    enrol();
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_ASK_FACTOR);
    assert_int_equal(w->a.has.totp, 1);
    assert_int_equal(code_of(FACTOR_TOTP, "000000", false), ENTRY_NO);
    assert_int_equal(code_of(FACTOR_TOTP, totp(), true), ENTRY_SESSION);
    assert_int_equal(w->a.device.n, DEVICE_TOKEN);
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_ASK_FACTOR);
    unsigned before = w->answers;
    entry_device(w->entries, 5, token(), slice_of(w->device, sizeof w->device));
    assert_int_equal(settled(before), ENTRY_SESSION);
}

static void a_factor_that_policy_demands_is_enrolled_first(void **state)
{
    assert_ok(vault_policy_set(w->f->v, SLICE_EMPTY, S("factor_required"), S("totp")));
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_ASK_ENROL);
    unsigned before = w->answers;
    entry_enrol(w->entries, 6, token(), S("phone"));
    assert_int_equal(w->answers, before + 1);
    assert_int_equal(w->a.kind, ENTRY_ENROLLING);
    struct vault *v = w->f->v;
    struct factors_have have;
    assert_ok(factors_count(v, &w->alice.id, &have));
    assert_int_equal(have.totp, 0);
    before = w->answers;
    entry_confirm(w->entries, 7, token(), S("123456"));
    assert_int_equal(settled(before), ENTRY_NO);
    entry_cancel(w->entries, 8, token());
    enrol();
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_ASK_FACTOR);
    assert_int_equal(code_of(FACTOR_TOTP, totp(), false), ENTRY_SESSION);
}

static void an_old_password_is_changed_after_the_factor(void **state)
{
    enrol();
    assert_ok(vault_password_must_change(w->f->v, S("alice@example.test")));
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_ASK_FACTOR);
    assert_int_equal(change(SECOND), ENTRY_GONE);
    assert_int_equal(code_of(FACTOR_TOTP, totp(), true), ENTRY_ASK_CHANGE);
    assert_int_equal(w->a.reason, PASSWORD_FINE);
    assert_int_equal(change("short"), ENTRY_ASK_CHANGE);
    assert_int_equal(w->a.reason, PASSWORD_SHORT);
    assert_int_equal(change(RIGHT), ENTRY_ASK_CHANGE);
    assert_int_equal(w->a.reason, PASSWORD_USED);
    assert_int_equal(change(SECOND), ENTRY_SESSION);
    assert_int_equal(w->a.device.n, DEVICE_TOKEN); /* remembered behind the change, which forgets all */
    struct session s;
    assert_ok(session_find(w->f->v, session(), now_s(NULL), &s));
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_NO);
    assert_int_equal(password(SECOND), ENTRY_ASK_FACTOR);
}

static void set_password(const char *old, const char *text)
{
    struct password_work work;
    struct secret proof, typed;
    assert_ok(secret_copy(w->f->slab, slice_str(old), &proof));
    assert_ok(secret_copy(w->f->slab, slice_str(text), &typed));
    assert_ok(vault_password_begin(
        w->f->v, S("alice@example.test"), PASSWORD_BY_OWNER, &proof, &typed, now_s(NULL), &work));
    password_work_run(&work);
    assert_ok(vault_password_finish(w->f->v, &work, now_s(NULL)));
    password_work_done(&work);
    secret_free(&proof);
    secret_free(&typed);
}

static void lock(void)
{
    assert_ok(vault_account_set_status(w->f->v, S("alice@example.test"), ACCOUNT_LOCKED));
}
static void unlock(void)
{
    assert_ok(vault_account_set_status(w->f->v, S("alice@example.test"), ACCOUNT_ACTIVE));
}

/* INV-E5: who got half-way with a stolen password is thrown out by what shuts it out, and sets no password of theirs. */
static void a_half_session_ends_with_its_password(void **state)
{
    enrol();
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_ASK_FACTOR);
    set_password(RIGHT, SECOND);
    assert_int_equal(code_of(FACTOR_TOTP, totp(), true), ENTRY_GONE);
    assert_int_equal(entries_count(w->entries), 0);
    assert_ok(vault_password_must_change(w->f->v, S("alice@example.test")));
    start("alice@example.test");
    assert_int_equal(password(SECOND), ENTRY_ASK_FACTOR);
    assert_int_equal(code_of(FACTOR_TOTP, totp(), false), ENTRY_ASK_CHANGE);
    set_password(SECOND, "yellow bridge 55 Otter");
    assert_int_equal(change("the thief's own password"), ENTRY_GONE);
    start("alice@example.test");
    assert_int_equal(password("yellow bridge 55 Otter"), ENTRY_ASK_FACTOR);
    lock();
    assert_int_equal(code_of(FACTOR_TOTP, totp(), false), ENTRY_GONE);
    unlock();
}

static void what_changes_during_the_comparison_counts(void **state)
{
    for (int i = 0; i < 2; i++) {
        unsigned before = w->answers + 1;
        start("alice@example.test");
        entry_password(w->entries, 2, token(), slice_str(RIGHT));
        if (i)
            lock();
        else
            set_password(RIGHT, SECOND);
        assert_int_equal(settled(before), i ? ENTRY_NO : ENTRY_LATER);
        if (i)
            unlock();
        else
            set_password(SECOND, "yellow bridge 55 Otter");
    }
}

static void overload_is_later_and_no_strike(void **state)
{
    start("alice@example.test");
    w->pool_is_full = true;
    for (int i = 0; i < 10; i++)
        assert_int_equal(password(RIGHT), ENTRY_LATER);
    w->pool_is_full = false;
    assert_int_equal(password(RIGHT), ENTRY_SESSION);
}

static void tries_and_time_end_it(void **state)
{
    start("alice@example.test");
    for (int i = 0; i < LIMIT_ENTRY_TRIES; i++)
        assert_int_equal(password("wrong horse 12 battery"), ENTRY_NO);
    assert_int_equal(password(RIGHT), ENTRY_GONE);
    assert_int_equal(entries_count(w->entries), 0);
    start("alice@example.test");
    struct buf waits CLEANUP_BUF = BUF_INIT(200);
    entries_describe(w->entries, &waits);
    assert_slice("password=1 hash=0 factor=0 enrol=0 change=0 work=0 tick=0", buf_slice(&waits));
    w->ms += LIMIT_ENTRY_TIME;
    entry_tick(w->entries);
    assert_int_equal(entries_count(w->entries), 0);
    assert_int_equal(password(RIGHT), ENTRY_GONE);
}

static void guessers_wait(void **state)
{
    enum entry_answer_kind kind = ENTRY_NO;
    for (int i = 0; i < 12 && kind != ENTRY_LATER; i++) {
        char guess[32];
        snprintf(guess, sizeof guess, "guess number %d", i);
        if (i % 4 == 0)
            start("alice@example.test");
        kind = password(guess);
        assert_true(kind == ENTRY_NO || kind == ENTRY_LATER);
    }
    assert_int_equal(kind, ENTRY_LATER);
}

/* ---- INV-E1: one answer, one time ---- */

enum { CLASSES = 5 };
static const char *const class_name[CLASSES] = {
    "unknown name", "wrong password", "locked account", "right password, wrong code", "no password at all"};

/* One try of a class: how long until the no. */
static uint64_t refusal(int class, unsigned salt)
{
    uint64_t asked;
    forget_guesses();
    w->ms += 1 + salt % 997; /* at any phase of any clock */
    switch (class) {
    case 0:
        start("nobody@example.test");
        asked = w->ms;
        assert_int_equal(password(RIGHT), ENTRY_NO);
        break;
    case 1:
        start("alice@example.test");
        asked = w->ms;
        assert_int_equal(password("wrong horse 12 battery"), ENTRY_NO);
        break;
    case 2:
        start("locked@example.test");
        asked = w->ms;
        assert_int_equal(password(RIGHT), ENTRY_NO);
        break;
    case 3:
        start("alice@example.test");
        assert_int_equal(password(RIGHT), ENTRY_ASK_FACTOR);
        asked = w->ms;
        assert_int_equal(code_of(FACTOR_RECOVERY, "abcde-fghij-kmnp", false), ENTRY_NO);
        break;
    default:
        start("alice@example.test");
        asked = w->ms;
        assert_int_equal(password("\xff\xfe"), ENTRY_NO);
        break;
    }
    static const struct entry_answer no = {.kind = ENTRY_NO};
    assert_memory_equal(&w->a, &no, sizeof no);
    return w->answered_ms - asked;
}

/* Welch's t between each class and the first: the classes differ by less than 2 ms on the mean. With a scripted clock they are
 * the same tick; what is not scripted is measured by tests/bench. */
static void every_wrong_way_takes_the_same_time(void **state)
{
    enum { TRIES = 40 };
    double mean[CLASSES] = {0}, square[CLASSES] = {0};
    fixture_account_with(w->f, "locked@example.test", RIGHT);
    assert_ok(vault_account_set_status(w->f->v, S("locked@example.test"), ACCOUNT_LOCKED));
    enrol();
    for (unsigned i = 0; i < TRIES; i++)
        for (int c = 0; c < CLASSES; c++) {
            double took = (double)refusal(c, i * 7919 + (unsigned)c);
            mean[c] += took / TRIES;
            square[c] += took * took / TRIES;
        }
    for (int c = 0; c < CLASSES; c++) {
        double variance = square[c] - mean[c] * mean[c];
        print_message("  %s: mean %.2f ms, variance %.2f\n", class_name[c], mean[c], variance);
        if (c != 4) { /* what is no password at all is known without hashing, whoever's name it is */
            assert_true(fabs(mean[c] - mean[0]) < 2);
            assert_true(variance < 4);
        }
    }
}

/* ---- T-230 ---- */

enum half { HALF_NAMED, HALF_HASHING, HALF_FACTOR, HALF_ENROL, HALF_CHANGE, HALF_HELD, HALVES };
enum call {
    PASSWORD,
    CODE,
    DEVICE,
    ASK_KEY,
    KEY,
    ENROL,
    CONFIRM,
    ASK_NEW_KEY,
    NEW_KEY,
    CHANGE,
    CANCEL,
    CALLS
};
static const bool may[HALVES][CALLS] = {
    [HALF_NAMED] = {[PASSWORD] = true, [CANCEL] = true},
    [HALF_HASHING] = {false},
    [HALF_FACTOR] = {[CODE] = true, [DEVICE] = true, [ASK_KEY] = true, [KEY] = true, [CANCEL] = true},
    [HALF_ENROL] =
        {[ENROL] = true, [CONFIRM] = true, [ASK_NEW_KEY] = true, [NEW_KEY] = true, [CANCEL] = true},
    [HALF_CHANGE] = {[CHANGE] = true, [CANCEL] = true},
    [HALF_HELD] = {false},
};

static void fresh_world(void)
{
    void *state = NULL;
    teardown(&state);
    setup(&state);
}

static void reach(enum half half)
{
    struct vault *v = w->f->v;
    if (half == HALF_FACTOR)
        enrol();
    if (half == HALF_ENROL)
        assert_ok(vault_policy_set(v, SLICE_EMPTY, S("factor_required"), S("any")));
    if (half == HALF_CHANGE)
        assert_ok(vault_password_must_change(v, S("alice@example.test")));
    start("alice@example.test");
    if (half == HALF_NAMED)
        return;
    unsigned before = w->answers;
    entry_password(w->entries, 2, token(), half == HALF_HELD ? S("wrong horse 12 battery") : S(RIGHT));
    if (half == HALF_HASHING)
        return;
    pool();
    if (half != HALF_HELD)
        settled(before);
    else
        assert_int_equal(w->answers, before);
}

static void call(enum call which, struct slice t)
{
    static const struct webauthn_site site = {.rp_id = {"example.test", 12}};
    static const struct webauthn_assertion assertion = {.credential_id = {"x", 1}, .signature = {"x", 1}};
    static const struct webauthn_registration registration = {
        .client_data = {"{}", 2}, .attestation = {"x", 1}};
    struct entries *e = w->entries;
    switch (which) {
    case PASSWORD:
        entry_password(e, 9, t, S(RIGHT));
        return;
    case CODE:
        entry_code(e, 9, t, FACTOR_TOTP, S("123456"), true);
        return;
    case DEVICE:
        entry_device(e, 9, t, slice_of(w->device, sizeof w->device));
        return;
    case ASK_KEY:
        entry_ask_key(e, 9, t);
        return;
    case KEY:
        entry_key(e, 9, t, &site, &assertion, false);
        return;
    case ENROL:
        entry_enrol(e, 9, t, S("phone"));
        return;
    case CONFIRM:
        entry_confirm(e, 9, t, S("123456"));
        return;
    case ASK_NEW_KEY:
        entry_ask_new_key(e, 9, t);
        return;
    case NEW_KEY:
        entry_new_key(e, 9, t, &site, &registration, S("key"));
        return;
    case CHANGE:
        entry_change(e, 9, t, S(SECOND));
        return;
    case CANCEL:
    case CALLS:
        entry_cancel(e, 9, t);
        return;
    }
}

static void try_call(struct cases *cases, enum half half, enum call which)
{
    char what[64];
    struct session s;
    snprintf(what, sizeof what, "call %d in state %d", which, half);
    fresh_world();
    reach(half);
    unsigned before = w->answers;
    call(which, token());
    bool gone_at_once = w->answers == before + 1 && w->reply == 9 && w->a.kind == ENTRY_GONE;
    cases_check(cases, which == CANCEL ? gone_at_once : gone_at_once == !may[half][which], what);
    if (!may[half][which]) /* the half-session is what it was, and no session */
        for (unsigned a = 0; a < SESSION_ACTION_N; a += 3)
            cases_check(
                cases, session_may(w->f->v, token(), (enum session_action)a, now_s(NULL), &s) == ERR_DENIED,
                what);
}

/* A half-session is no session, whatever is asked of it. */
static void no_action_in_any_state(struct cases *cases)
{
    for (unsigned half = 0; half < HALVES; half++) {
        fresh_world();
        reach((enum half)half);
        for (unsigned a = 0; a < SESSION_ACTION_N; a++) {
            struct session s;
            cases_check(
                cases, session_may(w->f->v, token(), (enum session_action)a, now_s(NULL), &s) == ERR_DENIED,
                session_action_name((enum session_action)a));
        }
        struct session s;
        cases_check(
            cases, session_end(w->f->v, token(), now_s(NULL)) == ERR_DENIED, "ending it as a session");
        cases_check(cases, session_find(w->f->v, token(), now_s(NULL), &s) == ERR_DENIED, "finding it");
        unsigned before = w->answers;
        entry_step_up(w->entries, 9, token(), &browser);
        cases_check(cases, w->answers == before + 1 && w->a.kind == ENTRY_GONE, "stepping up with it");
    }
}

/* Other tokens: none, cut, long, changed, somebody else's, a session's. */
static void other_tokens(struct cases *cases)
{
    fresh_world();
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_SESSION);
    start("alice@example.test");
    for (unsigned i = 0; i < ENTRY_TOKEN_LEN; i++) {
        char changed[ENTRY_TOKEN_LEN];
        memcpy(changed, w->token, sizeof changed);
        changed[i] ^= 1;
        call(PASSWORD, slice_of(changed, sizeof changed));
        cases_check(cases, w->a.kind == ENTRY_GONE, "a changed token");
    }
    for (size_t n = 0; n < ENTRY_TOKEN_LEN; n += 5) {
        call(PASSWORD, slice_of(w->token, n));
        cases_check(cases, w->a.kind == ENTRY_GONE, "a cut token");
    }
    for (unsigned c = 0; c < CALLS; c++) {
        call((enum call)c, session());
        cases_check(cases, w->a.kind == ENTRY_GONE, "a session's token");
    }
}

/* The browser that another person let be remembered is worth nothing here. */
static void others_devices(struct cases *cases)
{
    fresh_world();
    uint64_t id;
    struct vault_account bob = fixture_account_with(w->f, "bob@example.test", RIGHT);
    enrol();
    assert_ok(device_remember(w->f->v, &bob.id, S("browser"), now_s(NULL), w->device, &id));
    start("alice@example.test");
    assert_int_equal(password(RIGHT), ENTRY_ASK_FACTOR);
    unsigned before = w->answers;
    call(DEVICE, token());
    cases_check(cases, settled(before) == ENTRY_NO, "another person's browser");
    assert_ok(device_remember(w->f->v, &w->alice.id, S("browser"), now_s(NULL), w->device, &id));
    assert_ok(vault_policy_set(w->f->v, SLICE_EMPTY, S("remembered_devices"), S("never")));
    before = w->answers;
    call(DEVICE, token());
    cases_check(cases, settled(before) == ENTRY_NO, "where policy remembers none");
}

static void half_sessions_only_go_on(void **state)
{
    struct cases cases = {.id = "T-230"};
    for (unsigned half = 0; half < HALVES; half++)
        for (unsigned c = 0; c < CALLS; c++)
            try_call(&cases, (enum half)half, (enum call)c);
    no_action_in_any_state(&cases);
    other_tokens(&cases);
    others_devices(&cases);
    cases_end(&cases, 400);
}

/* ---- T-231 ---- */

static void give_session(void)
{
    start("alice@example.test");
    enum entry_answer_kind kind = password(RIGHT);
    if (kind == ENTRY_ASK_FACTOR)
        kind = code_of(FACTOR_TOTP, totp(), false);
    assert_int_equal(kind, ENTRY_SESSION);
}

static enum err may_now(enum session_action action)
{
    struct session s;
    return session_may(w->f->v, session(), action, now_s(NULL), &s);
}

static void fresh_and_stale(struct cases *cases)
{
    for (unsigned a = 0; a < SESSION_ACTION_N; a++)
        cases_check(cases, may_now((enum session_action)a) == OK, "fresh");
    w->ms += (LIMIT_SESSION_FRESH + 1) * 1000ull;
    for (unsigned a = 0; a < SESSION_ACTION_N; a++) {
        enum err wanted = session_needs_proof((enum session_action)a) ? ERR_AGAIN : OK;
        cases_check(
            cases, may_now((enum session_action)a) == wanted, session_action_name((enum session_action)a));
    }
    static const enum session_action grave[] = {
        SESSION_FACTOR_ADD, SESSION_FACTOR_REMOVE,    SESSION_RECOVERY_CODES, SESSION_CLIENT_ADD,
        SESSION_FORWARDING, SESSION_RECOVERY_ADDRESS, SESSION_PASSWORD};
    for (size_t i = 0; i < sizeof grave / sizeof *grave; i++)
        cases_check(cases, session_needs_proof(grave[i]), "what the row names needs a proof");
}

static void step_up(struct cases *cases)
{
    unsigned before = w->answers;
    entry_step_up(w->entries, 10, session(), &browser);
    cases_check(cases, settled(before) == ENTRY_ASK_FACTOR, "a factor is asked for, not the password");
    cases_check(cases, password(RIGHT) == ENTRY_GONE, "the password is no proof");
    cases_check(cases, code_of(FACTOR_TOTP, "000000", false) == ENTRY_NO, "a wrong code");
    cases_check(cases, may_now(SESSION_FACTOR_REMOVE) == ERR_AGAIN, "still stale");
    uint64_t id;
    assert_ok(device_remember(w->f->v, &w->alice.id, S("browser"), now_s(NULL), w->device, &id));
    before = w->answers;
    call(DEVICE, token());
    cases_check(cases, settled(before) == ENTRY_NO, "a remembered browser is no proof");
    cases_check(cases, code_of(FACTOR_TOTP, totp(), false) == ENTRY_PROVED, "a code is");
    cases_check(cases, may_now(SESSION_FACTOR_REMOVE) == OK, "fresh again");
    w->ms += (LIMIT_SESSION_FRESH + 1) * 1000ull;
    cases_check(cases, may_now(SESSION_FACTOR_REMOVE) == ERR_AGAIN, "for five minutes");
}

/* Two that remove the two factors at the same time: policy keeps the last. */
static void two_removals(struct cases *cases)
{
    struct vault *v = w->f->v;
    struct factors_have have;
    enrol();
    assert_ok(factors_count(v, &w->alice.id, &have));
    assert_int_equal(have.totp, 2);
    assert_ok(vault_policy_set(v, SLICE_EMPTY, S("factor_required"), S("any")));
    uint64_t ids[2];
    int64_t number;
    assert_ok(db_query_int(vault_container_db(v, VAULT_ACCOUNTS), "SELECT min(id) FROM factor", &number));
    ids[0] = (uint64_t)number;
    assert_ok(db_query_int(vault_container_db(v, VAULT_ACCOUNTS), "SELECT max(id) FROM factor", &number));
    ids[1] = (uint64_t)number;
    cases_check(cases, factors_remove(v, &w->alice.id, ids[0], true, now_s(NULL)) == OK, "one goes");
    cases_check(
        cases, factors_remove(v, &w->alice.id, ids[1], true, now_s(NULL)) == ERR_STATE, "the last stays");
    assert_ok(factors_count(v, &w->alice.id, &have));
    cases_check(cases, have.totp == 1, "one is left");
}

static void endings(struct cases *cases)
{
    struct session s;
    struct vault *v = w->f->v;
    cases_check(cases, session_find(v, session(), NOW - 100, &s) == ERR_DENIED, "before it began");
    int64_t used = now_s(NULL);
    assert_ok(session_find(v, session(), used, &s));
    cases_check(cases, session_find(v, session(), s.used_s + LIMIT_SESSION_IDLE, &s) == ERR_DENIED, "idle");
    int64_t t = used;
    for (; t < s.created_s + LIMIT_SESSION_LIFE; t += LIMIT_SESSION_IDLE / 2)
        if (session_find(v, session(), t, &s) != OK)
            break;
    cases_check(cases, t >= s.created_s + LIMIT_SESSION_LIFE, "used all day");
    cases_check(cases, session_find(v, session(), t, &s) == ERR_DENIED, "and over at its end");
    w->ms = (uint64_t)(t - NOW) * 1000;
    forget_guesses();
    give_session();
    assert_ok(vault_account_set_status(v, S("alice@example.test"), ACCOUNT_LOCKED));
    cases_check(cases, may_now(SESSION_LOOK) == ERR_DENIED, "locked");
    assert_ok(vault_account_set_status(v, S("alice@example.test"), ACCOUNT_ACTIVE));
    cases_check(cases, may_now(SESSION_LOOK) == ERR_DENIED, "and unlocked");
    give_session();
    assert_ok(vault_password_must_change(v, S("alice@example.test")));
    cases_check(cases, may_now(SESSION_LOOK) == ERR_DENIED, "the password must be changed");
}

static void changing_factors_needs_a_fresh_proof(void **state)
{
    struct cases cases = {.id = "T-231"};
    enrol();
    give_session();
    fresh_and_stale(&cases);
    step_up(&cases);
    two_removals(&cases);
    forget_guesses();
    give_session();
    endings(&cases);
    cases_end(&cases, 30);
}

static void without_a_factor_the_password_is_the_proof(void **state)
{
    give_session();
    w->ms += (LIMIT_SESSION_FRESH + 1) * 1000ull;
    assert_err(ERR_AGAIN, may_now(SESSION_CLIENT_ADD));
    unsigned before = w->answers;
    entry_step_up(w->entries, 10, session(), &browser);
    assert_int_equal(settled(before), ENTRY_ASK_PASSWORD);
    assert_int_equal(password("wrong horse 12 battery"), ENTRY_NO);
    assert_int_equal(password(RIGHT), ENTRY_PROVED);
    assert_ok(may_now(SESSION_CLIENT_ADD));
}

static void sessions_are_kept_as_hashes_and_end_on_request(void **state)
{
    struct session s;
    give_session();
    assert_false(fixture_stores(w->f, session()));
    assert_ok(session_end(w->f->v, session(), now_s(NULL)));
    assert_err(ERR_DENIED, session_find(w->f->v, session(), now_s(NULL), &s));
    for (int i = 0; i <= LIMIT_SESSIONS_PER_ACCOUNT; i++)
        give_session();
    int64_t count = 0;
    assert_ok(
        db_query_int(vault_container_db(w->f->v, VAULT_ACCOUNTS), "SELECT count(*) FROM session", &count));
    assert_int_equal(count, LIMIT_SESSIONS_PER_ACCOUNT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_password_alone),
        TEST(with_a_code_and_a_remembered_browser),
        TEST(a_factor_that_policy_demands_is_enrolled_first),
        TEST(an_old_password_is_changed_after_the_factor),
        TEST(overload_is_later_and_no_strike),
        TEST(a_half_session_ends_with_its_password),
        TEST(what_changes_during_the_comparison_counts),
        TEST(tries_and_time_end_it),
        TEST(guessers_wait),
        TEST(every_wrong_way_takes_the_same_time),
        TEST(half_sessions_only_go_on),
        TEST(changing_factors_needs_a_fresh_proof),
        TEST(without_a_factor_the_password_is_the_proof),
        TEST(sessions_are_kept_as_hashes_and_end_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
