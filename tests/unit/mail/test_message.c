/* Dates, line ends, the fields that the server writes, status codes. */
#include "base/clock.h"
#include "mail/date.h"
#include "mail/message.h"
#include "mail/status.h"
#include "test.h"

static void dates(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in;
        bool good;
        int64_t unix_s;
        int zone;
        bool known;
    } rows[] = {
        {S("Fri, 21 Nov 1997 09:55:06 -0600"), true, 880127706, -360, true},
        {S("21 Nov 97 09:55:06 GMT"), true, 880106106, 0, true},
        {S("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"), true, 880127706, -360, true},
        {S("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 "
           "(Newfoundland Time)"),
         true, -27723480, -210, true},
        {S("1 Jan 70 00:00 Z"), true, 0, 0, true},
        {S("1 Jan 49 00:00:00 +0000"), true, 2493072000, 0, true},
        {S("1 Jan 101 00:00:00 +0000"), true, 978307200, 0, true},
        {S("Wed, 1 Jan 2020 10:00:00 EST"), true, 1577890800, -300, true},
        {S("Wed, 1 Jan 2020 10:00:00 A"), true, 1577872800, 0, false},
        {S("Wed, 1 Jan 2020 10:00:00 -0000"), true, 1577872800, 0, false},
        {S("Wed, 1 Jan 2020 10:00:00"), true, 1577872800, 0, false},
        {S("Sat, 31 Dec 2016 23:59:60 +0000"), true, 1483228799, 0, true},
        {S("29 Feb 2024 00:00:00 +0000"), true, 1709164800, 0, true},
        {S("29 Feb 2023 00:00:00 +0000"), false},
        {S("31 Feb 2024 00:00:00 +0000"), false},
        {S("0 Jan 2024 00:00:00 +0000"), false},
        {S("1 Jan 0000 00:00:00 +0000"), false},
        {S("1 Jan 9999999999 00:00:00 +0000"), false},
        {S("1 Jan 2024 24:00:00 +0000"), false},
        {S("1 Jan 2024 00:60:00 +0000"), false},
        {S("1 Jan 2024 00:00:00 +9999"), false},
        {S("1 Jan 2024 00:00:00 +12"), false},
        {S("1 Foo 2024 00:00:00 +0000"), false},
        {S("-1 Jan 2024 00:00:00 +0000"), false},
        {S("Mon, "), false},
        {S(""), false},
        {S("(((((("), false},
        {S("1 (\\"), false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mail_date d = {1, 1, false};
        enum err e = date_parse(rows[i].in, &d);
        if ((e == OK) != rows[i].good)
            fail_msg("%.*s", SLICE_ARG(rows[i].in));
        if (e != OK) {
            assert_true(d.unix_s == 1 && d.zone == 1);
            continue;
        }
        if (d.unix_s != rows[i].unix_s || d.zone != rows[i].zone || d.zone_is_known != rows[i].known)
            fail_msg("%.*s: %lld %d", SLICE_ARG(rows[i].in), (long long)d.unix_s, d.zone);
        for (size_t n = 0; n < rows[i].in.n; n++) { /* cut anywhere */
            char *copy = malloc(n + !n);
            memcpy(copy, rows[i].in.p, n);
            IGNORE(date_parse(slice_of(copy, n), &d), "whatever it says, nothing behind the end is read");
            free(copy);
        }
    }
}

static void dates_written(void **unused)
{
    (void)unused;
    CLEANUP_BUF struct buf out = BUF_INIT(100);
    date_put(&out, 880127706, -360);
    assert_slice("Fri, 21 Nov 1997 09:55:06 -0600", buf_slice(&out));
    buf_clear(&out);
    date_put_internal(&out, 837596665, -420);
    assert_slice("17-Jul-1996 02:44:25 -0700", buf_slice(&out));
    for (int64_t t = -2000000000; t < 200000000000; t += 777777777) {
        struct mail_date d;
        buf_clear(&out);
        date_put(&out, t, (int)(t % 1439));
        assert_ok(date_parse(buf_slice(&out), &d));
        assert_true(d.unix_s == t && d.zone == t % 1439);
        buf_clear(&out);
        date_put_internal(&out, t, (int)(t % 1439));
        assert_ok(date_parse_internal(buf_slice(&out), &d));
        assert_true(d.unix_s == t);
    }
    buf_clear(&out);
    date_put(&out, INT64_MAX, 100000);
    assert_true(buf_check(&out) == OK && out.n == 31);
    buf_clear(&out);
    date_put(&out, INT64_MIN, -100000);
    assert_true(buf_check(&out) == OK && out.n == 31);
}

