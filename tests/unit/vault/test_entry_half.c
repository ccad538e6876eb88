/* T-230: a half-session can only go on or cancel, and is no session, whatever is asked of it. */
#include "entry_world.h"

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
    cases_check(cases, device() == ENTRY_NO, "another person's browser");
    assert_ok(device_remember(w->f->v, &w->alice.id, S("browser"), now_s(NULL), w->device, &id));
    assert_ok(vault_policy_set(w->f->v, SLICE_EMPTY, S("remembered_devices"), S("never")));
    cases_check(cases, device() == ENTRY_NO, "where policy remembers none");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY_TEST(half_sessions_only_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
