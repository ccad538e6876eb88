#include "test.h"

#include "base/limits.h"
#include "scope/scope.h"

static struct arena arena;

static struct scope parse(const char *lines)
{
    struct scope s;
    struct buf problem = BUF_INIT(512);
    enum err e = scope_parse(slice_str(lines), &arena, &s, &problem);
    if (e != OK)
        print_error("%s: %s\n", lines, buf_cstr(&problem));
    assert_int_equal(e, OK);
    buf_done(&problem);
    return s;
}

static void expect_text(const char *lines, const char *canonical)
{
    struct buf out = BUF_INIT(LIMIT_SCOPE_TEXT), again = BUF_INIT(LIMIT_SCOPE_TEXT);
    struct scope s = parse(lines);
    scope_write(&s, &out);
    assert_string_equal(out.n ? buf_cstr(&out) : "", canonical);
    struct scope t = parse(canonical);
    scope_write(&t, &again);
    assert_true(slice_eq(buf_slice(&out), buf_slice(&again)));
    buf_done(&out);
    buf_done(&again);
}

static void expect_bad(const char *lines, enum err expected)
{
    struct scope s = {.rights = 77};
    struct buf problem = BUF_INIT(512);
    enum err e = scope_parse(slice_str(lines), &arena, &s, &problem);
    if (e != expected)
        print_error("%s: %s\n", lines, err_name(e));
    assert_int_equal(e, expected);
    assert_int_equal(s.rights, 77);
    assert_true(problem.n > 0);
    buf_done(&problem);
    assert_int_equal(scope_parse(slice_str(lines), &arena, &s, NULL), expected);
}

static void canonical_forms(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"\n \r\n", ""},
        {"network=192.0.2.77/24", "network=192.0.2.0/24\n"},
        {"network = 192.0.2.7 ", "network=192.0.2.7/32\n"},
        {"network=2001:DB8::5/32", "network=2001:db8::/32\n"},
        {"network=::ffff:192.0.2.9", "network=192.0.2.9/32\n"},
        {"network=10.0.0.0/8\nnetwork=10.1.2.3/8", "network=10.0.0.0/8\n"},
        {"network=0.0.0.0/0", "network=0.0.0.0/0\n"},
        {"network=::/0", "network=::/0\n"},
        {"access=read-only", "access=read-only\n"},
        {"access=append-only", "access=append-only\n"},
        {"access=no-delete", "access=no-delete\n"},
        {"folder=inbox", "folder=INBOX\n"},
        {"folder=inbox/Sub%", "folder=INBOX/Sub%\n"},
        {"folder=Caf\x65\xcc\x81/*", "folder=Caf\xc3\xa9/*\n"},
        {"folder=a=b", "folder=a=b\n"},
        {"days=030", "days=30\n"},
        {"attachments=none", "attachments=none\n"},
        {"attachment-type=Image/*\nattachment-type=TEXT/Plain",
         "attachment-type=image/*\nattachment-type=text/plain\n"},
        {"attachment-size=1 MiB", "attachment-size=1048576\n"},
        {"attachment-size=512KiB", "attachment-size=524288\n"},
        {"attachment-size=77", "attachment-size=77\n"},
        {"hours=Mon-FRI 8:00-18:00 +08:00", "hours=mon-fri 08:00-18:00 +08:00\n"},
        {"hours=sat,sun,mon 22:00-00:00", "hours=mon,sat-sun 22:00-24:00 +00:00\n"},
        {"hours=fri-mon 22:30-06:15 -03:30", "hours=mon,fri-sun 22:30-06:15 -03:30\n"},
        {"hours=mon-sun 00:00-24:00 UTC", "hours=mon-sun 00:00-24:00 +00:00\n"},
        {"rotate=90", "rotate=90\n"},
        {"sender=Info@EXAMPLE.org", "sender=Info@example.org\n"},
        {"sender=@B\xc3\xbc\x63her.example", "sender=@xn--bcher-kva.example\n"},
        {"recipient=@example.org\nrecipient=a@b.example", "recipient=@example.org\nrecipient=a@b.example\n"},
        {"messages-hour=50\nmessages-day=200\nnew-recipients-day=20\nbytes-day=1 GiB",
         "messages-hour=50\nmessages-day=200\nnew-recipients-day=20\nbytes-day=1073741824\n"},
        {"canary=alarm", "canary=alarm\n"},
        {"rotate=5\nnetwork=10.0.0.1\nfolder=b\nfolder=a",
         "network=10.0.0.1/32\nfolder=a\nfolder=b\nrotate=5\n"},
        {"days=7\ndays=7", "days=7\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_text(rows[i][0], rows[i][1]);
}

