#include "cases.h"

#include "base/buf.h"
#include "base/line.h"
#include "pop3/wire/answer.h"

#define LINES(lines_, octets_) ((struct pop3_lines){.most_lines = (lines_), .most_octets = (octets_)})

/* Feeds a connection's octets `step` at a time, as a talk gets them; content is appended with LF. Gives what the last line
 * gave, and leaves behind in *input what was not read. */
static enum err feed(struct slice *input, size_t step, struct pop3_lines *l, struct buf *content)
{
    size_t seen = 0;
    enum err e = ERR_AGAIN;
    while (e == ERR_AGAIN && seen < input->n + step) {
        struct line line;
        if (line_find(slice_sub(*input, 0, seen), 512, &line) != OK) {
            seen += step;
            continue;
        }
        struct slice got;
        e = pop3_lines_feed(l, line.text, &got);
        if (e == ERR_AGAIN) {
            buf_put(content, got);
            buf_put_char(content, '\n');
        }
        *input = slice_from(*input, line.used);
        seen = 0;
    }
    return e;
}

static void lists_end_at_the_lone_dot(void **state)
{
    static const struct {
        const char *in, *content, *behind;
        enum err end;
    } rows[] = {
        /* RFC 1939 5, LIST */
        {"1 120\r\n2 200\r\n.\r\n", "1 120\n2 200\n", "", OK},
        {".\r\n+OK next\r\n", "", "+OK next\r\n", OK},
        /* RFC 1939 3: a stuffed dot goes, and only one */
        {"..\r\n...\r\n..a\r\na.\r\n.\r\n", ".\n..\n.a\na.\n", "", OK},
        /* dots with more behind them are content whoever forgot to stuff */
        {". \r\n.a\r\n.\r\n", " \na\n", "", OK},
        {"\r\n\r\n.\r\n", "\n\n", "", OK},
        {"1 120\r\n", "1 120\n", "", ERR_AGAIN},
        {"1 120\n.\n", "1 120\n", "", OK},
    };
    struct buf content CLEANUP_BUF = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 9; step++) {
            struct slice input = slice_str(rows[i].in);
            struct pop3_lines l = LINES(100, 1000);
            buf_clear(&content);
            assert_int_equal(feed(&input, step, &l, &content), rows[i].end);
            assert_true(slice_eq(buf_slice(&content), slice_str(rows[i].content)));
            assert_true(slice_eq(input, slice_str(rows[i].behind)));
        }
}

static void a_list_without_end_is_left(void **state)
{
    struct slice got = S("untouched");
    struct pop3_lines l = LINES(3, 100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pop3_lines_feed(&l, S(""), &got), ERR_AGAIN);
    got = S("untouched");
    assert_int_equal(pop3_lines_feed(&l, S("more"), &got), ERR_LIMIT);
    assert_true(slice_eq(got, S("untouched")));
    assert_int_equal(pop3_lines_feed(&l, S("."), &got), OK);
    l = LINES(100, 10);
    assert_int_equal(pop3_lines_feed(&l, S("0123456789"), &got), ERR_AGAIN);
    assert_int_equal(pop3_lines_feed(&l, S(""), &got), ERR_AGAIN);
    assert_int_equal(pop3_lines_feed(&l, S("x"), &got), ERR_LIMIT);
}

