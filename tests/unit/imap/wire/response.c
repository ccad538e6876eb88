#include "test.h"

#include "base/limits.h"
#include "imap/wire/response.h"

/* Reads `input` in pieces of `step`; what was found, each response ended by "|", and "!" at BAD, "~" at an unfinished one. */
static void assert_read(const char *input, size_t n, size_t step, const char *expected)
{
    struct imap_responses r;
    struct slice rest = slice_of(input, n);
    struct buf found CLEANUP_BUF = BUF_INIT(4096);
    enum imap_response_read now = IMAP_RESPONSE_DONE;
    imap_responses_init(&r);
    while (rest.n && now != IMAP_RESPONSE_BAD) {
        size_t taken;
        now = imap_responses_feed(&r, slice_sub(rest, 0, step), &taken);
        rest = slice_from(rest, taken);
        if (now == IMAP_RESPONSE_DONE) {
            buf_put(&found, imap_responses_text(&r));
            buf_put_char(&found, '|');
            imap_responses_next(&r);
        }
    }
    if (now != IMAP_RESPONSE_DONE)
        buf_put_char(&found, now == IMAP_RESPONSE_BAD ? '!' : '~');
    assert_string_equal(buf_cstr(&found), expected);
    imap_responses_done(&r);
}

static void responses_are_found_however_they_are_cut(void **state)
{
    static const struct {
        const char *input, *found;
    } rows[] = {
        {"* OK IMAP4rev2 server ready\r\n", "* OK IMAP4rev2 server ready|"},
        {"* 18 EXISTS\r\n* FLAGS (\\Answered)\r\na1 OK done\r\n",
         "* 18 EXISTS|* FLAGS (\\Answered)|a1 OK done|"},
        {"* 12 FETCH (BODY[] {4}\r\na\r\nb)\r\n* 1 EXISTS\r\n",
         "* 12 FETCH (BODY[] {4}\r\na\r\nb)|* 1 EXISTS|"},
        {"* LIST () \"/\" {0}\r\n\r\n", "* LIST () \"/\" {0}\r\n|"},
        {"* LIST () \"/\" ~{2}\r\n\n\n x\r\n", "* LIST () \"/\" ~{2}\r\n\n\n x|"},
        {"+ idling\r\n+\r\n", "+ idling|+|"},
        /* LF alone ends a line; CR in the middle is an octet. */
        {"* OK a\n* OK b\rc\r\n", "* OK a|* OK b\rc|"},
        /* What people read announces nothing. */
        {"* OK send it as {10}\r\na1 NO no {4000000000}\r\n+ say {3}\r\n* BYE {7}\r\n",
         "* OK send it as {10}|a1 NO no {4000000000}|+ say {3}|* BYE {7}|"},
        /* A size that no response can have is refused before it comes. */
        {"* 1 FETCH (BODY[] {1099511627776}\r\n", "!"},
        {"* 1 FETCH (BODY[] {99999999999999999999999999}\r\n", "!"},
        {"* 1 FETCH (BODY[] {262144}\r\n", "!"},
        {"* 1 FETCH (BODY[] {-1}\r\n", "* 1 FETCH (BODY[] {-1}|"},
        {"* 1 FETCH (BODY[] {10}\r\nabc", "~"},
        {"* OK unfin", "~"},
        {"\r\n", "|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step <= strlen(rows[i].input); step++)
            assert_read(rows[i].input, strlen(rows[i].input), step, rows[i].found);
}

static void a_response_without_end_is_refused(void **state)
{
    struct imap_responses r;
    size_t taken, total = 0;
    char flood[1000];
    memset(flood, 'x', sizeof flood);
    imap_responses_init(&r);
    while (imap_responses_feed(&r, slice_of(flood, sizeof flood), &taken) == IMAP_RESPONSE_MORE)
        total += taken;
    assert_true(total <= LIMIT_IMAP_RESPONSE && total + sizeof flood > LIMIT_IMAP_RESPONSE);
    assert_int_equal(imap_responses_feed(&r, S("\r\n"), &taken), IMAP_RESPONSE_BAD);
    assert_int_equal(taken, 0);
    imap_responses_done(&r);
    imap_responses_done(&r);
}

static void lines_with_lf_alone_are_counted(void **state)
{
    struct imap_responses r;
    size_t taken;
    imap_responses_init(&r);
    assert_int_equal(imap_responses_feed(&r, S("* OK a\n"), &taken), IMAP_RESPONSE_DONE);
    imap_responses_next(&r);
    assert_int_equal(imap_responses_feed(&r, S("* OK b\r\n"), &taken), IMAP_RESPONSE_DONE);
    assert_int_equal(r.bare, 1);
    imap_responses_done(&r);
}

static void status_responses_are_parsed(void **state)
{
    static const struct {
        const char *text, *tag;
        enum imap_status status;
        const char *code, *args, *says;
    } rows[] = {
        /* RFC 9051 section 7.1 and its kin */
        {"* OK IMAP4rev2 server ready", "", IMAP_OK, "", "", "IMAP4rev2 server ready"},
        {"* OK [ALERT] System shutdown in 10 minutes", "", IMAP_OK, "ALERT", "",
         "System shutdown in 10 minutes"},
        {"A001 OK LOGIN Completed", "A001", IMAP_OK, "", "", "LOGIN Completed"},
        {"A222 NO COPY failed: disk is full", "A222", IMAP_NO, "", "", "COPY failed: disk is full"},
        {"* BAD Disk crash, attempting salvage to a new disk!", "", IMAP_BAD, "", "",
         "Disk crash, attempting salvage to a new disk!"},
        {"* PREAUTH IMAP4rev2 server logged in as Smith", "", IMAP_PREAUTH, "", "",
         "IMAP4rev2 server logged in as Smith"},
        {"* BYE Autologout; idle for too long", "", IMAP_BYE, "", "", "Autologout; idle for too long"},
        {"* OK [CAPABILITY IMAP4rev2 AUTH=PLAIN] ready", "", IMAP_OK, "CAPABILITY", "IMAP4rev2 AUTH=PLAIN",
         "ready"},
        {"* NO [REFERRAL imap://127.0.0.1/\"a]b\"] x", "", IMAP_NO, "REFERRAL", "imap://127.0.0.1/\"a]b\"",
         "x"},
        {"* NO [BADCHARSET ({5}] odd", "", IMAP_NO, "BADCHARSET", "({5}", "odd"},
        {"a1 ok", "a1", IMAP_OK, "", "", ""},
        {"a1  NO   [X]", "a1", IMAP_NO, "X", "", ""},
        {"a1 NO [never closed", "a1", IMAP_NO, "", "", "[never closed"},
        {"a1 NO [\"never closed]", "a1", IMAP_NO, "", "", "[\"never closed]"},
        {"a1 NO [\"\\", "a1", IMAP_NO, "", "", "[\"\\"},
        {"a1 NO []", "a1", IMAP_NO, "", "", "[]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_response x;
        assert_ok(imap_response_parse(slice_str(rows[i].text), &x));
        assert_int_equal(x.kind, IMAP_SAYS_STATUS);
        assert_int_equal(x.status, rows[i].status);
        assert_true(slice_eq(x.tag, slice_str(rows[i].tag)));
        assert_true(slice_eq(x.code, slice_str(rows[i].code)));
        assert_true(slice_eq(x.args, slice_str(rows[i].args)));
        assert_true(slice_eq(x.text, slice_str(rows[i].says)));
    }
}

static void data_and_continuations_are_parsed(void **state)
{
    struct imap_response x;
    assert_ok(imap_response_parse(S("* 172 EXISTS"), &x));
    assert_true(x.kind == IMAP_SAYS_DATA && x.has_number && x.number == 172);
    assert_slice("EXISTS", x.name);
    assert_ok(imap_response_parse(S("* CAPABILITY STARTTLS AUTH=GSSAPI  IMAP4rev2 "), &x));
    assert_true(x.kind == IMAP_SAYS_DATA && !x.has_number);
    assert_slice("CAPABILITY", x.name);
    struct slice word;
    assert_true(imap_response_word(&x.rest, &word));
    assert_slice("STARTTLS", word);
    assert_true(imap_response_word(&x.rest, &word));
    assert_slice("AUTH=GSSAPI", word);
    assert_true(imap_response_word(&x.rest, &word));
    assert_slice("IMAP4rev2", word);
    assert_false(imap_response_word(&x.rest, &word));
    assert_ok(imap_response_parse(S("* 99999999999 EXISTS"), &x));
    assert_false(x.has_number);
    assert_ok(imap_response_parse(S("+ Ready for additional command text"), &x));
    assert_true(x.kind == IMAP_SAYS_CONTINUE);
    assert_slice("Ready for additional command text", x.text);
    assert_ok(imap_response_parse(S("+"), &x));
    assert_slice("", x.text);
    assert_ok(imap_response_parse(S("+ "), &x));
    assert_slice("", x.text);
}

static void what_is_no_response_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "*",
        "* ",
        "a1",
        "a1 ",
        "a1 FETCH",
        "a1 12 EXISTS",
        "* 12",
        "* 12 ",
        " * OK x",
        "+OK POP3 ready",
        "220 smtp ESMTP",
        "HTTP/1.1 400 Bad Request",
        "a\"b OK x",
        "{5} OK x",
        "0123456789012345678901234567890123456789012345678901234567890123456789 OK tag"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_response x;
        if (imap_response_parse(slice_str(rows[i]), &x) != ERR_SYNTAX)
            fail_msg("%s", rows[i]);
    }
}

static void fetched_items_are_read(void **state)
{
    struct imap_fetched f;
    /* RFC 9051 section 7.5.2 */
    assert_ok(imap_fetched_parse(S("(FLAGS (\\Seen) RFC822.SIZE 44827)"), &f));
    assert_true(f.has_flags && f.flags == 1 && f.has_size && f.size == 44827 && !f.has_uid);
    assert_ok(imap_fetched_parse(
        S("(UID 7 FLAGS () BODY[HEADER.FIELDS (DATE FROM)] {4}\r\n)) ( ENVELOPE (\"a\\\")\" NIL ((NIL)) "
          "~{1}\r\n) x))"),
        &f));
    assert_true(f.has_uid && f.uid == 7 && f.has_flags && f.flags == 0 && !f.has_size);
    assert_ok(imap_fetched_parse(S("()"), &f));
    assert_false(f.has_flags || f.has_size || f.has_uid);
}

static void fetched_nonsense_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "x",
        "(",
        ")",
        "(FLAGS",
        "(FLAGS)",
        "(FLAGS (\\Seen)",
        "(FLAGS \\Seen)",
        "(RFC822.SIZE x)",
        "(RFC822.SIZE 99999999999999999999)",
        "(UID 4294967296)",
        "(FLAGS ()) x",
        "(X \"unclosed)",
        "(X {5}\r\nabc)",
        "(X {99999999999}\r\nabc",
        "(X[ 1)",
        "(X ))"};
    struct imap_fetched f;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (imap_fetched_parse(slice_str(rows[i]), &f) == OK)
            fail_msg("%s", rows[i]);
    struct buf deep CLEANUP_BUF = BUF_INIT(100000);
    buf_put_str(&deep, "(X ");
    for (int i = 0; i < 50000; i++)
        buf_put_char(&deep, '(');
    assert_err(ERR_LIMIT, imap_fetched_parse(buf_slice(&deep), &f));
}

