#include "test.h"

#include "doctor/attempts.h"
#include "doctor_knowledge.h"

static uint32_t bit_of(const char *name)
{
    size_t count;
    const struct sasl_mechanism *rows = sasl_mechanisms(&count), *m = sasl_find(slice_str(name));
    assert_non_null(m);
    return UINT32_C(1) << (m - rows);
}

static uint32_t all_bits(void)
{
    size_t count;
    sasl_mechanisms(&count);
    return (UINT32_C(1) << count) - 1;
}

static struct turn turn_of(struct attempts *a, uint32_t mechanisms, bool own, bool can_bind)
{
    struct turn t;
    struct attempts_offer offer = {mechanisms, own, can_bind};
    turn_init(&t, a, SERVICE_IMAP, &offer, S("alice@example.org"), S("alice"));
    return t;
}

/* "SCRAM-SHA-256 PLAIN -": what is tried when everything succeeds; "-" is the protocol's own. */
static void assert_order(struct turn *t, const char *expected)
{
    char said[200] = "";
    struct attempt now;
    while (turn_next(t, &now)) {
        struct attempt again;
        assert_true(turn_next(t, &again) && again.mechanism == now.mechanism);
        assert_true(slice_eq(now.user, S("alice@example.org")));
        size_t n = strlen(said);
        snprintf(said + n, sizeof said - n, "%s%s", n ? " " : "", now.mechanism ? now.mechanism->name : "-");
        turn_succeeded(t);
    }
    assert_string_equal(said, expected);
}

static void explained(const char *text, enum where where, struct explanation *ret)
{
    explain_reply(k, slice_str(text), where, NULL, ret);
}

/* An explanation of one finding. */
static struct explanation meaning_of(enum cause cause, enum sure sure, struct diagnosis *d)
{
    *d = (struct diagnosis){.cause = cause, .sure = sure};
    return (struct explanation){.findings = {{.diagnosis = d, .score = 100, .sure = sure}}, .count = 1};
}

/* --------------------------------------------------------------------------------------------------------- order */

