#include "test.h"

#include "doctor/examination.h"
#include "doctor_knowledge.h"

static void every_observed_condition_is_known(void **state)
{
    struct notes n;
    notes_init(&n, k);
    for (int i = 0; i < OBSERVED_N; i++) {
        struct observation *o = notes_observed(&n, TONE_FAULT, (enum observed)i, PROOF_MEASURED, S("seen"));
        assert_non_null(o->diagnosis);
        assert_true(o->diagnosis->observed);
        assert_true(notes_have(&n, (enum observed)i));
    }
    notes_done(&n);
}

static void every_fact_has_words(void **state)
{
    for (int i = FACT_NONE + 1; i < FACT_N; i++) {
        assert_true(fact_name((enum fact)i)[0]);
        for (int l = 0; l < LANG_N; l++)
            assert_true(fact_words((enum fact)i, (enum lang)l)[0]);
        for (int j = FACT_NONE + 1; j < i; j++)
            assert_string_not_equal(fact_name((enum fact)i), fact_name((enum fact)j));
    }
}

static void notes_are_bounded_and_keep_their_texts(void **state)
{
    struct notes n;
    char text[LIMIT_DOCTOR_PROOF + 10];
    memset(text, 'x', sizeof text);
    notes_init(&n, k);
    n.step = STEP_TLS;
    for (int i = 0; i < LIMIT_DOCTOR_NOTES + 20; i++) {
        struct observation *o =
            notes_observed(&n, TONE_WARNING, (enum observed)0, PROOF_REPLY, slice_of(text, sizeof text));
        assert_int_equal(o->proof.n, LIMIT_DOCTOR_PROOF);
        assert_ptr_not_equal(o->proof.p, text);
    }
    assert_int_equal(n.count, LIMIT_DOCTOR_NOTES);
    assert_true(n.full);
    assert_int_equal(notes_worst(&n, STEP_TLS), TONE_WARNING);
    assert_int_equal(notes_worst(&n, STEP_FIND), TONE_GOOD);
    notes_done(&n);
}

static void a_server_is_added_once(void **state)
{
    struct examination x;
    struct endpoint e = {.service = SERVICE_IMAP, .host = S("imap.example.org"), .port = 993};
    examination_init(&x, k);
    assert_non_null(examination_add(&x, &e));
    assert_null(examination_add(&x, &e));
    e.service = SERVICE_POP3;
    assert_non_null(examination_add(&x, &e));
    for (unsigned i = 0; i < 2 * LIMIT_DOCTOR_SERVERS; i++) {
        e.port = (uint16_t)(1000 + i);
        assert_true((examination_add(&x, &e) != NULL) == (i < LIMIT_DOCTOR_SERVERS - 2));
    }
    examination_done(&x);
}

static void ports_say_their_security(void **state)
{
    assert_int_equal(security_of_port(993), SECURITY_TLS);
    assert_int_equal(security_of_port(587), SECURITY_STARTTLS);
    assert_int_equal(security_of_port(8143), SECURITY_UNKNOWN);
    for (int s = 0; s < SERVICE_N; s++) {
        assert_int_equal(security_of_port(port_of((enum service)s, SECURITY_TLS)), SECURITY_TLS);
        assert_int_equal(security_of_port(port_of((enum service)s, SECURITY_STARTTLS)), SECURITY_STARTTLS);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_observed_condition_is_known), cmocka_unit_test(every_fact_has_words),
        cmocka_unit_test(notes_are_bounded_and_keep_their_texts), cmocka_unit_test(a_server_is_added_once),
        cmocka_unit_test(ports_say_their_security)};
    return cmocka_run_group_tests(tests, learn, forget);
}
