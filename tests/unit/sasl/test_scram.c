/* SCRAM-SHA-256 and -PLUS, server side: RFC 7677's example, and what T-252 lists. Each case goes through the server with a
 * proof that would be right, so that only the named fault can refuse it. */
#include "peer.h"

static struct secret_slab *slab;
static struct peer_keys keys;
static int t252; /* cases shown */
static char exporter[32], end_point[32];

static int setup(void **state)
{
    slab = secret_slab_new(65536);
    keys = peer_keys_of(peer_secret);
    memset(exporter, 0xe1, sizeof exporter);
    memset(end_point, 0xe2, sizeof end_point);
    return 0;
}

static int teardown(void **state)
{
    report_threat("T-252", t252);
    assert_int_equal(secret_slab_used(slab), 0);
    secret_slab_free(&slab);
    return 0;
}

static struct sasl_server *open_server(const char *name, bool offers_plus)
{
    const struct sasl_env env = {
        .slab = slab,
        .exporter = slice_of(exporter, sizeof exporter),
        .end_point = slice_of(end_point, sizeof end_point),
        .offers_plus = offers_plus,
        .salt = peer_salt_of,
    };
    return sasl_server_new(sasl_find(slice_str(name)), &env);
}

static enum sasl_outcome start(struct sasl_server *s, struct slice first, struct buf *out)
{
    return sasl_server_start(s, &first, out);
}

