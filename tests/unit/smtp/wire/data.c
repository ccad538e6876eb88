#include "cases.h"

#include "base/limits.h"
#include "smtp/wire/data.h"

/* Feeds input in pieces of `step` (the first one of `first`) octets, as a connection would; what came out and how many
 * octets were left behind the end. */
struct outcome {
    struct buf body;
    unsigned flags;
    bool done;
    size_t left;
};

static void receive(struct slice input, size_t first, size_t step, struct outcome *o)
{
    struct smtp_data d = {0};
    struct smtp_content c = {0};
    *o = (struct outcome){.body = BUF_INIT(1 << 20)};
    for (size_t at = 0, n = first; at < input.n && !smtp_data_is_done(&d); at += n, n = step) {
        struct slice in = slice_sub(input, at, n), piece;
        n = in.n;
        while (smtp_data_feed(&d, &in, &piece)) {
            assert_true(piece.n > 0);
            smtp_content_feed(&c, piece);
            buf_put(&o->body, piece);
        }
        o->left = input.n - at - n + in.n;
    }
    o->done = smtp_data_is_done(&d);
    o->flags = smtp_content_end(&c);
    assert_int_equal(buf_check(&o->body), OK);
    assert_int_equal(c.octets, o->body.n);
}

/* The sequences of T-020; each is no end of data, some hold the real one. */
static const struct {
    const char *text;
    size_t n;
} seqs[] = {
#define SEQ(s)                                                                                               \
    {                                                                                                        \
        s, sizeof(s) - 1                                                                                     \
    }
    SEQ("\n.\n"),       SEQ("\n.\r\n"),     SEQ("\r\n.\n"),       SEQ("\r.\r"),         SEQ("\r.\n"),
    SEQ("\n.\r"),       SEQ("\r.\r\n"),     SEQ("\r\n.\r"),       SEQ("\r\n\x00.\r\n"), SEQ("\r\n.\x00\r\n"),
    SEQ("\r\r\n.\r\n"), SEQ("\r\n.\r\r\n"), SEQ("\r\r\n.\r\r\n"), SEQ("\n\n.\r\n"),
};

/* T-020 at the machine: no sequence ends the data but by the CRLF.CRLF it may hold, and each leaves its mark. */
static void t020_only_crlf_dot_crlf_ends(void **state)
{
    struct cases t = {"T-020 (machine)"};
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
        struct buf in CLEANUP_BUF = BUF_INIT(4096);
        buf_put(&in, S("Subject: a\r\n\r\nlo"));
        size_t seq_at = in.n;
        buf_put(&in, slice_of(seqs[i].text, seqs[i].n));
        buf_put(&in, S("MAIL FROM:<ceo@ours.test>\r\nDATA\r\nFrom: ceo@ours.test\r\n\r\nhi\r\n.\r\n"));
        size_t real = slice_search(buf_slice(&in), S("\r\n.\r\n")) + 5;
        for (size_t cut = 0; cut <= seqs[i].n + 1; cut++) {
            struct outcome o;
            if (cut > seqs[i].n)
                receive(buf_slice(&in), 1, 1, &o);
            else
                receive(buf_slice(&in), seq_at + cut, in.n, &o);
            bool good = o.done && o.left == in.n - real && o.flags != 0;
            cases_check(&t, good, seqs[i].text);
            buf_done(&o.body);
        }
    }
    cases_end(&t, 80);
}

/* The slow and obvious rule: the end is the first CRLF.CRLF, where the octets before the message count as CRLF; every
 * line that starts with a dot loses it. */
static bool reference(struct slice input, struct buf *out, size_t *ret_left)
{
    struct buf all CLEANUP_BUF = BUF_INIT(1 << 16);
    buf_put(&all, S("\r\n"));
    buf_put(&all, input);
    size_t end = slice_search(buf_slice(&all), S("\r\n.\r\n"));
    if (end == SLICE_NPOS)
        return false;
    *ret_left = all.n - end - 5;
    for (size_t i = 2; i < end + 2; i++)
        if (all.p[i] != '.' || all.p[i - 1] != '\n' || all.p[i - 2] != '\r')
            buf_put_char(out, all.p[i]);
    return true;
}

/* T-020 and T-023 without a list: every string of up to 7 octets over the octets that matter, cut everywhere. */
static void every_short_input_equals_the_reference(void **state)
{
    static const char alphabet[] = {'\r', '\n', '.', 'a'};
    unsigned tried = 0;
    for (size_t n = 0; n <= 7; n++)
        for (unsigned long code = 0; code < 1ul << (2 * n); code++) {
            char text[32];
            for (size_t i = 0; i < n; i++)
                text[i] = alphabet[code >> (2 * i) & 3];
            memcpy(text + n, "\r\n.\r\nQUIT\r\n", 11);
            struct slice input = slice_of(text, n + 11);
            struct buf want CLEANUP_BUF = BUF_INIT(64);
            size_t left = 0;
            assert_true(reference(input, &want, &left));
            size_t step = 1 + code % 5;
            struct outcome o;
            receive(input, 1 + code % 3, step, &o);
            if (!o.done || o.left != left || !slice_eq(buf_slice(&want), buf_slice(&o.body)))
                fail_msg("n=%zu code=%lu step=%zu", n, code, step);
            buf_done(&o.body);
            tried++;
        }
    assert_int_equal(tried, 21845);
}

