#include "peer.h"

static struct secret_slab *slab;
static struct secret secret;
static struct sasl_identity who;

static int setup(void **state)
{
    slab = secret_slab_new(65536);
    if (secret_copy(slab, S("tanstaaf"), &secret) != OK)
        return 1;
    who = (struct sasl_identity){.authcid = S("tim"), .secret = &secret};
    return 0;
}

static int teardown(void **state)
{
    secret_free(&secret);
    secret_slab_free(&slab);
    return 0;
}

static struct sasl_client *open_client(const char *name)
{
    struct sasl_client *c = NULL;
    assert_int_equal(sasl_client_new(sasl_find(slice_str(name)), &who, &c), OK);
    return c;
}

static void plain_says_all_at_once(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial = false;
    struct sasl_client *c = open_client("PLAIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_true(has_initial);
    assert_true(slice_eq(buf_slice(&out), S("\0tim\0tanstaaf")));
    assert_int_equal(sasl_client_end(c, NULL), OK);
    sasl_client_free(&c);
    sasl_client_free(&c);
}

static void a_fishing_server_gets_nothing_more(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial = false;
    struct sasl_client *c = open_client("PLAIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S("Password:"), &out), ERR_PROTOCOL);
    assert_int_equal(out.n, 0);
    assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
    sasl_client_free(&c);

    c = open_client("LOGIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_false(has_initial);
    assert_int_equal(sasl_client_step(c, S("Username:"), &out), OK);
    assert_true(slice_eq(buf_slice(&out), S("tim")));
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S("Password:"), &out), OK);
    assert_true(slice_eq(buf_slice(&out), S("tanstaaf")));
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S("Again:"), &out), ERR_PROTOCOL);
    assert_int_equal(out.n, 0);
    sasl_client_free(&c);
}

