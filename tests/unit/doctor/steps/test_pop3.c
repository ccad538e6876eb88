#include "visited.h"

#include "base/encode.h"

#define D (&dialogue_pop3)

static void start(struct visited *w, const struct script_row *rows, size_t count)
{
    visited_init(w, SERVICE_POP3, rows, count);
}

static void greetings(void **state)
{
    static const struct {
        const char *says;
        enum err e;
        int kind;
    } cases[] = {
        {"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n", OK, REPLY_YES}, /* RFC 1939 4 */
        {"+OK\r\n", OK, REPLY_YES},
        {"+ok lower\n", OK, REPLY_YES},
        {"-ERR [SYS/TEMP] later\r\n", OK, REPLY_NO},
        {"+ AAAA\r\n", ERR_SYNTAX, 0},
        {"* OK IMAP4rev1 ready\r\n", ERR_SYNTAX, 0},
        {"220 mx.test ESMTP\r\n", ERR_SYNTAX, 0},
        {"\r\n", ERR_SYNTAX, 0},
        {"+OK no end", ERR_CLOSED, 0},
        {"", ERR_CLOSED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 0; step < 2; step++) {
            struct visited w;
            struct script_row rows[] = {{NULL, cases[i].says}};
            struct reply r = {.kind = REPLY_BAD};
            start(&w, ROWS(rows));
            w.script.step = step;
            assert_err(cases[i].e, D->greet(w.talk, &w.arena, &r));
            if (cases[i].e == OK)
                assert_int_equal(r.kind, cases[i].kind);
            if (cases[i].e == ERR_SYNTAX) /* what came is told */
                assert_true(slice_starts(slice_str(cases[i].says), r.text));
            visited_done(&w);
        }
}

static void offers(void **state)
{
    static const struct script_row rows[] = {
        {"CAPA\r\n",
         "+OK list follows\r\nTOP\r\nUSER\r\nSASL PLAIN X-NEW xoauth2 X-NEW\r\nSTLS\r\nUIDL\r\n.\r\n"},
        {"CAPA\r\n", "-ERR unknown command\r\n"},
        {"CAPA\r\n", "+OK\r\n.\r\n"}};
    struct visited w;
    struct offer o;
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    start(&w, ROWS(rows));
    assert_ok(D->ask(w.talk, &w.arena, &o));
    assert_true(o.asked && o.login && o.starttls && o.auth && !o.id);
    assert_int_equal(
        o.mechanisms, 1u << (sasl_find(S("PLAIN")) - all) | 1u << (sasl_find(S("XOAUTH2")) - all));
    assert_slice("X-NEW", o.others);
    assert_true(slice_search(o.text, S("SASL PLAIN")) != SLICE_NPOS);
    /* who knows no CAPA knows USER */
    assert_ok(D->ask(w.talk, &w.arena, &o));
    assert_true(!o.asked && o.login && !o.starttls && !o.auth);
    assert_slice("-ERR unknown command", o.text);
    assert_ok(D->ask(w.talk, &w.arena, &o));
    assert_true(o.asked && !o.login && !o.auth);
    assert_slice("CAPA\r\nCAPA\r\nCAPA\r\n", visited_heard(&w));
    visited_done(&w);
}

/* -------------------------------------------------------------------------------------------------- signing in */

static enum err sign_in(struct visited *w, const char *mechanism, struct slice user, struct reply *reply)
{
    struct credentials who = {
        .user = user, .secret = &w->secret, .mechanism = mechanism ? sasl_find(slice_str(mechanism)) : NULL};
    struct offer offer = {.login = true};
    struct slice why = S("untouched");
    enum err e = D->sign_in(w->talk, &w->arena, &offer, &who, reply, &why);
    if (e == OK)
        assert_int_equal(why.n, 0);
    return e;
}

static void user_and_pass(void **state)
{
    static const struct script_row rows[] = {
        {"USER alice\r\n", "+OK\r\n"},
        {"PASS Winter \"is\\ coming 2026\r\n", "+OK maildrop has 2 messages\r\n"}};
    static const struct script_row no_user[] = {{"USER alice\r\n", "-ERR [AUTH] never heard of\r\n"}};
    static const struct script_row no_pass[] = {
        {"USER alice\r\n", "+OK\r\n"},
        {"PASS ", "-ERR [IN-USE] Do you have another POP session running?\r\n"}};
    struct visited w;
    struct reply r;
    start(&w, ROWS(rows));
    assert_ok(sign_in(&w, NULL, S("alice"), &r));
    assert_int_equal(r.kind, REPLY_YES);
    assert_slice("USER alice\r\nPASS " VISITED_SECRET "\r\n", visited_heard(&w));
    visited_done(&w);
    start(&w, ROWS(no_user));
    assert_ok(sign_in(&w, NULL, S("alice"), &r));
    assert_int_equal(r.kind, REPLY_NO);
    assert_slice("USER alice\r\n", visited_heard(&w)); /* the secret stayed here */
    visited_done(&w);
    start(&w, ROWS(no_pass));
    assert_ok(sign_in(&w, NULL, S("alice"), &r));
    assert_int_equal(r.kind, REPLY_NO);
    assert_true(slice_starts(r.text, S("-ERR [IN-USE]")));
    visited_done(&w);
}

static void what_a_line_cannot_carry_is_not_sent(void **state)
{
    static const struct slice names[] = {{"", 0}, {"a\r\nPASS x", 9}, {"a\nb", 3}, {"a\0b", 3}, {"a\rb", 3}};
    static const struct slice secrets[] = {{"a\r\nDELE 1", 9}, {"a\nb", 3}, {"a\0b", 3}};
    struct visited w;
    struct reply r;
    start(&w, NULL, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_err(ERR_UNSUPPORTED, sign_in(&w, NULL, names[i], &r));
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        secret_free(&w.secret);
        assert_ok(secret_copy(w.slab, secrets[i], &w.secret));
        assert_err(ERR_UNSUPPORTED, sign_in(&w, NULL, S("alice"), &r));
    }
    assert_int_equal(visited_heard(&w).n, 0);
    visited_done(&w);
}

static void by_sasl(void **state)
{
    struct buf line CLEANUP_BUF = BUF_INIT(200);
    buf_put(&line, S("AUTH PLAIN "));
    base64_put(&line, S("\0alice\0" VISITED_SECRET));
    buf_put(&line, S("\r\n"));
    const struct script_row rows[] = {{buf_cstr(&line), "+OK welcome\r\n"}};
    /* RFC 5034 4: a name too long for the line waits for the server's empty challenge */
    static const struct script_row waits[] = {{"AUTH PLAIN\r\n", "+ \r\n"}, {"", "-ERR [AUTH] no\r\n"}};
    static const struct script_row asks[] = {
        {"AUTH PLAIN ", "+ c29tZXRoaW5n\r\n"}, {"*\r\n", "-ERR cancelled\r\n"}};
    struct visited w;
    struct reply r;
    char name[300];
    memset(name, 'a', sizeof name);
    start(&w, ROWS(rows));
    assert_ok(sign_in(&w, "PLAIN", S("alice"), &r));
    assert_int_equal(r.kind, REPLY_YES);
    assert_true(slice_eq(buf_slice(&line), visited_heard(&w)));
    visited_done(&w);
    start(&w, ROWS(waits));
    assert_ok(sign_in(&w, "PLAIN", slice_of(name, sizeof name), &r));
    assert_int_equal(r.kind, REPLY_NO);
    visited_done(&w);
    start(&w, ROWS(asks));
    assert_ok(sign_in(&w, "PLAIN", S("alice"), &r));
    assert_int_equal(r.kind, REPLY_BAD);
    visited_done(&w);
}

static void no_secret_stays_in_memory(void **state)
{
    visited_skip_without_heap();
    static const struct script_row rows[] = {{"USER", "+OK\r\n"}, {"PASS", "-ERR wrong\r\n"}};
    static const struct script_row sasl[] = {{"AUTH", "-ERR wrong\r\n"}};
    struct visited w;
    struct reply r;
    start(&w, ROWS(rows));
    w.script.deaf = true;
    assert_ok(sign_in(&w, NULL, S("alice"), &r));
    assert_false(visited_heap_has_secret());
    visited_done(&w);
    start(&w, ROWS(sasl));
    w.script.deaf = true;
    assert_ok(sign_in(&w, "PLAIN", S("alice"), &r));
    assert_false(visited_heap_has_secret());
    visited_done(&w);
}

/* ---------------------------------------------------------------------------------------------- after sign-in */

static void what_a_program_asks_for_works(void **state)
{
    static const struct script_row rows[] = {
        {"STAT\r\n", "+OK 2 320\r\n"},
        {"UIDL\r\n", "+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n.\r\n"}};
    static const struct script_row many[] = {
        {"STAT\r\n", "+OK 1000000 320\r\n"}, {"UIDL 1\r\n", "+OK 1 abc\r\n"}};
    static const struct script_row none[] = {{"STAT\r\n", "+OK 0 0\r\n"}};
    static const struct {
        const struct script_row *rows;
        size_t count;
        const char *fact;
    } cases[] = {{ROWS(rows), "2"}, {ROWS(many), "1000000"}, {ROWS(none), "0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        start(&w, cases[i].rows, cases[i].count);
        D->use(&w.visit, w.talk, &(struct offer){.asked = true});
        assert_true(w.visit.server->standing.works && !w.script.strayed);
        assert_true(visited_has_fact(&w, FACT_INBOX, slice_str(cases[i].fact)));
        assert_int_equal(notes_worst(w.visit.notes, STEP_AFTER), TONE_GOOD);
        visited_done(&w);
    }
}

static void troubles_after_sign_in_have_their_names(void **state)
{
    static const struct {
        struct script_row rows[3];
        const char *id;
        bool works;
        enum tone tone;
    } cases[] = {
        {{{"STAT", "+OK 1 9\r\n"}, {"UIDL", "-ERR what?\r\n"}, {"LIST", "+OK\r\n1 9\r\n.\r\n"}},
         "after-no-uidl",
         true,
         TONE_NOTE},
        {{{"STAT", "+OK 3 9\r\n"}, {"UIDL", "+OK\r\n1 a\r\n.\r\n"}},
         "after-list-differs",
         true,
         TONE_WARNING},
        {{{"STAT", "-ERR something strange\r\n"}}, "after-inbox-refused", false, TONE_FAULT},
        {{{"STAT", ""}}, "after-closed", false, TONE_FAULT},
        {{{"STAT", "+OK many\r\n"}}, "after-nonsense", false, TONE_FAULT},
        {{{"STAT", "250 OK\r\n"}}, "after-nonsense", false, TONE_FAULT},
        {{{"STAT", "+OK 1 9\r\n"}, {"UIDL", "+OK\r\n0 a\r\n.\r\n"}}, "after-nonsense", false, TONE_FAULT},
        {{{"STAT", "+OK 1 9\r\n"}, {"UIDL", "+OK\r\n1 a\r\n"}}, "after-closed", false, TONE_FAULT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        start(&w, cases[i].rows, 3);
        D->use(&w.visit, w.talk, &(struct offer){.asked = true});
        if (!slice_eq(visited_diagnosis(&w, 0), slice_str(cases[i].id)))
            fail_msg("%s: got " SLICE_FMT, cases[i].id, SLICE_ARG(visited_diagnosis(&w, 0)));
        assert_int_equal(w.visit.server->standing.works, cases[i].works);
        assert_int_equal(notes_worst(w.visit.notes, STEP_AFTER), cases[i].tone);
        visited_done(&w);
    }
}

/* T-107: what a hostile POP3 server may try costs no more than the budgets, and ends in an error. */
static void t107_floods_end(void **state)
{
    static const char *const begins[] = {"+OK list\r\n", "+OK\r\n", "+OK \033[2J<script>\r\n"};
    static const char *const goes_on[] = {"x\r\n", "SASL PLAIN\r\n", "\r\n", ".x\r\n", "xxxxxxxxxxxxxxxx"};
    unsigned cases = 0;
    for (size_t b = 0; b < sizeof begins / sizeof *begins; b++)
        for (size_t g = 0; g < sizeof goes_on / sizeof *goes_on; g++, cases++) {
            struct visited w;
            struct offer o;
            start(&w, NULL, 0);
            buf_put_str(&w.script.says, begins[b]);
            while (w.script.says.n < 2 * LIMIT_DOCTOR_TALK)
                buf_put_str(&w.script.says, goes_on[g]);
            assert_err(ERR_LIMIT, D->ask(w.talk, &w.arena, &o));
            assert_true(w.script.said <= LIMIT_DOCTOR_LINE + 65536);
            visited_done(&w);
        }
    report_threat("T-107", cases);
}

static void t107_lists_without_end_end(void **state)
{
    static const char *const rows[] = {"1 a\r\n", "1 x\r\n\r\n", "999999999999999999999 y\r\n"};
    unsigned cases = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++, cases++) {
        struct visited w;
        start(&w, NULL, 0);
        buf_put(&w.script.says, S("+OK 2 20\r\n+OK\r\n"));
        while (w.script.says.n < 2 * LIMIT_DOCTOR_TALK)
            buf_put_str(&w.script.says, rows[i]);
        D->use(&w.visit, w.talk, &(struct offer){.asked = true});
        assert_false(w.visit.server->standing.works);
        assert_int_equal(notes_worst(w.visit.notes, STEP_AFTER), TONE_FAULT);
        assert_true(w.script.said <= 65536);
        visited_done(&w);
    }
    report_threat("T-107", cases);
}

static void goodbye_is_said(void **state)
{
    static const struct script_row rows[] = {{"QUIT\r\n", "+OK bye\r\n"}};
    struct visited w;
    start(&w, ROWS(rows));
    D->leave(w.talk);
    assert_slice("QUIT\r\n", visited_heard(&w));
    D->leave(w.talk); /* and again, where nobody is left to hear it */
    visited_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_secret_stays_in_memory),
        cmocka_unit_test(greetings),
        cmocka_unit_test(offers),
        cmocka_unit_test(user_and_pass),
        cmocka_unit_test(what_a_line_cannot_carry_is_not_sent),
        cmocka_unit_test(by_sasl),
        cmocka_unit_test(what_a_program_asks_for_works),
        cmocka_unit_test(troubles_after_sign_in_have_their_names),
        cmocka_unit_test(t107_floods_end),
        cmocka_unit_test(t107_lists_without_end_end),
        cmocka_unit_test(goodbye_is_said),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
