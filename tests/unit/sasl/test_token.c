/* OAUTHBEARER, XOAUTH2, CRAM-MD5 and EXTERNAL, server side: the RFCs' examples, and what T-223 lists. */
#include "peer.h"

static struct secret_slab *slab;
static struct sasl_env env;
static int t223; /* cases shown */

static int setup(void **state)
{
    slab = secret_slab_new(65536);
    env = (struct sasl_env){.slab = slab};
    return 0;
}

static int teardown(void **state)
{
    report_threat("T-223", t223);
    assert_int_equal(secret_slab_used(slab), 0);
    secret_slab_free(&slab);
    return 0;
}

static struct sasl_server *open_server(const char *name)
{
    return sasl_server_new(sasl_find(slice_str(name)), &env);
}

static struct sasl_server *claim_of(const char *name, struct slice message)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = open_server(name);
    assert_int_equal(sasl_server_start(s, NULL, &out), SASL_CHALLENGE);
    assert_int_equal(out.n, 0);
    assert_int_equal(sasl_server_step(s, message, &out), SASL_CLAIM);
    return s;
}

static void expect_token(const char *name, struct slice message, struct slice who, struct slice token)
{
    struct sasl_server *s = claim_of(name, message);
    const struct sasl_claim *claim = sasl_server_claim(s);
    assert_int_equal(claim->proof, SASL_PROOF_TOKEN);
    assert_true(slice_eq(claim->authcid, who));
    assert_int_equal(claim->authzid.n, 0);
    assert_true(slice_eq(secret_reveal(claim->secret), token));
    sasl_server_free(&s);
}