static void what_is_wrong_is_refused_with_words(void **state)
{
    static const char *const bad[] = {
        "network",
        "network=",
        "network=example.org",
        "network=1.2.3.4/",
        "network=1.2.3.4/-1",
        "network=010.0.0.1",
        "access=write",
        "access=Read-Only",
        "access=read-only\naccess=no-delete",
        "folder=",
        "folder=/a",
        "folder=a/",
        "folder=a//b",
        "folder=a\x01",
        "folder=\xff",
        "days=0",
        "days=-1",
        "days=1.5",
        "days=1\ndays=2",
        "attachments=all",
        "attachment-type=image",
        "attachment-type=/png",
        "attachment-type=image/",
        "attachment-type=*/*",
        "attachment-type=image/p*",
        "attachment-type=image/a/b",
        "attachment-type=image/*x",
        "attachment-size=0",
        "attachment-size=MiB",
        "attachment-size=1 mib",
        "attachment-size=1.5 MiB",
        "hours=mon",
        "hours=mon 8-18",
        "hours=mon 08:00",
        "hours=mon 08:00-08:00",
        "hours=mon 24:00-08:00",
        "hours=mon 08:00-24:01",
        "hours=mon 08:60-09:00",
        "hours=mon 08:00-18:00 08:00",
        "hours=mon 08:00-18:00 +15:00",
        "hours=mon 08:00-18:00 +08:00 x",
        "hours=mon 08:00-18:00+08:00",
        "hours=mon- 08:00-18:00",
        "hours=monday 08:00-18:00",
        "hours=mon,,tue 08:00-18:00",
        "rotate=0",
        "sender=nobody",
        "sender=@",
        "sender=@-x.example",
        "recipient=a@b@c",
        "messages-hour=0",
        "messages-day=many",
        "canary=yes",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_bad(bad[i], ERR_SYNTAX);
    expect_bad("colour=blue", ERR_UNSUPPORTED); /* INV-V3 */
    expect_bad("Network=10.0.0.1", ERR_UNSUPPORTED);
    expect_bad("attachment-size=10000 TiB", ERR_SYNTAX);
    expect_bad("messages-day=4294967296", ERR_LIMIT);
    expect_bad("network=192.0.2.0/33", ERR_LIMIT);
    expect_bad("network=2001:db8::/129", ERR_LIMIT);
}

static void limits_of_the_text(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    for (unsigned i = 0; i <= LIMIT_SCOPE_VALUES; i++)
        buf_printf(&text, "folder=f%u\n", i);
    expect_bad(buf_cstr(&text), ERR_LIMIT);
    buf_clear(&text);
    for (unsigned i = 0; i < LIMIT_SCOPE_VALUES; i++)
        buf_printf(&text, "folder=f%u\n", i);
    assert_int_equal(parse(buf_cstr(&text)).folder_count, LIMIT_SCOPE_VALUES);
    buf_clear(&text);
    buf_put_str(&text, "folder=");
    for (unsigned i = 0; i <= LIMIT_MAILBOX_NAME; i++)
        buf_put_char(&text, 'x');
    expect_bad(buf_cstr(&text), ERR_LIMIT);
    for (unsigned i = 0; i < LIMIT_SCOPE_TEXT; i++)
        buf_put_char(&text, '\n');
    expect_bad(buf_cstr(&text), ERR_LIMIT);
    buf_done(&text);
    struct arena small = ARENA_INIT(8);
    struct scope s;
    assert_int_equal(scope_parse(S("folder=abcdefghijklmnop"), &small, &s, NULL), ERR_LIMIT);
    arena_done(&small);
}

static void no_limit_is_all_and_zero_is_nothing(void **state)
{
    struct scope s = parse("");
    assert_int_equal(s.rights, SCOPE_ALL);
    assert_true(scope_allows_time(&s, 0) && scope_time_ends(&s, 0) == 0);
    assert_true(scope_allows_folder(&s, S("any/thing")));
    assert_true(scope_allows_sender(&s, S("a@b.example")) && scope_allows_recipient(&s, S("odd")));
    assert_true(scope_allows_attachment(&s, S("a/b"), UINT64_MAX) && !scope_limits_attachments(&s));
    assert_true(scope_allows_arrival(&s, 0, INT64_MAX / 2) && !scope_has_budget(&s) && !s.is_canary);
    assert_int_equal(parse("access=read-only").rights, SCOPE_READ);
    assert_int_equal(parse("access=append-only").rights, SCOPE_APPEND);
    assert_int_equal(parse("access=no-delete").rights, SCOPE_READ | SCOPE_FLAG | SCOPE_APPEND);
}

static bool from(const struct scope *s, const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(slice_str(text), &ip), OK);
    return scope_allows_network(s, &ip);
}

