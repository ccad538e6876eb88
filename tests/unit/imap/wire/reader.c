/* The reader: whole commands however the octets are cut, literals announced once, refused ones never parsed as commands. */
#include "cases.h"
#include "test.h"

#include "imap/wire/reader.h"

/* What a peer would see while the input is fed `step` octets at a time: one letter an event, and the texts. */
struct heard {
    char events[4096];
    size_t n;
    char text[4096]; /* of the last DONE */
    size_t text_n;
    struct imap_bad bad;
    uint64_t message;
};

static void hear(struct heard *h, char event)
{
    assert_true(h->n < sizeof h->events);
    h->events[h->n++] = event;
}

static bool
take_event(struct imap_reader *r, struct heard *h, enum imap_read got, struct slice input, size_t *at)
{
    struct slice text = imap_reader_text(r);
    switch (got) {
    case IMAP_READ_MORE:
        return true;
    case IMAP_READ_CONTINUE:
        hear(h, '+');
        return true;
    case IMAP_READ_MESSAGE:
        hear(h, r->message.sync ? 'm' : 'M');
        h->message = r->message.size;
        *at += r->message.size; /* the caller's own work */
        imap_reader_message_done(r);
        return *at <= input.n;
    case IMAP_READ_DONE:
        hear(h, 'D');
        memcpy(h->text, text.p, text.n);
        h->text_n = text.n;
        imap_reader_next(r);
        return true;
    default:
        hear(h, r->bad.close ? 'X' : 'B');
        h->bad = r->bad;
        if (!r->bad.close)
            imap_reader_next(r);
        return !r->bad.close;
    }
}

static void feed(const struct imap_limits *limits, struct slice input, size_t step, struct heard *h)
{
    struct imap_reader r;
    memset(h, 0, sizeof *h);
    imap_reader_init(&r, limits);
    for (size_t at = 0; at < input.n;) {
        size_t taken;
        struct slice piece = slice_sub(input, at, step);
        enum imap_read got = imap_reader_feed(&r, piece, &taken);
        assert_true(taken <= piece.n);
        assert_true(got != IMAP_READ_MORE || taken == piece.n);
        at += taken;
        if (!take_event(&r, h, got, input, &at))
            break;
    }
    imap_reader_done(&r);
}

static void
check_limits(const struct imap_limits *limits, struct slice input, const char *events, const char *text)
{
    static const size_t steps[] = {100000, 1, 2, 3, 7};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct heard h;
        feed(limits, input, steps[i], &h);
        assert_int_equal(h.n, strlen(events));
        assert_memory_equal(h.events, events, h.n);
        if (text) {
            assert_int_equal(h.text_n, strlen(text));
            assert_memory_equal(h.text, text, h.text_n);
        }
    }
}

static void check(struct slice input, const char *events, const char *text)
{
    check_limits(&imap_limits_session, input, events, text);
}

static void test_lines(void **state)
{
    check(S("a NOOP\r\n"), "D", "a NOOP");
    check(S("a NOOP\r\nb LOGOUT\r\n"), "DD", "b LOGOUT");
    check(S("\r\n"), "D", "");
    check(S("a KEYWORD foo}\r\n"), "D", "a KEYWORD foo}");
    check(S("a SEARCH SUBJECT \"{\" KEYWORD foo}\r\n"), "D", "a SEARCH SUBJECT \"{\" KEYWORD foo}");
}

static void test_line_ends_are_crlf(void **state)
{
    check(S("a NOOP\nb NOOP\r\n"), "BD", "b NOOP");
    check(S("a NO\rOP\r\nb NOOP\r\n"), "BD", "b NOOP");
    check(S("a NO\0OP\r\nb NOOP\r\n"), "BD", "b NOOP");
    check(S("a NOOP\r\r\nb NOOP\r\n"), "BD", "b NOOP");
}

