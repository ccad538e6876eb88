/* What the probes ask, and what they make of answers: against servers that are made of rules. */
#include "test.h"

#include <string.h>

#include "base/limits.h"
#include "crypto/random.h"
#include "doctor/steps/tls_probes.h"

/* A server by what it accepts. */
struct rules {
    unsigned versions;      /* TLS_HAS_ */
    unsigned refused;       /* kinds of suites that it does not do */
    const uint16_t *groups; /* 0-ended, as it likes them; NULL: none for TLS 1.3 */
    unsigned prime_bits;    /* 0: no finite groups */
    bool hangs_up;          /* in the place of alerts */
    unsigned silent_after;  /* answers; 0: never */
    unsigned stubborn;      /* chooses this suite whatever is offered; 0: no */
    unsigned asked;
    struct slice host;
};

static bool has(const uint16_t *list, size_t n, uint16_t one)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == one)
            return true;
    return false;
}

static uint16_t version_for(const struct rules *r, const struct probe_ask *ask)
{
    static const unsigned bits[] = {
        TLS_HAS_SSL30, TLS_HAS_TLS10, TLS_HAS_TLS11, TLS_HAS_TLS12, TLS_HAS_TLS13};
    for (int v = ask->version; v >= PROBE_SSL30; v--)
        if (r->versions & bits[v - PROBE_SSL30] && (v == PROBE_TLS13) == (ask->version == PROBE_TLS13))
            return (uint16_t)v;
    return 0;
}

static uint16_t group_for(const struct rules *r, const struct probe_ask *ask)
{
    for (size_t i = 0; r->groups && r->groups[i]; i++)
        if (has(ask->groups, ask->group_n, r->groups[i]))
            return r->groups[i];
    return 0;
}

static const struct probe_suite *suite_for(const struct rules *r, const struct probe_ask *ask, uint16_t group)
{
    for (size_t i = 0; i < ask->suite_n; i++) {
        const struct probe_suite *s = probe_suite(ask->suites[i]);
        bool fits = !(s->kinds & r->refused) && !(s->kinds & SUITE_ELLIPTIC && !group) &&
                    !(s->kinds & SUITE_FINITE && !r->prime_bits) &&
                    (ask->version == PROBE_TLS13) == !!(s->kinds & SUITE_TLS13);
        if (fits)
            return s;
    }
    return NULL;
}

static fallible answers(void *owner, const struct probe_ask *ask, bool exchange, struct probe_answer *answer)
{
    struct rules *r = owner;
    if (r->silent_after && r->asked >= r->silent_after)
        return ERR_TIMEOUT;
    r->asked++;
    assert_true(ask->suite_n > 0 && ask->suite_n <= 128);
    assert_true(slice_eq(ask->host, r->host));
    struct buf hello CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_HELLO);
    probe_put(ask, &hello);
    assert_int_equal(buf_check(&hello), OK);
    uint16_t version = version_for(r, ask), group = group_for(r, ask);
    const struct probe_suite *suite = suite_for(r, ask, group);
    if (r->stubborn) {
        *answer =
            (struct probe_answer){.kind = PROBE_HELLO, .version = version, .suite = (uint16_t)r->stubborn};
        return OK;
    }
    if (!version || !suite || (version == PROBE_TLS13 && !group)) {
        *answer = (struct probe_answer){.kind = PROBE_ALERT, .alert = version ? 40 : 70};
        return r->hangs_up ? ERR_CLOSED : OK;
    }
    bool new = version == PROBE_TLS13;
    *answer = (struct probe_answer){
        .kind = new ? PROBE_RETRY : PROBE_HELLO,
        .version = version,
        .suite = suite->id,
        .group = new ? group : 0};
    if (exchange && suite->kinds & SUITE_FINITE)
        answer->prime_bits = r->prime_bits;
    else if (exchange && suite->kinds & SUITE_ELLIPTIC)
        answer->group = group;
    return OK;
}

static const unsigned all_old = TLS_HAS_SSL30 | TLS_HAS_TLS10 | TLS_HAS_TLS11;
static const unsigned all_versions =
    TLS_HAS_SSL30 | TLS_HAS_TLS10 | TLS_HAS_TLS11 | TLS_HAS_TLS12 | TLS_HAS_TLS13;
static const unsigned all_weak = TLS_WEAK_NULL | TLS_WEAK_ANONYMOUS | TLS_WEAK_EXPORT | TLS_WEAK_RC4 |
                                 TLS_WEAK_TRIPLE_DES | TLS_WEAK_STATIC | TLS_WEAK_CBC;