static void networks(void **state)
{
    struct scope s = parse("network=192.0.2.0/24\nnetwork=2001:db8::/32");
    assert_true(from(&s, "192.0.2.0") && from(&s, "192.0.2.255") && from(&s, "2001:db8:ffff::1"));
    assert_false(from(&s, "192.0.3.0") || from(&s, "2001:db9::") || from(&s, "::1"));
    s = parse("network=0.0.0.0/0");
    assert_true(from(&s, "203.0.113.9"));
    assert_false(from(&s, "2001:db8::1"));
}

static void folders(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool allows;
    } rows[] = {
        {"Projects/*", "Projects", false},
        {"Projects/*", "Projects/a", true},
        {"Projects/*", "Projects/a/b", true},
        {"Projects/*", "Project", false},
        {"Projects/%", "Projects/a", true},
        {"Projects/%", "Projects/a/b", false},
        {"Projects/%/x", "Projects/a", false},
        {"Projects", "Projects", true},
        {"Projects", "Projects/a", false},
        {"Projects", "projects", false},
        {"a/b/c", "a", false},
        {"a/b/c", "a/b", false},
        {"a/b/c", "a/b/c", true},
        {"a/b/c", "a/c", false},
        {"INBOX", "inbox", true},
        {"inbox/*", "InBox/x", true},
        {"inbox/*", "INBOX", false},
        {"*", "anything/at/all", true},
        {"%", "top", true},
        {"%", "top/below", false},
        {"*b%d*", "abcabxd/e", true},
        {"*b%d*", "ab/d", false},
        {"a*a*a", "aa", false},
        {"a*a*a", "aaa", true},
        {"*%", "x/y", true},
        {"Caf\xc3\xa9", "Caf\xc3\xa9", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf line = BUF_INIT(256);
        buf_printf(&line, "folder=%s", rows[i].pattern);
        struct scope s = parse(buf_cstr(&line));
        if (scope_allows_folder(&s, slice_str(rows[i].name)) != rows[i].allows)
            fail_msg("%s with %s", rows[i].pattern, rows[i].name);
        buf_done(&line);
    }
}

enum { DAY = 86400, MONDAY = 4 * DAY /* 1970-01-05 */, NOW = 1900000000 };

static int64_t at(int64_t day, int hour, int minute)
{
    return MONDAY + day * DAY + hour * 3600 + minute * 60;
}

