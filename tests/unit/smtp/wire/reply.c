#include "cases.h"

#include "base/limits.h"
#include "smtp/wire/reply.h"

static void replies_are_written(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    smtp_put_text(&out, STATUS_OK, S("fine"));
    smtp_put_text(&out, STATUS_GREETING, S("mx.test ESMTP"));
    smtp_put_text(&out, STATUS_HELO, S("mx.test\nSIZE 10\nCHUNKING"));
    smtp_put_text(&out, STATUS_FAILED, S("one\ntwo"));
    smtp_put_challenge(&out, S("AAAA"));
    smtp_put_challenge(&out, S(""));
    assert_string_equal(
        buf_cstr(&out),
        "250 2.0.0 fine\r\n220 mx.test ESMTP\r\n250-mx.test\r\n250-SIZE 10\r\n250 CHUNKING\r\n"
        "554-5.0.0 one\r\n554 5.0.0 two\r\n334 AAAA\r\n334 \r\n");
}

/* RFC 2034 4: class and code agree for every status we can say, and none is printed behind a greeting or 3xx. */
static void every_status_is_well_formed(void **state)
{
    for (int i = 0; i < STATUS_N; i++) {
        const struct status_info *info = status_info(i);
        struct buf out CLEANUP_BUF = BUF_INIT(1024);
        smtp_put(&out, i);
        struct smtp_reply_reader r;
        smtp_reply_reader_init(&r);
        struct slice line = slice_sub(buf_slice(&out), 0, out.n - 2);
        assert_int_equal(smtp_reply_reader_feed(&r, line), OK);
        assert_int_equal(r.code, info->basic);
        if (info->enhanced[0])
            assert_int_equal(r.status[0], info->basic / 100);
        assert_true(slice_eq(buf_slice(&r.text), slice_str(info->words)));
        buf_done(&r.text);
    }
}

static void foreign_text_is_made_harmless(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    smtp_put_quoted(&out, STATUS_NO_SUCH_MAILBOX, slice_of("a\r\n250 ok\0\x1b\xff\x80%s", 15));
    assert_int_equal(slice_find(buf_slice(&out), '\r'), out.n - 2);
    assert_true(slice_ends(buf_slice(&out), S(" (a??250 ok????%s)\r\n")));
    struct buf name CLEANUP_BUF = BUF_INIT(1000);
    for (int i = 0; i < 1000; i++)
        buf_put_char(&name, 'x');
    buf_clear(&out);
    smtp_put_quoted(&out, STATUS_NO_SUCH_MAILBOX, buf_slice(&name));
    assert_true(out.n < 512);
}

static enum err read_all(struct smtp_reply_reader *r, const char *text)
{
    struct slice rest = slice_str(text), line;
    enum err e = ERR_AGAIN;
    buf_done(&r->text);
    smtp_reply_reader_init(r);
    while (slice_cut(&rest, '\n', &line))
        e = smtp_reply_reader_feed(r, line);
    return e;
}

static void replies_are_read(void **state)
{
    struct smtp_reply_reader r;
    smtp_reply_reader_init(&r);
    assert_int_equal(read_all(&r, "250-mx.test\n250-SIZE 10\n250 HELP"), OK);
    assert_int_equal(r.code, 250);
    assert_int_equal(r.lines, 3);
    assert_true(slice_eq(buf_slice(&r.text), S("mx.test\nSIZE 10\nHELP")));
    assert_int_equal(r.status[0], 0);
    assert_int_equal(read_all(&r, "550 5.1.1 no such user"), OK);
    assert_true(r.status[0] == 5 && r.status[1] == 1 && r.status[2] == 1);
    assert_true(slice_eq(buf_slice(&r.text), S("no such user")));
    assert_int_equal(read_all(&r, "550 5.7.999 x"), OK);
    assert_int_equal(r.status[2], 255);
    assert_int_equal(read_all(&r, "550 4.1.1 class differs"), OK);
    assert_int_equal(r.status[0], 0);
    assert_int_equal(read_all(&r, "250 2.0.0"), OK);
    assert_true(r.status[0] == 2 && r.text.n == 0);
    assert_int_equal(read_all(&r, "250"), OK);
    assert_int_equal(read_all(&r, "250 127.0.0.1 greets"), OK);
    assert_true(slice_eq(buf_slice(&r.text), S("127.0.0.1 greets")));
    assert_int_equal(read_all(&r, "590 no grammar foresees it"), OK);
    assert_int_equal(r.code, 590);
    static const char *const wrong[] = {"",      "25",           "2500 x",       "650 x",
                                        "199 x", "2a0 x",        "250-a\n251 b", "250_x",
                                        "+OK",   "250 a\n250 b", "250\tx"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(read_all(&r, wrong[i]), ERR_SYNTAX);
    assert_int_equal(smtp_reply_reader_feed(&r, S("250 a\0b")), ERR_SYNTAX);
    buf_done(&r.text);
}

static void endless_replies_end(void **state)
{
    struct smtp_reply_reader r;
    smtp_reply_reader_init(&r);
    enum err e = ERR_AGAIN;
    unsigned lines = 0;
    while (e == ERR_AGAIN && lines++ < 100000)
        e = smtp_reply_reader_feed(&r, S("250-"));
    assert_int_equal(e, ERR_LIMIT);
    buf_done(&r.text);
    smtp_reply_reader_init(&r);
    struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_SMTP_REPLY + 10);
    buf_put(&line, S("250-"));
    for (int i = 0; i < 1000; i++)
        buf_put_char(&line, 'x');
    for (e = ERR_AGAIN, lines = 0; e == ERR_AGAIN && lines < 100; lines++)
        e = smtp_reply_reader_feed(&r, buf_slice(&line));
    assert_int_equal(e, ERR_LIMIT);
    assert_true(lines < 10);
    buf_done(&r.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_written),           cmocka_unit_test(every_status_is_well_formed),
        cmocka_unit_test(foreign_text_is_made_harmless), cmocka_unit_test(replies_are_read),
        cmocka_unit_test(endless_replies_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
