/* CSV as RFC 4180 has it, and everything that is not. */
#include "test.h"

#include "cli/csv.h"

enum { MOST = 8 };

/* Rows as "a|b;c|d;": fields and rows with marks of our own; a fault as "!LINE:FAULT". */
static const char *read_all(struct slice text, struct buf *out)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct csv c;
    struct slice fields[MOST];
    size_t count;
    buf_clear(out);
    csv_start(&c, text);
    while (csv_next(&c, &arena, fields, MOST, &count)) {
        for (size_t i = 0; i < count; i++) {
            buf_put_str(out, i ? "|" : "");
            buf_put(out, fields[i]);
        }
        buf_printf(out, ";%u;", c.row_line);
    }
    if (c.fault != CSV_FINE)
        buf_printf(out, "!%u:%d", c.row_line, (int)c.fault);
    return buf_cstr(out);
}

static const struct {
    const char *text, *read;
} cases[] = {
    {"", ""},
    {"a,b\r\nc,d\r\n", "a|b;1;c|d;2;"},
    {"a,b\nc,d", "a|b;1;c|d;2;"},
    {"\xef\xbb\xbf"
     "a,b\n",
     "a|b;1;"},
    {"a,,\n", "a||;1;"},
    {",\n", "|;1;"},
    {"\n\n a ,b\n\n", " a |b;3;"},
    {"\"a,b\",\"c\"\"d\"\n", "a,b|c\"d;1;"},
    {"\"a\r\nb\",c\nd", "a\nb|c;1;d;3;"},
    {"\"\",\"\"", "|;1;"},
    {"\xe5\xbc\xa0\xe4\xb8\x89,b", "\xe5\xbc\xa0\xe4\xb8\x89|b;1;"},
    {"a\"b,c\n", "!1:2"},
    {"ok\n\"a\"b,c\n", "ok;1;!2:3"},
    {"\"a\n", "!2:4"},
    {"\"a\"\"", "!1:4"},
    {"a,\xff\n", "!1:1"},
    {"a,b\x01\n", "!1:1"},
    {"a\rb\n", "!1:1"},
    {"\"a\xc3\"\n", "!1:1"},
    {"1,2,3,4,5,6,7,8,9\n", "!1:5"},
    {"1,2,3,4,5,6,7,8\n", "1|2|3|4|5|6|7|8;1;"},
};

static void reads(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(read_all(slice_str(cases[i].text), &out), cases[i].read);
    assert_string_equal(read_all(S("a\0b"), &out), "!1:1");
}

/* Cut anywhere, a text is read or refused; whatever was read before the cut is the same. */
static void cut_anywhere(void **state)
{
    struct slice text = S("verb,address\r\ncreate,\"a\"\"b@c\"\n\"x\ny\",z\n");
    for (size_t n = 0; n <= text.n; n++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 20);
        struct csv c;
        struct slice fields[MOST];
        size_t count, rows = 0;
        csv_start(&c, slice_sub(text, 0, n));
        while (csv_next(&c, &arena, fields, MOST, &count))
            rows++;
        assert_true(rows <= 3);
        if (n > 14)
            assert_true(rows >= 1);
        assert_false(csv_next(&c, &arena, fields, MOST, &count));
    }
}

static void writes_what_it_reads(void **state)
{
    static const char *const fields[] = {"plain",      "",         "a,b",         "q\"q",
                                         "two\nlines", " blanks ", "\xe4\xb8\xad"};
    enum { N = sizeof fields / sizeof *fields };
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 16);
    struct slice back[MOST];
    struct csv c;
    size_t count;
    for (size_t i = 0; i < N; i++)
        csv_put(&out, i == 0, slice_str(fields[i]));
    csv_end_row(&out);
    csv_start(&c, buf_slice(&out));
    assert_true(csv_next(&c, &arena, back, MOST, &count));
    assert_int_equal(count, N);
    for (size_t i = 0; i < N; i++)
        assert_true(slice_eq(back[i], slice_str(fields[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