static void quotas_are_read(void **state)
{
    struct imap_quota q;
    /* RFC 9208 section 4.2.1 */
    assert_ok(imap_quota_parse(S("\"\" (STORAGE 10 512)"), &q));
    assert_true(q.storage.is_known && q.storage.used == 10 && q.storage.limit == 512 && !q.message.is_known);
    assert_ok(imap_quota_parse(S("#user/alice (MESSAGE 20 100 STORAGE 54 111 OTHER 1 2)"), &q));
    assert_true(q.storage.used == 54 && q.message.limit == 100);
    assert_slice("#user/alice", q.root);
    assert_ok(imap_quota_parse(S("{4}\r\nuser ()"), &q));
    assert_false(q.storage.is_known || q.message.is_known);
    static const char *const bad[] = {"",
                                      "()",
                                      "x",
                                      "x STORAGE 1 2",
                                      "x (STORAGE 1)",
                                      "x (STORAGE -1 2)",
                                      "x (STORAGE 1 2",
                                      "x (STORAGE 1 2) y"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (imap_quota_parse(slice_str(bad[i]), &q) == OK)
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_found_however_they_are_cut),
        cmocka_unit_test(a_response_without_end_is_refused),
        cmocka_unit_test(lines_with_lf_alone_are_counted),
        cmocka_unit_test(status_responses_are_parsed),
        cmocka_unit_test(data_and_continuations_are_parsed),
        cmocka_unit_test(what_is_no_response_is_refused),
        cmocka_unit_test(fetched_items_are_read),
        cmocka_unit_test(fetched_nonsense_is_refused),
        cmocka_unit_test(quotas_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
