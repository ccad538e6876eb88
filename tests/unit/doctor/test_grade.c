#include "test.h"

#include "doctor/grade.h"
#include "doctor_knowledge.h"

static struct examination x;
static struct grading g;

static struct checked *server(const char *host, enum source source)
{
    struct endpoint e = {
        .service = SERVICE_IMAP,
        .host = slice_str(host),
        .port = 993,
        .security = SECURITY_TLS,
        .source = source,
        .trusted = true};
    struct checked *c = examination_add(&x, &e);
    assert_non_null(c);
    return c;
}

/* As good as it gets. */
static struct checked *perfect(const char *host, enum source source)
{
    struct checked *c = server(host, source);
    c->standing = (struct standing){
        .connected = true,
        .encrypted = true,
        .private_ = true,
        .greeted = true,
        .tried = true,
        .works = true};
    c->tls = (struct tls_profile){
        .shaken = true,
        .probed = true,
        .version = S("TLSv1.3"),
        .suite = S("TLS_AES_256_GCM_SHA384"),
        .group = S("X25519MLKEM768"),
        .forward_secret = true,
        .verified = true,
        .key = S("ECDSA P-256"),
        .signature = S("SHA-256"),
        .issuer = S("R11"),
        .key_strength = 128,
        .not_before_s = 1700000000,
        .not_after_s = 1700000000 + 90 * 86400,
        .days_left = 60,
        .versions_asked = 31,
        .versions = TLS_HAS_TLS12 | TLS_HAS_TLS13,
        .weak_asked = 255,
        .groups_asked = 63,
        .groups = TLS_GROUP_HYBRID | TLS_GROUP_X25519};
    c->notes.step = STEP_GREETING;
    notes_fact(&c->notes, TONE_GOOD, FACT_MECHANISMS, S("SCRAM-SHA-256 PLAIN"), SLICE_EMPTY, SLICE_EMPTY);
    return c;
}

static const struct grade_point *point(const char *id)
{
    for (size_t i = 0; i < g.point_count; i++)
        if (strcmp(g.points[i].id, id) == 0)
            return &g.points[i];
    return NULL;
}

static void the_best_is_marked_so(void **state)
{
    examination_init(&x, k);
    perfect("imap.example.org", SOURCE_GIVEN);
    grading_init(&g, &x);
    assert_string_equal(grade_name(g.whole), "A+");
    assert_int_equal(g.servers[0], GRADE_A_PLUS);
    assert_int_equal(g.servers[1], GRADE_NONE);
    assert_true(g.point_count >= 8);
    for (size_t i = 0; i < g.point_count; i++) {
        assert_int_equal(g.points[i].cap, GRADE_A_PLUS);
        for (int l = 0; l < LANG_N; l++)
            assert_true(g.points[i].reason[l].n && !g.points[i].better[l].n);
    }
    assert_slice("the certificate holds for 60 more days", point("expires-soon")->reason[LANG_EN]);
    assert_slice(
        "SCRAM-SHA-256 is offered, which does not hand over the password",
        point("no-proof")->reason[LANG_EN]);
    grading_done(&g);
    examination_done(&x);
}

static void what_is_done(struct checked *c, const char *id)
{
    struct tls_profile *t = &c->tls;
    static const struct {
        const char *id;
        size_t at;
        unsigned set;
    } bits[] = {
        {"ssl3", offsetof(struct tls_profile, versions), TLS_HAS_SSL30 | TLS_HAS_TLS12 | TLS_HAS_TLS13},
        {"only-old-versions", offsetof(struct tls_profile, versions), TLS_HAS_TLS11},
        {"old-versions", offsetof(struct tls_profile, versions),
         TLS_HAS_TLS10 | TLS_HAS_TLS12 | TLS_HAS_TLS13},
        {"no-tls13", offsetof(struct tls_profile, versions), TLS_HAS_TLS12},
        {"null-suites", offsetof(struct tls_profile, weak), TLS_WEAK_NULL},
        {"anonymous-suites", offsetof(struct tls_profile, weak), TLS_WEAK_ANONYMOUS},
        {"export-suites", offsetof(struct tls_profile, weak), TLS_WEAK_EXPORT},
        {"rc4", offsetof(struct tls_profile, weak), TLS_WEAK_RC4},
        {"triple-des", offsetof(struct tls_profile, weak), TLS_WEAK_TRIPLE_DES},
        {"small-group", offsetof(struct tls_profile, weak), TLS_WEAK_SMALL_GROUP},
        {"static-key", offsetof(struct tls_profile, weak), TLS_WEAK_STATIC},
        {"cbc-suites", offsetof(struct tls_profile, weak), TLS_WEAK_CBC},
        {"no-post-quantum", offsetof(struct tls_profile, groups), TLS_GROUP_X25519},
    };
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (strcmp(bits[i].id, id) == 0)
            memcpy((char *)t + bits[i].at, &bits[i].set, sizeof bits[i].set);
    if (strcmp(id, "no-encryption") == 0) {
        c->endpoint.security = SECURITY_NONE;
        c->standing.encrypted = c->standing.private_ = t->shaken = false;
    }
    t->starttls_stripped |= strcmp(id, "starttls-stripped") == 0;
    t->starttls_injected |= strcmp(id, "starttls-injection") == 0;
    if (strcmp(id, "clear-password") == 0)
        notes_observed(&c->notes, TONE_WARNING, OBSERVED_GREETING_LOGIN_BEFORE_TLS, PROOF_REPLY, SLICE_EMPTY);
    if (strcmp(id, "starttls") == 0)
        c->endpoint.security = SECURITY_STARTTLS;
    t->forward_secret &= strcmp(id, "no-forward-secrecy") != 0;
    t->verified &= strcmp(id, "certificate-not-verified") != 0;
    t->key_strength = strcmp(id, "weak-key") == 0 ? 80 : t->key_strength;
    t->weak_signature |= strcmp(id, "weak-signature") == 0;
    t->days_left = strcmp(id, "expires-this-week") == 0 ? 6
                   : strcmp(id, "expires-soon") == 0    ? 14
                                                        : t->days_left;
    t->not_before_s -= strcmp(id, "long-lived") == 0 ? 1000 * 86400 : 0;
    const char *ways = strcmp(id, "no-proof") == 0    ? "PLAIN LOGIN"
                       : strcmp(id, "old-proof") == 0 ? "SCRAM-SHA-1 PLAIN CRAM-MD5"
                                                      : NULL;
    if (ways)
        notes_fact(&c->notes, TONE_GOOD, FACT_MECHANISMS, slice_str(ways), SLICE_EMPTY, SLICE_EMPTY);
    if (strcmp(id, "no-dnssec") == 0) {
        c->endpoint.source = SOURCE_SRV;
        c->endpoint.trusted = false;
    }
    t->probed &= strcmp(id, "not-probed") != 0;
}