static void hours(void **state)
{
    struct scope s = parse("hours=mon-fri 08:00-18:00");
    assert_false(scope_allows_time(&s, at(0, 7, 59) + 59));
    assert_true(scope_allows_time(&s, at(0, 8, 0)) && scope_allows_time(&s, at(4, 17, 59) + 59));
    assert_false(scope_allows_time(&s, at(0, 18, 0)) || scope_allows_time(&s, at(5, 12, 0)));
    assert_int_equal(scope_time_ends(&s, at(0, 9, 0)), at(0, 18, 0));
    assert_int_equal(scope_time_ends(&s, at(4, 19, 0)), at(7, 18, 0));

    s = parse("hours=mon-fri 08:00-18:00 +08:00");
    assert_true(scope_allows_time(&s, at(0, 0, 0)) && scope_allows_time(&s, at(0, 9, 59)));
    assert_false(scope_allows_time(&s, at(0, 10, 0)));
    assert_int_equal(scope_time_ends(&s, at(0, 1, 0)), at(0, 10, 0));

    s = parse("hours=sun 22:00-06:00 -05:00"); /* Monday 03:00 to 11:00 UTC */
    assert_true(scope_allows_time(&s, at(0, 3, 0)) && scope_allows_time(&s, at(7, 10, 59)));
    assert_false(scope_allows_time(&s, at(0, 2, 59)) || scope_allows_time(&s, at(0, 11, 0)));
    assert_false(scope_allows_time(&s, at(6, 23, 0)));

    s = parse("hours=mon-sun 00:00-24:00");
    assert_true(scope_allows_time(&s, NOW));
    assert_int_equal(scope_time_ends(&s, NOW), 0);
    s = parse("hours=mon 08:00-24:00\nhours=tue 00:00-12:00\nhours=mon 10:00-11:00");
    assert_int_equal(scope_time_ends(&s, at(0, 9, 0)), at(1, 12, 0));
    s = parse("hours=mon-sun 20:00-08:00\nhours=mon-sat 08:00-20:00");
    assert_int_equal(scope_time_ends(&s, at(0, 9, 0)), at(6, 8, 0));
}

/* What scope_time_ends says is what scope_allows_time does, minute by minute, before and after 1970 alike. */
static void time_ends_where_it_ends(void **state)
{
    static const char *const scopes[] = {
        "hours=mon-fri 08:00-18:00 +08:00",
        "hours=sat,sun 22:00-06:00 -11:00\nhours=wed 05:30-05:31",
        "hours=mon,wed,fri 00:00-24:00 +14:00\nhours=tue 23:59-00:01",
    };
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        struct scope s = parse(scopes[i]);
        for (int64_t now = -9 * DAY; now < 9 * DAY; now += 3660) {
            int64_t end = scope_time_ends(&s, now), t = now;
            while (!scope_allows_time(&s, t))
                t += 60;
            t -= ((t % 60) + 60) % 60;
            while (scope_allows_time(&s, t))
                t += 60;
            assert_int_equal(end, t);
        }
    }
}

static void window_and_attachments(void **state)
{
    struct scope s = parse("days=30");
    assert_true(scope_allows_arrival(&s, NOW - 30 * DAY + 1, NOW) && scope_allows_arrival(&s, NOW + 5, NOW));
    assert_false(scope_allows_arrival(&s, NOW - 30 * DAY, NOW));
    s = parse("attachments=none");
    assert_true(scope_limits_attachments(&s));
    assert_false(scope_allows_attachment(&s, S("image/png"), 1));
    s = parse("attachment-type=image/*\nattachment-type=application/pdf");
    assert_true(scope_allows_attachment(&s, S("image/png"), UINT64_MAX));
    assert_true(scope_allows_attachment(&s, S("application/pdf"), 0));
    assert_false(scope_allows_attachment(&s, S("application/pdfx"), 0));
    assert_false(scope_allows_attachment(&s, S("imagex/png"), 0) || scope_allows_attachment(&s, S(""), 0));
    s = parse("attachment-size=1 KiB");
    assert_true(scope_allows_attachment(&s, S("a/b"), 1024));
    assert_false(scope_allows_attachment(&s, S("a/b"), 1025));
}

static void senders_and_recipients(void **state)
{
    struct scope s = parse("sender=Info@example.org\nsender=@example.net\nrecipient=@example.org");
    assert_true(scope_allows_sender(&s, S("INFO@Example.ORG")));
    assert_true(scope_allows_sender(&s, S("anyone@EXAMPLE.net")));
    assert_false(scope_allows_sender(&s, S("alice@example.org")));
    assert_false(scope_allows_sender(&s, S("anyone@sub.example.net")));
    assert_false(scope_allows_sender(&s, S("anyone@example.net.evil.example")));
    assert_false(scope_allows_sender(&s, S("not an address")) || scope_allows_sender(&s, S("")));
    assert_false(scope_allows_recipient(&s, S("a@[192.0.2.1]")));
    assert_true(scope_allows_recipient(&s, S("x@example.org")));
}

