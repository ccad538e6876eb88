/* Sessions of the portal: what needs a fresh proof (T-231), where they are kept, and how they end. */
#include "entry_world.h"

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
    cases_check(cases, device() == ENTRY_NO, "a remembered browser is no proof");
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
    const struct CMUnitTest tests[] = {
        ENTRY_TEST(changing_factors_needs_a_fresh_proof),
        ENTRY_TEST(without_a_factor_the_password_is_the_proof),
        ENTRY_TEST(sessions_are_kept_as_hashes_and_end_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