static void an_early_yes_is_not_believed(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial = false;
    struct sasl_client *c = open_client("LOGIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
    sasl_client_free(&c);
    struct slice data = S("extra");
    c = open_client("PLAIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_int_equal(sasl_client_end(c, &data), ERR_PROTOCOL);
    sasl_client_free(&c);
}

static void what_cannot_be_carried_is_refused(void **state)
{
    struct sasl_client *c = NULL;
    struct sasl_identity bad = who;
    bad.authcid = S("ti\0m");
    assert_int_equal(sasl_client_new(sasl_find(S("PLAIN")), &bad, &c), ERR_SYNTAX);
    bad = who;
    bad.authzid = S("\xff");
    assert_int_equal(sasl_client_new(sasl_find(S("PLAIN")), &bad, &c), ERR_SYNTAX);
    bad = who;
    bad.authcid = SLICE_EMPTY;
    assert_int_equal(sasl_client_new(sasl_find(S("PLAIN")), &bad, &c), ERR_SYNTAX);
    assert_null(c);
}

/* ---- what only a server of our own can say: right proofs ---- */

static struct peer_keys keys;

static bool judge(struct sasl_server *s)
{
    const struct sasl_claim *claim = sasl_server_claim(s);
    switch (claim->proof) {
    case SASL_PROOF_SECRET:
    case SASL_PROOF_TOKEN:
        return slice_eq(secret_reveal(claim->secret), peer_secret);
    case SASL_PROOF_SCRAM:
        sasl_server_set_server_key(s, keys.server);
        return sasl_scram_check(claim, keys.stored);
    case SASL_PROOF_CRAM_MD5:
        return sasl_cram_check(claim, peer_secret);
    case SASL_PROOF_CERTIFICATE:
        return slice_eq(claim->certificate_name, S("tim"));
    case SASL_PROOFS:
        break;
    }
    return false;
}

/* Runs both sides until the client's last word; what the server finally says, and what the client makes of it. */
static enum sasl_outcome meet(struct sasl_client *c, struct sasl_server *s, enum err *ret_said)
{
    struct buf up CLEANUP_BUF = BUF_INIT(5000), down CLEANUP_BUF = BUF_INIT(5000);
    bool has_initial = false;
    *ret_said = sasl_client_start(c, &up, &has_initial);
    struct slice initial = buf_slice(&up);
    enum sasl_outcome outcome = sasl_server_start(s, has_initial ? &initial : NULL, &down);
    for (int turn = 0; turn < 10; turn++) {
        if (outcome == SASL_CLAIM)
            outcome = sasl_server_judged(s, judge(s), &down);
        if (outcome != SASL_CHALLENGE || *ret_said != OK)
            break;
        buf_clear(&up);
        *ret_said = sasl_client_step(c, buf_slice(&down), &up);
        buf_clear(&down);
        if (*ret_said == OK)
            outcome = sasl_server_step(s, buf_slice(&up), &down);
    }
    if (outcome == SASL_DONE)
        *ret_said = sasl_client_end(c, NULL);
    return outcome;
}

/* Every mechanism of the table: our client against our server, with a right secret and a wrong one. */
static void both_sides_meet(void **state)
{
    static char bound[32];
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    for (size_t i = 0; i < 2 * count; i++) {
        const struct sasl_mechanism *m = &all[i / 2];
        bool right = i % 2 == 0, plus = m->flags & SASL_BINDS_CHANNEL;
        struct secret pencil CLEANUP_SECRET = SECRET_NONE;
        assert_int_equal(secret_copy(slab, right ? peer_secret : S("pencils"), &pencil), OK);
        struct sasl_identity identity = {.authcid = S("tim"), .secret = &pencil};
        struct sasl_env env = {.slab = slab, .salt = peer_salt_of, .certificate_hash = S("x")};
        env.certificate_name = right ? S("tim") : S("tom");
        env.exporter = identity.exporter = plus ? slice_of(bound, sizeof bound) : SLICE_EMPTY;
        struct sasl_client *c = NULL;
        assert_int_equal(sasl_client_new(m, &identity, &c), OK);
        struct sasl_server *s = sasl_server_new(m, &env);
        enum err said;
        enum sasl_outcome outcome = meet(c, s, &said);
        assert_int_equal(outcome, right ? SASL_DONE : SASL_FAILED);
        assert_int_equal(said, OK);
        bool is_json = m->flags & SASL_TAKES_TOKEN;
        assert_int_equal(sasl_client_complaint(c).n > 0, !right && is_json);
        sasl_client_free(&c);
        sasl_server_free(&s);
    }
}

/* ---- SCRAM against a server that lies ---- */

static struct sasl_client *open_scram(struct sasl_identity *identity, const char *mechanism)
{
    struct sasl_client *c = NULL;
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial = false;
    assert_int_equal(sasl_client_new(sasl_find(slice_str(mechanism)), identity, &c), OK);
    sasl_client_set_nonce(c, S("rOprNGfwEbeRWgbNEkqO"));
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_true(has_initial);
    return c;
}

#define SERVER_NONCE "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static void the_example_of_rfc7677(void **state)
{
    struct secret pencil CLEANUP_SECRET = SECRET_NONE;
    assert_int_equal(secret_copy(slab, peer_secret, &pencil), OK);
    struct sasl_identity identity = {.authcid = S("user"), .secret = &pencil};
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct sasl_client *c = NULL;
    bool has_initial = false;
    assert_int_equal(sasl_client_new(sasl_find(S("SCRAM-SHA-256")), &identity, &c), OK);
    sasl_client_set_nonce(c, S("rOprNGfwEbeRWgbNEkqO"));
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_true(slice_eq(buf_slice(&out), S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")));
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S(SERVER_FIRST), &out), OK);
    assert_true(slice_eq(
        buf_slice(&out), S("c=biws,r=" SERVER_NONCE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")));
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S(SERVER_FINAL), &out), OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(sasl_client_end(c, NULL), OK);
    sasl_client_free(&c);
    /* The same with the signature in the yes. */
    struct slice final = S(SERVER_FINAL);
    c = open_scram(&identity, "SCRAM-SHA-256");
    assert_int_equal(sasl_client_step(c, S(SERVER_FIRST), &out), OK);
    assert_int_equal(sasl_client_end(c, &final), OK);
    sasl_client_free(&c);
}

static void first_words_of_lying_servers(void **state)
{
    static const struct {
        const char *first;
        enum err e;
    } cases[] = {
        {"", ERR_PROTOCOL},
        {"r=" SERVER_NONCE, ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==", ERR_PROTOCOL},
        {"s=W22ZaJ0SNY7soEsUEjb6gQ==,r=" SERVER_NONCE ",i=4096", ERR_PROTOCOL},
        {"m=x," SERVER_FIRST, ERR_PROTOCOL},
        {SERVER_FIRST ",m=x", ERR_PROTOCOL},
        {SERVER_FIRST ",", ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096", ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=,i=4096", ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=", ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0", ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=04096", ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-4096", ERR_PROTOCOL},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096x", ERR_PROTOCOL},
        /* A nonce that does not continue ours is replayed; few iterations are made for guessing. */
        {"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ERR_DENIED},
        {"r=rOprNGfwEbeRWgbNEkq,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ERR_DENIED},
        {"r=ROprNGfwEbeRWgbNEkqO%hvYDpWUa2,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ERR_DENIED},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", ERR_DENIED},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", ERR_DENIED},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001", ERR_LIMIT},
        {"r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999", ERR_LIMIT},
        {"e=unknown-user", ERR_DENIED},
        {SERVER_FINAL, ERR_PROTOCOL},
    };
    struct secret pencil CLEANUP_SECRET = SECRET_NONE;
    assert_int_equal(secret_copy(slab, peer_secret, &pencil), OK);
    struct sasl_identity identity = {.authcid = S("user"), .secret = &pencil};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(1000);
        struct sasl_client *c = open_scram(&identity, "SCRAM-SHA-256");
        enum err e = sasl_client_step(c, slice_str(cases[i].first), &out);
        if (e != cases[i].e)
            print_message("%s: %d\n", cases[i].first, e);
        assert_int_equal(e, cases[i].e);
        assert_int_equal(out.n, 0);
        assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
        assert_int_equal(sasl_client_complaint(c).n > 0, cases[i].first[0] == 'e');
        sasl_client_free(&c);
    }
}

static void last_words_of_lying_servers(void **state)
{
    static const struct {
        const char *final;
        enum err e;
    } cases[] = {
        {"", ERR_PROTOCOL},
        {"v=", ERR_PROTOCOL},
        {"v=AAAA", ERR_PROTOCOL},
        {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4", ERR_PROTOCOL},
        {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", ERR_PROTOCOL},
        {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ERR_DENIED},
        {SERVER_FINAL ",m=x", ERR_PROTOCOL},
        {SERVER_FIRST, ERR_PROTOCOL},
        {"e=invalid-proof", ERR_DENIED},
    };
    struct secret pencil CLEANUP_SECRET = SECRET_NONE;
    assert_int_equal(secret_copy(slab, peer_secret, &pencil), OK);
    struct sasl_identity identity = {.authcid = S("user"), .secret = &pencil};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(1000);
        struct sasl_client *c = open_scram(&identity, "SCRAM-SHA-256");
        assert_int_equal(sasl_client_step(c, S(SERVER_FIRST), &out), OK);
        assert_int_equal(sasl_client_step(c, slice_str(cases[i].final), &out), cases[i].e);
        assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
        sasl_client_free(&c);
    }
    /* A yes without a signature, or with a wrong one, is none. */
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct slice wrong = S("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), right = S(SERVER_FINAL);
    struct sasl_client *c = open_scram(&identity, "SCRAM-SHA-256");
    assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
    sasl_client_free(&c);
    c = open_scram(&identity, "SCRAM-SHA-256");
    assert_int_equal(sasl_client_step(c, S(SERVER_FIRST), &out), OK);
    assert_int_equal(sasl_client_end(c, NULL), ERR_DENIED);
    sasl_client_free(&c);
    c = open_scram(&identity, "SCRAM-SHA-256");
    assert_int_equal(sasl_client_step(c, S(SERVER_FIRST), &out), OK);
    assert_int_equal(sasl_client_end(c, &wrong), ERR_DENIED);
    sasl_client_free(&c);
    /* And a server that goes on after it proved itself is fishing. */
    c = open_scram(&identity, "SCRAM-SHA-256");
    assert_int_equal(sasl_client_step(c, S(SERVER_FIRST), &out), OK);
    assert_int_equal(sasl_client_step(c, right, &out), OK);
    assert_int_equal(sasl_client_step(c, right, &out), ERR_PROTOCOL);
    assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
    sasl_client_free(&c);
}

static void what_the_client_says_of_channels(void **state)
{
    struct secret pencil CLEANUP_SECRET = SECRET_NONE;
    assert_int_equal(secret_copy(slab, peer_secret, &pencil), OK);
    static const struct {
        const char *mechanism, *authzid, *head;
        bool exporter, end_point;
    } cases[] = {
        {"SCRAM-SHA-256", "", "n,,n=a=2Cb=3D,r=", false, false},
        {"SCRAM-SHA-256", "x,y", "n,a=x=2Cy,n=a=2Cb=3D,r=", false, false},
        {"SCRAM-SHA-256", "", "y,,n=a=2Cb=3D,r=", true, false},
        {"SCRAM-SHA-256-PLUS", "", "p=tls-exporter,,n=a=2Cb=3D,r=", true, true},
        {"SCRAM-SHA-256-PLUS", "", "p=tls-server-end-point,,n=a=2Cb=3D,r=", false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(1000);
        struct sasl_identity identity = {
            .authcid = S("a,b="), .authzid = slice_str(cases[i].authzid), .secret = &pencil};
        identity.exporter = cases[i].exporter ? S("exporter") : SLICE_EMPTY;
        identity.end_point = cases[i].end_point ? S("end-point") : SLICE_EMPTY;
        struct sasl_client *c = NULL;
        bool has_initial;
        assert_int_equal(sasl_client_new(sasl_find(slice_str(cases[i].mechanism)), &identity, &c), OK);
        assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
        assert_true(slice_starts(buf_slice(&out), slice_str(cases[i].head)));
        assert_true(out.n >= strlen(cases[i].head) + 24);
        sasl_client_free(&c);
    }
    struct sasl_identity none = {.authcid = S("a"), .secret = &pencil};
    struct sasl_client *c = NULL;
    assert_int_equal(sasl_client_new(sasl_find(S("SCRAM-SHA-256-PLUS")), &none, &c), ERR_UNSUPPORTED);
}

/* ---- the others ---- */

static void tokens_and_digests(void **state)
{
    struct secret token CLEANUP_SECRET = SECRET_NONE, word CLEANUP_SECRET = SECRET_NONE;
    assert_int_equal(secret_copy(slab, S("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="), &token), OK);
    assert_int_equal(secret_copy(slab, S("tanstaaftanstaaf"), &word), OK);
    struct sasl_identity identity = {.authcid = S("user@example.com"), .secret = &token};
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial;
    struct sasl_client *c = NULL;
    assert_int_equal(sasl_client_new(sasl_find(S("OAUTHBEARER")), &identity, &c), OK);
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_true(slice_eq(
        buf_slice(&out), S("n,a=user@example.com,\x01"
                           "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01")));
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S("{\"status\":\"invalid_token\"}"), &out), OK);
    assert_true(slice_eq(buf_slice(&out), S("\x01")));
    assert_true(slice_eq(sasl_client_complaint(c), S("{\"status\":\"invalid_token\"}")));
    assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL); /* a yes after an error */
    sasl_client_free(&c);

    assert_int_equal(sasl_client_new(sasl_find(S("XOAUTH2")), &identity, &c), OK);
    buf_clear(&out);
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_true(slice_eq(
        buf_slice(&out), S("user=user@example.com\x01"
                           "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01")));
    assert_int_equal(sasl_client_step(c, SLICE_EMPTY, &out), ERR_PROTOCOL); /* it has the token already */
    sasl_client_free(&c);

    /* RFC 2195 section 2. */
    struct sasl_identity tim = {.authcid = S("tim"), .secret = &word};
    assert_int_equal(sasl_client_new(sasl_find(S("CRAM-MD5")), &tim, &c), OK);
    buf_clear(&out);
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_false(has_initial);
    assert_int_equal(sasl_client_step(c, S("<1896.697170952@postoffice.reston.mci.net>"), &out), OK);
    assert_true(slice_eq(buf_slice(&out), S("tim b913a602c7eda7a495b4e6e7334d3890")));
    assert_int_equal(sasl_client_step(c, S("<2@x>"), &out), ERR_PROTOCOL);
    sasl_client_free(&c);

    identity.authcid = S("a\x01"
                         "b");
    assert_int_equal(sasl_client_new(sasl_find(S("XOAUTH2")), &identity, &c), ERR_SYNTAX);
    identity = (struct sasl_identity){.authcid = S("tim"), .secret = &word, .authzid = S("\xff")};
    assert_int_equal(sasl_client_new(sasl_find(S("EXTERNAL")), &identity, &c), ERR_SYNTAX);
    secret_free(&token);
    assert_int_equal(secret_copy(slab, S("two words"), &token), OK);
    identity = (struct sasl_identity){.authcid = S("tim"), .secret = &token};
    assert_int_equal(sasl_client_new(sasl_find(S("OAUTHBEARER")), &identity, &c), ERR_SYNTAX);
    assert_null(c);
}

int main(void)
{
    crypto_init();
    keys = peer_keys_of(peer_secret);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_says_all_at_once),
        cmocka_unit_test(a_fishing_server_gets_nothing_more),
        cmocka_unit_test(an_early_yes_is_not_believed),
        cmocka_unit_test(what_cannot_be_carried_is_refused),
        cmocka_unit_test(both_sides_meet),
        cmocka_unit_test(the_example_of_rfc7677),
        cmocka_unit_test(first_words_of_lying_servers),
        cmocka_unit_test(last_words_of_lying_servers),
        cmocka_unit_test(what_the_client_says_of_channels),
        cmocka_unit_test(tokens_and_digests),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
