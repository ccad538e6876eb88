/* What counts as a change between two examinations, and what does not. */
#include "test.h"

#include "doctor/changes.h"
#include "doctor_knowledge.h"

struct told {
    struct change rows[20];
    size_t count;
};

static void on_change(void *owner, const struct change *change)
{
    struct told *t = owner;
    assert_true(t->count < 20);
    t->rows[t->count++] = *change;
}

/* A server that works, with an account. */
static struct checked *healthy(struct examination *x, const char *host)
{
    const struct endpoint e = {SERVICE_IMAP, slice_str(host), 993, SECURITY_TLS, SOURCE_SRV,
                               true,         SLICE_EMPTY,     0};
    struct checked *s = examination_add(x, &e);
    s->standing = (struct standing){
        .connected = true,
        .private_ = true,
        .encrypted = true,
        .greeted = true,
        .signed_in = true,
        .tried = true,
        .works = true};
    s->notes.step = STEP_NETWORK;
    notes_fact(&s->notes, TONE_GOOD, FACT_CONNECTED, S("192.0.2.1"), S("3"), SLICE_EMPTY);
    notes_fact(&s->notes, TONE_GOOD, FACT_ADDRESS, slice_str(host), S("192.0.2.1"), SLICE_EMPTY);
    return s;
}

struct pair {
    struct examination before, after;
    struct told told;
};

static void set_up(struct pair *p)
{
    *p = (struct pair){.told = {.count = 0}};
    examination_init(&p->before, k);
    examination_init(&p->after, k);
    p->before.has_secret = p->after.has_secret = true;
}

static size_t compare(struct pair *p)
{
    p->told.count = 0;
    size_t n = changes_between(&p->before, &p->after, on_change, &p->told);
    assert_int_equal(n, p->told.count);
    return n;
}

static void tear_down(struct pair *p)
{
    examination_done(&p->before);
    examination_done(&p->after);
}

static void the_same_is_no_change(void **state)
{
    struct pair p;
    set_up(&p);
    healthy(&p.before, "imap.example.org");
    struct checked *s = healthy(&p.after, "imap.example.org");
    /* times and greetings are always others */
    notes_fact(&s->notes, TONE_GOOD, FACT_CONNECTED, S("192.0.2.1"), S("250"), SLICE_EMPTY);
    notes_fact(&s->notes, TONE_GOOD, FACT_GREETING, S("ready at 12:00"), SLICE_EMPTY, SLICE_EMPTY);
    assert_int_equal(compare(&p), 0);
    tear_down(&p);
}

static void servers_come_and_go(void **state)
{
    struct pair p;
    set_up(&p);
    healthy(&p.before, "old.example.org");
    healthy(&p.after, "new.example.org");
    assert_int_equal(compare(&p), 2);
    assert_int_equal(p.told.rows[0].kind, CHANGE_SERVER_NEW);
    assert_ptr_equal(p.told.rows[0].server, &p.after.servers[0]);
    assert_int_equal(p.told.rows[1].kind, CHANGE_SERVER_GONE);
    assert_ptr_equal(p.told.rows[1].server, &p.before.servers[0]);
    tear_down(&p);
}

static void the_first_deed_that_differs_is_told_and_the_reason(void **state)
{
    struct pair p;
    set_up(&p);
    healthy(&p.before, "imap.example.org");
    struct checked *s = healthy(&p.after, "imap.example.org");
    s->standing = (struct standing){.connected = true, .encrypted = true};
    s->notes.step = STEP_TLS;
    notes_observed(
        &s->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_EXPIRED, PROOF_CERTIFICATE, S("until 2020"));
    assert_int_equal(compare(&p), 2);
    assert_int_equal(p.told.rows[0].kind, CHANGE_ENDED);
    assert_int_equal(p.told.rows[0].deed, DEED_VERIFIED);
    assert_int_equal(p.told.rows[1].kind, CHANGE_NEW);
    assert_slice("tls-certificate-expired", p.told.rows[1].note->diagnosis->id);
    tear_down(&p);
}

