/* The SMTP dialogue: what clients of good will do, and signing in. */
#include "smtp/front/talk.h"

static void a_message_arrives(void **state)
{
    for (int knobs = 0; knobs < 4; knobs++)
        for (size_t step = 1; step < 40; step += 3) {
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            f.late = knobs & 1;
            f.lag = knobs & 2;
            to_data(&f);
            fake_send(&f, S("Subject: x\r\n\r\n..dot\r\nbye\r\n.\r\n"), step);
            line(&f, "QUIT");
            assert_string_equal(codes(&f), "220 250 250 250 354 250 221");
            assert_int_equal(f.stored_count, 1);
            assert_true(slice_eq(buf_slice(&f.stored[0].octets), S("Subject: x\r\n\r\n.dot\r\nbye\r\n")));
            assert_string_equal(f.stored[0].from, "s@their.test");
            assert_true(said(&f, "250 2.6.0 message stored (id-1)\r\n"));
            assert_true(smtp_dialogue_is_closed(&f.d));
            fake_done(&f);
        }
}

static void commands_may_be_pipelined(void **state)
{
    struct fake f;
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "EHLO a.test");
    fake_send(
        &f, S("RSET\r\nMAIL FROM:<>\r\nRCPT TO:<bob@ours.test>\r\nRCPT TO:<nobody@ours.test>\r\nDATA\r\n"),
        1000);
    fake_send(
        &f,
        S("a: b\r\n\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<alice@ours.test>\r\nBDAT 6\r\na: b\r\nBDAT 4 "
          "LAST\r\n\r\nhiQUIT\r\n"),
        1000);
    assert_string_equal(codes(&f), "220 250 250 250 250 550 354 250 250 250 250 250 221");
    assert_int_equal(f.stored_count, 2);
    assert_true(slice_eq(buf_slice(&f.stored[1].octets), S("a: b\r\n\r\nhi")));
    fake_done(&f);
}

static void greeting_and_extensions(void **state)
{
    struct fake f;
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "EHLO a.test");
    assert_true(
        said(&f, "220 mx.test ESMTP Letterlock\r\n250-mx.test\r\n250-PIPELINING\r\n250-SIZE 200000\r\n"));
    assert_true(said(&f, "250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n"));
    assert_false(said(&f, "AUTH"));
    line(&f, "STARTTLS");
    assert_true(f.tls && f.d.state == SMTP_IN_START);
    buf_clear(&f.out);
    line(&f, "MAIL FROM:<>");
    line(&f, "EHLO a.test");
    assert_string_equal(codes(&f), "503 250");
    assert_false(said(&f, "STARTTLS"));
    line(&f, "STARTTLS");
    line(&f, "AUTH PLAIN =");
    assert_true(ends_with(&f, "503 5.5.1 TLS runs already\r\n502 5.5.1 not offered here\r\n"));
    fake_done(&f);
    fake_start(&f, SMTP_DOOR_SUBMISSION, false);
    line(&f, "EHLO a.test");
    assert_false(said(&f, "AUTH"));
    line(&f, "AUTH PLAIN AGFsaWNlAGdvb2Q=");
    line(&f, "MAIL FROM:<alice@ours.test>");
    assert_true(
        ends_with(&f, "encryption is required for this mechanism\r\n530 5.7.0 say STARTTLS first\r\n"));
    line(&f, "STARTTLS");
    line(&f, "EHLO a.test");
    assert_true(ends_with(&f, "250 AUTH PLAIN LOGIN\r\n"));
    fake_done(&f);
}

/* ---- sign-in ---- */

#define GOOD "AUTH PLAIN AGFsaWNlAGdvb2Q="

static void signed_in(struct fake *f)
{
    fake_start(f, SMTP_DOOR_SUBMISSION, true);
    line(f, "EHLO a.test");
    line(f, GOOD);
}

