/* What a server staples: only what the issuer signed about this very certificate is its word. */
#include "tls_peer.h"

#include <time.h>

#include "tls/private.h"

enum { HOUR = 3600 };

static struct test_issuer root, middle, stranger, leaf, other, delegate, plain, elsewhere;
static X509_STORE *store;

static int setup(void **state)
{
    static const struct test_spec ca = {
        .from_days = -9, .to_days = 900, .is_ca = true, .organisation = "Known Ltd"};
    static const struct test_spec one = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    /* A responder is known by its name: not the one that the tests' servers share. */
    static const struct test_spec signs = {
        .usage = "OCSPSigning", .from_days = -1, .to_days = 30, .organisation = "Responder"};
    static const struct test_spec nothing = {
        .from_days = -1, .to_days = 30, .organisation = "Not a responder"};
    root = test_issue(NULL, &ca);
    middle = test_issue(&root, &ca);
    stranger = test_issue(NULL, &ca);
    leaf = test_issue(&middle, &one);
    other = test_issue(&middle, &one);
    delegate = test_issue(&middle, &signs);
    plain = test_issue(&middle, &nothing);
    elsewhere = test_issue(&root, &signs); /* may speak for the root's certificates alone */
    store = X509_STORE_new();
    assert_int_equal(X509_STORE_add_cert(store, root.certificate), 1);
    return 0;
}

static int teardown(void **state)
{
    struct test_issuer *all[] = {&root, &middle, &stranger, &leaf, &other, &delegate, &plain, &elsewhere};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        test_issuer_free(all[i]);
    X509_STORE_free(store);
    return 0;
}

/* `length`: how many of leaf, middle and root are known. */
static struct tls_stapled read_with(struct slice der, int length)
{
    X509 *const certificates[] = {leaf.certificate, middle.certificate, root.certificate};
    STACK_OF(X509) *path = sk_X509_new_null();
    struct tls_stapled s = {.kind = TLS_STAPLE_UNJUDGED};
    for (int i = 0; i < length; i++)
        sk_X509_push(path, certificates[i]);
    tls_staple_read(der, path, store, time(NULL), &s);
    sk_X509_free(path);
    assert_int_equal(ERR_peek_error(), 0);
    assert_non_null(s.text);
    assert_int_equal(s.text[0] == '\0', s.kind == TLS_STAPLE_NONE || s.kind == TLS_STAPLE_GOOD);
    return s;
}

static struct tls_stapled read_of(const struct test_issuer *about, const struct test_statement *statement)
{
    struct buf der CLEANUP_BUF = test_staple(about, &middle, statement);
    return read_with(buf_slice(&der), 3);
}

#define GOOD .status = V_OCSP_CERTSTATUS_GOOD, .from_hours = -1, .until_hours = 24
#define REVOKED(why)                                                                                         \
    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = OCSP_REVOKED_STATUS_##why, .from_hours = -1,              \
    .until_hours = 24