static void a_diagnosis_that_is_gone_is_told(void **state)
{
    struct pair p;
    set_up(&p);
    struct checked *was = healthy(&p.before, "imap.example.org");
    healthy(&p.after, "imap.example.org");
    was->notes.step = STEP_TLS;
    notes_observed(&was->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_EXPIRED, PROOF_NONE, SLICE_EMPTY);
    p.before.general.step = STEP_FIND;
    notes_observed(&p.before.general, TONE_FAULT, OBSERVED_FIND_NO_SERVERS, PROOF_NONE, SLICE_EMPTY);
    assert_int_equal(compare(&p), 2);
    assert_int_equal(p.told.rows[0].kind, CHANGE_GONE);
    assert_null(p.told.rows[0].server);
    assert_int_equal(p.told.rows[1].kind, CHANGE_GONE);
    tear_down(&p);
}

static void facts_that_matter_are_told_with_what_they_were(void **state)
{
    struct pair p;
    set_up(&p);
    struct checked *was = healthy(&p.before, "imap.example.org"), *is = healthy(&p.after, "imap.example.org");
    was->notes.step = is->notes.step = STEP_TLS;
    notes_fact(&was->notes, TONE_GOOD, FACT_CERTIFICATE_GOOD, S("a"), S("R10"), S("2026-01-01"));
    notes_fact(&is->notes, TONE_GOOD, FACT_CERTIFICATE_GOOD, S("a"), S("R11"), S("2026-04-01"));
    assert_int_equal(compare(&p), 1);
    assert_int_equal(p.told.rows[0].kind, CHANGE_FACT);
    assert_slice("R11", p.told.rows[0].note->args[1]);
    assert_slice("R10", p.told.rows[0].before->args[1]);
    tear_down(&p);
}

/* After a refusal the password is not tried again: that the sign-in is gone then is no news. */
static void what_was_not_asked_again_is_no_change(void **state)
{
    struct pair p;
    set_up(&p);
    struct checked *was = healthy(&p.before, "imap.example.org"), *is = healthy(&p.after, "imap.example.org");
    was->notes.step = STEP_SIGN_IN;
    notes_observed(&was->notes, TONE_FAULT, OBSERVED_SIGNIN_REFUSED, PROOF_REPLY, S("NO"));
    is->standing.signed_in = is->standing.tried = is->standing.works = false;
    p.after.has_secret = false;
    assert_int_equal(compare(&p), 0);
    tear_down(&p);
}

/* A refusal at one server keeps the password from the others: they say nothing about the account. */
static void a_server_that_was_not_tried_says_nothing(void **state)
{
    struct pair p;
    set_up(&p);
    healthy(&p.before, "imap.example.org");
    struct checked *is = healthy(&p.after, "imap.example.org");
    is->standing.signed_in = is->standing.tried = is->standing.works = false;
    assert_int_equal(compare(&p), 0);
    is->standing.tried = true;
    assert_int_equal(compare(&p), 1);
    assert_int_equal(p.told.rows[0].deed, DEED_SIGNED_IN);
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_no_change),
        cmocka_unit_test(servers_come_and_go),
        cmocka_unit_test(the_first_deed_that_differs_is_told_and_the_reason),
        cmocka_unit_test(a_diagnosis_that_is_gone_is_told),
        cmocka_unit_test(facts_that_matter_are_told_with_what_they_were),
        cmocka_unit_test(what_was_not_asked_again_is_no_change),
        cmocka_unit_test(a_server_that_was_not_tried_says_nothing),
    };
    for (int i = 0; i < CHANGE_N; i++)
        assert_non_null(change_name((enum change_kind)i));
    for (int i = 0; i < DEED_N; i++)
        assert_true(deed_words((enum deed)i, true, LANG_ZH)[0] && deed_name((enum deed)i)[0]);
    return cmocka_run_group_tests(tests, learn, forget);
}