static void submission_needs_a_sign_in(void **state)
{
    struct fake f;
    fake_start(&f, SMTP_DOOR_SUBMISSION, true);
    line(&f, "EHLO a.test");
    line(&f, "MAIL FROM:<alice@ours.test>");
    line(&f, "RCPT TO:<bob@ours.test>");
    line(&f, "DATA");
    assert_string_equal(codes(&f), "220 250 530 530 530");
    line(&f, GOOD);
    line(&f, "MAIL FROM:<alice@ours.test> AUTH=<>");
    line(&f, "RCPT TO:<x@their.test>");
    assert_true(ends_with(
        &f, "235 2.7.0 signed in\r\n250 2.1.0 sender OK\r\n550 5.7.1 this server does not send to other "
            "domains yet\r\n"));
    line(&f, "RCPT TO:<bob@ours.test>");
    line(&f, "DATA");
    fake_send(&f, S("a: b\r\n.\r\n"), 100);
    assert_int_equal(f.stored_count, 1);
    buf_clear(&f.out);
    line(&f, "MAIL FROM:<bob@ours.test>"); /* T-080: at MAIL already */
    assert_true(ends_with(&f, "553 5.7.1 the sender is not an address of this account\r\n"));
    line(&f, "RCPT TO:<bob@ours.test>");
    assert_string_equal(codes(&f), "553 503");
    f.vault_down = true;
    line(&f, "MAIL FROM:<alice@ours.test>");
    assert_true(ends_with(&f, "451 4.3.0 the server cannot do this now, try again later\r\n"));
    fake_done(&f);
}

