/* Policies: their values, whose they are, and what narrowing them ends. */
#include "mailbox_world.h"

static void the_table_of_policies_reads_and_writes_itself(void **state)
{
    for (unsigned i = 0; i < POLICY_N; i++) {
        enum policy_key key, wanted = (enum policy_key)i;
        const struct policy_row *row = policy_row(wanted);
        int64_t value, again;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POLICY_VALUE);
        assert_ok(policy_key_find(slice_str(row->name), &key));
        assert_int_equal(key, wanted);
        assert_ok(policy_value_read(key, slice_str(row->preset), &value));
        policy_value_put(key, value, &text);
        assert_ok(policy_value_read(key, buf_slice(&text), &again));
        assert_int_equal(value, again);
        assert_true(strlen(row->help[0]) > 10 && strlen(row->help[1]) > 5);
    }
}

static void values_are_read_strictly(void **state)
{
    static const struct {
        enum policy_key key;
        const char *text;
        int64_t value; /* -1: refused */
    } rows[] = {
        {POLICY_PASSWORD_LEAST, "8", 8},
        {POLICY_PASSWORD_LEAST, "128", 128},
        {POLICY_PASSWORD_LEAST, "7", -1},
        {POLICY_PASSWORD_LEAST, "129", -1},
        {POLICY_PASSWORD_LEAST, "012", -1},
        {POLICY_PASSWORD_LEAST, "+12", -1},
        {POLICY_PASSWORD_LEAST, "12 ", -1},
        {POLICY_PASSWORD_LEAST, "99999999999999999999", -1},
        {POLICY_PASSWORD_CLASSES, "0", 0},
        {POLICY_PASSWORD_CLASSES, "5", -1},
        {POLICY_PASSWORD_AGE, "90", 90 * DAY},
        {POLICY_PASSWORD_AGE, "90 d", 90 * DAY},
        {POLICY_PASSWORD_AGE, "never", 0},
        {POLICY_PASSWORD_AGE, "0", 0},
        {POLICY_PASSWORD_AGE, "1 h", -1},
        {POLICY_PASSWORD_AGE, "1500 ms", -1},
        {POLICY_PASSWORD_AGE, "99999 d", -1},
        {POLICY_RESET_LIFE, "30 min", 1800},
        {POLICY_RESET_LIFE, "never", -1},
        {POLICY_RESET_LIFE, "0", -1},
        {POLICY_RESET_LIFE, "8 d", -1},
        {POLICY_PASSWORD_STRENGTH, "green", POLICY_GREEN},
        {POLICY_PASSWORD_STRENGTH, "gree", -1},
        {POLICY_PASSWORD_STRENGTH, "Green", -1},
        {POLICY_PASSWORD_STRENGTH, "", -1},
        {POLICY_MAILBOX_PASSWORD_IMAP, "with-totp", MAILBOX_WITH_TOTP},
        {POLICY_MAILBOX_PASSWORD_IMAP, "allowed", MAILBOX_ALLOWED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = -1;
        enum err e = policy_value_read(rows[i].key, slice_str(rows[i].text), &value);
        if ((rows[i].value < 0) != (e != OK) || value != rows[i].value)
            fail_msg("%s = %s", policy_row(rows[i].key)->name, rows[i].text);
    }
}

static void the_most_specific_value_holds(void **state)
{
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 12);
    policy("", "password_least", "14");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 14);
    policy("domain EXAMPLE.test", "password_least", "10");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 10);
    policy("group Staff", "password_least", "20");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 10);
    assert_ok(vault_account_set_group(f->v, S("alice@example.test"), S("staff")));
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 20);
    policy("group staff", "password_least", "");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 10);
    policy("domain example.test", "password_least", "");
    policy("", "password_least", "");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 12);
    assert_string_equal(f->told.last_kind, "policy.changed");
    assert_err(ERR_NOT_FOUND, vault_policy_set(f->v, S("domain other.test"), S("password_least"), S("9")));
    assert_err(ERR_NOT_FOUND, vault_policy_set(f->v, SLICE_EMPTY, S("password_most"), S("9")));
    assert_err(ERR_SYNTAX, vault_policy_set(f->v, S("everyone"), S("password_least"), S("9")));
    assert_err(ERR_SYNTAX, vault_policy_set(f->v, S("group a b"), S("password_least"), S("9")));
    assert_err(ERR_SYNTAX, vault_policy_set(f->v, SLICE_EMPTY, S("password_least"), S("nine")));
}