static void narrower_and_wider(void **state)
{
    static const struct {
        const char *narrow, *wide;
        bool is_within;
    } rows[] = {
        {"", "", true},
        {"", "access=read-only", false},
        {"access=read-only", "", true},
        {"access=read-only", "access=no-delete", true},
        {"access=no-delete", "access=read-only", false},
        {"network=10.1.0.0/16", "network=10.0.0.0/8", true},
        {"network=10.0.0.0/8", "network=10.1.0.0/16", false},
        {"network=10.1.0.0/16\nnetwork=11.0.0.0/8", "network=10.0.0.0/8", false},
        {"", "network=10.0.0.0/8", false},
        {"folder=a/b", "folder=a/*", true},
        {"folder=a/%", "folder=a/*", true},
        {"folder=a/*", "folder=a/%", false},
        {"folder=*", "folder=a/*", false},
        {"days=7", "days=30", true},
        {"days=30", "days=7", false},
        {"", "days=7", false},
        {"attachments=none", "attachment-size=10", true},
        {"attachment-size=10", "attachments=none", false},
        {"attachment-type=image/png", "attachment-type=image/*", true},
        {"attachment-type=image/*", "attachment-type=image/png", false},
        {"attachment-size=10", "attachment-type=image/*", false},
        {"hours=mon 09:00-10:00", "hours=mon-fri 08:00-18:00", true},
        {"hours=mon 09:00-10:00 +05:00", "hours=mon-fri 08:00-18:00", false},
        {"hours=mon 09:00-10:00", "", true},
        {"", "hours=mon-sun 00:00-24:00", true},
        {"rotate=30", "rotate=90", true},
        {"", "rotate=90", false},
        {"sender=a@x.example", "sender=@x.example", true},
        {"sender=@x.example", "sender=a@x.example", false},
        {"sender=@x.example", "sender=@x.example", true},
        {"recipient=a@x.example", "recipient=b@x.example", false},
        {"messages-day=10", "messages-day=20", true},
        {"messages-day=20", "messages-day=10", false},
        {"messages-hour=10", "messages-day=20", false},
        {"bytes-day=1 MiB", "bytes-day=1 GiB", true},
        {"new-recipients-day=1", "", true},
        {"canary=alarm", "access=read-only", true},
        {"access=read-only", "canary=alarm", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scope narrow = parse(rows[i].narrow), wide = parse(rows[i].wide);
        if (scope_is_within(&narrow, &wide) != rows[i].is_within)
            fail_msg("%s within %s", rows[i].narrow, rows[i].wide);
    }
}

static void the_table_is_whole(void **state)
{
    size_t n;
    const struct scope_kind_row *rows = scope_kinds(&n);
    struct buf text = BUF_INIT(LIMIT_SCOPE_TEXT);
    assert_int_equal(n, 16);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(scope_kind_by_name(slice_str(rows[i].name)), &rows[i]);
        assert_ptr_equal(scope_kind_by_number(rows[i].kind), &rows[i]);
        if (rows[i].kind != SCOPE_ACCESS) { /* every example of the help is a value */
            struct scope s;
            buf_clear(&text);
            buf_printf(&text, "%s=%s", rows[i].name, rows[i].value);
            assert_int_equal(scope_parse(buf_slice(&text), &arena, &s, NULL), OK);
        }
    }
    assert_null(scope_kind_by_name(S("")));
    assert_null(scope_kind_by_number(0));
    assert_null(scope_kind_by_number(17));
    buf_done(&text);
}

static int start(void **state)
{
    arena_init(&arena, 1 << 20);
    return 0;
}

static int end(void **state)
{
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(canonical_forms, start, end),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_refused_with_words, start, end),
        cmocka_unit_test_setup_teardown(limits_of_the_text, start, end),
        cmocka_unit_test_setup_teardown(no_limit_is_all_and_zero_is_nothing, start, end),
        cmocka_unit_test_setup_teardown(networks, start, end),
        cmocka_unit_test_setup_teardown(folders, start, end),
        cmocka_unit_test_setup_teardown(hours, start, end),
        cmocka_unit_test_setup_teardown(time_ends_where_it_ends, start, end),
        cmocka_unit_test_setup_teardown(window_and_attachments, start, end),
        cmocka_unit_test_setup_teardown(senders_and_recipients, start, end),
        cmocka_unit_test_setup_teardown(narrower_and_wider, start, end),
        cmocka_unit_test_setup_teardown(the_table_is_whole, start, end),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