static void the_issuer_is_believed(void **state)
{
    const struct {
        struct test_statement statement;
        enum tls_staple kind;
    } cases[] = {
        {{GOOD}, TLS_STAPLE_GOOD},
        {{GOOD, .sha256 = true}, TLS_STAPLE_GOOD},
        {{GOOD, .signer = &delegate}, TLS_STAPLE_GOOD},
        {{GOOD, .endless = true}, TLS_STAPLE_GOOD},
        {{.status = V_OCSP_CERTSTATUS_GOOD, .from_hours = -900, .endless = true}, TLS_STAPLE_GOOD},
        {{REVOKED(KEYCOMPROMISE)}, TLS_STAPLE_REVOKED},
        {{REVOKED(KEYCOMPROMISE), .signer = &delegate}, TLS_STAPLE_REVOKED},
        {{.status = V_OCSP_CERTSTATUS_REVOKED,
          .reason = OCSP_REVOKED_STATUS_NOSTATUS,
          .from_hours = -99,
          .until_hours = -9},
         TLS_STAPLE_REVOKED},
        {{REVOKED(CERTIFICATEHOLD)}, TLS_STAPLE_REVOKED},
        {{.status = V_OCSP_CERTSTATUS_REVOKED,
          .reason = OCSP_REVOKED_STATUS_CERTIFICATEHOLD,
          .from_hours = -99,
          .until_hours = -9},
         TLS_STAPLE_OVER}, /* a hold may have been lifted */
        {{.status = V_OCSP_CERTSTATUS_UNKNOWN, .from_hours = -1, .until_hours = 24}, TLS_STAPLE_UNKNOWN},
        {{.status = V_OCSP_CERTSTATUS_GOOD, .from_hours = -99, .until_hours = -1}, TLS_STAPLE_OVER},
        {{.status = V_OCSP_CERTSTATUS_GOOD, .from_hours = 1, .until_hours = 99}, TLS_STAPLE_EARLY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t now = time(NULL);
        const struct test_statement *said = &cases[i].statement;
        struct tls_stapled s = read_of(&leaf, said);
        if (s.kind != cases[i].kind)
            fail_msg("case %zu: %d (%s)", i, (int)s.kind, s.text);
        assert_in_range(s.from_s - (int64_t)said->from_hours * HOUR + 100, now - 60 + 100, now + 60 + 100);
        assert_true(said->endless ? s.until_s == 0 : s.until_s > s.from_s);
        assert_int_equal(s.revoked_s != 0, s.kind == TLS_STAPLE_REVOKED);
    }
}

/* Who could staple such a thing could say of any server what he likes. */
static void nobody_else_is_believed(void **state)
{
    const struct test_statement cases[] = {
        {REVOKED(KEYCOMPROMISE), .signer = &stranger}, {REVOKED(KEYCOMPROMISE), .signer = &leaf},
        {REVOKED(KEYCOMPROMISE), .signer = &plain},    {REVOKED(KEYCOMPROMISE), .signer = &elsewhere},
        {REVOKED(KEYCOMPROMISE), .signer = &root},     {GOOD, .signer = &stranger},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_stapled s = read_of(&leaf, &cases[i]);
        if (s.kind != TLS_STAPLE_BROKEN)
            fail_msg("case %zu: %d (%s)", i, (int)s.kind, s.text);
        assert_int_equal(s.from_s | s.until_s | s.revoked_s, 0);
    }
    const struct test_statement good = {GOOD};
    struct tls_stapled s = read_of(&other, &good);
    assert_int_equal(s.kind, TLS_STAPLE_BROKEN);
    assert_string_equal(s.text, "about another certificate");
}

static void what_is_no_statement_is_none(void **state)
{
    const struct test_statement good = {GOOD};
    struct buf der CLEANUP_BUF = test_staple(&leaf, &middle, &good);
    assert_int_equal(read_with(SLICE_EMPTY, 3).kind, TLS_STAPLE_NONE);
    assert_int_equal(read_with(buf_slice(&der), 3).kind, TLS_STAPLE_GOOD);
    /* its issuer is not at hand, or there is no certificate at all */
    assert_int_equal(read_with(buf_slice(&der), 2).kind, TLS_STAPLE_GOOD);
    assert_int_equal(read_with(buf_slice(&der), 1).kind, TLS_STAPLE_UNJUDGED);
    assert_int_equal(read_with(buf_slice(&der), 0).kind, TLS_STAPLE_UNJUDGED);
    for (size_t n = 1; n < der.n; n++)
        assert_int_equal(read_with(slice_sub(buf_slice(&der), 0, n), 3).kind, TLS_STAPLE_BROKEN);
    buf_put_char(&der, 0);
    assert_int_equal(read_with(buf_slice(&der), 3).kind, TLS_STAPLE_BROKEN);
    /* RFC 6960 2.3: "try later", and success without a statement */
    struct tls_stapled s = read_with(S("\x30\x03\x0a\x01\x03"), 3);
    assert_int_equal(s.kind, TLS_STAPLE_REFUSED);
    assert_string_equal(s.text, "trylater");
    assert_int_equal(read_with(slice_of("\x30\x03\x0a\x01\x00", 5), 3).kind, TLS_STAPLE_BROKEN);
}

/* Any octet that is another one makes it nobody's word. */
static void what_was_changed_is_not_believed(void **state)
{
    const struct test_statement good = {GOOD};
    struct buf der CLEANUP_BUF = test_staple(&leaf, &middle, &good);
    for (size_t i = 0; i < der.n; i++) {
        der.p[i] ^= 1;
        enum tls_staple kind = read_with(buf_slice(&der), 3).kind;
        /* Certificates that come along are not signed by the statement, and nobody needs them here. */
        assert_true(kind == TLS_STAPLE_BROKEN || kind == TLS_STAPLE_REFUSED || kind == TLS_STAPLE_GOOD);
        der.p[i] ^= 1;
    }
}

static void a_certificate_may_demand_it(void **state)
{
    static const struct test_spec demands = {.from_days = -1, .to_days = 30, .feature = "status_request"};
    static const struct test_spec others = {.from_days = -1, .to_days = 30, .feature = "17"};
    struct test_issuer strict = test_issue(&middle, &demands), odd = test_issue(&middle, &others);
    assert_true(tls_staple_is_demanded(strict.certificate));
    assert_false(tls_staple_is_demanded(odd.certificate));
    assert_false(tls_staple_is_demanded(leaf.certificate));
    test_issuer_free(&strict);
    test_issuer_free(&odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_issuer_is_believed),       cmocka_unit_test(nobody_else_is_believed),
        cmocka_unit_test(what_is_no_statement_is_none), cmocka_unit_test(what_was_changed_is_not_believed),
        cmocka_unit_test(a_certificate_may_demand_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
