#include "peer.h"

static struct secret_slab *slab;
static struct sasl_env env;

static int setup(void **state)
{
    slab = secret_slab_new(65536);
    env.slab = slab;
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(secret_slab_used(slab), 0);
    secret_slab_free(&slab);
    return 0;
}

static struct sasl_server *open_server(const char *mechanism)
{
    const struct sasl_mechanism *m = sasl_find(slice_str(mechanism));
    assert_non_null(m);
    return sasl_server_new(m, &env);
}

static void
expect_claim(struct sasl_server *s, struct slice authzid, struct slice authcid, struct slice secret)
{
    const struct sasl_claim *claim = sasl_server_claim(s);
    assert_true(slice_eq(claim->authzid, authzid));
    assert_true(slice_eq(claim->authcid, authcid));
    assert_int_equal(claim->proof, SASL_PROOF_SECRET);
    assert_true(slice_eq(secret_reveal(claim->secret), secret));
}

static void mechanisms_are_found_in_any_case(void **state)
{
    assert_string_equal(sasl_find(S("plain"))->name, "PLAIN");
    assert_string_equal(sasl_find(S("Login"))->name, "LOGIN");
    assert_string_equal(sasl_find(S("scram-sha-256-plus"))->name, "SCRAM-SHA-256-PLUS");
    assert_null(sasl_find(S("")));
    assert_null(sasl_find(S("PLAIN ")));
    assert_null(sasl_find(S("PLAIN\0")));
    assert_true(sasl_find(S("PLAIN"))->flags & SASL_SENDS_SECRET);
}

/* T-253: what is obsolete has no row, so no code of it is there. Strongest first, so that programs that take the first
 * one they know take the best. */
static void the_table_is_in_order(void **state)
{
    static const char *const obsolete[] = {
        "DIGEST-MD5", "NTLM", "GSS-SPNEGO", "GSSAPI", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "APOP",
        "OTP",        "SKEY", "RPA",        "SPA",    "KERBEROS_V4", "ANONYMOUS",        "SCRAM-SHA-256-"};
    for (size_t i = 0; i < sizeof obsolete / sizeof *obsolete; i++)
        assert_null(sasl_find(slice_str(obsolete[i])));
    report_threat("T-253", sizeof obsolete / sizeof *obsolete);
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    assert_string_equal(all[0].name, "SCRAM-SHA-256-PLUS");
    assert_string_equal(all[1].name, "SCRAM-SHA-256");
    for (size_t i = 0; i < count; i++) {
        unsigned f = all[i].flags;
        assert_true(
            !(f & (SASL_SENDS_SECRET | SASL_BINDS_CHANNEL | SASL_NEEDS_CERTIFICATE)) || f & SASL_NEEDS_TLS);
        assert_int_equal(!(f & SASL_OFF_BY_DEFAULT), strcmp(all[i].name, "CRAM-MD5") != 0);
    }
}

static void plain_rfc4616_examples(void **state)
{
    /* RFC 4616 section 4. */
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = open_server("PLAIN");
    assert_int_equal(sasl_server_start(s, NULL, &out), SASL_CHALLENGE);
    assert_int_equal(out.n, 0);
    assert_int_equal(sasl_server_step(s, S("\0tim\0tanstaaftanstaaf"), &out), SASL_CLAIM);
    expect_claim(s, S(""), S("tim"), S("tanstaaftanstaaf"));
    assert_int_equal(sasl_server_judged(s, true, &out), SASL_DONE);
    assert_int_equal(secret_slab_used(slab), 0);
    sasl_server_free(&s);

    s = open_server("PLAIN");
    struct slice initial = S("Ursel\0Kurt\0xipj3plmq");
    assert_int_equal(sasl_server_start(s, &initial, &out), SASL_CLAIM);
    expect_claim(s, S("Ursel"), S("Kurt"), S("xipj3plmq"));
    assert_int_equal(sasl_server_judged(s, false, &out), SASL_FAILED);
    assert_int_equal(sasl_server_step(s, initial, &out), SASL_BAD);
    sasl_server_free(&s);
    sasl_server_free(&s);
}

/* T-079: broken exchanges. */
static void plain_refuses_what_the_rfc_forbids(void **state)
{
    static const struct slice bad[] = {
        {"", 0},
        {"\0", 1},
        {"\0\0", 2},
        {"a", 1},
        {"a\0b", 3},
        {"\0alice\0", 7},          /* empty password */
        {"\0\0secret", 8},         /* empty name */
        {"\0alice\0sec\0ret", 14}, /* NUL in the password */
        {"\0alice\0secret\0", 14},
        {"\0al\xff\0secret", 11},
        {"\0alice\0\xc0\xaf", 9},
        {"\xed\xa0\x80\0alice\0secret", 16},
    };
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sasl_server *s = open_server("PLAIN");
        assert_int_equal(sasl_server_start(s, &bad[i], &out), SASL_BAD);
        assert_int_equal(sasl_server_step(s, S("\0alice\0secret"), &out), SASL_BAD);
        assert_int_equal(secret_slab_used(slab), 0);
        sasl_server_free(&s);
    }
    char nuls[1000] = {0};
    struct slice many = slice_of(nuls, sizeof nuls);
    struct sasl_server *s = open_server("PLAIN");
    assert_int_equal(sasl_server_start(s, &many, &out), SASL_BAD);
    sasl_server_free(&s);
}