static void capabilities_are_read(void **state)
{
    struct pop3_capa c;
    /* RFC 2449 5 */
    pop3_capa_read(
        S("TOP\nUSER\nSASL CRAM-MD5 KERBEROS_V4\nRESP-CODES\nLOGIN-DELAY 900\nPIPELINING\nEXPIRE 60\nUIDL\n"
          "IMPLEMENTATION Shlemazle-Plotz-v302\n"),
        &c);
    assert_true(c.top && c.user && c.sasl && c.resp_codes && c.pipelining && c.uidl);
    assert_true(!c.stls && !c.utf8 && !c.auth_resp_code);
    assert_int_equal(c.word_n, 2);
    assert_true(slice_eq(c.words[0], S("CRAM-MD5")) && slice_eq(c.words[1], S("KERBEROS_V4")));
    assert_true(slice_eq(c.implementation, S("Shlemazle-Plotz-v302")) && slice_eq(c.expire, S("60")));
    /* RFC 5034 6: before and behind STLS; two lines, other case, blanks of all kinds */
    pop3_capa_read(S("stls\nIMPLEMENTATION BlurdyBlurp POP3 server"), &c);
    assert_true(c.stls && !c.sasl && slice_eq(c.implementation, S("BlurdyBlurp POP3 server")));
    pop3_capa_read(S("SASL  PLAIN\t\tLOGIN \nsasl XOAUTH2\r\nUTF8 USER\nAUTH-RESP-CODE"), &c);
    assert_true(c.sasl && c.utf8 && !c.user && c.auth_resp_code);
    assert_int_equal(c.word_n, 3);
    assert_true(slice_eq(c.words[1], S("LOGIN")) && slice_eq(c.words[2], S("XOAUTH2")));
}

static void capabilities_of_any_kind_do_no_harm(void **state)
{
    struct pop3_capa c;
    pop3_capa_read(SLICE_EMPTY, &c);
    assert_true(!c.user && !c.sasl && c.word_n == 0);
    pop3_capa_read(S("\n\n \n\t\nSASL\n"), &c);
    assert_true(c.sasl && c.word_n == 0);
    pop3_capa_read(S("USERS\nXUSER\nSTLSX\nSASLPLAIN PLAIN\nUSE"), &c);
    assert_true(!c.user && !c.stls && !c.sasl);
    struct buf many CLEANUP_BUF = BUF_INIT(100000);
    buf_put(&many, S("SASL"));
    for (int i = 0; i < 10000; i++)
        buf_printf(&many, " M%d", i);
    buf_put(&many, S("\nSTLS\n"));
    pop3_capa_read(buf_slice(&many), &c);
    assert_int_equal(c.word_n, POP3_CAPA_WORDS);
    assert_true(c.stls && slice_eq(c.words[31], S("M31")));
}

static void numbers_are_read(void **state)
{
    uint32_t number = 7;
    uint64_t octets = 7;
    struct slice word = S("old");
    assert_int_equal(pop3_listing_parse(S("1 whqtswO00WBw418f9t5JxYwZ"), &number, &word), OK);
    assert_true(number == 1 && slice_eq(word, S("whqtswO00WBw418f9t5JxYwZ")));
    assert_int_equal(pop3_listing_parse(S("99999999999999999999999 x y"), &number, &word), OK);
    assert_true(number == UINT32_MAX && slice_eq(word, S("x")));
    static const char *const wrong[] = {"", "1", "1 ", "0 x", "-1 x", "+1 x", "1.0 x", "0x1 x", "x 1"};
    number = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(pop3_listing_parse(slice_str(wrong[i]), &number, &word), ERR_SYNTAX);
    assert_true(number == 7 && slice_eq(word, S("x")));
    assert_int_equal(pop3_stat_parse(S("2 320"), &number, &octets), OK);
    assert_true(number == 2 && octets == 320);
    assert_int_equal(pop3_stat_parse(S("0 0 and words"), &number, &octets), OK);
    assert_int_equal(pop3_stat_parse(S("2 99999999999999999999999"), &number, &octets), OK);
    assert_true(number == 2 && octets == UINT64_MAX);
    static const char *const no_stat[] = {
        "", "2", "2 messages", "maildrop has 2 messages (320 octets)", "2,320"};
    for (size_t i = 0; i < sizeof no_stat / sizeof *no_stat; i++)
        assert_int_equal(pop3_stat_parse(slice_str(no_stat[i]), &number, &octets), ERR_SYNTAX);
    assert_true(number == 2 && octets == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_end_at_the_lone_dot), cmocka_unit_test(a_list_without_end_is_left),
        cmocka_unit_test(capabilities_are_read),     cmocka_unit_test(capabilities_of_any_kind_do_no_harm),
        cmocka_unit_test(numbers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