static void the_example_of_rfc7628(void **state)
{
    struct buf message CLEANUP_BUF = BUF_INIT(1000);
    assert_int_equal(
        base64_get(
            S("bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOW"
              "RmdDRxbVRjM"
              "k52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"),
            &message),
        OK);
    expect_token(
        "OAUTHBEARER", buf_slice(&message), S("user@example.com"),
        S("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
}

static void who_and_which_token(void **state)
{
    expect_token(
        "OAUTHBEARER",
        S("n,,\x01"
          "auth=Bearer abc\x01\x01"),
        S(""), S("abc"));
    expect_token(
        "OAUTHBEARER",
        S("y,a=a=2Cb=3D,\x01"
          "auth=bearer   abc.-_~+/=\x01\x01"),
        S("a,b="), S("abc.-_~+/="));
    /* T-223: lies about where the client believes to be, and what nobody knows, change nothing. */
    expect_token(
        "OAUTHBEARER",
        S("n,a=u,\x01host=other.test\x01port=99999\x01"
          "auth=Bearer t\x01qs=a=b\x01\x01"),
        S("u"), S("t"));
    /* No token is a wrong token: the client then hears why (RFC 7628 section 3.2.2). */
    expect_token(
        "OAUTHBEARER",
        S("n,a=u,\x01"
          "auth=\x01\x01"),
        S("u"), S(""));
    expect_token(
        "OAUTHBEARER",
        S("n,a=u,\x01"
          "auth=Bearer\x01\x01"),
        S("u"), S(""));
    expect_token(
        "OAUTHBEARER",
        S("n,a=u,\x01"
          "auth=Bearer \x01\x01"),
        S("u"), S(""));
    expect_token(
        "OAUTHBEARER",
        S("n,a=u,\x01"
          "auth=Basic YTpi\x01\x01"),
        S("u"), S(""));
    expect_token(
        "XOAUTH2",
        S("user=u@x.test\x01"
          "auth=Bearer ya29.abc\x01\x01"),
        S("u@x.test"), S("ya29.abc"));
    expect_token(
        "XOAUTH2",
        S("user=u\x01"
          "auth=Bearer \x01\x01"),
        S("u"), S(""));
}

static void expect_bad(const char *name, struct slice message)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = open_server(name);
    enum sasl_outcome outcome = sasl_server_start(s, &message, &out);
    if (outcome != SASL_BAD)
        print_message("%s: " SLICE_FMT "\n", name, SLICE_ARG(message));
    assert_int_equal(outcome, SASL_BAD);
    assert_int_equal(out.n, 0);
    assert_int_equal(secret_slab_used(slab), 0);
    sasl_server_free(&s);
}

static void framing_is_strict(void **state)
{
    static const struct slice bearer[] = {
        {"", 0},
        {"\x01", 1},
        {"\x01\x01", 2},
        {"n,,", 3},
        {"n,,\x01", 4},
        {"n,,\x01\x01", 5},
        {"n,,\x01"
         "auth=Bearer t",
         17},
        {"n,,\x01"
         "auth=Bearer t\x01",
         18},
        {"n,,\x01"
         "auth=Bearer t\x01\x01\x01",
         20},
        {"n,,\x01"
         "auth=Bearer t\x01\x01x",
         20},
        {"n,,auth=Bearer t\x01\x01", 18},
        {"n,,x\x01"
         "auth=Bearer t\x01\x01",
         20},
        {"n,,\x01"
         "auth=Bearer t\x01"
         "auth=Bearer t\x01\x01",
         33},
        {"n,,\x01"
         "auth=Bearer t\x01"
         "auth=\x01\x01",
         25},
        {"n,,\x01host=a\x01host=b\x01"
         "auth=Bearer t\x01\x01",
         33},
        {"n,,\x01port=1\x01port=1\x01"
         "auth=Bearer t\x01\x01",
         33},
        {"n,,\x01host=a\x01\x01"
         "auth=Bearer t\x01\x01",
         27},
        {"n,,\x01"
         "auth\x01\x01",
         10},
        {"n,,\x01=Bearer t\x01\x01", 15},
        {"n,,\x01"
         "a1=x\x01"
         "auth=Bearer t\x01\x01",
         24},
        {"n,,\x01"
         "auth=Bearer t t\x01\x01",
         21},
        {"n,,\x01"
         "auth=Bearer t,t\x01\x01",
         21},
        {"n,,\x01"
         "auth=Bearer =\x01\x01",
         19},
        {"n,,\x01"
         "auth=Bearer t=t\x01\x01",
         21},
        {"n,,\x01"
         "auth=Bearer t\0\x01\x01",
         20},
        {"n,,\x01"
         "auth=Bearer \xc3\xa9\x01\x01",
         20},
        {"n,a=,\x01"
         "auth=Bearer t\x01\x01",
         21},
        {"n,a=b=c,\x01"
         "auth=Bearer t\x01\x01",
         24},
        {"n,a=b\0c,\x01"
         "auth=Bearer t\x01\x01",
         24},
        {"n,a=\xff,\x01"
         "auth=Bearer t\x01\x01",
         22},
        {"p=tls-exporter,,\x01"
         "auth=Bearer t\x01\x01",
         32},
        {"user=u\x01"
         "auth=Bearer t\x01\x01",
         22},
    };
    t223 += sizeof bearer / sizeof *bearer;
    for (size_t i = 0; i < sizeof bearer / sizeof *bearer; i++)
        expect_bad("OAUTHBEARER", bearer[i]);
    static const struct slice x[] = {
        {"", 0},
        {"user=u", 6},
        {"user=u\x01", 7},
        {"user=u\x01\x01", 8},
        {"user=u\x01"
         "auth=Bearer t",
         20},
        {"user=u\x01"
         "auth=Bearer t\x01",
         21},
        {"user=u\x01"
         "auth=Bearer t\x01\x01\x01",
         23},
        {"user=u\x01"
         "auth=Bearer t\x01"
         "auth=Bearer u\x01\x01",
         36},
        {"user=\x01"
         "auth=Bearer t\x01\x01",
         21},
        {"auth=Bearer t\x01user=u\x01\x01", 22},
        {"User=u\x01"
         "auth=Bearer t\x01\x01",
         22},
        {"user=u\0\x01"
         "auth=Bearer t\x01\x01",
         23},
        {"user=\xff\x01"
         "auth=Bearer t\x01\x01",
         22},
        {"user=u\x01"
         "auth=Basic \x01x\x01\x01",
         21},
        {"n,a=u,\x01"
         "auth=Bearer t\x01\x01",
         22},
    };
    t223 += sizeof x / sizeof *x;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        expect_bad("XOAUTH2", x[i]);
}

static void a_token_of_a_hundred_kilobytes_is_refused(void **state)
{
    struct buf message CLEANUP_BUF = BUF_INIT(200000);
    for (int over = 0; over < 2; over++) {
        buf_clear(&message);
        buf_put_str(
            &message, "n,a=u,\x01"
                      "auth=Bearer ");
        for (size_t i = 0; i < LIMIT_SASL_TOKEN + (size_t)over; i++)
            buf_put_char(&message, 't');
        buf_put_str(&message, "\x01\x01");
        if (over) {
            t223++;
            expect_bad("OAUTHBEARER", buf_slice(&message));
        } else {
            struct sasl_server *s = claim_of("OAUTHBEARER", buf_slice(&message));
            sasl_server_free(&s);
        }
    }
}

/* After a no: why, as JSON; whatever the client answers, the exchange has failed. */
static void a_wrong_token_hears_why_and_then_fails(void **state)
{
    static const struct {
        const char *name;
        struct slice message, why, answer;
    } cases[] = {
        {"OAUTHBEARER",
         {"n,a=u,\x01"
          "auth=Bearer t\x01\x01",
          22},
         {"{\"status\":\"invalid_token\"}", 26},
         {"\x01", 1}},
        {"OAUTHBEARER",
         {"n,a=u,\x01"
          "auth=Bearer t\x01\x01",
          22},
         {"{\"status\":\"invalid_token\"}", 26},
         {"", 0}},
        {"OAUTHBEARER",
         {"n,a=u,\x01"
          "auth=Bearer t\x01\x01",
          22},
         {"{\"status\":\"invalid_token\"}", 26},
         {"n,a=u,\x01"
          "auth=Bearer other\x01\x01",
          26}},
        {"XOAUTH2",
         {"user=u\x01"
          "auth=Bearer t\x01\x01",
          22},
         {"{\"status\":\"401\",\"schemes\":\"bearer\"}", 35},
         {"", 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(1000);
        struct sasl_server *s = claim_of(cases[i].name, cases[i].message);
        assert_int_equal(sasl_server_judged(s, false, &out), SASL_CHALLENGE);
        assert_true(slice_eq(buf_slice(&out), cases[i].why));
        assert_int_equal(sasl_server_step(s, cases[i].answer, &out), SASL_FAILED);
        t223++;
        assert_int_equal(sasl_server_step(s, cases[i].message, &out), SASL_BAD);
        sasl_server_free(&s);
        s = claim_of(cases[i].name, cases[i].message);
        assert_int_equal(sasl_server_judged(s, true, &out), SASL_DONE);
        assert_int_equal(secret_slab_used(slab), 0);
        sasl_server_free(&s);
    }
}

static void cram_md5(void **state)
{
    /* RFC 2195 section 2. */
    struct sasl_claim rfc = {
        .proof = SASL_PROOF_CRAM_MD5,
        .message = S("<1896.697170952@postoffice.reston.mci.net>"),
    };
    uint8_t digest[SASL_CRAM_LEN];
    assert_int_equal(hex_get(S("b913a602c7eda7a495b4e6e7334d3890"), digest, sizeof digest), OK);
    rfc.digest = slice_of(digest, sizeof digest);
    assert_true(sasl_cram_check(&rfc, S("tanstaaftanstaaf")));
    assert_false(sasl_cram_check(&rfc, S("tanstaaftanstaag")));
    assert_false(sasl_cram_check(&rfc, S("")));
    rfc.proof = SASL_PROOF_SECRET;
    assert_false(sasl_cram_check(&rfc, S("tanstaaftanstaaf")));

    struct buf first CLEANUP_BUF = BUF_INIT(1000), out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = open_server("CRAM-MD5");
    assert_int_equal(sasl_server_start(s, NULL, &first), SASL_CHALLENGE);
    assert_true(first.n > 24 && first.p[0] == '<' && first.p[first.n - 1] == '>');
    assert_int_equal(sasl_server_step(s, S("a name b913a602c7eda7a495b4e6e7334d3890"), &out), SASL_CLAIM);
    const struct sasl_claim *claim = sasl_server_claim(s);
    assert_true(slice_eq(claim->authcid, S("a name")));
    assert_true(slice_eq(claim->message, buf_slice(&first)));
    assert_false(sasl_cram_check(claim, S("tanstaaftanstaaf"))); /* a replay of another challenge */
    sasl_server_free(&s);

    static const struct slice bad[] = {
        {"", 0},
        {"tim", 3},
        {"b913a602c7eda7a495b4e6e7334d3890", 32},
        {" b913a602c7eda7a495b4e6e7334d3890", 33},
        {"tim b913a602c7eda7a495b4e6e7334d389", 35},
        {"tim b913a602c7eda7a495b4e6e7334d38900", 37},
        {"tim b913a602c7eda7a495b4e6e7334d389g", 36},
        {"tim b913a602c7eda7a495b4e6e7334d3890 ", 37},
        {"t\0m b913a602c7eda7a495b4e6e7334d3890", 36},
        {"\xff b913a602c7eda7a495b4e6e7334d3890", 34},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s = open_server("CRAM-MD5");
        assert_int_equal(sasl_server_start(s, NULL, &out), SASL_CHALLENGE);
        assert_int_equal(sasl_server_step(s, bad[i], &out), SASL_BAD);
        sasl_server_free(&s);
    }
    expect_bad("CRAM-MD5", S("tim b913a602c7eda7a495b4e6e7334d3890")); /* the server speaks first */
    expect_bad("CRAM-MD5", S(""));
}

static void external(void **state)
{
    env.certificate_hash = S("0123456789abcdef0123456789abcdef");
    env.certificate_name = S("alice@ours.test");
    struct sasl_server *s = claim_of("EXTERNAL", SLICE_EMPTY);
    const struct sasl_claim *claim = sasl_server_claim(s);
    assert_int_equal(claim->proof, SASL_PROOF_CERTIFICATE);
    assert_int_equal(claim->authcid.n + claim->authzid.n, 0);
    assert_true(slice_eq(claim->certificate_hash, env.certificate_hash));
    assert_true(slice_eq(claim->certificate_name, env.certificate_name));
    sasl_server_free(&s);
    s = claim_of("EXTERNAL", S("bob@ours.test"));
    assert_true(slice_eq(sasl_server_claim(s)->authzid, S("bob@ours.test")));
    sasl_server_free(&s);
    /* Nobody's certificate is nobody's: there is nothing in the claim that could match. */
    env.certificate_hash = env.certificate_name = SLICE_EMPTY;
    s = claim_of("EXTERNAL", S("alice@ours.test"));
    assert_int_equal(sasl_server_claim(s)->certificate_hash.n, 0);
    assert_int_equal(sasl_server_claim(s)->certificate_name.n, 0);
    sasl_server_free(&s);
    expect_bad("EXTERNAL", S("a\0b"));
    expect_bad("EXTERNAL", S("\xff"));
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc7628),
        cmocka_unit_test(who_and_which_token),
        cmocka_unit_test(framing_is_strict),
        cmocka_unit_test(a_token_of_a_hundred_kilobytes_is_refused),
        cmocka_unit_test(a_wrong_token_hears_why_and_then_fails),
        cmocka_unit_test(cram_md5),
        cmocka_unit_test(external),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