static enum sasl_outcome plain_of_lengths(size_t name, size_t secret)
{
    struct buf message CLEANUP_BUF = BUF_INIT(5000), out CLEANUP_BUF = BUF_INIT(100);
    buf_put_char(&message, '\0');
    for (size_t i = 0; i < name; i++)
        buf_put_char(&message, 'n');
    buf_put_char(&message, '\0');
    for (size_t i = 0; i < secret; i++)
        buf_put_char(&message, 's');
    struct slice m = buf_slice(&message);
    struct sasl_server *s = open_server("PLAIN");
    enum sasl_outcome outcome = sasl_server_start(s, &m, &out);
    sasl_server_free(&s);
    return outcome;
}

static void lengths_end_at_their_limits(void **state)
{
    assert_int_equal(plain_of_lengths(1, 1), SASL_CLAIM);
    assert_int_equal(plain_of_lengths(LIMIT_SASL_NAME, LIMIT_PASSWORD_MAX), SASL_CLAIM);
    assert_int_equal(plain_of_lengths(LIMIT_SASL_NAME + 1, 1), SASL_BAD);
    assert_int_equal(plain_of_lengths(1, LIMIT_PASSWORD_MAX + 1), SASL_BAD);
}

static void login_with_and_without_initial_name(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = open_server("LOGIN");
    assert_int_equal(sasl_server_start(s, NULL, &out), SASL_CHALLENGE);
    assert_true(slice_eq(buf_slice(&out), S("Username:")));
    buf_clear(&out);
    assert_int_equal(sasl_server_step(s, S("alice@example.test"), &out), SASL_CHALLENGE);
    assert_true(slice_eq(buf_slice(&out), S("Password:")));
    assert_int_equal(sasl_server_step(s, S("pass word"), &out), SASL_CLAIM);
    expect_claim(s, S(""), S("alice@example.test"), S("pass word"));
    sasl_server_free(&s);

    s = open_server("LOGIN");
    struct slice name = S("爱丽丝@example.test");
    buf_clear(&out);
    assert_int_equal(sasl_server_start(s, &name, &out), SASL_CHALLENGE);
    assert_true(slice_eq(buf_slice(&out), S("Password:")));
    assert_int_equal(sasl_server_step(s, S("x"), &out), SASL_CLAIM);
    expect_claim(s, S(""), name, S("x"));
    sasl_server_free(&s);
}

static void login_refuses(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    static const struct slice bad[] = {{"", 0}, {"a\0b", 3}, {"\xff", 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sasl_server *s = open_server("LOGIN");
        assert_int_equal(sasl_server_start(s, &bad[i], &out), SASL_BAD);
        sasl_server_free(&s);
        s = open_server("LOGIN");
        assert_int_equal(sasl_server_start(s, NULL, &out), SASL_CHALLENGE);
        assert_int_equal(sasl_server_step(s, S("alice"), &out), SASL_CHALLENGE);
        assert_int_equal(sasl_server_step(s, bad[i], &out), SASL_BAD);
        sasl_server_free(&s);
    }
}

static void out_of_order_is_bad(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = open_server("PLAIN");
    assert_int_equal(sasl_server_step(s, S("\0a\0b"), &out), SASL_BAD);
    assert_int_equal(sasl_server_start(s, NULL, &out), SASL_BAD);
    sasl_server_free(&s);
    s = open_server("PLAIN");
    assert_int_equal(sasl_server_start(s, NULL, &out), SASL_CHALLENGE);
    assert_int_equal(sasl_server_step(s, S("\0a\0b"), &out), SASL_CLAIM);
    /* A second claim cannot slip past the judgement of the first. */
    assert_int_equal(sasl_server_step(s, S("\0c\0d"), &out), SASL_BAD);
    assert_int_equal(secret_slab_used(slab), 0);
    sasl_server_free(&s);
}

static void abandoned_exchanges_leave_nothing(void **state)
{
    /* T-079: memory stays flat over aborted exchanges. */
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    for (int i = 0; i < 100000; i++) {
        struct sasl_server *s = open_server(i % 2 ? "PLAIN" : "LOGIN");
        struct slice name = S("\0alice\0secret");
        buf_clear(&out);
        (void)sasl_server_start(s, i % 3 ? NULL : &name, &out);
        sasl_server_free(&s);
    }
    assert_int_equal(secret_slab_used(slab), 0);
}

static void full_slab_is_bad_not_a_crash(void **state)
{
    struct secret hog;
    assert_int_equal(secret_new(slab, 65536, &hog), OK);
    assert_int_equal(plain_of_lengths(5, 5), SASL_BAD);
    secret_free(&hog);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mechanisms_are_found_in_any_case),
        cmocka_unit_test(the_table_is_in_order),
        cmocka_unit_test(plain_rfc4616_examples),
        cmocka_unit_test(plain_refuses_what_the_rfc_forbids),
        cmocka_unit_test(lengths_end_at_their_limits),
        cmocka_unit_test(login_with_and_without_initial_name),
        cmocka_unit_test(login_refuses),
        cmocka_unit_test(out_of_order_is_bad),
        cmocka_unit_test(abandoned_exchanges_leave_nothing),
        cmocka_unit_test(full_slab_is_bad_not_a_crash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