static void dates_of_imap(void **unused)
{
    (void)unused;
    struct mail_date d;
    static const struct {
        struct slice in;
        bool good;
    } rows[] = {
        {S("17-Jul-1996 02:44:25 -0700"), true},
        {S(" 7-Jul-1996 02:44:25 +0000"), true},
        {S("07-Jul-1996 02:44:25 +0000"), true},
        {S("7-Jul-1996 02:44:25 +0000"), false},
        {S(" 17-Jul-1996 02:44:25 +0000"), false},
        {S("17-July-1996 02:44:25 +0000"), false},
        {S("17-Jul-96 02:44:25 +0000"), false},
        {S("17-Jul-1996 2:44:25 +0000"), false},
        {S("17-Jul-1996 02:44:25 GMT"), false},
        {S("17-Jul-1996 02:44:25 +0000 "), false},
        {S("17-Jul-1996 02:44:25"), false},
        {S("17-Jul-1996"), false},
        {S("32-Jul-1996 02:44:25 +0000"), false},
        {S(""), false},
        {S(" "), false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((date_parse_internal(rows[i].in, &d) == OK) != rows[i].good)
            fail_msg("%.*s", SLICE_ARG(rows[i].in));
    int64_t day;
    assert_ok(date_parse_day(S("1-Feb-1994"), &day));
    assert_int_equal(8797, day);
    assert_ok(date_parse_day(S("01-Feb-1994"), &day));
    assert_int_equal(8797, date_day(8797 * 86400 + 80000, 60));
    assert_int_equal(8798, date_day(8797 * 86400 + 86000, 60));
    assert_int_equal(-1, date_day(-1, 0));
    assert_err(ERR_SYNTAX, date_parse_day(S("1-Feb-94"), &day));
    assert_err(ERR_SYNTAX, date_parse_day(S("30-Feb-1994"), &day));
    assert_err(ERR_SYNTAX, date_parse_day(S("1-Feb-1994 "), &day));
}

static void line_ends(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in, out;
    } rows[] = {
        {S("a\r\nb\r\n"), S("a\r\nb\r\n")},
        {S("a\nb\n"), S("a\r\nb\r\n")},
        {S("a\rb\r"), S("a\r\nb\r\n")},
        {S("\r\r\n\n"), S("\r\n\r\n\r\n")},
        {S("\n\r\n\r"), S("\r\n\r\n\r\n")},
        {S("a"), S("a")},
        {S(""), S("")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 4; step++) {
            CLEANUP_BUF struct buf out = BUF_INIT(100);
            struct message_lines l;
            message_lines_init(&l);
            for (size_t at = 0; at < rows[i].in.n; at += step)
                message_lines_feed(&l, slice_sub(rows[i].in, at, step), &out);
            message_lines_finish(&l, &out);
            assert_true(slice_eq(buf_slice(&out), rows[i].out));
            assert_int_equal(l.changed, !slice_eq(rows[i].in, rows[i].out));
        }
}

static void own_fields(void **unused)
{
    (void)unused;
    CLEANUP_BUF struct buf out = BUF_INIT(4000);
    message_put_received(
        &out, &(struct message_received){
                  .helo = S("a.test"),
                  .name = S("mx.a.test"),
                  .address = S("192.0.2.1"),
                  .by = S("ours.test"),
                  .protocol = S("ESMTPS"),
                  .cipher = S("TLS1.3 AES"),
                  .id = S("1f"),
                  .for_address = S("bob@ours.test"),
                  .when_unix_s = 880127706});
    assert_slice(
        "Received: from a.test (mx.a.test [192.0.2.1])\r\n\t(TLS1.3 AES)\r\n\tby ours.test with ESMTPS id "
        "1f\r\n\tfor "
        "<bob@ours.test>;\r\n\tFri, 21 Nov 1997 15:55:06 +0000\r\n",
        buf_slice(&out));
    buf_clear(&out);
    message_put_received(
        &out, &(struct message_received){
                  .helo = S("x)\r\nBcc: y;(\0\\"), .address = S("2001:db8::1"), .by = S("o")});
    assert_slice(
        "Received: from x???Bcc:?y???? ([IPv6:2001:db8::1])\r\n\tby o;\r\n\tThu, 01 Jan 1970 00:00:00 "
        "+0000\r\n",
        buf_slice(&out));
    buf_clear(&out);
    message_put_date(&out, 0);
    message_put_message_id(&out, S("\x01\xff"), S("x.test"));
    assert_slice(
        "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
        "Message-ID: <01ff@x.test>\r\n",
        buf_slice(&out));
    assert_string_equal("ESMTPSA", message_protocol(true, false, true, true));
    assert_string_equal("UTF8SMTPS", message_protocol(true, true, true, false));
    assert_string_equal("SMTP", message_protocol(false, false, false, false));
}

static void statuses(void **unused)
{
    (void)unused;
    for (int i = 0; i < STATUS_N; i++) {
        const struct status_info *info = status_info((enum status)i);
        assert_true(info->basic >= 200 && info->basic < 600);
        if (info->enhanced[0]) /* RFC 2034: the class is the reply's first digit */
            assert_int_equal(info->basic / 100, info->enhanced[0] - '0');
        for (const char *w = info->words; *w; w++)
            assert_true(*w >= ' ' && *w < 0x7f);
        assert_true(status_is_permanent((enum status)i) == (info->basic >= 500));
    }
    assert_int_equal(452, status_info(STATUS_MAILBOX_FULL)->basic);
    assert_string_equal("5.3.4", status_info(STATUS_HEADER_TOO_BIG)->enhanced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),     cmocka_unit_test(dates_written), cmocka_unit_test(dates_of_imap),
        cmocka_unit_test(line_ends), cmocka_unit_test(own_fields),    cmocka_unit_test(statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