static void what_is_offered_is_tried_from_strong_to_weak(void **state)
{
    struct attempts a;
    attempts_init(&a, false);
    struct turn t = turn_of(&a, all_bits(), true, true);
    assert_order(&t, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN -");
    assert_true(t.succeeded);
    assert_int_equal(a.failures, 0);
    t = turn_of(&a, all_bits(), true, false);
    assert_order(&t, "SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN -");
    t = turn_of(&a, bit_of("PLAIN") | bit_of("XOAUTH2"), false, false);
    assert_order(&t, "PLAIN");
    t = turn_of(&a, 0, true, false);
    assert_order(&t, "-");
    t = turn_of(&a, 0, false, false);
    assert_order(&t, "");
}

static void a_token_goes_nowhere_but_to_mechanisms_that_take_one(void **state)
{
    struct attempts a;
    attempts_init(&a, true);
    struct turn t = turn_of(&a, all_bits(), true, true);
    assert_order(&t, "OAUTHBEARER XOAUTH2");
    t = turn_of(&a, bit_of("PLAIN") | bit_of("LOGIN"), true, false);
    assert_order(&t, "");
}

static void fitting_is_told_apart_from_allowed(void **state)
{
    struct attempts password, token;
    attempts_init(&password, false);
    attempts_init(&token, true);
    struct attempts_offer only_oauth = {.mechanisms = bit_of("XOAUTH2")}, only_own = {.own = true},
                          only_plus = {.mechanisms = bit_of("SCRAM-SHA-256-PLUS")},
                          only_certificate = {.mechanisms = bit_of("EXTERNAL")};
    password.ended = token.ended = true;
    assert_false(attempts_fit(&password, &only_oauth));
    assert_true(attempts_fit(&token, &only_oauth));
    assert_true(attempts_fit(&password, &only_own));
    assert_false(attempts_fit(&token, &only_own));
    assert_false(attempts_fit(&password, &only_plus));
    assert_false(attempts_fit(&password, &only_certificate));
    assert_false(attempts_fit(&token, &only_certificate));
}

/* ------------------------------------------------------------------------------------------------------ refusals */

/* For every cause, at the first try: what is left at this server, at another of its kind, at one of another kind. */
static void every_cause_leaves_what_it_says(void **state)
{
    for (int c = 0; c < CAUSE_N; c++) {
        struct attempts a;
        struct diagnosis d;
        struct attempt next;
        struct attempts_offer offer = {bit_of("PLAIN"), true, false};
        struct turn same, other;
        attempts_init(&a, false);
        struct turn t = turn_of(&a, bit_of("SCRAM-SHA-256") | bit_of("PLAIN"), true, false);
        struct explanation x = meaning_of((enum cause)c, SURE_HIGH, &d);
        turn_refused(&t, &x, false);
        assert_int_equal(a.failures, 1);
        turn_init(&same, &a, SERVICE_IMAP, &offer, S("alice"), SLICE_EMPTY);
        turn_init(&other, &a, SERVICE_SMTP, &offer, S("alice"), SLICE_EMPTY);
        enum consequence left = cause_consequence((enum cause)c);
        assert_int_equal(turn_next(&other, &next), left != CONSEQUENCE_ALL);
        assert_int_equal(turn_next(&same, &next), left != CONSEQUENCE_ALL && left != CONSEQUENCE_PROTOCOL);
        bool goes_on = turn_next(&t, &next);
        assert_int_equal(goes_on, left == CONSEQUENCE_MECHANISM || left == CONSEQUENCE_NAME);
        if (goes_on && left == CONSEQUENCE_MECHANISM)
            assert_true(
                next.mechanism == sasl_find(S("PLAIN")) && slice_eq(next.user, S("alice@example.org")));
        if (goes_on && left == CONSEQUENCE_NAME)
            assert_true(next.mechanism == sasl_find(S("SCRAM-SHA-256")) && slice_eq(next.user, S("alice")));
    }
}

static void the_causes_that_speak_of_the_secret_or_the_account_end_everything(void **state)
{
    static const enum cause rows[] = {CAUSE_WRONG_PASSWORD, CAUSE_APP_PASSWORD,         CAUSE_ACCOUNT_LOCKED,
                                      CAUSE_ACCOUNT_ENDED,  CAUSE_PASSWORD_EXPIRED,     CAUSE_SECOND_FACTOR,
                                      CAUSE_TOKEN,          CAUSE_BASIC_AUTH_WITHDRAWN, CAUSE_TOO_MANY_TRIES,
                                      CAUSE_POLICY,         CAUSE_IP_NOT_ALLOWED};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(cause_consequence(rows[i]), CONSEQUENCE_ALL);
    assert_int_equal(cause_consequence(CAUSE_PROTOCOL_OFF), CONSEQUENCE_PROTOCOL);
    assert_int_equal(cause_consequence(CAUSE_MECHANISM), CONSEQUENCE_MECHANISM);
    assert_int_equal(cause_consequence(CAUSE_NAME_FORM), CONSEQUENCE_NAME);
    assert_int_equal(cause_consequence(CAUSE_TLS_REQUIRED), CONSEQUENCE_SERVER);
}

/* Whatever the servers say, in whatever order: two refusals, and it is over. */
static void never_more_refusals_than_the_limit(void **state)
{
    for (int first = 0; first < CAUSE_N; first++)
        for (int second = 0; second < CAUSE_N; second++)
            for (int how = 0; how < 4; how++) {
                struct attempts a;
                struct diagnosis d[2];
                struct attempt next;
                unsigned tries = 0;
                attempts_init(&a, false);
                struct explanation x[2] = {
                    meaning_of((enum cause)first, SURE_HIGH, &d[0]),
                    meaning_of((enum cause)second, SURE_HIGH, &d[1])};
                for (int server = 0; server < 3 * SERVICE_N; server++) {
                    struct attempts_offer offer = {all_bits(), true, true};
                    struct turn t;
                    turn_init(&t, &a, (enum service)(server % SERVICE_N), &offer, S("a@b"), S("a"));
                    while (turn_next(&t, &next)) {
                        if (how == 1)
                            turn_broke(&t);
                        else if (how == 2)
                            turn_distrusted(&t);
                        else
                            turn_refused(&t, &x[tries % 2], how == 3);
                        tries++;
                    }
                }
                assert_true(tries >= 1 && tries <= LIMIT_DOCTOR_FAILURES);
                assert_int_equal(a.failures, tries);
            }
}

static void words_that_nobody_knows_count_as_a_wrong_secret(void **state)
{
    struct attempts a;
    struct explanation x = {.count = 0};
    struct attempt next;
    attempts_init(&a, false);
    struct turn t = turn_of(&a, all_bits(), true, false);
    turn_refused(&t, &x, false);
    assert_true(a.ended);
    assert_false(turn_next(&t, &next));
}

static void doubtful_words_count_as_a_wrong_secret(void **state)
{
    struct attempts a;
    struct diagnosis d, worse = {.cause = CAUSE_WRONG_PASSWORD, .sure = SURE_HIGH};
    attempts_init(&a, false);
    struct turn t = turn_of(&a, all_bits(), true, false);
    struct explanation x = meaning_of(CAUSE_MECHANISM, SURE_LOW, &d);
    turn_refused(&t, &x, false);
    assert_true(a.ended);

    attempts_init(&a, false);
    t = turn_of(&a, all_bits(), true, false);
    x = meaning_of(CAUSE_MECHANISM, SURE_HIGH, &d);
    x.findings[1] = (struct finding){.diagnosis = &worse, .score = 90, .sure = SURE_HIGH};
    x.count = 2;
    turn_refused(&t, &x, false);
    assert_true(a.ended);

    attempts_init(&a, false);
    t = turn_of(&a, all_bits(), true, false);
    x.findings[1].score = 89;
    turn_refused(&t, &x, false);
    assert_false(a.ended);
}

static void what_was_not_understood_says_nothing_of_the_secret(void **state)
{
    struct attempts a;
    struct explanation x = {.count = 0};
    struct attempt next;
    struct diagnosis d;
    attempts_init(&a, false);
    struct turn t = turn_of(&a, bit_of("SCRAM-SHA-256") | bit_of("PLAIN"), true, false);
    turn_refused(&t, &x, true);
    assert_true(turn_next(&t, &next) && next.mechanism == sasl_find(S("PLAIN")));
    assert_int_equal(a.failures, 1);

    /* Unless the words do say so. */
    attempts_init(&a, false);
    t = turn_of(&a, all_bits(), true, false);
    x = meaning_of(CAUSE_WRONG_PASSWORD, SURE_MEDIUM, &d);
    turn_refused(&t, &x, true);
    assert_true(a.ended);
}

static void a_name_has_one_other_form(void **state)
{
    struct attempts a;
    struct diagnosis d;
    struct attempt next;
    struct explanation x = meaning_of(CAUSE_USER_UNKNOWN, SURE_HIGH, &d);
    attempts_init(&a, false);
    struct turn t = turn_of(&a, bit_of("PLAIN"), false, false);
    turn_refused(&t, &x, false);
    assert_true(turn_next(&t, &next) && slice_eq(next.user, S("alice")));
    turn_succeeded(&t);
    assert_false(turn_next(&t, &next));
    assert_false(a.ended);

    attempts_init(&a, false);
    struct attempts_offer offer = {bit_of("PLAIN"), false, false};
    turn_init(&t, &a, SERVICE_IMAP, &offer, S("alice"), S("alice"));
    turn_refused(&t, &x, false);
    assert_true(a.ended && !turn_next(&t, &next));
}

static void a_secret_that_was_right_here_is_not_wrong_here(void **state)
{
    struct attempts a;
    struct diagnosis d;
    struct attempt next;
    struct explanation x = meaning_of(CAUSE_WRONG_PASSWORD, SURE_HIGH, &d);
    attempts_init(&a, false);
    struct turn t = turn_of(&a, bit_of("SCRAM-SHA-256") | bit_of("PLAIN"), true, false);
    turn_succeeded(&t);
    turn_refused(&t, &x, false);
    assert_false(turn_next(&t, &next));
    assert_false(a.ended);
    assert_int_equal(a.failures, 1);
    /* But it may be so at the next server. */
    t = turn_of(&a, bit_of("PLAIN"), true, false);
    assert_true(turn_next(&t, &next));
    turn_refused(&t, &x, false);
    assert_true(a.ended);
}

static void what_was_never_sent_costs_nothing(void **state)
{
    struct attempts a;
    struct attempt next;
    attempts_init(&a, false);
    struct turn t = turn_of(&a, bit_of("SCRAM-SHA-256") | bit_of("PLAIN"), false, false);
    turn_skipped(&t);
    assert_true(turn_next(&t, &next) && next.mechanism == sasl_find(S("PLAIN")));
    turn_skipped(&t);
    assert_false(turn_next(&t, &next));
    assert_int_equal(a.failures, 0);
    assert_false(t.succeeded);
}

/* Replies as they are heard, through the knowledge. */
static void replies_of_servers_are_taken_as_they_are_meant(void **state)
{
    static const struct {
        const char *text;
        enum where where;
        bool ends_all;
    } rows[] = {
        {"a1 NO [AUTHENTICATIONFAILED] Authentication failed.", WHERE_IMAP, true},
        {"535 5.7.8 Error: authentication failed: authentication failure", WHERE_SMTP, true},
        {"-ERR [AUTH] Authentication failed.", WHERE_POP3, true},
        {"535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  "
         "https://support.google.com/mail/?p=BadCredentials",
         WHERE_SMTP, true},
        {"a1 NO [ALERT] Application-specific password required", WHERE_IMAP, true},
        {"a1 NO I do not like you today", WHERE_IMAP, true},
        {"504 5.5.4 Error: unsupported authentication mechanism", WHERE_SMTP, false},
        {"a1 NO [PRIVACYREQUIRED] Plaintext authentication disallowed", WHERE_IMAP, false},
        {"a1 NO [UNAVAILABLE] Temporary authentication failure.", WHERE_IMAP, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct attempts a;
        struct explanation x;
        attempts_init(&a, false);
        struct turn t = turn_of(&a, all_bits(), true, false);
        explained(rows[i].text, rows[i].where, &x);
        turn_refused(&t, &x, false);
        if (a.ended != rows[i].ends_all)
            fail_msg("%s", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_offered_is_tried_from_strong_to_weak),
        cmocka_unit_test(a_token_goes_nowhere_but_to_mechanisms_that_take_one),
        cmocka_unit_test(fitting_is_told_apart_from_allowed),
        cmocka_unit_test(every_cause_leaves_what_it_says),
        cmocka_unit_test(the_causes_that_speak_of_the_secret_or_the_account_end_everything),
        cmocka_unit_test(never_more_refusals_than_the_limit),
        cmocka_unit_test(words_that_nobody_knows_count_as_a_wrong_secret),
        cmocka_unit_test(doubtful_words_count_as_a_wrong_secret),
        cmocka_unit_test(what_was_not_understood_says_nothing_of_the_secret),
        cmocka_unit_test(a_name_has_one_other_form),
        cmocka_unit_test(a_secret_that_was_right_here_is_not_wrong_here),
        cmocka_unit_test(what_was_never_sent_costs_nothing),
        cmocka_unit_test(replies_of_servers_are_taken_as_they_are_meant),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}