/* One thing at a time is made worse, and it alone is told, with the mark it still allows. */
static void every_point_caps_the_mark(void **state)
{
    static const struct {
        const char *id, *mark;
    } cases[] = {
#define RULE(id, cap, look, bits, poor, poor_zh, better, better_zh, well, well_zh) {id, #cap},
#include "doctor/grade.def"
#undef RULE
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        examination_init(&x, k);
        what_is_done(perfect("imap.example.org", SOURCE_GIVEN), cases[i].id);
        grading_init(&g, &x);
        const struct grade_point *p = point(cases[i].id);
        if (!p)
            fail_msg("%s is not told", cases[i].id);
        if (strcmp(grade_name(g.whole), cases[i].mark) != 0 || p->cap != g.whole)
            fail_msg("%s: %s", cases[i].id, grade_name(g.whole));
        for (int l = 0; l < LANG_N; l++) {
            assert_true(p->reason[l].n && p->better[l].n);
            assert_int_equal(slice_search(p->reason[l], S("{")), SLICE_NPOS);
        }
        assert_true(g.points[0].cap == g.whole);
        for (size_t j = 1; j < g.point_count; j++)
            assert_true(g.points[j].cap <= g.points[j - 1].cap);
        grading_done(&g);
        examination_done(&x);
    }
}

static void what_was_not_asked_says_nothing(void **state)
{
    examination_init(&x, k);
    struct checked *c = perfect("imap.example.org", SOURCE_GIVEN);
    c->tls.versions_asked = c->tls.weak_asked = c->tls.groups_asked = 0;
    c->tls.versions = c->tls.weak = c->tls.groups = 0;
    grading_init(&g, &x);
    assert_int_equal(g.whole, GRADE_A_PLUS);
    assert_null(point("no-tls13"));
    assert_null(point("old-versions"));
    assert_null(point("no-post-quantum"));
    grading_done(&g);
    examination_done(&x);
}

static void signed_names_are_told(void **state)
{
    examination_init(&x, k);
    struct checked *c = perfect("imap.example.org", SOURCE_GIVEN);
    grading_init(&g, &x);
    assert_null(point("no-dnssec"));
    grading_done(&g);
    notes_fact(&c->notes, TONE_GOOD, FACT_NAME_PROVED, S("imap.example.org"), SLICE_EMPTY, SLICE_EMPTY);
    grading_init(&g, &x);
    assert_non_null(point("no-dnssec"));
    assert_int_equal(point("no-dnssec")->cap, GRADE_A_PLUS);
    grading_done(&g);
    examination_done(&x);
}

static void a_server_that_was_not_seen_has_no_mark(void **state)
{
    examination_init(&x, k);
    server("imap.example.org", SOURCE_GIVEN);
    grading_init(&g, &x);
    assert_int_equal(g.whole, GRADE_NONE);
    assert_int_equal(g.point_count, 0);
    assert_string_equal(grade_name(g.whole), "-");
    grading_done(&g);
    examination_done(&x);
}

static void the_whole_is_the_worst_in_use(void **state)
{
    examination_init(&x, k);
    perfect("imap.example.org", SOURCE_GIVEN);
    what_is_done(perfect("imap2.example.org", SOURCE_GIVEN), "old-versions");
    struct checked *guess = perfect("mail.example.org", SOURCE_GUESS);
    guess->standing.tried = guess->standing.works = false;
    what_is_done(guess, "rc4");
    grading_init(&g, &x);
    assert_int_equal(g.servers[0], GRADE_A_PLUS);
    assert_int_equal(g.servers[1], GRADE_B);
    assert_int_equal(g.servers[2], GRADE_C);
    assert_int_equal(g.whole, GRADE_B);
    assert_ptr_equal(g.points[0].server, &x.servers[0]);
    grading_done(&g);
    examination_done(&x);
}

static void guesses_count_where_there_is_nothing_else(void **state)
{
    examination_init(&x, k);
    struct checked *guess = perfect("mail.example.org", SOURCE_GUESS);
    guess->standing.tried = guess->standing.works = false;
    grading_init(&g, &x);
    assert_int_equal(g.whole, GRADE_A_PLUS);
    grading_done(&g);
    examination_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_is_marked_so),
        cmocka_unit_test(every_point_caps_the_mark),
        cmocka_unit_test(what_was_not_asked_says_nothing),
        cmocka_unit_test(signed_names_are_told),
        cmocka_unit_test(a_server_that_was_not_seen_has_no_mark),
        cmocka_unit_test(the_whole_is_the_worst_in_use),
        cmocka_unit_test(guesses_count_where_there_is_nothing_else),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}