static void test_literals(void **state)
{
    check(S("a LOGIN {5}\r\nalice {3}\r\nabc\r\n"), "++D", "a LOGIN {5}\r\nalice {3}\r\nabc");
    check(S("a LOGIN {5+}\r\nalice {3+}\r\nabc\r\n"), "D", "a LOGIN {5+}\r\nalice {3+}\r\nabc");
    check(S("a LOGIN {0}\r\n {0+}\r\n\r\n"), "+D", "a LOGIN {0}\r\n {0+}\r\n");
    /* the last octet of a literal is CR, and a literal holds what looks like a command */
    check(S("a X {2}\r\nx\r\r\n"), "+D", "a X {2}\r\nx\r");
    check(S("a X {11+}\r\n\r\nb LOGOUT\r\r\n"), "D", "a X {11+}\r\n\r\nb LOGOUT\r");
    check(S("a X ({1}\r\nx {1}\r\ny)\r\n"), "++D", "a X ({1}\r\nx {1}\r\ny)");
}

static void test_append_is_announced(void **state)
{
    check(S("a APPEND INBOX {5}\r\nhello\r\n"), "mD", "");
    check(S("a append INBOX (\\Seen) {5+}\r\nhello\r\n"), "MD", "");
    check(S("a APPEND {5}\r\nINBOX {5+}\r\nhello\r\n"), "+MD", "");
    check(
        S("a APPEND {5+}\r\nINBOX (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {5}\r\nhello\r\nb NOOP\r\n"), "mDD",
        "b NOOP");
    /* a second message, and the end after it */
    check(S("a APPEND INBOX {5+}\r\nhello (\\Seen) {3+}\r\nabc\r\n"), "MMD", "");
    check(S("a APPEND INBOX ~{5}\r\nhe\0lo\r\n"), "mD", "");
}

static void test_append_prefix_is_there(void **state)
{
    struct imap_reader r;
    size_t taken;
    struct slice input = S("a1 APPEND {5+}\r\nINBOX (\\Seen) {4294967296+}\r\nabc");
    imap_reader_init(&r, &imap_limits_session);
    assert_int_equal(imap_reader_feed(&r, input, &taken), IMAP_READ_MESSAGE);
    assert_slice("a1 APPEND {5+}\r\nINBOX (\\Seen) ", imap_reader_text(&r));
    assert_int_equal(r.message.size, 4294967296);
    assert_false(r.message.sync);
    assert_int_equal(taken, input.n - 3);
    assert_slice("a1", imap_reader_tag(&r));
    imap_reader_done(&r);
}

static void test_plain_lines(void **state)
{
    struct imap_reader r;
    size_t taken;
    imap_reader_init(&r, &imap_limits_preauth);
    imap_reader_expect_line(&r, 12);
    assert_int_equal(imap_reader_feed(&r, S("ab {3"), &taken), IMAP_READ_MORE);
    assert_int_equal(imap_reader_feed(&r, S("}\r\nb NOOP\r\n"), &taken), IMAP_READ_DONE);
    assert_int_equal(taken, 3);
    assert_slice("ab {3}", imap_reader_text(&r));
    imap_reader_next(&r);
    assert_int_equal(imap_reader_feed(&r, S("b NOOP\r\n"), &taken), IMAP_READ_DONE);
    imap_reader_next(&r);
    imap_reader_expect_line(&r, 4);
    assert_int_equal(imap_reader_feed(&r, S("12345678"), &taken), IMAP_READ_BAD);
    assert_true(r.bad.close);
    imap_reader_done(&r);
}

