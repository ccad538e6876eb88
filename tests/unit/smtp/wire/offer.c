#include "cases.h"

#include "smtp/wire/offer.h"
#include "smtp/wire/reply.h"

/* From the lines of a reply, as a client gets them. */
static void read_offer(struct smtp_reply_reader *r, const char *lines, struct smtp_offer *o)
{
    struct slice rest = slice_str(lines), line;
    enum err e = ERR_AGAIN;
    buf_done(&r->text);
    smtp_reply_reader_init(r);
    while (slice_cut(&rest, '\n', &line))
        e = smtp_reply_reader_feed(r, line);
    assert_int_equal(e, OK);
    smtp_offer_read(buf_slice(&r->text), o);
}

static void offers_are_read(void **state)
{
    struct smtp_reply_reader r;
    struct smtp_offer o;
    smtp_reply_reader_init(&r);
    /* RFC 5321 D.1 */
    read_offer(&r, "250-bar.com greets foo.com\n250-8BITMIME\n250-SIZE\n250-DSN\n250 HELP", &o);
    assert_true(slice_eq(o.name, S("bar.com")) && o.eightbit && o.dsn && o.size_said && o.size == 0);
    assert_true(!o.auth && !o.starttls && !o.pipelining && !o.masked);
    /* RFC 4954 4.3 */
    read_offer(&r, "250-smtp.example.com Hello client.example.com\n250 AUTH GSSAPI DIGEST-MD5", &o);
    assert_true(o.auth && !o.auth_old);
    assert_int_equal(o.word_n, 2);
    assert_true(slice_eq(o.words[0], S("GSSAPI")) && slice_eq(o.words[1], S("DIGEST-MD5")));
    /* RFC 1870 6, and what stands in the field */
    read_offer(
        &r,
        "250-mx.test\n250-size 35882577\n250-auth login  plain\t\n250-AUTH=LOGIN "
        "PLAIN\n250-STARTTLS\n250-SMTPUTF8\n"
        "250-PIPELINING\n250-CHUNKING\n250 ENHANCEDSTATUSCODES",
        &o);
    assert_true(o.auth && o.auth_old && o.starttls && o.utf8 && o.pipelining && o.chunking && o.statuses);
    assert_int_equal(o.size, 35882577);
    assert_int_equal(o.word_n, 4);
    assert_true(slice_eq(o.words[0], S("login")) && slice_eq(o.words[3], S("PLAIN")));
    /* the first line is the server's name, and never a keyword */
    read_offer(&r, "250 STARTTLS", &o);
    assert_true(!o.starttls && slice_eq(o.name, S("STARTTLS")));
    read_offer(&r, "250-\n250 STARTTLS", &o);
    assert_true(o.starttls && o.name.n == 0);
    buf_done(&r.text);
}

static void offers_of_any_kind_do_no_harm(void **state)
{
    struct smtp_offer o;
    smtp_offer_read(SLICE_EMPTY, &o);
    assert_true(!o.auth && o.name.n == 0);
    smtp_offer_read(S("a\n\n \n\t\n=\n= =\nAUTH=\nAUTHX PLAIN\nXAUTH PLAIN\nSTARTTLSX\n"), &o);
    assert_true(o.auth && o.auth_old && o.word_n == 0 && !o.starttls);
    static const struct {
        const char *line;
        uint64_t size;
    } sizes[] = {
        {"a\nSIZE 99999999999999999999999", UINT64_MAX},
        {"a\nSIZE -1", 0},
        {"a\nSIZE 0x10", 0},
        {"a\nSIZE=1000", 1000},
        {"a\nSIZE 10 20", 10}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        smtp_offer_read(slice_str(sizes[i].line), &o);
        assert_true(o.size_said && o.size == sizes[i].size);
    }
    struct buf many CLEANUP_BUF = BUF_INIT(100000);
    buf_put(&many, S("a\nAUTH"));
    for (int i = 0; i < 10000; i++)
        buf_printf(&many, " M%d", i);
    buf_put(&many, S("\nAUTH PLAIN\nSTARTTLS"));
    smtp_offer_read(buf_slice(&many), &o);
    assert_true(o.word_n == SMTP_OFFER_WORDS && o.starttls);
}

static void masks_are_seen(void **state)
{
    static const char *const masked[] = {"220 ****************************",
                                         "mx.test ESMTP ****",
                                         "XXXXXXXA",
                                         "XXXA",
                                         "XXXX",
                                         "220 XXXXX ready",
                                         "2*00***********0*0****200"};
    static const char *const plain[] = {
        "",    "XX",        "XXX.example.org ESMTP", "XEXCH50", "XXXVII", "X-EXPS",
        "***", "* * * * *", "mail.xxxx.com",         "XXL",     "xxxx",   "XXX1"};
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
        assert_true(smtp_is_masked(slice_str(masked[i])));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_false(smtp_is_masked(slice_str(plain[i])));
    struct smtp_offer o;
    smtp_offer_read(S("mx.test\nSIZE 10\nXXXXXXXA\nAUTH PLAIN"), &o);
    assert_true(o.masked && !o.starttls && o.auth);
    smtp_offer_read(S("XXXX\nXEXCH50\nXCLIENT NAME ADDR"), &o);
    assert_false(o.masked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_are_read),
        cmocka_unit_test(offers_of_any_kind_do_no_harm),
        cmocka_unit_test(masks_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
