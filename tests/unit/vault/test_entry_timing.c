/* INV-E1, measured: people who sign in wrongly are told so after the same time, whatever was wrong. Time is what this process used of
 * the processor, and what it would have waited: so that nothing else on the machine is measured. Many at once and the kinds in
 * turn, so that what caches and interrupts do falls on all of them alike. Two one-sided
 * tests for each pair of kinds: the means differ by less than 2 ms, at 0.001. Tries are added until every pair is shown to be so, or
 * until MOST tries have not shown it. */
#include "fixture.h"

#include <math.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "factor/ceremony.h"
#include "factor/totp.h"
#include "vault/entry.h"

#define RIGHT "grey gravel otter 77"
enum { CLASSES = 5, LANES = 20, FEWEST = 100, MOST = 3000, BATCH = 50 };
static const char *const class_name[CLASSES] = {
    "unknown name", "wrong password", "locked account", "right password, unknown device",
    "right password, wrong code"};
static const double margin_ms = 2.0, z_001 = 3.0902;

struct lane {
    int class;
    char token[ENTRY_TOKEN_LEN];
    int64_t asked_us;
    bool has_password; /* the password was right: the factor is next */
};
static struct {
    struct fixture *f;
    int64_t waited_us;  /* in all, without waiting */
    uint64_t due;       /* of the next tick */
    struct list hashes; /* struct hash_job: what the pool would do, one by one */
    struct guard *guard;
    struct secret key;
    struct entries *entries;
    struct lane lanes[LANES];
    unsigned begun, wanted, over;
    double sum[CLASSES], square[CLASSES];
    unsigned n[CLASSES];
} w;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000 + w.waited_us;
}

/* ---- what the machine reaches ---- */

static uint64_t now_ms(void *owner)
{
    return (uint64_t)now_us() / 1000;
}
static int64_t now_s(void *owner)
{
    return clock_unix_s();
}
static void wake_at(void *owner, uint64_t at)
{
    w.due = at;
}

struct hash_job {
    struct list link;
    uint64_t entry;
    struct secret stored, password;
};
static fallible on_hash(
    void *owner, uint64_t entry, const struct account_id *account, struct secret *stored,
    struct secret *password)
{
    struct hash_job *h = calloc(1, sizeof *h);
    *h = (struct hash_job){.entry = entry, .stored = *stored, .password = *password};
    list_add(&w.hashes, &h->link);
    return OK;
}
static void hash_next(void)
{
    struct hash_job *h = LIST_FIRST(&w.hashes, struct hash_job, link);
    enum err e = passhash_check(secret_reveal(&h->stored), secret_reveal(&h->password));
    list_drop(&h->link);
    secret_free(&h->stored);
    secret_free(&h->password);
    entry_hashed(w.entries, h->entry, e);
    free(h);
}
static fallible on_work(void *owner, uint64_t entry, struct password_work *work)
{
    return ERR_LIMIT;
}
static bool is_exempt(void *owner, const struct ip *client)
{
    return true;
}

/* ---- one try after another in each lane ---- */

static const struct entry_client browser = {.program = {"Browser", 7}};

static void begin(unsigned lane)
{
    static const char *const names[CLASSES] = {
        "nobody@example.test", "alice@example.test", "locked@example.test", "alice@example.test",
        "alice@example.test"};
    if (w.begun == w.wanted)
        return;
    struct lane *l = &w.lanes[lane];
    *l = (struct lane){.class = (int)(w.begun++ % CLASSES)};
    entry_start(w.entries, lane, slice_str(names[l->class]), &browser);
}

static void note(struct lane *l)
{
    double took = (double)(now_us() - l->asked_us) / 1000;
    w.sum[l->class] += took;
    w.square[l->class] += took * took;
    w.n[l->class]++;
}

static void on_answer(void *owner, uint64_t lane, const struct entry_answer *a)
{
    struct lane *l = &w.lanes[lane];
    if (a->kind == ENTRY_ASK_PASSWORD) {
        memcpy(l->token, a->token.p, a->token.n);
        l->asked_us = now_us();
        entry_password(
            w.entries, lane, slice_of(l->token, sizeof l->token),
            l->class == 1 ? S("wrong horse 12 battery") : S(RIGHT));
    } else if (a->kind == ENTRY_ASK_FACTOR) {
        static const char device[DEVICE_TOKEN] = "no device has this";
        assert_true(l->class >= 3 && !l->has_password);
        l->has_password = true;
        l->asked_us = now_us();
        struct slice token = slice_of(l->token, sizeof l->token);
        if (l->class == 3)
            entry_device(w.entries, lane, token, slice_of(device, sizeof device));
        else
            entry_code(w.entries, lane, token, FACTOR_RECOVERY, S("no code at all"), false);
    } else {
        assert_int_equal(a->kind, ENTRY_NO);
        assert_int_equal(l->has_password, l->class >= 3);
        note(l);
        entry_cancel(w.entries, LANES, slice_of(l->token, sizeof l->token));
        w.over++;
        begin((unsigned)lane);
    }
}

