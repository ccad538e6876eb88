/* People signing in: the ways through the machine of entry.h, and how long a no takes. */
#include "entry_world.h"

#include <math.h>

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
    assert_int_equal(device(), ENTRY_SESSION);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY_TEST(a_password_alone),
        ENTRY_TEST(with_a_code_and_a_remembered_browser),
        ENTRY_TEST(a_factor_that_policy_demands_is_enrolled_first),
        ENTRY_TEST(an_old_password_is_changed_after_the_factor),
        ENTRY_TEST(overload_is_later_and_no_strike),
        ENTRY_TEST(a_half_session_ends_with_its_password),
        ENTRY_TEST(what_changes_during_the_comparison_counts),
        ENTRY_TEST(tries_and_time_end_it),
        ENTRY_TEST(guessers_wait),
        ENTRY_TEST(every_wrong_way_takes_the_same_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