static void the_example_of_rfc7677(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = open_server("SCRAM-SHA-256", false);
    sasl_server_set_nonce(s, S("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"));
    assert_int_equal(sasl_server_start(s, NULL, &out), SASL_CHALLENGE);
    assert_int_equal(out.n, 0);
    assert_int_equal(sasl_server_step(s, S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), &out), SASL_CHALLENGE);
    assert_true(slice_eq(
        buf_slice(&out),
        S("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")));
    buf_clear(&out);
    assert_int_equal(
        sasl_server_step(
            s,
            S("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
              "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            &out),
        SASL_CLAIM);
    const struct sasl_claim *claim = sasl_server_claim(s);
    assert_int_equal(claim->proof, SASL_PROOF_SCRAM);
    assert_int_equal(claim->flaw, SASL_FLAW_NONE);
    assert_true(slice_eq(claim->authcid, S("user")));
    assert_int_equal(claim->authzid.n, 0);
    assert_int_equal(secret_reveal(claim->secret).n, 0);
    assert_true(sasl_scram_check(claim, keys.stored));
    assert_false(sasl_cram_check(claim, peer_secret));
    sasl_server_set_server_key(s, keys.server);
    assert_int_equal(sasl_server_judged(s, true, &out), SASL_CHALLENGE);
    assert_true(slice_eq(buf_slice(&out), S("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
    assert_true(slice_eq(sasl_server_claim(s)->authcid, S("user")));
    assert_int_equal(sasl_server_step(s, SLICE_EMPTY, &out), SASL_DONE);
    assert_int_equal(sasl_server_step(s, SLICE_EMPTY, &out), SASL_BAD);
    sasl_server_free(&s);
}

/* An exchange: the header and the rest of the first message, the text of c= (NULL: what is right), what stands between
 * nonce and proof. */
struct run {
    const char *mechanism;
    bool offers_plus;
    const char *header, *bare;
    const char *c;
    struct slice binding; /* what the client binds to */
    const char *extra;
};

/* Up to the claim; the server then is at CLAIM, or the first outcome that was none is given. */
static enum sasl_outcome
go(const struct run *r, const struct peer_keys *with, struct sasl_server **ret_server, bool *ret_right)
{
    struct buf out CLEANUP_BUF = BUF_INIT(20000), message CLEANUP_BUF = BUF_INIT(20000),
                   bound CLEANUP_BUF = BUF_INIT(5000), final CLEANUP_BUF = BUF_INIT(20000);
    struct sasl_server *s = *ret_server = open_server(r->mechanism, r->offers_plus);
    buf_printf(&message, "%s%s", r->header, r->bare);
    enum sasl_outcome outcome = start(s, buf_slice(&message), &out);
    if (outcome != SASL_CHALLENGE)
        return outcome;
    struct slice nonce = slice_sub(buf_slice(&out), 2, slice_find(buf_slice(&out), ',') - 2);
    buf_put_str(&final, "c=");
    buf_put_str(&bound, r->header);
    buf_put(&bound, r->binding);
    if (r->c)
        buf_put_str(&final, r->c);
    else
        base64_put(&final, buf_slice(&bound));
    buf_put_str(&final, ",r=");
    buf_put(&final, nonce);
    buf_put_str(&final, r->extra ? r->extra : "");
    buf_clear(&message);
    buf_printf(
        &message, "%s," SLICE_FMT "," SLICE_FMT, r->bare, SLICE_ARG(buf_slice(&out)),
        SLICE_ARG(buf_slice(&final)));
    peer_put_proof(&final, with, buf_slice(&message));
    outcome = sasl_server_step(s, buf_slice(&final), &out);
    *ret_right = outcome == SASL_CLAIM && sasl_scram_check(sasl_server_claim(s), keys.stored);
    return outcome;
}

static void expect(const struct run *r, enum sasl_outcome outcome, bool right, enum sasl_flaw flaw)
{
    struct sasl_server *s;
    bool is_right = false;
    enum sasl_outcome got = go(r, &keys, &s, &is_right);
    if (got != outcome || is_right != right)
        print_message("header %s, bare %.60s, c %s\n", r->header, r->bare, r->c ? r->c : "(right)");
    assert_int_equal(got, outcome);
    assert_int_equal(is_right, right);
    t252++;
    if (outcome == SASL_CLAIM)
        assert_int_equal(sasl_server_claim(s)->flaw, flaw);
    sasl_server_free(&s);
}

static void names_are_unescaped(void **state)
{
    struct run r = {.mechanism = "SCRAM-SHA-256", .header = "n,a=the=2Cboss,", .bare = "n=a=2Cb=3Dc,r=abc"};
    struct sasl_server *s;
    bool right = false;
    assert_int_equal(go(&r, &keys, &s, &right), SASL_CLAIM);
    assert_true(right);
    assert_true(slice_eq(sasl_server_claim(s)->authcid, S("a,b=c")));
    assert_true(slice_eq(sasl_server_claim(s)->authzid, S("the,boss")));
    sasl_server_free(&s);
    /* A right proof of another secret is wrong. */
    struct peer_keys others = peer_keys_of(S("Pencil"));
    assert_int_equal(go(&r, &others, &s, &right), SASL_CLAIM);
    assert_false(right);
    struct buf out CLEANUP_BUF = BUF_INIT(100);
    assert_int_equal(sasl_server_judged(s, false, &out), SASL_FAILED);
    assert_int_equal(out.n, 0);
    sasl_server_free(&s);
}

static void channel_binding(void **state)
{
    struct slice data = slice_of(exporter, sizeof exporter), end = slice_of(end_point, sizeof end_point);
    char wrong[32] = {0};
    struct slice other = slice_of(wrong, sizeof wrong), shorter = slice_sub(data, 0, 31);
    static const char plus[] = "SCRAM-SHA-256-PLUS", bare[] = "n=user,r=abc", plain[] = "SCRAM-SHA-256";
    const struct {
        struct run run;
        enum sasl_outcome outcome;
        bool right;
        enum sasl_flaw flaw;
    } cases[] = {
        {{plus, true, "p=tls-exporter,,", bare, NULL, data, NULL}, SASL_CLAIM, true, SASL_FLAW_NONE},
        {{plus, true, "p=tls-server-end-point,,", bare, NULL, end, NULL}, SASL_CLAIM, true, SASL_FLAW_NONE},
        {{plus, true, "p=tls-exporter,a=u,", bare, NULL, data, NULL}, SASL_CLAIM, true, SASL_FLAW_NONE},
        /* Somebody stands between: wrong, though the proof would be right. */
        {{plus, true, "p=tls-exporter,,", bare, NULL, other, NULL}, SASL_CLAIM, false, SASL_FLAW_BINDING},
        {{plus, true, "p=tls-exporter,,", bare, NULL, shorter, NULL}, SASL_CLAIM, false, SASL_FLAW_BINDING},
        {{plus, true, "p=tls-exporter,,", bare, NULL, end, NULL}, SASL_CLAIM, false, SASL_FLAW_BINDING},
        {{plus, true, "p=tls-server-end-point,,", bare, NULL, data, NULL},
         SASL_CLAIM,
         false,
         SASL_FLAW_BINDING},
        {{plus, true, "p=tls-exporter,,", bare, NULL, SLICE_EMPTY, NULL},
         SASL_CLAIM,
         false,
         SASL_FLAW_BINDING},
        {{plus, true, "p=tls-exporter,,", bare, "biws", data, NULL}, SASL_CLAIM, false, SASL_FLAW_BINDING},
        /* T-252: only these two, and only where they belong. */
        {{plus, true, "p=tls-unique,,", bare, NULL, data, NULL}, SASL_BAD, false, SASL_FLAW_NONE},
        {{plus, true, "p=TLS-EXPORTER,,", bare, NULL, data, NULL}, SASL_BAD, false, SASL_FLAW_NONE},
        {{plus, true, "p=,,", bare, NULL, data, NULL}, SASL_BAD, false, SASL_FLAW_NONE},
        {{plus, true, "n,,", bare, NULL, SLICE_EMPTY, NULL}, SASL_BAD, false, SASL_FLAW_NONE},
        {{plus, true, "y,,", bare, NULL, SLICE_EMPTY, NULL}, SASL_BAD, false, SASL_FLAW_NONE},
        {{plain, true, "p=tls-exporter,,", bare, NULL, data, NULL}, SASL_BAD, false, SASL_FLAW_NONE},
        /* Without binding: "n" may, "y" only where we offer none (RFC 5802 section 6). */
        {{plain, true, "n,,", bare, NULL, SLICE_EMPTY, NULL}, SASL_CLAIM, true, SASL_FLAW_NONE},
        {{plain, false, "y,,", bare, NULL, SLICE_EMPTY, NULL}, SASL_CLAIM, true, SASL_FLAW_NONE},
        {{plain, true, "y,,", bare, NULL, SLICE_EMPTY, NULL}, SASL_CLAIM, false, SASL_FLAW_DOWNGRADE},
        /* A man between who turns "y" into "n" changes what c= says. */
        {{plain, true, "n,,", bare, "eSws", SLICE_EMPTY, NULL}, SASL_CLAIM, false, SASL_FLAW_BINDING},
        {{plain, false, "n,,", bare, "biws", data, NULL}, SASL_CLAIM, true, SASL_FLAW_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(&cases[i].run, cases[i].outcome, cases[i].right, cases[i].flaw);
}

static void a_door_without_the_data_cannot_bind(void **state)
{
    struct sasl_env env = {.slab = slab, .salt = peer_salt_of};
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s = sasl_server_new(sasl_find(S("SCRAM-SHA-256-PLUS")), &env);
    assert_int_equal(start(s, S("p=tls-exporter,,n=user,r=abc"), &out), SASL_BAD);
    sasl_server_free(&s);
    env.owner = &env; /* and a vault that can't look up the salt ends it: nothing is made up */
    s = sasl_server_new(sasl_find(S("SCRAM-SHA-256")), &env);
    assert_int_equal(start(s, S("n,,n=user,r=abc"), &out), SASL_BAD);
    sasl_server_free(&s);
}

static void base64_of_the_binding_is_strict(void **state)
{
    static const char *const bad[] = {
        "biws ", " biws", "bi ws", "biws\n", "biws=", "biw",   "biws====",
        "bi-s",  "biwt=", "b",     "biws,",  "=biws", "YmFk*", "\xe4\xbd\xa0",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct run r = {.mechanism = "SCRAM-SHA-256", .header = "n,,", .bare = "n=user,r=abc", .c = bad[i]};
        expect(&r, SASL_BAD, false, SASL_FLAW_NONE);
    }
    /* "n,a=x," is 6 octets; of 7, the last quantum has unused bits, which must be zero. */
    struct run r = {.mechanism = "SCRAM-SHA-256", .header = "n,a=xy,", .bare = "n=user,r=abc"};
    r.c = "bixhPXh5LA==";
    expect(&r, SASL_CLAIM, true, SASL_FLAW_NONE);
    r.c = "bixhPXh5LB==";
    expect(&r, SASL_BAD, false, SASL_FLAW_NONE);
}

static void first_messages_that_are_refused(void **state)
{
    static const struct slice bad[] = {
        {"", 0},
        {"n", 1},
        {"n,", 2},
        {"n,,", 3},
        {",,n=user,r=abc", 14},
        {"x,,n=user,r=abc", 15},
        {"N,,n=user,r=abc", 15},
        {"nn,,n=user,r=abc", 16},
        {"n,n=user,r=abc", 14},
        {"n,b=x,n=user,r=abc", 18},
        {"n,a=,n=user,r=abc", 17},
        {"n,a==2c,n=user,r=abc", 20},
        {"n,a=x=,n=user,r=abc", 19},
        {"n,,n=,r=abc", 11},
        {"n,,n=user", 9},
        {"n,,n=user,", 10},
        {"n,,n=user,r=", 12},
        {"n,,n=user,r=abc,", 16},
        {"n,,r=abc,n=user", 15}, /* reordered */
        {"n,,n=user,n=user,r=abc", 22},
        {"n,,m=x,n=user,r=abc", 19}, /* mandatory extension */
        {"n,,n=user,r=abc,m=x", 19},
        {"n,,n=user,r=abc,r=def", 21},
        {"n,,n=user,r=abc,xx", 18},
        {"n,,n=user,r=abc,1=x", 19},
        {"n,,n=user,r=abc,x=", 18},
        {"n,,n=us=er,r=abc", 16}, /* escapes */
        {"n,,n=user=2,r=abc", 17},
        {"n,,n=user=,r=abc", 16},
        {"n,,n=user=41,r=abc", 18},
        {"n,,N=user,r=abc", 15},
        {"n,,n=us\0r,r=abc", 15},
        {"n,,n=us\xffr,r=abc", 15},
        {"n,,n=user,r=a c", 15}, /* a nonce is printable */
        {"n,,n=user,r=a\x7f"
         "c",
         15},
        {"n,,n=user,r=\xc3\xa9", 14},
        {"F,n,,n=user,r=abc", 17},
    };
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sasl_server *s = open_server("SCRAM-SHA-256", false);
        enum sasl_outcome outcome = start(s, bad[i], &out);
        if (outcome != SASL_BAD)
            print_message("case %zu\n", i);
        assert_int_equal(outcome, SASL_BAD);
        assert_int_equal(out.n, 0);
        assert_int_equal(sasl_server_step(s, S("n,,n=user,r=abc"), &out), SASL_BAD);
        sasl_server_free(&s);
        t252++;
    }
}

static void extensions_that_mean_nothing_are_passed_over(void **state)
{
    struct run r = {
        .mechanism = "SCRAM-SHA-256", .header = "n,,", .bare = "n=user,r=abc,x=1,Z=a=b", .extra = ",x=3"};
    expect(&r, SASL_CLAIM, true, SASL_FLAW_NONE);
    r.extra = ",m=3";
    expect(&r, SASL_BAD, false, SASL_FLAW_NONE);
    r.extra = ",p=AAAA";
    expect(&r, SASL_BAD, false, SASL_FLAW_NONE);
    r.extra = ",";
    expect(&r, SASL_BAD, false, SASL_FLAW_NONE);
}

static void last_messages_that_are_refused(void **state)
{
    /* NONCE stands for the server's whole nonce; the proofs are long enough, so the form alone refuses. */
    static const char proof[] = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    static const char *const bad[] = {
        "",
        "c=biws",
        "c=biws,r=NONCE",
        "r=NONCE,c=biws,p=PROOF",
        "c=biws,p=PROOF,r=NONCE",
        "p=PROOF,c=biws,r=NONCE",
        "c=biws,r=abc,p=PROOF",
        "c=biws,r=NONCEx,p=PROOF",
        "c=biws,r=xNONCE,p=PROOF",
        "c=biws,r=,p=PROOF",
        "c=biws,r=NONCE,p=",
        "c=biws,r=NONCE,p=AAAA",
        "c=biws,r=NONCE,p=PROOF,",
        "c=biws,r=NONCE,p=PROOF,x=1",
        "c=biws,r=NONCE,P=PROOF",
        "c=,r=NONCE,p=PROOF",
        "m=1,c=biws,r=NONCE,p=PROOF",
        "c=biws,i=1,r=NONCE,p=PROOF",
        "c=biws,r=NONCE,i=1,p=PROOF",
        "c=biws,r=NONCE,s=AAAA,p=PROOF",
        "c=biws,c=biws,r=NONCE,p=PROOF",
        "c=biws,r=NONCE,p=PROOF=",
        "c=biws,r=NONCE,p= PROOF",
        "c=biws,r=NONCE\xff,p=PROOF",
        "n,,n=user,r=abc",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=PROOF", /* replayed from another exchange */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(1000), final CLEANUP_BUF = BUF_INIT(1000);
        struct sasl_server *s = open_server("SCRAM-SHA-256", false);
        assert_int_equal(start(s, S("n,,n=user,r=abc"), &out), SASL_CHALLENGE);
        struct slice nonce = slice_sub(buf_slice(&out), 2, slice_find(buf_slice(&out), ',') - 2);
        for (const char *c = bad[i]; *c; c++) {
            if (strncmp(c, "NONCE", 5) == 0)
                buf_put(&final, nonce);
            else if (strncmp(c, "PROOF", 5) == 0)
                buf_put_str(&final, proof);
            else
                buf_put_char(&final, *c);
            if (strncmp(c, "NONCE", 5) == 0 || strncmp(c, "PROOF", 5) == 0)
                c += 4;
        }
        enum sasl_outcome outcome = sasl_server_step(s, buf_slice(&final), &out);
        if (outcome != SASL_BAD)
            print_message("%s\n", bad[i]);
        assert_int_equal(outcome, SASL_BAD);
        t252++;
        sasl_server_free(&s);
    }
}

static enum sasl_outcome with_lengths(size_t name, size_t nonce, size_t extension)
{
    struct buf first CLEANUP_BUF = BUF_INIT(200000), out CLEANUP_BUF = BUF_INIT(20000);
    buf_put_str(&first, "n,,n=");
    for (size_t i = 0; i < name; i++)
        buf_put_str(&first, "=2C");
    buf_put_str(&first, ",r=");
    for (size_t i = 0; i < nonce; i++)
        buf_put_char(&first, 'r');
    buf_put_str(&first, extension ? ",x=" : "");
    for (size_t i = 0; i < extension; i++)
        buf_put_char(&first, 'x');
    struct sasl_server *s = open_server("SCRAM-SHA-256", false);
    enum sasl_outcome outcome = start(s, buf_slice(&first), &out);
    sasl_server_free(&s);
    return outcome;
}

static void lengths_end_at_their_limits(void **state)
{
    assert_int_equal(with_lengths(LIMIT_SASL_NAME, LIMIT_SASL_NONCE, 0), SASL_CHALLENGE);
    assert_int_equal(with_lengths(LIMIT_SASL_NAME + 1, 1, 0), SASL_BAD);
    assert_int_equal(with_lengths(1, LIMIT_SASL_NONCE + 1, 0), SASL_BAD);
    assert_int_equal(with_lengths(1, 1, 1000), SASL_CHALLENGE);
    assert_int_equal(with_lengths(1, 1, 102400), SASL_BAD);
    assert_int_equal(with_lengths(34000, 1, 0), SASL_BAD);
    assert_int_equal(with_lengths(1, 102400, 0), SASL_BAD);
    t252 += 5; /* those that are too long */
}

static void nonces_are_long_and_new(void **state)
{
    char seen[100][64];
    for (size_t i = 0; i < 100; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(1000);
        struct sasl_server *s = open_server("SCRAM-SHA-256", false);
        assert_int_equal(start(s, S("n,,n=user,r=abc"), &out), SASL_CHALLENGE);
        struct slice ours = slice_sub(buf_slice(&out), 5, slice_find(buf_slice(&out), ',') - 5);
        assert_true(ours.n * 3 / 4 >= 18 && ours.n < sizeof *seen);
        memset(seen[i], 0, sizeof seen[i]);
        memcpy(seen[i], ours.p, ours.n);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], sizeof *seen);
        sasl_server_free(&s);
    }
}

static void after_the_signature_comes_nothing(void **state)
{
    struct run r = {.mechanism = "SCRAM-SHA-256", .header = "n,,", .bare = "n=user,r=abc"};
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_server *s;
    bool right = false;
    assert_int_equal(go(&r, &keys, &s, &right), SASL_CLAIM);
    sasl_server_set_server_key(s, keys.server);
    assert_int_equal(sasl_server_judged(s, true, &out), SASL_CHALLENGE);
    assert_int_equal(sasl_server_step(s, S("more"), &out), SASL_BAD);
    assert_int_equal(sasl_server_step(s, SLICE_EMPTY, &out), SASL_BAD);
    sasl_server_free(&s);
    /* A second claim cannot slip past the first one's judgement. */
    assert_int_equal(go(&r, &keys, &s, &right), SASL_CLAIM);
    assert_int_equal(sasl_server_step(s, S("n,,n=root,r=abc"), &out), SASL_BAD);
    sasl_server_free(&s);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc7677),
        cmocka_unit_test(names_are_unescaped),
        cmocka_unit_test(channel_binding),
        cmocka_unit_test(a_door_without_the_data_cannot_bind),
        cmocka_unit_test(base64_of_the_binding_is_strict),
        cmocka_unit_test(first_messages_that_are_refused),
        cmocka_unit_test(extensions_that_mean_nothing_are_passed_over),
        cmocka_unit_test(last_messages_that_are_refused),
        cmocka_unit_test(lengths_end_at_their_limits),
        cmocka_unit_test(nonces_are_long_and_new),
        cmocka_unit_test(after_the_signature_comes_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