static void on_any_answer(void *owner, uint64_t reply, const struct entry_answer *a)
{
    if (reply < LANES) /* else: of the cancelling */
        on_answer(owner, reply, a);
}

static void run(unsigned tries)
{
    w.wanted += tries * CLASSES;
    for (unsigned lane = 0; lane < LANES; lane++)
        begin(lane);
    while (w.over < w.wanted) {
        int64_t early_us = (int64_t)w.due * 1000 - now_us();
        if (!list_is_empty(&w.hashes))
            hash_next();
        else if (early_us <= 0)
            entry_tick(w.entries);
        else
            w.waited_us += early_us;
    }
}

/* ---- the statistics ---- */

static double mean(int c)
{
    return w.sum[c] / w.n[c];
}
static double variance(int c)
{
    return (w.square[c] - w.sum[c] * mean(c)) / (w.n[c] - 1);
}
static bool are_equivalent(int a, int b)
{
    double room = margin_ms - fabs(mean(a) - mean(b));
    return room > 0 && z_001 * z_001 * (variance(a) / w.n[a] + variance(b) / w.n[b]) < room * room;
}
static bool all_are_equivalent(void)
{
    for (int a = 0; a < CLASSES; a++)
        for (int b = a + 1; b < CLASSES; b++)
            if (!are_equivalent(a, b))
                return false;
    return true;
}

static void wrong_is_told_after_the_same_time(void **state)
{
    for (run(FEWEST); !all_are_equivalent() && w.n[0] < MOST;)
        run(BATCH);
    for (int c = 0; c < CLASSES; c++)
        print_message(
            "  %s: %u tries, mean %.3f ms, variance %.3f\n", class_name[c], w.n[c], mean(c), variance(c));
    assert_true(all_are_equivalent());
    for (int c = 0; c < CLASSES; c++)
        assert_true(mean(c) >= LIMIT_SIGNIN_TICK - 1); /* the tick, and not before it */
}

static int setup(void **state)
{
    static const struct guard_limits limits = {
        .strikes = 100, .window_ms = 60000, .pause_max_ms = 1000, .day = 10000, .spray = 1000};
    static const struct entry_ops ops = {now_ms, now_s, wake_at, on_any_answer, on_hash, on_work, is_exempt};
    struct factor_totp_new made;
    w.f = fixture_new();
    factor_init();
    list_init(&w.hashes);
    assert_int_equal(secret_random(w.f->slab, 32, &w.key), OK);
    w.guard = guard_new(&w.key, &limits);
    w.entries = entries_new(w.f->v, w.guard, &ops, NULL);
    assert_int_equal(vault_domain_add(w.f->v, S("example.test")), OK);
    struct vault_account alice = fixture_account_with(w.f, "alice@example.test", RIGHT);
    fixture_account_with(w.f, "locked@example.test", RIGHT);
    assert_int_equal(vault_account_set_status(w.f->v, S("locked@example.test"), ACCOUNT_LOCKED), OK);
    assert_int_equal(
        factors_enrol_totp(w.f->v, &alice.id, S("phone"), S("example.test"), clock_unix_s(), &made), OK);
    uint8_t octets[TOTP_SECRET];
    char code[TOTP_DIGITS_MAX + 1];
    fixture_unbase32(secret_reveal(&made.secret), octets, sizeof octets);
    totp_code(slice_of(octets, sizeof octets), (uint64_t)(clock_unix_s() / TOTP_STEP_S), TOTP_DIGITS, code);
    assert_int_equal(
        factors_confirm(w.f->v, &alice.id, made.id, slice_of(code, TOTP_DIGITS), clock_unix_s()), OK);
    secret_free(&made.secret);
    secret_free(&made.uri);
    return 0;
}

static int teardown(void **state)
{
    entries_free(&w.entries);
    guard_free(&w.guard);
    secret_free(&w.key);
    fixture_free(w.f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_is_told_after_the_same_time, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