/* Each case: limits of the front; what comes; what is heard; whether [TOOBIG]. */
static void test_t152_literals_before_sign_in(void **state)
{
    static const struct {
        struct slice input;
        const char *events;
        bool too_big;
    } rows[] = {
        {{"a LOGIN {2147483647}\r\n", 22}, "B", true},
        {{"a LOGIN {4294967296+}\r\n", 23}, "X", true},
        {{"a LOGIN {-1}\r\n", 14}, "D", false},
        {{"a LOGIN {-1+}\r\n", 15}, "X", false},
        {{"a LOGIN {00000000005}\r\n", 23}, "D", false},
        {{"a LOGIN {00000000005+}\r\n", 24}, "X", false},
        {{"a LOGIN {18446744073709551616}\r\n", 32}, "B", true},
        {{"a LOGIN {5\r\n", 12}, "D", false},
        {{"a LOGIN {5}x\r\n", 14}, "D", false},
        {{"a LOGIN {+}\r\n", 13}, "X", false},
        {{"a LOGIN {}\r\n", 12}, "D", false},
        {{"a LOGIN ~{5}\r\n", 14}, "B", false},
        {{"a LOGIN ~{5+}\r\n", 15}, "X", false},
        {{"a LOGIN x{5+}\r\n", 15}, "X", false},
        {{"a LOGIN {1024}\r\n", 16}, "+", false},
        {{"a LOGIN {1025}\r\n", 16}, "B", true},
        {{"a LOGIN {1025+}\r\n", 17}, "X", true},
    };
    struct cases cases = {.id = "T-152"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step < 24; step += 11) {
            struct heard h;
            feed(&imap_limits_preauth, rows[i].input, step, &h);
            bool good = h.n == strlen(rows[i].events) && memcmp(h.events, rows[i].events, h.n) == 0;
            bool bad_event = rows[i].events[0] == 'B' || rows[i].events[0] == 'X';
            cases_check(&cases, good && (!bad_event || h.bad.too_big == rows[i].too_big), rows[i].input.p);
        }
    }
    /* a thousand announcements cost what their lines cost */
    struct imap_reader r;
    size_t taken;
    imap_reader_init(&r, &imap_limits_preauth);
    assert_int_equal(imap_reader_feed(&r, S("a LOGIN {1024}\r\n"), &taken), IMAP_READ_CONTINUE);
    cases_check(&cases, r.text.cap <= 256, "memory before octets");
    imap_reader_done(&r);
    cases_end(&cases, 30);
}

static void test_t153_refused_octets_are_no_commands(void **state)
{
    struct cases cases = {.id = "T-153"};
    static const struct {
        const char *input, *events;
    } rows[] = {
        {"a LOGIN {3000+}\r\nb LOGOUT\r\n", "X"},
        {"a LOGIN {3000}\r\nb LOGOUT\r\n", "X"}, /* sent without waiting */
        {"a X ~{5+}\r\nb LOGOUT\r\n", "X"},
        {"a X\0 {30+}\r\nb LOGOUT\r\n", ""},
        {"a \n{9+}\r\n", "BX"},
        {"a NOOP {5+}x\r\nb NOOP\r\n", "DD"},
        {"a X {3}\r\nabc\r\nb NOOP\r\n", "+DD"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct heard h;
        if (!*rows[i].events)
            continue;
        feed(&imap_limits_preauth, slice_str(rows[i].input), 10000, &h);
        cases_check(
            &cases, h.n == strlen(rows[i].events) && memcmp(h.events, rows[i].events, h.n) == 0,
            rows[i].input);
    }
    /* a line that is refused for a NUL still announced octets */
    struct heard h;
    feed(&imap_limits_preauth, S("a X\0 {30+}\r\nb LOGOUT\r\n"), 10000, &h);
    cases_check(&cases, h.n == 1 && h.events[0] == 'X', "NUL and a literal");
    /* LITERAL-: over 4096 */
    struct imap_limits minus = imap_limits_session;
    minus.literal_plus = false;
    feed(&minus, S("a X {4097+}\r\nb LOGOUT\r\n"), 10000, &h);
    cases_check(&cases, h.n == 1 && h.events[0] == 'X', "LITERAL-");
    feed(&minus, S("a X {3+}\r\nabc\r\n"), 10000, &h);
    cases_check(&cases, h.n == 1 && h.events[0] == 'D', "LITERAL- small");
    cases_end(&cases, 9);
}

static void test_t154_a_command_has_a_ceiling(void **state)
{
    struct imap_reader r;
    struct buf CLEANUP_BUF literal = BUF_INIT(200000);
    size_t taken, fed = 0;
    enum imap_read got;
    for (size_t i = 0; i < LIMIT_IMAP_LITERAL; i++)
        buf_put_char(&literal, 'x');
    imap_reader_init(&r, &imap_limits_session);
    got = imap_reader_feed(&r, S("a SEARCH TEXT"), &taken);
    while (got == IMAP_READ_MORE && fed < 100) {
        got = imap_reader_feed(&r, S(" {131072+}\r\n"), &taken);
        if (got == IMAP_READ_MORE)
            got = imap_reader_feed(&r, buf_slice(&literal), &taken);
        fed++;
        assert_true(r.text.cap <= 2 * LIMIT_IMAP_COMMAND);
    }
    assert_int_equal(got, IMAP_READ_BAD);
    assert_true(r.bad.close && r.bad.too_big);
    assert_int_equal(fed, 8);
    assert_slice("a", imap_reader_tag(&r));
    imap_reader_done(&r);
    report_threat("T-154", 1);
}

static void test_t156_endless_lines(void **state)
{
    static const char *const starts[] = {
        "", "a ", "a LOGIN \"", "a LOGIN \"\\", "a STORE 1 (\\", "a X {5+}\r\nabcde "};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct imap_reader r;
        size_t taken, n = 0;
        imap_reader_init(&r, &imap_limits_session);
        enum imap_read got = imap_reader_feed(&r, slice_str(starts[i]), &taken);
        while (got == IMAP_READ_MORE && n++ < 2 * LIMIT_IMAP_LINE)
            got = imap_reader_feed(&r, S("x"), &taken);
        assert_int_equal(got, IMAP_READ_BAD);
        assert_true(r.bad.close);
        assert_true(n <= LIMIT_IMAP_LINE + 1);
        imap_reader_done(&r);
    }
}

