#include "cases.h"

#include "smtp/wire/command.h"

static struct smtp_command c;

/* One whole line as it came; how it is answered. c holds the result. */
static enum status say_n(const char *text, size_t n, unsigned with)
{
    struct line line;
    struct buf raw CLEANUP_BUF = BUF_INIT(1 << 20);
    buf_put(&raw, slice_of(text, n));
    buf_put(&raw, S("\r\n"));
    c = (struct smtp_command){0};
    assert_int_equal(line_find(buf_slice(&raw), 1 << 20, &line), OK);
    enum status s = smtp_command_parse(&line, with, NULL, &c);
    c.text = c.initial = SLICE_EMPTY; /* the line goes away */
    return s;
}

static enum status say(const char *text)
{
    return say_n(text, strlen(text), 0);
}

static void verbs_are_found(void **state)
{
    assert_int_equal(say("eHlO mx.test"), STATUS_OK);
    assert_int_equal(c.row->verb, SMTP_EHLO);
    assert_int_equal(say("NOOP anything at all"), STATUS_OK);
    assert_int_equal(say("QUIT"), STATUS_OK);
    assert_int_equal(say("DATA"), STATUS_OK);
    assert_int_equal(say("DATA now"), STATUS_PARAMETERS);
    assert_int_equal(say("RSET "), STATUS_OK);
    assert_int_equal(say("RSET x"), STATUS_PARAMETERS);
    assert_int_equal(say("STARTTLS"), STATUS_OK);
    assert_int_equal(say("FOO"), STATUS_UNKNOWN_COMMAND);
    assert_int_equal(say(""), STATUS_UNKNOWN_COMMAND);
    assert_int_equal(say(" EHLO a"), STATUS_UNKNOWN_COMMAND);
    assert_int_equal(say("EHLO\ta"), STATUS_UNKNOWN_COMMAND);
    struct line bare = {.text = S("NOOP"), .bare = true}, dirty = {.text = S("NOOP a\rb"), .dirty = true};
    const struct smtp_row *row = NULL;
    assert_int_equal(smtp_command_parse(&bare, 0, &row, &c), STATUS_BARE_LINE_END);
    assert_int_equal(row->verb, SMTP_NOOP);
    assert_int_equal(smtp_command_parse(&dirty, 0, &row, &c), STATUS_SYNTAX);
}

