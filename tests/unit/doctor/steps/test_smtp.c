#include "visited.h"

#include "base/encode.h"
#include "base/utf8.h"
#include "mail/date.h"

#define D (&dialogue_smtp)

static void start(struct visited *w, const struct script_row *rows, size_t count)
{
    visited_init(w, SERVICE_SMTP, rows, count);
}

static void greetings(void **state)
{
    static const struct {
        const char *says;
        enum err e;
        int kind;
        unsigned code;
    } cases[] = {
        {"220 foo.com Simple Mail Transfer Service Ready\r\n", OK, REPLY_YES, 220}, /* RFC 5321 D.1 */
        {"220-foo.com\r\n220-no spam\r\n220 ready\r\n", OK, REPLY_YES, 220},
        {"220\n", OK, REPLY_YES, 220},
        {"421 too busy\r\n", OK, REPLY_NO, 421},
        {"554-no\r\n554 your address is listed\r\n", OK, REPLY_NO, 554},
        {"571 go away\r\n", OK, REPLY_NO, 571},
        {"334 AAAA\r\n", ERR_SYNTAX, 0, 0},
        {"220-a\r\n221 b\r\n", ERR_SYNTAX, 0, 0},
        {"220 a\0b\r\n", ERR_CLOSED, 0, 0}, /* a C string: it ends there */
        {"* OK IMAP4rev1 ready\r\n", ERR_SYNTAX, 0, 0},
        {"+OK\r\n", ERR_SYNTAX, 0, 0},
        {"HTTP/1.1 400 Bad Request\r\n", ERR_SYNTAX, 0, 0},
        {"220-no end\r\n", ERR_CLOSED, 0, 0},
        {"", ERR_CLOSED, 0, 0},
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
                assert_true((int)r.kind == cases[i].kind && r.code == cases[i].code);
            visited_done(&w);
        }
}

static void what_came_is_told(void **state)
{
    struct visited w;
    static const struct script_row rows[] = {
        {NULL, "220-a\r\n220-b\r\nSSH-2.0-x\r\n"}, {"NOOP", "250-5.7.0 x\r\n250 y\r\n"}};
    struct reply r;
    start(&w, ROWS(rows));
    assert_err(ERR_SYNTAX, D->greet(w.talk, &w.arena, &r));
    assert_slice("220-a\n220-b\nSSH-2.0-x", r.text);
    assert_ok(talk_put(w.talk, S("NOOP\r\n")));
    assert_ok(D->greet(w.talk, &w.arena, &r));
    assert_slice("250-5.7.0 x\n250 y", r.text); /* codes included: what they mean is known by them */
    visited_done(&w);
}

static void offers(void **state)
{
    static const struct script_row rows[] = {
        {"EHLO [127.0.0.1]\r\n",
         "250-mx.test\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250-SMTPUTF8\r\n250 AUTH PLAIN X-A XOAUTH2\r\n"},
        /* it does not like the address, and says so more than once */
        {"EHLO [127.0.0.1]\r\n", "501 5.5.4 what is this?\r\n"},
        {"EHLO localhost.localdomain\r\n", "250 mx.test\r\n"},
        /* it is very old */
        {"EHLO [127.0.0.1]\r\n", "502 unknown\r\n"},
        {"EHLO localhost.localdomain\r\n", "502 unknown\r\n"},
        {"HELO localhost.localdomain\r\n", "250 hello\r\n"},
        /* a firewall wrote over it */
        {"EHLO [127.0.0.1]\r\n", "250-mx.test\r\n250-XXXXXXXA\r\n250 SIZE 0\r\n"},
        {"EHLO [127.0.0.1]\r\n", "421 that is enough\r\n"},
    };
    struct visited w;
    struct offer o;
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    start(&w, ROWS(rows));
    assert_ok(D->ask(w.talk, &w.arena, &o));
    assert_true(o.asked && o.starttls && o.auth && o.utf8 && o.size == 1000 && !o.masked);
    assert_int_equal(
        o.mechanisms, 1u << (sasl_find(S("PLAIN")) - all) | 1u << (sasl_find(S("XOAUTH2")) - all));
    assert_slice("X-A", o.others);
    assert_ok(D->ask(w.talk, &w.arena, &o));
    assert_true(o.asked && !o.auth);
    assert_ok(D->ask(w.talk, &w.arena, &o));
    assert_true(!o.asked && !o.auth);
    assert_slice("502 unknown", o.text);
    assert_ok(D->ask(w.talk, &w.arena, &o));
    assert_true(o.asked && o.masked && !o.starttls);
    assert_err(ERR_CLOSED, D->ask(w.talk, &w.arena, &o));
    assert_false(w.script.strayed);
    visited_done(&w);
}