static void test_tags(void **state)
{
    struct imap_reader r;
    size_t taken;
    static const struct {
        const char *input, *tag;
    } rows[] = {
        {"a1 NO\nOP\r\n", "a1"}, {"+ NOOP\n", "*"}, {"NOOP\n", "*"}, {"\n", "*"}, {"a]b.c N\n", "a]b.c"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        imap_reader_init(&r, &imap_limits_session);
        assert_int_equal(imap_reader_feed(&r, slice_str(rows[i].input), &taken), IMAP_READ_BAD);
        assert_true(slice_eq(imap_reader_tag(&r), slice_str(rows[i].tag)));
        imap_reader_done(&r);
    }
}

/* Idle connections hold next to nothing, and what is given up was zeroed. */
static void test_idle_holds_nothing(void **state)
{
    struct imap_reader r;
    struct buf CLEANUP_BUF line = BUF_INIT(20000);
    size_t taken;
    buf_put(&line, S("a LOGIN alice "));
    for (int i = 0; i < 10000; i++)
        buf_put_char(&line, 'p');
    buf_put(&line, S("\r\n"));
    imap_reader_init(&r, &imap_limits_session);
    assert_int_equal(imap_reader_feed(&r, buf_slice(&line), &taken), IMAP_READ_DONE);
    imap_reader_next(&r);
    assert_int_equal(imap_reader_text(&r).n, 0);
    assert_true(r.text.cap <= 512);
    assert_int_equal(imap_reader_feed(&r, S("a LOGIN alice secret\r\n"), &taken), IMAP_READ_DONE);
    char *p = r.text.p;
    imap_reader_next(&r);
    assert_int_equal(p[15], 0);
    imap_reader_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_line_ends_are_crlf),
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_append_is_announced),
        cmocka_unit_test(test_append_prefix_is_there),
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_t152_literals_before_sign_in),
        cmocka_unit_test(test_t153_refused_octets_are_no_commands),
        cmocka_unit_test(test_t154_a_command_has_a_ceiling),
        cmocka_unit_test(test_t156_endless_lines),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_idle_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