/* INV-P1 */
static void what_is_not_understood_is_strict(void **state)
{
    struct vault_account a = alice_now();
    enum mailbox_policy found;
    policy("", "mailbox_password_imap", "allowed");
    assert_ok(db_exec(
        vault_container_db(f->v, VAULT_ACCOUNTS),
        "UPDATE policy SET value = 'with-face'; INSERT INTO policy VALUES('', 'password_least', '4')"));
    assert_ok(vault_policy_mailbox(f->v, &a, SLICE_EMPTY, VAULT_IMAP, &found));
    assert_int_equal(found, MAILBOX_NEVER);
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 12);
}

/* INV-P2: narrowing in any way ends the sessions of whom it is about, and of nobody else. */
static void narrowing_a_door_ends_its_sessions(void **state)
{
    uint32_t version = alice_now().version;
    struct vault_account bob;
    assert_ok(vault_domain_add(f->v, S("other.test")));
    bob = fixture_account_with(f, "bob@other.test", FIRST);
    policy("", "mailbox_password_imap", "allowed");
    assert_int_equal(f->told.revokes, 0);
    policy("domain example.test", "mailbox_password_imap", "with-totp");
    assert_int_equal(f->told.revokes, 1);
    assert_true(account_id_eq(&f->told.account, &alice.id));
    assert_int_equal(f->told.credential, VAULT_MAILBOX_CREDENTIAL);
    assert_int_equal(f->told.version, version + 1);
    assert_int_equal(alice_now().version, version + 1);
    policy("", "mailbox_password_imap", "never"); /* bob alone: alice has her domain's */
    assert_int_equal(f->told.revokes, 2);
    assert_true(account_id_eq(&f->told.account, &bob.id));
    policy("domain example.test", "mailbox_password_imap", "allowed"); /* wider */
    policy("group closed", "mailbox_password_imap", "never");
    assert_int_equal(f->told.revokes, 2);
    assert_ok(vault_account_set_group(f->v, S("alice@example.test"), S("closed")));
    assert_int_equal(f->told.revokes, 3);
    assert_int_equal(alice_now().version, version + 2);
    assert_ok(vault_account_set_group(f->v, S("alice@example.test"), SLICE_EMPTY));
    assert_int_equal(f->told.revokes, 3);
    enum mailbox_policy presets[VAULT_DOORS] = {MAILBOX_NEVER};
    presets[VAULT_POP3] = MAILBOX_ALLOWED;
    assert_ok(vault_policy_set_presets(f->v, presets));
    assert_int_equal(f->told.revokes, 3);
    presets[VAULT_POP3] = MAILBOX_WITH_TOTP;
    assert_ok(vault_policy_set_presets(f->v, presets));
    assert_int_equal(f->told.revokes, 5);
}

static void nobody_has_the_policy_of_the_domain(void **state)
{
    enum mailbox_policy found;
    policy("domain example.test", "mailbox_password_pop3", "allowed");
    assert_ok(vault_policy_mailbox(f->v, NULL, S("Nobody@EXAMPLE.test"), VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_ALLOWED);
    assert_ok(vault_policy_mailbox(f->v, NULL, S("nobody@else.test"), VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_NEVER);
    assert_ok(vault_policy_mailbox(f->v, NULL, S("not an address"), VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_NEVER);
    assert_ok(vault_policy_mailbox_widest(f->v, VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_ALLOWED);
    assert_ok(vault_policy_mailbox_widest(f->v, VAULT_IMAP, &found));
    assert_int_equal(found, MAILBOX_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAILBOX_TEST(the_table_of_policies_reads_and_writes_itself),
        MAILBOX_TEST(values_are_read_strictly),
        MAILBOX_TEST(the_most_specific_value_holds),
        MAILBOX_TEST(what_is_not_understood_is_strict),
        MAILBOX_TEST(narrowing_a_door_ends_its_sessions),
        MAILBOX_TEST(nobody_has_the_policy_of_the_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