/* T-023: bodies of every string up to four over {".", "a", CRLF}, stuffed as a client does, come back equal. */
static void t023_dots_come_back(void **state)
{
    struct cases t = {"T-023"};
    static const char *const letters[] = {".", "a", "\r\n"};
    for (unsigned n = 0, count = 1; n <= 4; n++, count *= 3)
        for (unsigned code = 0; code < count; code++) {
            struct buf body CLEANUP_BUF = BUF_INIT(64);
            for (unsigned i = 0, c = code; i < n; i++, c /= 3)
                buf_put_str(&body, letters[c % 3]);
            buf_put(&body, S("\r\n"));
            struct buf sent CLEANUP_BUF = BUF_INIT(64);
            struct smtp_stuffer st = {0};
            for (size_t i = 0; i < body.n; i++)
                smtp_stuffer_feed(&st, slice_sub(buf_slice(&body), i, 1), &sent);
            smtp_stuffer_end(&st, &sent);
            struct outcome o;
            receive(buf_slice(&sent), 1 + code % 4, 1 + code % 3, &o);
            bool good =
                o.done && o.left == 0 && o.flags == 0 && slice_eq(buf_slice(&o.body), buf_slice(&body));
            cases_check(&t, good, "stuffed body");
            buf_done(&o.body);
        }
    cases_end(&t, 120);
}

static unsigned flags_of(struct slice s, size_t step)
{
    struct smtp_content c = {0};
    for (size_t at = 0; at < s.n; at += step)
        smtp_content_feed(&c, slice_sub(s, at, step));
    return smtp_content_end(&c);
}

static void content_remembers_what_is_wrong(void **state)
{
    static const struct {
        struct slice in;
        unsigned flags;
    } rows[] = {
        {{"", 0}, 0},
        {{"hello\r\nworld\r\n", 14}, 0},
        {{"\r\n\r\n", 4}, 0},
        {{"tab\there\x0b\x0c\r\n", 12}, 0},
        {{"a\nb", 3}, SMTP_BARE_LF},
        {{"\n", 1}, SMTP_BARE_LF},
        {{"a\rb", 3}, SMTP_BARE_CR},
        {{"a\r", 2}, SMTP_BARE_CR},
        {{"a\r\r\n", 4}, SMTP_BARE_CR},
        {{"a\r\n\n", 4}, SMTP_BARE_LF},
        {{"a\0b", 3}, SMTP_NUL},
        {{"a\r\0\n", 4}, SMTP_NUL | SMTP_BARE_CR | SMTP_BARE_LF},
        {{"0123456789012345678901234567890\x80\xff\r\n", 35}, 0},
        {{"0123456789012345678901234567890\n12345678\r\n", 42}, SMTP_BARE_LF},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 40; step++)
            assert_int_equal(flags_of(rows[i].in, step), rows[i].flags);
}

static void long_lines_are_marked(void **state)
{
    struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_BODY_LINE * 3);
    for (int i = 0; i < LIMIT_BODY_LINE; i++)
        buf_put_char(&b, 'a');
    buf_put(&b, S("\n"));
    assert_int_equal(flags_of(buf_slice(&b), 1000) & SMTP_LINE_LONG, 0);
    b.p[b.n - 1] = 'a';
    buf_put(&b, S("\r\n"));
    assert_int_equal(flags_of(buf_slice(&b), 1000), SMTP_LINE_LONG);
    assert_int_equal(flags_of(buf_slice(&b), b.n), SMTP_LINE_LONG);
}

/* T-025, the counters: a chunk is exactly as long as announced. */
static void chunks_are_counted(void **state)
{
    struct smtp_bdat b = {.left = 10};
    struct slice in = S("0123"), piece;
    assert_true(smtp_bdat_feed(&b, &in, &piece));
    assert_true(slice_eq(piece, S("0123")) && b.left == 6 && in.n == 0);
    assert_false(smtp_bdat_feed(&b, &in, &piece));
    in = S("456789QUIT\r\n");
    assert_true(smtp_bdat_feed(&b, &in, &piece));
    assert_true(slice_eq(piece, S("456789")) && b.left == 0);
    assert_false(smtp_bdat_feed(&b, &in, &piece));
    assert_true(slice_eq(in, S("QUIT\r\n")));
    b = (struct smtp_bdat){.left = UINT64_MAX};
    assert_true(smtp_bdat_feed(&b, &in, &piece) && piece.n == 6);
    b = (struct smtp_bdat){.left = 0};
    in = S("x");
    assert_false(smtp_bdat_feed(&b, &in, &piece));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t020_only_crlf_dot_crlf_ends),
        cmocka_unit_test(every_short_input_equals_the_reference),
        cmocka_unit_test(t023_dots_come_back),
        cmocka_unit_test(content_remembers_what_is_wrong),
        cmocka_unit_test(long_lines_are_marked),
        cmocka_unit_test(chunks_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
