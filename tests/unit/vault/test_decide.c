#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vault/decide.h"

static struct ip_net office;

static struct decide_question good(enum vault_door door)
{
    struct decide_question q = {
        .door = door,
        .has_tls = true,
        .account = ACCOUNT_ACTIVE,
        .kind = CREDENTIAL_CLIENT,
        .scopes = {.doors = VAULT_DOORS_ALL, .can_receive = true, .can_send = true},
        .now_s = 1000,
    };
    assert_int_equal(ip_parse(S("192.0.2.7"), &q.client), OK);
    return q;
}

static void expect(const struct decide_question *q, enum verdict verdict, enum reason reason)
{
    struct decision d = decide(q);
    assert_string_equal(reason_name(d.reason), reason_name(reason));
    assert_int_equal(d.verdict, verdict);
    if (verdict != VERDICT_YES)
        assert_false(d.can_receive || d.can_send || d.expires_s);
}

/* design.md 6: one decision function, with a negative test per door. */
static void each_door_opens_and_each_refuses(void **state)
{
    for (unsigned door = 0; door < VAULT_DOORS; door++) {
        bool sends = door == VAULT_SUBMISSION || door == VAULT_API;
        struct decide_question q = good((enum vault_door)door);
        expect(&q, VERDICT_YES, REASON_FINE);
        assert_int_equal(decide(&q).can_send, sends);
        assert_int_equal(decide(&q).can_receive, !sends);
        q.scopes.doors = VAULT_DOORS_ALL & ~VAULT_DOOR_BIT(door);
        expect(&q, VERDICT_NO, REASON_DOOR);
        q = good((enum vault_door)door);
        q.scopes.can_send = false;
        expect(&q, sends ? VERDICT_NO : VERDICT_YES, sends ? REASON_NO_SEND : REASON_FINE);
        q = good((enum vault_door)door);
        q.scopes.can_receive = false;
        expect(&q, sends ? VERDICT_YES : VERDICT_NO, sends ? REASON_FINE : REASON_NO_RECEIVE);
        q = good((enum vault_door)door);
        q.has_tls = false;
        expect(&q, VERDICT_NO, REASON_NO_TLS);
        q = good((enum vault_door)door);
        q.kind = CREDENTIAL_MAILBOX;
        expect(&q, VERDICT_NO, REASON_MAILBOX_PASSWORD);
        q.policy = MAILBOX_ALLOWED;
        expect(&q, VERDICT_YES, REASON_FINE);
        q.account = ACCOUNT_LOCKED;
        expect(&q, VERDICT_NO, REASON_LOCKED);
        q = good((enum vault_door)door);
        q.as_other = true;
        expect(&q, VERDICT_NO, REASON_AS_OTHER);
        q = good((enum vault_door)door);
        q.is_revoked = true;
        expect(&q, VERDICT_NO, REASON_REVOKED);
        q = good((enum vault_door)door);
        q.scopes.has_unknown_limit = true;
        expect(&q, VERDICT_NO, REASON_UNKNOWN_LIMIT);
    }
}

static void secrets_that_are_wrong(void **state)
{
    struct decide_question q = good(VAULT_IMAP);
    q.kind = CREDENTIAL_NONE;
    expect(&q, VERDICT_NO, REASON_WRONG_SECRET);
    q.kind = CREDENTIAL_SLIP;
    expect(&q, VERDICT_NO, REASON_SLIP);
    q.account = ACCOUNT_UNKNOWN;
    expect(&q, VERDICT_NO, REASON_UNKNOWN_ACCOUNT);
}

static void expiry_is_exact(void **state)
{
    struct decide_question q = good(VAULT_POP3);
    q.scopes.expires_s = 1001;
    expect(&q, VERDICT_YES, REASON_FINE);
    assert_int_equal(decide(&q).expires_s, 1001);
    q.now_s = 1001;
    expect(&q, VERDICT_NO, REASON_EXPIRED);
}

static void networks(void **state)
{
    struct decide_question q = good(VAULT_IMAP);
    assert_int_equal(ip_net_parse(S("192.0.2.0/24"), &office), OK);
    q.scopes.networks = &office;
    q.scopes.network_count = 1;
    expect(&q, VERDICT_YES, REASON_FINE);
    assert_int_equal(ip_parse(S("192.0.3.7"), &q.client), OK);
    expect(&q, VERDICT_NO, REASON_NETWORK);
    assert_int_equal(ip_parse(S("2001:db8::1"), &q.client), OK);
    expect(&q, VERDICT_NO, REASON_NETWORK);
}

static void a_guesser_waits_but_a_right_client_password_passes(void **state)
{
    struct decide_question q = good(VAULT_IMAP);
    q.must_wait = true;
    expect(&q, VERDICT_YES, REASON_FINE);
    q.is_revoked = true;
    expect(&q, VERDICT_LATER, REASON_WAIT);
    q = good(VAULT_IMAP);
    q.must_wait = true;
    static const enum credential_kind kinds[] = {CREDENTIAL_NONE, CREDENTIAL_SLIP, CREDENTIAL_MAILBOX};
    for (size_t i = 0; i < 3; i++) {
        q.kind = kinds[i];
        q.policy = MAILBOX_ALLOWED;
        expect(&q, VERDICT_LATER, REASON_WAIT);
        q.account = i ? ACCOUNT_UNKNOWN : ACCOUNT_ACTIVE; /* the same answer whether it exists or not */
        expect(&q, VERDICT_LATER, REASON_WAIT);
    }
}

static void reasons_have_names_and_words(void **state)
{
    for (unsigned r = 0; r < REASON_N; r++) {
        enum reason back;
        assert_int_equal(reason_parse(slice_str(reason_name((enum reason)r)), &back), OK);
        assert_int_equal(back, r);
        assert_true(strlen(reason_text((enum reason)r)) > 5);
        assert_true(strlen(reason_name((enum reason)r)) <= 64);
    }
    enum reason back;
    assert_int_equal(reason_parse(S("nonsense"), &back), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_door_opens_and_each_refuses),
        cmocka_unit_test(secrets_that_are_wrong),
        cmocka_unit_test(expiry_is_exact),
        cmocka_unit_test(networks),
        cmocka_unit_test(a_guesser_waits_but_a_right_client_password_passes),
        cmocka_unit_test(reasons_have_names_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