static const unsigned all_groups =
    TLS_GROUP_HYBRID | TLS_GROUP_X25519 | TLS_GROUP_P256 | TLS_GROUP_P384 | TLS_GROUP_P521 | TLS_GROUP_FFDHE;
static const uint16_t usual[] = {GROUP_X25519, GROUP_P256, GROUP_P384, 0};
static const unsigned usual_bits = TLS_GROUP_X25519 | TLS_GROUP_P256 | TLS_GROUP_P384;

static struct tls_profile run(struct rules *r, const char *session)
{
    struct tls_profile p = {.version = slice_str(session), .group = slice_str(*session ? "X25519" : "")};
    r->host = S("mx.test");
    tls_probes_run(&p, r->host, answers, r);
    assert_true(p.probed);
    assert_true(r->asked <= LIMIT_DOCTOR_PROBES);
    /* What is accepted was asked. */
    assert_int_equal(p.versions & ~p.versions_asked, 0);
    assert_int_equal(p.weak & ~p.weak_asked, 0);
    assert_int_equal(p.groups & ~p.groups_asked, 0);
    return p;
}

static void a_good_server_needs_few_questions(void **state)
{
    struct rules r = {
        .versions = TLS_HAS_TLS12 | TLS_HAS_TLS13,
        .refused = SUITE_STATIC | SUITE_CBC | SUITE_NULL | SUITE_ANONYMOUS | SUITE_RC4,
        .groups = usual};
    struct tls_profile p = run(&r, "TLSv1.3");
    assert_int_equal(p.versions, TLS_HAS_TLS12 | TLS_HAS_TLS13);
    assert_int_equal(p.versions_asked, all_versions);
    assert_int_equal(p.groups, usual_bits);
    assert_int_equal(p.groups_asked, all_groups);
    assert_int_equal(p.weak, 0);
    assert_int_equal(p.weak_asked, all_weak | TLS_WEAK_SMALL_GROUP);
    assert_int_equal(
        r.asked, 6); /* suites, TLS 1.2, what is older, two groups besides the session's, no more of them */
}

/* As Dovecot and Postfix come: what is asked of suites tells of TLS 1.2 and of a group besides. */
static void a_usual_server_needs_hardly_more(void **state)
{
    static const uint16_t groups[] = {GROUP_X25519, GROUP_P256, GROUP_P521, GROUP_P384, GROUP_FFDHE2048, 0};
    struct rules r = {
        .versions = TLS_HAS_TLS12 | TLS_HAS_TLS13,
        .refused = SUITE_NULL | SUITE_ANONYMOUS | SUITE_RC4 | SUITE_EXPORT | SUITE_TRIPLE_DES,
        .prime_bits = 2048,
        .groups = groups};
    struct tls_profile p = run(&r, "TLSv1.3");
    assert_int_equal(p.versions, TLS_HAS_TLS12 | TLS_HAS_TLS13);
    assert_int_equal(p.versions_asked, all_versions);
    assert_int_equal(p.groups, all_groups & ~(unsigned)TLS_GROUP_HYBRID);
    assert_int_equal(p.weak, TLS_WEAK_STATIC | TLS_WEAK_CBC);
    assert_int_equal(p.weak_asked, all_weak | TLS_WEAK_SMALL_GROUP);
    assert_true(r.asked <= 9);
}

/* "protocol_version" says it of all that a hello offers. */
static void versions_that_are_refused_as_such_are_not_asked_again(void **state)
{
    for (int hangs_up = 0; hangs_up < 2; hangs_up++) {
        struct rules r = {.versions = TLS_HAS_TLS13, .groups = usual, .hangs_up = hangs_up};
        struct tls_profile p = run(&r, "TLSv1.3");
        assert_int_equal(p.versions, TLS_HAS_TLS13);
        assert_int_equal(p.versions_asked, all_versions);
        assert_int_equal(p.weak, 0);
        assert_int_equal(p.weak_asked & all_weak, all_weak);
        assert_int_equal(r.asked, 4 + hangs_up);
    }
}

static void a_new_server_has_the_hybrid_group(void **state)
{
    static const uint16_t groups[] = {GROUP_X25519MLKEM768, GROUP_X25519, 0};
    struct rules r = {.versions = TLS_HAS_TLS13, .groups = groups};
    struct tls_profile p = run(&r, "TLSv1.3");
    assert_int_equal(p.versions, TLS_HAS_TLS13);
    assert_int_equal(p.groups, TLS_GROUP_HYBRID | TLS_GROUP_X25519);
    assert_int_equal(p.weak, 0);
    assert_int_equal(p.weak_asked, all_weak); /* there is no version that has them */
}