/* T-039 */
static void t039_names(void **state)
{
    struct cases t = {"T-039 (parser)"};
    char longest[400];
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "EHLO ", 5);
    cases_check(&t, say_n(longest, 260, 0) == STATUS_OK, "255 octets");
    cases_check(&t, say_n(longest, 261, 0) == STATUS_SYNTAX, "256 octets");
    static const char *const wrong[] = {"EHLO",          "EHLO ",      "EHLO a b c", "EHLO a\x1b]0;x\x07",
                                        "HELO \xc3\xa9", "EHLO a\x7f", "EHLO      ", "EHLO a\tb",
                                        "HELO"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cases_check(&t, say(wrong[i]) == STATUS_SYNTAX, wrong[i]);
    static const char *const fine[] = {"EHLO [127.0.0.1]", "EHLO mx.test", "EHLO ${run{x}}",
                                       "EHLO %n%n",        "HELO a",       "EHLO [IPv6:::1]"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        cases_check(&t, say(fine[i]) == STATUS_OK, fine[i]);
    cases_end(&t, 14);
}

static bool path_is(const char *want)
{
    struct buf b CLEANUP_BUF = BUF_INIT(1024);
    address_put(&b, &c.path);
    return slice_eq(buf_slice(&b), slice_str(want));
}

static void paths_and_parameters(void **state)
{
    assert_int_equal(say("MAIL FROM:<Alice@Ours.Test>"), STATUS_OK);
    assert_true(path_is("Alice@ours.test"));
    assert_int_equal(say("mail from:<>"), STATUS_OK);
    assert_true(address_is_null(&c.path));
    assert_int_equal(say("MAIL FROM: <a@b.test> SIZE=1000 BODY=8bitmime"), STATUS_OK);
    assert_true(c.params.size == 1000 && c.params.body == SMTP_BODY_8BITMIME && !c.params.smtputf8);
    assert_int_equal(say("MAIL FROM:<a@b.test>  size=1  "), STATUS_OK);
    assert_int_equal(say("MAIL FROM:<\"a b\"@b.test> SIZE=0"), STATUS_OK);
    assert_int_equal(say("MAIL FROM:<a@b.test>SIZE=1"), STATUS_SENDER_SYNTAX);
    assert_int_equal(say("MAIL TO:<a@b.test>"), STATUS_SYNTAX);
    assert_int_equal(say("MAIL"), STATUS_SYNTAX);
    assert_int_equal(say("MAIL FROM:"), STATUS_SENDER_SYNTAX);
    assert_int_equal(say("MAIL FROM:a@b.test"), STATUS_SENDER_SYNTAX);
    assert_int_equal(say("MAIL FROM:<a@b.test"), STATUS_SENDER_SYNTAX);
    assert_int_equal(say("RCPT TO:<bob@ours.test>"), STATUS_OK);
    assert_int_equal(say("RCPT TO:<Postmaster>"), STATUS_OK);
    assert_int_equal(say("RCPT TO:<>"), STATUS_RECIPIENT_SYNTAX);
    assert_int_equal(say("RCPT TO:<bob>"), STATUS_RECIPIENT_SYNTAX);
    assert_int_equal(say("RCPT FROM:<bob@ours.test>"), STATUS_SYNTAX);
    assert_int_equal(say("RCPT TO:<@a.test,@b.test:c@d.test>"), STATUS_SOURCE_ROUTE);
    assert_int_equal(say("RCPT TO:<bob@ours.test> SIZE=1"), STATUS_PARAMETER_UNSUPPORTED);
}

/* T-031 */
static void t031_utf8(void **state)
{
    struct cases t = {"T-031 (parser)"};
    static const char *const broken[] = {"\xE2\x82", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80"};
    for (size_t i = 0; i < 5; i++) {
        char line[128];
        snprintf(line, sizeof line, "MAIL FROM:<a%s@their.test>", broken[i]);
        cases_check(&t, say(line) == STATUS_UTF8_NEEDED, line);
        snprintf(line, sizeof line, "MAIL FROM:<a%s@their.test> SMTPUTF8", broken[i]);
        cases_check(&t, say(line) == STATUS_SENDER_SYNTAX, line);
        snprintf(line, sizeof line, "RCPT TO:<a%s@ours.test>", broken[i]);
        cases_check(&t, say(line) == STATUS_UTF8_NEEDED, line);
        cases_check(&t, say_n(line, strlen(line), SMTP_WITH_UTF8) == STATUS_RECIPIENT_SYNTAX, line);
    }
    cases_check(&t, say("MAIL FROM:<\xc3\xa9@their.test>") == STATUS_UTF8_NEEDED, "no SMTPUTF8");
    cases_check(&t, say("MAIL FROM:<\xc3\xa9@their.test> SMTPUTF8") == STATUS_OK, "SMTPUTF8");
    cases_check(&t, say("RCPT TO:<\xc3\xa9@ours.test>") == STATUS_UTF8_NEEDED, "RCPT without");
    cases_check(&t, say_n("RCPT TO:<\xc3\xa9@ours.test>", 22, SMTP_WITH_UTF8) == STATUS_OK, "RCPT with");
    cases_check(&t, say("MAIL FROM:<a@b.test> SMTPUTF8=1") == STATUS_PARAMETERS, "value");
    cases_end(&t, 16);
}

/* T-033 */
static void t033_parameters(void **state)
{
    struct cases t = {"T-033"};
    static const struct {
        const char *params;
        enum status want;
    } rows[] = {
        {"SIZE=-1", STATUS_PARAMETERS},
        {"SIZE=", STATUS_PARAMETERS},
        {"SIZE", STATUS_PARAMETERS},
        {"SIZE=0x10", STATUS_PARAMETERS},
        {"SIZE=1 SIZE=2", STATUS_PARAMETERS},
        {"SIZE=1 size=1", STATUS_PARAMETERS},
        {"SIZE=184467440737095516160", STATUS_PARAMETERS},
        {"BODY=BINARYMIME", STATUS_PARAMETERS},
        {"BODY", STATUS_PARAMETERS},
        {"BODY=8BITMIME BODY=7BIT", STATUS_PARAMETERS},
        {"AUTH=<>", STATUS_PARAMETER_UNSUPPORTED},
        {"RET=X", STATUS_PARAMETER_UNSUPPORTED},
        {"ENVID=a+00b", STATUS_PARAMETER_UNSUPPORTED},
        {"NOTIFY=NEVER,SUCCESS", STATUS_PARAMETER_UNSUPPORTED},
        {"ORCPT=rfc822", STATUS_PARAMETER_UNSUPPORTED},
        {"=", STATUS_PARAMETERS},
        {"=x", STATUS_PARAMETERS},
        {"X==", STATUS_PARAMETERS},
        {"X=a=b", STATUS_PARAMETERS},
        {"X=\"a\"", STATUS_PARAMETER_UNSUPPORTED},
        {"-X", STATUS_PARAMETERS},
        {"X_Y=1", STATUS_PARAMETERS},
        {"SIZE=1,2", STATUS_PARAMETERS},
        {"<b@c.test>", STATUS_PARAMETERS},
        {"SIZE=1\x01", STATUS_PARAMETERS},
        {"SIZE=00000000000000000001", STATUS_OK},
    };
    char line[3000] = "MAIL FROM:<a@b.test> ";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        strcpy(line + 21, rows[i].params);
        cases_check(&t, say(line) == rows[i].want, line);
    }
    cases_check(
        &t, say("MAIL FROM:<a@b.test> SIZE=18446744073709551616") == STATUS_OK && c.params.size == UINT64_MAX,
        "no wrap");
    memset(line + 21, 'X', 900);
    line[921] = 0;
    cases_check(&t, say(line) == STATUS_PARAMETER_UNSUPPORTED, "900 octets of name");
    for (int i = 0; i < 1000; i++)
        memcpy(line + 21 + 2 * i, "X ", 3);
    cases_check(&t, say(line) != STATUS_OK, "1,000 parameters");
    cases_check(&t, say_n("MAIL FROM:<a@b.test> AUTH=<>", 28, SMTP_WITH_AUTH) == STATUS_OK, "AUTH=<>");
    cases_check(
        &t, say_n("MAIL FROM:<a@b.test> AUTH=a+2Bb@c.test", 38, SMTP_WITH_AUTH) == STATUS_OK, "xtext");
    cases_check(
        &t, say_n("MAIL FROM:<a@b.test> AUTH=a+0", 29, SMTP_WITH_AUTH) == STATUS_PARAMETERS, "cut xtext");
    cases_check(
        &t, say_n("MAIL FROM:<a@b.test> AUTH=a+00@c.test", 37, SMTP_WITH_AUTH) == STATUS_PARAMETERS,
        "xtext NUL");
    cases_end(&t, 25);
}

/* T-030, in commands: 501 5.5.2, nothing is cut at the NUL. */
static void t030_nul_in_commands(void **state)
{
    struct cases t = {"T-030 (commands)"};
#define NUL_CASE(s)                                                                                          \
    cases_check(&t, say_n(s, sizeof(s) - 1, SMTP_WITH_UTF8 | SMTP_WITH_AUTH) == STATUS_SYNTAX, s)
    NUL_CASE("MAIL FROM:<a\0b@their.test>");
    NUL_CASE("MAIL FROM:<a@their.test\0>");
    NUL_CASE("MAIL FROM:<a@their.test>\0");
    NUL_CASE("MAIL FROM:<a@their.test> SIZE=1\0");
    NUL_CASE("RCPT TO:<bob@ours.test\0.evil.test>");
    NUL_CASE("RCPT TO:<bob\0@ours.test>");
    NUL_CASE("EHLO a\0b");
    NUL_CASE("NOOP \0");
    NUL_CASE("AUTH PLAIN \0");
    NUL_CASE("BDAT 5\0 LAST");
    NUL_CASE("\0EHLO a");
    cases_check(&t, say("MAIL FROM:<a@b.test> ENVID=a+00b") == STATUS_PARAMETER_UNSUPPORTED, "ENVID");
    cases_check(&t, say("RCPT TO:<a@b.test> ORCPT=rfc822;a+00@b") == STATUS_PARAMETER_UNSUPPORTED, "ORCPT");
    cases_check(&t, say("VRFY a") == STATUS_OK, "no NUL");
    cases_end(&t, 14);
}

/* T-025, the numbers. */
static void t025_chunk_sizes(void **state)
{
    struct cases t = {"T-025 (numbers)"};
    static const char *const wrong[] = {
        "BDAT 18446744073709551616",
        "BDAT -1",
        "BDAT 4294967297 LAST",
        "BDAT 0x10",
        "BDAT ",
        "BDAT",
        "BDAT 5 FIRST",
        "BDAT LAST",
        "BDAT 5 LAST LAST",
        "BDAT 5LAST",
        "BDAT +5",
        "BDAT 5,LAST",
        "BDAT 1.0"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cases_check(&t, say(wrong[i]) == STATUS_PARAMETERS, wrong[i]);
    cases_check(&t, say("BDAT 5") == STATUS_OK && c.chunk == 5 && !c.last, "BDAT 5");
    cases_check(&t, say("bdat 0 last") == STATUS_OK && c.chunk == 0 && c.last, "BDAT 0 LAST");
    cases_check(&t, say("BDAT 4294967295") == STATUS_OK && c.chunk == UINT32_MAX, "largest");
    cases_end(&t, 16);
}

static void sasl_arguments(void **state)
{
    struct line line = {.text = S("AUTH PLAIN AGFsaWNl"), .used = 21};
    assert_int_equal(smtp_command_parse(&line, 0, NULL, &c), STATUS_OK);
    assert_true(slice_eq(c.text, S("PLAIN")) && c.has_initial && slice_eq(c.initial, S("AGFsaWNl")));
    line.text = S("auth LOGIN");
    assert_int_equal(smtp_command_parse(&line, 0, NULL, &c), STATUS_OK);
    assert_true(slice_eq(c.text, S("LOGIN")) && !c.has_initial);
    assert_int_equal(say("AUTH"), STATUS_SYNTAX);
    assert_int_equal(say("AUTH PLAIN a b"), STATUS_SYNTAX);
    assert_int_equal(say("AUTH PLAIN ="), STATUS_OK);
    assert_int_equal(smtp_line_limit(S("auth plain")), LIMIT_SASL_RESPONSE);
    assert_int_equal(smtp_line_limit(S("AUTHX")), LIMIT_SMTP_COMMAND);
}

/* T-045: 502 5.5.1. */
static void t045_dangerous_verbs(void **state)
{
    struct cases t = {"T-045 (parser)"};
    static const char *const verbs[] = {
        "ETRN a'/**/UNION SELECT 1--",
        "TURN",
        "EXPN staff",
        "SOML FROM:<a@b>",
        "DEBUG",
        "WIZ",
        "KILL",
        "HELP x",
        "BURL http://127.0.0.1/ LAST",
        "SAML",
        "SEND",
        "help"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        cases_check(&t, say(verbs[i]) == STATUS_OK && c.row->verb == SMTP_REFUSED, verbs[i]);
    cases_end(&t, 12);
}

/* T-046 */
static void t046_foreign_protocols(void **state)
{
    struct cases t = {"T-046 (parser)"};
    static const struct slice foreign[] = {
        {"GET / HTTP/1.1\r\n", 16},
        {"POST / HTTP/1.1\r\n", 17},
        {"\x16\x03\x01\x02\x00", 5},
        {"SSH-2.0-OpenSSH_9\r\n", 19},
        {"\x16\x03", 2},
        {"\x03\x00\x00\x2f\x2a\xe0"
         "Cookie: mstshash=",
         23},
        {"PRI * HTTP/2.0\r\n", 16},
        {"OPTIONS * HTTP/1.1", 18}};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        cases_check(&t, smtp_is_foreign(foreign[i]), foreign[i].p);
    static const char *const ours[] = {"EHLO a\r\n", "GETX", "NOOP\r\n", "", "PROXY TCP4 127.0.0.1"};
    for (size_t i = 0; i < 5; i++)
        cases_check(&t, !smtp_is_foreign(slice_str(ours[i])), ours[i]);
    cases_end(&t, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_are_found),      cmocka_unit_test(t039_names),
        cmocka_unit_test(paths_and_parameters), cmocka_unit_test(t031_utf8),
        cmocka_unit_test(t033_parameters),      cmocka_unit_test(t030_nul_in_commands),
        cmocka_unit_test(t025_chunk_sizes),     cmocka_unit_test(sasl_arguments),
        cmocka_unit_test(t045_dangerous_verbs), cmocka_unit_test(t046_foreign_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