/* T-079 for SMTP. */
static void t079_broken_sasl(void **state)
{
    struct cases t = {"T-079 (SMTP)"};
    static const struct {
        const char *first, *second, *want;
    } rows[] = {
        {"AUTH PLAIN ====", NULL, "501"},
        {"AUTH PLAIN AA", NULL, "501"},
        {"AUTH PLAIN A===", NULL, "501"},
        {"AUTH PLAIN A", NULL, "501"},
        {"AUTH PLAIN AAA*", NULL, "501"},
        {"AUTH PLAIN AA==AA==", NULL, "501"},
        {"AUTH PLAIN AB==", NULL, "501"},
        {"AUTH PLAIN =", NULL, "535"},
        {"AUTH PLAIN AAAA", NULL, "535"},
        {"AUTH PLAIN a b", NULL, "501"},
        {"AUTH", NULL, "501"},
        {"AUTH ", NULL, "501"},
        {"AUTH PLAIN ", "*", "334 501"},
        {"AUTH PLAIN", "*", "334 501"},
        {"AUTH PLAIN", "=", "334 501"},
        {"AUTH PLAIN", "", "334 535"},
        {"AUTH PLAIN", "AGFsaWNlAGdvb2Q=", "334 235"},
        {"AUTH PLAIN", "AGFsaWNlAGdvb2Q", "334 501"},
        {"AUTH PLAIN", "**", "334 501"},
        {"AUTH PLAIN", " *", "334 501"},
        {"AUTH PLAIN", "MAIL FROM:<>", "334 501"},
        {"AUTH FOO", NULL, "504"},
        {"AUTH plain =", NULL, "535"},
        {"auth login", "*", "334 501"},
        {"AUTH PLAI =", NULL, "504"},
        {"AUTH PLAINX =", NULL, "504"},
        {"AUTH LOGIN=", NULL, "504"},
        {"AUTH PLAIN,LOGIN =", NULL, "504"},
        {"AUTH PLAIN\tAA==", NULL, "504"},
        {"AUTH \xff\xfe AA==", NULL, "504"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int late = 0; late < 2; late++) {
            struct fake f;
            fake_start(&f, SMTP_DOOR_SUBMISSION, true);
            f.late = late;
            line(&f, "EHLO a.test");
            buf_clear(&f.out);
            line(&f, rows[i].first);
            if (rows[i].second)
                line(&f, rows[i].second);
            bool good = strcmp(codes(&f), rows[i].want) == 0;
            buf_clear(&f.out);
            bool in = strstr(rows[i].want, "235") != NULL;
            line(&f, GOOD); /* the next try is not disturbed */
            cases_check(&t, good && strcmp(codes(&f), in ? "503" : "235") == 0, rows[i].first);
            fake_done(&f);
        }
    struct fake f;
    char longname[400] = "AUTH ";
    memset(longname + 5, 'X', 300);
    fake_start(&f, SMTP_DOOR_SUBMISSION, true);
    line(&f, "EHLO a.test");
    line(&f, longname);
    cases_check(&t, ends_with(&f, "504 5.5.4 unknown mechanism\r\n"), "300 octets of name");
    line(&f, "AUTH PLAIN");
    struct buf b CLEANUP_BUF = BUF_INIT(20000);
    memset(buf_reserve(&b, 12289), 'A', 12289);
    buf_added(&b, 12289);
    fake_send(&f, buf_slice(&b), 1000);
    cases_check(&t, said(&f, "500 5.5.6") && smtp_dialogue_is_closed(&f.d), "12,289 octets");
    fake_done(&f);
    signed_in(&f);
    line(&f, "MAIL FROM:<alice@ours.test>");
    line(&f, GOOD);
    cases_check(&t, ends_with(&f, "503 5.5.1 not in this order\r\n"), "AUTH during MAIL");
    fake_done(&f);
    for (int step = 0; step < 3; step++) { /* gone at every step */
        fake_start(&f, SMTP_DOOR_SUBMISSION, true);
        f.late = true;
        line(&f, "EHLO a.test");
        if (step)
            line(&f, "AUTH LOGIN");
        smtp_dialogue_done(&f.d);
        cases_check(&t, smtp_dialogue_is_closed(&f.d), "disconnect");
        fake_done(&f);
    }
    cases_end(&t, 60);
}

static void three_failed_sign_ins_end_it(void **state)
{
    struct fake f;
    fake_start(&f, SMTP_DOOR_SUBMISSION, true);
    line(&f, "EHLO a.test");
    for (int i = 0; i < 3; i++)
        line(&f, "AUTH PLAIN AGFsaWNlAGJhZA==");
    assert_string_equal(codes(&f), "220 250 535 535 535 421");
    fake_done(&f);
    fake_start(&f, SMTP_DOOR_SUBMISSION, true);
    f.vault_down = true;
    line(&f, "EHLO a.test");
    for (int i = 0; i < 5; i++)
        line(&f, GOOD);
    assert_string_equal(codes(&f), "220 250 454 454 454 454 454");
    fake_done(&f);
}

static void the_end_from_outside(void **state)
{
    struct fake f;
    fake_start(&f, SMTP_DOOR_MX, false);
    to_data(&f);
    fake_send(&f, S("a: b\r\n"), 100);
    smtp_dialogue_end(&f.d, STATUS_SHUTTING_DOWN);
    fake_run(&f);
    assert_true(
        !f.holds && f.drops == 1 && ends_with(&f, "421 4.3.2 the server is going down, try again later\r\n"));
    smtp_dialogue_end(&f.d, STATUS_TOO_SLOW);
    fake_send(&f, S("x\r\n.\r\nMAIL FROM:<>\r\n"), 100);
    assert_string_equal(codes(&f), "220 250 250 250 354 421");
    fake_done(&f);
}

static void keepers_and_vaults_that_fail(void **state)
{
    struct fake f;
    fake_start(&f, SMTP_DOOR_MX, false);
    f.begin_verdict = STATUS_UNAVAILABLE;
    to_data(&f);
    assert_true(ends_with(&f, "451 4.3.0 the server cannot do this now, try again later\r\n"));
    f.begin_verdict = STATUS_OK;
    line(&f, "DATA");
    assert_true(ends_with(&f, "503 5.5.1 say MAIL first\r\n"));
    line(&f, "MAIL FROM:<>");
    line(&f, "RCPT TO:<full@ours.test>");
    line(&f, "RCPT TO:<later@ours.test>");
    line(&f, "RCPT TO:<nobody@ours.test>");
    line(&f, "RCPT TO:<Postmaster>");
    assert_true(said(&f, "452 4.2.2") && said(&f, "550 5.1.1"));
    f.begin_verdict = STATUS_UNAVAILABLE;
    buf_clear(&f.out);
    fake_send(&f, S("BDAT 6 LAST\r\nNOOP\r\nNOOP\r\n"), 100);
    assert_string_equal(codes(&f), "451 250");
    fake_done(&f);
}

/* T-037, the dialogue's part: it stops reading while it owes too much. */
static void replies_are_bounded(void **state)
{
    struct fake f;
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "EHLO a.test");
    struct buf many CLEANUP_BUF = BUF_INIT(1 << 20);
    for (int i = 0; i < 20000; i++)
        buf_put(&many, S("RCPT TO:<a@b.test>\r\n"));
    f.d.errors = 0;
    struct slice in = buf_slice(&many);
    while (in.n && !smtp_dialogue_is_closed(&f.d)) {
        size_t before = in.n;
        f.d.errors = 0;
        smtp_dialogue_feed(&f.d, &in);
        assert_true(f.said.n <= LIMIT_SESSION_OUTPUT + 512);
        if (in.n == before)
            break;
        buf_clear(&f.said);
    }
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives),       cmocka_unit_test(commands_may_be_pipelined),
        cmocka_unit_test(greeting_and_extensions), cmocka_unit_test(submission_needs_a_sign_in),
        cmocka_unit_test(t079_broken_sasl),        cmocka_unit_test(three_failed_sign_ins_end_it),
        cmocka_unit_test(the_end_from_outside),    cmocka_unit_test(keepers_and_vaults_that_fail),
        cmocka_unit_test(replies_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