static void an_old_server_shows_all_its_weaknesses(void **state)
{
    struct rules r = {
        .versions = TLS_HAS_SSL30 | TLS_HAS_TLS10,
        .refused = SUITE_ELLIPTIC,
        .prime_bits = 1024,
        .hangs_up = true};
    struct tls_profile p = run(&r, "");
    assert_int_equal(p.versions, TLS_HAS_SSL30 | TLS_HAS_TLS10);
    assert_int_equal(p.versions_asked, all_versions);
    assert_int_equal(p.weak, all_weak | TLS_WEAK_SMALL_GROUP);
    assert_int_equal(p.groups_asked, 0);
}

static void what_lies_between_is_not_accepted(void **state)
{
    struct rules r = {
        .versions = TLS_HAS_TLS12 | TLS_HAS_TLS10, .refused = SUITE_ELLIPTIC, .prime_bits = 2048};
    struct tls_profile p = run(&r, "TLSv1.2");
    assert_int_equal(p.versions, TLS_HAS_TLS12 | TLS_HAS_TLS10);
    assert_int_equal(p.versions_asked, all_versions);
    assert_false(p.weak & TLS_WEAK_SMALL_GROUP);
    assert_true(p.weak_asked & TLS_WEAK_SMALL_GROUP);
}

static void groups_of_tls12_are_read_from_the_key_exchange(void **state)
{
    struct rules r = {.versions = TLS_HAS_TLS12, .groups = usual, .refused = SUITE_STATIC};
    struct tls_profile p = run(&r, "TLSv1.2");
    assert_int_equal(p.groups, usual_bits);
    assert_int_equal(p.groups_asked & (TLS_GROUP_HYBRID | TLS_GROUP_FFDHE), 0); /* TLS 1.2 can't say */
}

/* What was not answered is not said; what was, stays. */
static void silence_ends_it(void **state)
{
    for (unsigned after = 1; after < 12; after++) {
        struct rules r = {
            .versions = all_versions, .groups = usual, .prime_bits = 1024, .silent_after = after};
        struct tls_profile p = run(&r, "TLSv1.3");
        assert_int_equal(r.asked, after);
        assert_true(after > 1 || p.versions_asked == (TLS_HAS_TLS13 | TLS_HAS_TLS12));
        assert_int_equal(p.versions & ~all_versions, 0);
        /* Each answer was a yes to something: nothing is known not to be there. */
        assert_true(after > 4 || p.weak_asked == p.weak);
    }
    struct rules dead = {.silent_after = 1, .asked = 1};
    struct tls_profile p = run(&dead, "");
    assert_int_equal(p.versions_asked | p.weak_asked | p.groups_asked, 0);
}

/* A server that takes what was not offered gains nothing. */
static void a_stubborn_server_does_not_go_on_for_ever(void **state)
{
    struct rules r = {.versions = all_versions, .groups = usual, .stubborn = 0x002f};
    struct tls_profile p = run(&r, "");
    assert_true(p.weak & TLS_WEAK_STATIC);
    assert_int_equal(p.versions & TLS_HAS_TLS12, TLS_HAS_TLS12);
    assert_int_equal(all_old & p.versions_asked, all_old);
}

/* What was not offered is no answer: it can't be made to say what it likes. */
static void what_was_not_offered_says_nothing(void **state)
{
    static const uint16_t chosen[] = {0x5600, 0x1301, 0xffff};
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        struct rules r = {.versions = all_versions, .groups = usual, .stubborn = chosen[i]};
        struct tls_profile p = run(&r, "TLSv1.3");
        assert_int_equal(p.weak, 0);
        assert_int_equal(p.versions, TLS_HAS_TLS13);
        assert_true(r.asked <= 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_server_needs_few_questions),
        cmocka_unit_test(a_usual_server_needs_hardly_more),
        cmocka_unit_test(versions_that_are_refused_as_such_are_not_asked_again),
        cmocka_unit_test(a_new_server_has_the_hybrid_group),
        cmocka_unit_test(an_old_server_shows_all_its_weaknesses),
        cmocka_unit_test(what_lies_between_is_not_accepted),
        cmocka_unit_test(groups_of_tls12_are_read_from_the_key_exchange),
        cmocka_unit_test(silence_ends_it),
        cmocka_unit_test(a_stubborn_server_does_not_go_on_for_ever),
        cmocka_unit_test(what_was_not_offered_says_nothing),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