static void signing_in(void **state)
{
    struct buf line CLEANUP_BUF = BUF_INIT(200);
    buf_put(&line, S("AUTH PLAIN "));
    base64_put(&line, S("\0alice\0" VISITED_SECRET));
    buf_put(&line, S("\r\n"));
    const struct script_row rows[] = {
        {buf_cstr(&line), "235 2.7.0 Authentication successful\r\n"},
        {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n"},
        {"YWxpY2U=\r\n", "334 UGFzc3dvcmQ6\r\n"},
        {"", "535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 See the help\r\n"},
        {"AUTH PLAIN ", "421 4.7.0 try later\r\n"},
        {"AUTH PLAIN ", "504 5.5.4 unknown mechanism\r\n"}};
    static const struct {
        const char *mechanism;
        int kind;
        unsigned code;
    } cases[] = {
        {"PLAIN", REPLY_YES, 235},
        {"LOGIN", REPLY_NO, 535},
        {"PLAIN", REPLY_NO, 421},
        {"PLAIN", REPLY_BAD, 504}};
    struct visited w;
    struct reply r;
    start(&w, ROWS(rows));
    struct credentials who = {.user = S("alice"), .secret = &w.secret};
    struct offer offer = {.auth = true};
    assert_err(ERR_UNSUPPORTED, D->sign_in(w.talk, &w.arena, &offer, &who, &r, NULL));
    assert_int_equal(visited_heard(&w).n, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        who.mechanism = sasl_find(slice_str(cases[i].mechanism));
        assert_ok(D->sign_in(w.talk, &w.arena, &offer, &who, &r, NULL));
        assert_true((int)r.kind == cases[i].kind && r.code == cases[i].code);
    }
    assert_false(w.script.strayed);
    visited_done(&w);
}

static void no_secret_stays_in_memory(void **state)
{
    visited_skip_without_heap();
    static const struct script_row rows[] = {
        {"", "535 no\r\n"}, {"", "334 VXNlcm5hbWU6\r\n"}, {"", "334 UGFzc3dvcmQ6\r\n"}, {"", "535 no\r\n"}};
    struct visited w;
    struct reply r;
    start(&w, ROWS(rows));
    w.script.deaf = true;
    struct credentials who = {.user = S("alice"), .secret = &w.secret, .mechanism = sasl_find(S("PLAIN"))};
    assert_ok(D->sign_in(w.talk, &w.arena, &(struct offer){.auth = true}, &who, &r, NULL));
    who.mechanism = sasl_find(S("LOGIN"));
    assert_ok(D->sign_in(w.talk, &w.arena, &(struct offer){.auth = true}, &who, &r, NULL));
    assert_int_equal(r.code, 535);
    assert_false(visited_heap_has_secret());
    visited_done(&w);
}

/* ---------------------------------------------------------------------------------------------- after sign-in */

static const struct offer plain_offer = {.asked = true, .auth = true};

static void a_submission_is_tried_up_to_rcpt(void **state)
{
    static const struct script_row rows[] = {
        {"MAIL FROM:<alice@example.org> SIZE=", "250 2.1.0 Ok\r\n"},
        {"RCPT TO:<alice@example.org>\r\n", "250 2.1.5 Ok\r\n"},
        {"RSET\r\n", "250 Ok\r\n"}};
    struct visited w;
    struct offer offer = plain_offer;
    offer.size = 35882577;
    start(&w, ROWS(rows));
    D->use(&w.visit, w.talk, &offer);
    assert_true(w.visit.server->standing.works && !w.script.strayed);
    assert_true(visited_has_fact(&w, FACT_SENDER, S("alice@example.org")));
    assert_true(visited_has_fact(&w, FACT_SIZE_LIMIT, S("34.2")));
    assert_int_equal(slice_search(visited_heard(&w), S("DATA")), SLICE_NPOS);
    visited_done(&w);
}

/* What stands behind "DATA" in what the server heard. */
static void check_message(struct slice heard)
{
    struct slice message = slice_from(heard, slice_search(heard, S("DATA\r\n")) + 6), line;
    assert_true(slice_ends(message, S("\r\n.\r\n")));
    struct slice date = slice_from(message, slice_search(message, S("\r\nDate: ")) + 8);
    struct mail_date at;
    assert_ok(date_parse(slice_sub(date, 0, slice_find(date, '\r')), &at));
    static const char *const fields[] = {
        "From: <alice@example.org>\r\n",
        "To: <alice@example.org>\r\n",
        "\r\nMessage-ID: <",
        "@example.org>\r\n",
        "\r\nSubject: letterlock doctor",
        "\r\nAuto-Submitted: auto-generated\r\n"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_true(slice_search(message, slice_str(fields[i])) != SLICE_NPOS);
    struct slice rest = message;
    while (slice_cut(&rest, '\n', &line))
        assert_true(line.n <= 79 && ascii_is_all(line) && (!line.n || slice_ends(line, S("\r"))));
    struct buf text CLEANUP_BUF = BUF_INIT(1000);
    rest = slice_from(message, slice_search(message, S("\r\n\r\n")) + 4);
    while (slice_cut(&rest, '\n', &line) && !slice_eq(line, S(".\r")))
        assert_ok(base64_get(slice_trim(line), &text));
    assert_true(
        slice_search(buf_slice(&text), S("letterlock doctor")) != SLICE_NPOS &&
        utf8_is_valid(buf_slice(&text)));
}

static void a_test_message_is_sent_when_wished(void **state)
{
    static const struct script_row rows[] = {
        {"MAIL FROM:<alice@example.org>\r\n", "250 2.1.0 Ok\r\n"},
        {"RCPT TO:<alice@example.org>\r\n", "250 2.1.5 Ok\r\n"},
        {"DATA\r\n", "354 go on\r\n"},
        {"From: ", ""},
        {"To: ", ""},
        {"Date: ", ""},
        {"Message-ID: ", ""}};
    struct visited w;
    start(&w, ROWS(rows));
    w.wishes.send_test = true;
    D->use(&w.visit, w.talk, &plain_offer);
    assert_false(w.visit.server->standing.works); /* it did not answer to the message */
    assert_slice("after-closed", visited_diagnosis(&w, 0));
    check_message(visited_heard(&w));
    visited_done(&w);
    /* one that answers, whatever it hears */
    start(&w, NULL, 0);
    buf_put(&w.script.says, S("250 ok\r\n251 ok\r\n354 go on\r\n250 2.0.0 queued\r\n"));
    w.wishes.send_test = true;
    D->use(&w.visit, w.talk, &plain_offer);
    assert_true(w.visit.server->standing.works);
    assert_true(visited_has_fact(&w, FACT_TEST_SENT, S("alice@example.org")));
    check_message(visited_heard(&w));
    visited_done(&w);
}

static void addresses_of_all_kinds(void **state)
{
    static const struct {
        struct slice address;
        bool utf8;
        const char *line, *id;
    } cases[] = {
        {{"alice@B\xc3\xbc"
          "cher.example",
          21},
         false,
         "MAIL FROM:<alice@xn--bcher-kva.example>\r\n",
         ""},
        {{"J\xc3\xb6rg@example.org", 17}, true, "MAIL FROM:<J\xc3\xb6rg@example.org> SMTPUTF8\r\n", ""},
        {{"J\xc3\xb6rg@example.org", 17}, false, "", "after-no-smtputf8"},
        {{"\"a b\"@example.org", 17}, false, "MAIL FROM:<\"a b\"@example.org>\r\n", ""},
        /* nothing that could be a line of its own goes out */
        {{"a@b>\r\nRCPT TO:<x@y", 19}, false, "", ""},
        {{"alice", 5}, false, "", ""},
        {{"", 0}, false, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        struct offer offer = plain_offer;
        offer.utf8 = cases[i].utf8;
        start(&w, NULL, 0);
        buf_put(&w.script.says, S("250 ok\r\n250 ok\r\n250 ok\r\n"));
        w.wishes.address = cases[i].address;
        D->use(&w.visit, w.talk, &offer);
        struct slice heard = visited_heard(&w);
        assert_true(slice_eq(slice_sub(heard, 0, strlen(cases[i].line)), slice_str(cases[i].line)));
        assert_int_equal(heard.n == 0, cases[i].line[0] == 0);
        assert_true(slice_eq(visited_diagnosis(&w, 0), slice_str(cases[i].id)));
        assert_int_equal(w.visit.server->standing.works, cases[i].id[0] == 0);
        visited_done(&w);
    }
}

static void refusals_have_their_names(void **state)
{
    static const struct {
        const char *mail, *rcpt, *id;
        enum cause cause;
    } cases[] = {
        {"553 5.7.1 <alice@example.org>: Sender address rejected: not owned by user bob\r\n", "",
         "smtp-553-sender-not-owned", CAUSE_SENDER},
        {"550 something strange\r\n", "", "after-sender-refused", CAUSE_SENDER},
        {"451 something strange\r\n", "", "after-sender-later", CAUSE_SERVER_TROUBLE},
        {"421 4.3.0 something strange\r\n", "", "smtp-421-busy", CAUSE_SERVER_TROUBLE},
        {"421 something strange\r\n", "", "after-closed", CAUSE_TOO_MANY_CONNECTIONS},
        {"530 5.7.0 Must issue a STARTTLS command first\r\n", "", NULL, CAUSE_TLS_REQUIRED},
        {"552 5.3.4 Message size exceeds fixed limit\r\n", "", NULL, CAUSE_CONTENT},
        {"250 ok\r\n", "554 5.7.1 <alice@example.org>: Relay access denied\r\n", "smtp-550-relay-denied",
         CAUSE_NOT_SIGNED_IN},
        {"250 ok\r\n", "550 5.7.1 strange words\r\n", "after-relay-denied", CAUSE_NOT_SIGNED_IN},
        {"250 ok\r\n", "550 strange words\r\n", "after-recipient-refused", CAUSE_RECIPIENT},
        {"250 ok\r\n", "554 5.7.1 <a[192.0.2.1]>: Client host rejected: Access denied\r\n", NULL,
         CAUSE_IP_NOT_ALLOWED},
        {"250 ok\r\n", "552 5.9.9 a client host of ours\r\n", "greeting-refused", CAUSE_IP_NOT_ALLOWED},
        {"250 ok\r\n", "450 strange words\r\n", "after-recipient-later", CAUSE_SERVER_TROUBLE},
        {"250 ok\r\n", "nonsense\r\n", "after-nonsense", CAUSE_PROTOCOL_FAULT},
        {"250 ok\r\n", "", "after-closed", CAUSE_TOO_MANY_CONNECTIONS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        struct script_row rows[] = {{"MAIL", cases[i].mail}, {"RCPT", cases[i].rcpt}};
        start(&w, ROWS(rows));
        D->use(&w.visit, w.talk, &plain_offer);
        const struct diagnosis *d = w.visit.notes->rows[0].diagnosis;
        assert_int_equal(w.visit.notes->count, 1);
        if (d->cause != cases[i].cause || (cases[i].id && !slice_eq(d->id, slice_str(cases[i].id))))
            fail_msg("%s%s: " SLICE_FMT, cases[i].mail, cases[i].rcpt, SLICE_ARG(d->id));
        assert_false(w.visit.server->standing.works);
        visited_done(&w);
    }
}

static void a_refused_message_is_told(void **state)
{
    struct visited w;
    start(&w, NULL, 0);
    buf_put(&w.script.says, S("250 ok\r\n250 ok\r\n354 go on\r\n554 strange words\r\n"));
    w.wishes.send_test = true;
    D->use(&w.visit, w.talk, &plain_offer);
    assert_slice("after-message-refused", visited_diagnosis(&w, 0));
    assert_false(
        w.visit.server->standing.works || visited_has_fact(&w, FACT_TEST_SENT, S("alice@example.org")));
    visited_done(&w);
}

/* T-107: what a hostile SMTP server may try costs no more than the budgets, and ends in an error. */
static void t107_floods_end(void **state)
{
    static const char *const goes_on[] = {"220-\r\n", "220-x\r\n", "220-\033]0;x\007\r\n",
                                          "xxxxxxxx", "220 ",      "250-AUTH PLAIN LOGIN\r\n"};
    unsigned cases = 0;
    for (size_t i = 0; i < sizeof goes_on / sizeof *goes_on; i++)
        for (int asks = 0; asks < 2; asks++, cases++) {
            struct visited w;
            struct reply r;
            struct offer o;
            start(&w, NULL, 0);
            while (w.script.says.n < 2 * LIMIT_DOCTOR_TALK)
                buf_put_str(&w.script.says, goes_on[i]);
            assert_err(ERR_LIMIT, asks ? D->ask(w.talk, &w.arena, &o) : D->greet(w.talk, &w.arena, &r));
            assert_true(w.script.said <= LIMIT_DOCTOR_LINE + 16384);
            visited_done(&w);
        }
    report_threat("T-107", cases);
}

static void goodbye_is_said(void **state)
{
    static const struct script_row rows[] = {{"QUIT\r\n", "221 bye\r\n"}};
    struct visited w;
    start(&w, ROWS(rows));
    D->leave(w.talk);
    assert_slice("QUIT\r\n", visited_heard(&w));
    D->leave(w.talk);
    visited_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_secret_stays_in_memory),
        cmocka_unit_test(greetings),
        cmocka_unit_test(what_came_is_told),
        cmocka_unit_test(offers),
        cmocka_unit_test(signing_in),
        cmocka_unit_test(a_submission_is_tried_up_to_rcpt),
        cmocka_unit_test(a_test_message_is_sent_when_wished),
        cmocka_unit_test(addresses_of_all_kinds),
        cmocka_unit_test(refusals_have_their_names),
        cmocka_unit_test(a_refused_message_is_told),
        cmocka_unit_test(t107_floods_end),
        cmocka_unit_test(goodbye_is_said),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
