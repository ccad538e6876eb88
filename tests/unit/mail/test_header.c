/* Header sections, whole and in pieces; encoded-words; parameters; fields that are written. */
#include "cases.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "test.h"

/* "name=value|name=value|", then what is left behind the section. */
static void show(struct slice message, struct buf *out)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    struct header_field f;
    for (size_t at = 0; header_next(message, &at, &f);) {
        buf_put(out, f.name);
        buf_put_char(out, '=');
        buf_put(out, header_unfold(f.value, &arena));
        buf_put_char(out, '|');
        assert_true(f.raw.p >= message.p && f.raw.p + f.raw.n <= message.p + message.n);
    }
    buf_put_char(out, '>');
    buf_put(out, slice_from(message, header_length(message)));
}

static const struct {
    struct slice in, out;
} sections[] = {
    {S("A: b\r\nC: d\r\n\r\nbody"), S("A=b|C=d|>body")},
    {S("A: b\nC:d\n\nbody"), S("A=b|C=d|>body")},
    {S("A: b\r\n c\r\n\td \r\n\r\nx"), S("A=b c\td|>x")},
    {S("A:\r\n b\r\n\r\n"), S("A=b|>")},
    {S("A: b\r\n \r\n c\r\n\r\nx"), S("A=b  c|>x")}, /* a line of blanks is a continuation */
    {S("A : b\r\nC\t: d\r\n\r\n"), S("A=b|C=d|>")},
    {S("A: b\r\nno field\r\nC: d\r\n\r\n"), S("A=b|>no field\r\nC: d\r\n\r\n")},
    {S("A: b\r\n\xc3\xa9: d\r\n\r\n"), S("A=b|>\xc3\xa9: d\r\n\r\n")},
    {S("From me Mon Jan 1 00:00:00\r\nA: b\r\n\r\nx"), S("A=b|>x")},
    {S(">From me Mon Jan 1 00:00:00\r\nA: b\r\n\r\nx"), S("A=b|>x")},
    {S("A: b\r\nFrom me Mon Jan 1 00:00:00\r\n\r\nx"), S("A=b|>From me Mon Jan 1 00:00:00\r\n\r\nx")},
    {S("From : a@b\r\n\r\nx"), S("From=a@b|>x")}, /* a field with a blank, no mbox line */
    {S(" x\r\nA: b\r\n\r\nx"), S("A=b|>x")},
    {S(": x\r\n y\r\nA: b\r\n\r\nx"), S("A=b|>x")},
    {S("A: b\r\n: x\r\n y\r\nC: d\r\n\r\nx"), S("A=b|C=d|>x")},
    {S(":\r\n\r\nx"), S(">x")},
    {S("\r\nbody"), S(">body")},
    {S("\nbody"), S(">body")},
    {S("body"), S(">body")},
    {S("body\r\n\r\n"), S(">body\r\n\r\n")},
    {S(""), S(">")},
    {S("A: b"), S("A=b|>")},
    {S("A: b\r\n"), S("A=b|>")},
    {S("A: b\r"), S("A=b|>")},
    {S("A:"), S("A=|>")},
    {S("A"), S(">A")},
    {S("A: b\0c\r\nD: e\r\n\r\n"), S("A=b\0c|D=e|>")}, /* T-030: never cut at a NUL */
    {S("A\0B: c\r\n\r\n"), S(">A\0B: c\r\n\r\n")},
    {S("A: b\rC: d\r\n\r\n"), S("A=b\rC: d|>")}, /* a lone CR ends nothing */
    {S("A: b\r\r\nC: d\r\n\r\n"), S("A=b|C=d|>")},
    {S("\r\r\nA: b\r\n\r\n"), S(">\r\r\nA: b\r\n\r\n")},
};

static void sections_whole(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
        show(sections[i].in, &out);
        if (!slice_eq(buf_slice(&out), sections[i].out))
            fail_msg("%.*s\n  gave %.*s", SLICE_ARG(sections[i].in), SLICE_ARG(buf_slice(&out)));
    }
    struct slice s = S("To: a\r\nto: b\r\nTo : c\r\n\r\nTo: d\r\n");
    assert_int_equal(3, header_count(s, S("TO")));
    assert_int_equal(0, header_count(s, S("T")));
}

/* The reader sees the same section as header_length, however the octets come. */
static void sections_in_pieces(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        for (size_t step = 1; step < 50; step++) {
            struct header_reader r;
            struct slice in = sections[i].in;
            header_reader_init(&r);
            size_t at = 0;
            while (at < in.n && !r.done) {
                size_t used = 0;
                assert_ok(header_reader_feed(&r, slice_sub(in, at, step), &used));
                at += used;
            }
            if (!r.done)
                header_reader_finish(&r);
            struct slice section = header_reader_section(&r), rest = header_reader_rest(&r);
            assert_true(slice_eq(section, slice_sub(in, 0, header_length(in))));
            assert_int_equal(at, section.n + rest.n);
            assert_true(slice_eq(rest, slice_sub(in, section.n, rest.n)));
            header_reader_done(&r);
        }
}

static enum err read_all(struct slice piece, size_t times, size_t step)
{
    struct header_reader r;
    enum err e = OK;
    header_reader_init(&r);
    CLEANUP_BUF struct buf in = BUF_INIT(64 << 20);
    for (size_t i = 0; i < times; i++)
        buf_put(&in, piece);
    for (size_t at = 0; at < in.n && e == OK && !r.done;) {
        size_t used = 0;
        e = header_reader_feed(&r, slice_sub(buf_slice(&in), at, step), &used);
        at += used;
    }
    assert_true(r.raw.n <= r.raw.limit);
    header_reader_done(&r);
    return e;
}

static void section_limits(void **unused)
{
    (void)unused;
    static const size_t steps[] = {1, 4096, SIZE_MAX / 2};
    for (size_t i = 0; i < 3; i++) {
        assert_err(OK, read_all(S("To: a@b\r\n"), LIMIT_HEADER_FIELDS, steps[i]));
        assert_err(ERR_LIMIT, read_all(S("To: a@b\r\n"), LIMIT_HEADER_FIELDS + 1, steps[i]));
        assert_err(ERR_LIMIT, read_all(S("To: a\r\n  0123456789\r\n"), 1, 1) == OK ? ERR_LIMIT : OK);
        assert_err(ERR_LIMIT, read_all(S(" x\r\n"), 1000000, steps[i]));
        assert_err(ERR_LIMIT, read_all(S("a:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 100000, steps[i]));
        assert_err(OK, read_all(S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 100000, steps[i])); /* a body */
    }
    /* a field of exactly the limit, and one octet more */
    for (size_t over = 0; over < 2; over++)
        for (size_t step = 1; step < 2000000; step *= 999) {
            CLEANUP_BUF struct buf in = BUF_INIT(1 << 20);
            buf_put_str(&in, "A: ");
            for (size_t i = 0; i < LIMIT_HEADER_FIELD - 5 + over; i++)
                buf_put_char(&in, 'x');
            buf_put_str(&in, "\r\nB: c\r\n\r\n");
            struct header_reader r;
            header_reader_init(&r);
            enum err e = OK;
            for (size_t at = 0; at < in.n && e == OK; at += step) {
                size_t used = 0;
                e = header_reader_feed(&r, slice_sub(buf_slice(&in), at, step), &used);
            }
            assert_err(over ? ERR_LIMIT : OK, e);
            assert_true(over || (r.done && r.end == in.n));
            header_reader_done(&r);
        }
}

static void words(void **charsets)
{
    static const struct {
        struct slice in, out;
    } rows[] = {
        {S("plain"), S("plain")},
        {S("=?ISO-8859-1?Q?a?="), S("a")},
        {S("(=?ISO-8859-1?Q?a?= b)"), S("(a b)")},
        {S("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?="), S("ab")},
        {S("=?ISO-8859-1?Q?a?=  \r\n =?ISO-8859-1?Q?b?="), S("ab")},
        {S("=?ISO-8859-1?Q?a_b?="), S("a b")},
        {S("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?="), S("a b")},
        {S("=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>"),
         S("Patrik F\xc3\xa4ltstr\xc3\xb6m <paf@nada.kth.se>")},
        {S("=?utf-8*en?q?a?="), S("a")},
        {S("=?UTF-8?B?5p2O?="), S("\xe6\x9d\x8e")},
        {S("=?utf-8?b?5p0=?= =?utf-8?b?jg==?="), S("\xe6\x9d\x8e")}, /* a character in two words */
        {S("=?gb2312?B?1tC5+g==?="), S("\xe4\xb8\xad\xe5\x9b\xbd")},
        {S("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?="), S("\xe6\x97\xa5\xe6\x9c\xac")},
        {S("=?utf-8?q?a?= b =?utf-8?q?c?="), S("a b c")},
        {S("a\r\n b"), S("a b")},
        {S("\xc3\xa9 \xff"), S("\xc3\xa9 \xef\xbf\xbd")},
        {S("=?utf-8?q?=ff?="), S("\xef\xbf\xbd")},
        {S("=?unheard-of?q?=e9?="), S("\xc3\xa9")},
        /* T-124: nothing that ends a line comes out */
        {S("=?utf-8?b?DQpCY2M6IHg=?="), S("  Bcc: x")},
        {S("=?utf-8?q?a=0D=0ABcc:_x=00=1b=7f=c2=85=e2=80=a8?="), S("a  Bcc: x     ")},
        {S("a\0b"), S("a b")},
        /* what is no word stays */
        {S("=?utf-8?q?\?="), S("")},
        {S("=?x?z?a?="), S("=?x?z?a?=")},
        {S("=?utf-8?q?a"), S("=?utf-8?q?a")},
        {S("=?utf-8?q?a?"), S("=?utf-8?q?a?")},
        {S("=?utf-8?q?a b?="), S("=?utf-8?q?a b?=")},
        {S("=??q?a?="), S("=??q?a?=")},
        {S("=?"), S("=?")},
        {S("=?=?utf-8?q?a?="), S("=?a")},
        {S("= ?utf-8?q?a?="), S("= ?utf-8?q?a?=")},
        {S("=?utf-8?q?a?=b"), S("ab")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
        header_decode_text(*charsets, rows[i].in, &out);
        if (!slice_eq(buf_slice(&out), rows[i].out))
            fail_msg("%.*s\n  gave %.*s", SLICE_ARG(rows[i].in), SLICE_ARG(buf_slice(&out)));
    }
    CLEANUP_BUF struct buf out = BUF_INIT(1000); /* without tables the plain ones still work */
    header_decode_text(NULL, S("=?utf-8?q?=c3=a9?= =?gb2312?b?1tA=?="), &out);
    assert_true(slice_starts(buf_slice(&out), S("\xc3\xa9")));
    static const char *const pieces[] = {"=?utf-8?q?a", "=?", "=?utf-8?q?a?= ", "?", "=?a?b?c?="};
    for (size_t p = 0; p < 5; p++) { /* linear: 100,000 of each, and more */
        CLEANUP_BUF struct buf in = BUF_INIT(8 << 20), much = BUF_INIT(8 << 20);
        for (size_t i = 0; i < 200000; i++)
            buf_put_str(&in, pieces[p]);
        header_decode_text(*charsets, buf_slice(&in), &much);
        assert_ok(buf_check(&much));
    }
}

/* "type/subtype name=value name*=value ..." */
static void show_params(struct slice value, struct buf *out)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    struct header_params p;
    header_params_parse(value, &arena, &p);
    buf_put(out, p.type.p ? p.type : S("-"));
    buf_put_char(out, '/');
    buf_put(out, p.subtype.p ? p.subtype : S("-"));
    for (size_t i = 0; i < p.count; i++)
        buf_printf(
            out, " %.*s%s=%.*s", SLICE_ARG(p.items[i].name), p.items[i].extended ? "*" : "",
            SLICE_ARG(p.items[i].value));
    buf_put_str(out, p.ambiguous ? " !" : "");
    buf_put_str(out, p.truncated ? " ..." : "");
}

static const struct {
    struct slice in;
    const char *out;
} params[] = {
    {S("text/plain"), "text/plain"},
    {S("text/plain; charset=us-ascii (Plain text)"), "text/plain charset=us-ascii"},
    {S("text/plain; charset=\"us-ascii\""), "text/plain charset=us-ascii"},
    {S(" (c) text (d) / (e) plain (f) ; (g) a (h) = (i) b (j) ;"), "text/plain a=b"},
    {S("text/plain;a=\"x\\\"y;z\""), "text/plain a=x\"y;z"},
    {S("text/plain;\r\n a=\"x\r\n y\""), "text/plain a=x y"},
    {S("attachment; filename=a b.txt; x=y"), "attachment/- filename=a b.txt x=y !"},
    {S("a/b; x=1; X=2"), "a/b x=1 !"},
    {S("a/b; name*0=\"a\"; name*1=b"), "a/b name=ab"},
    {S("a/b; name*1=b; name*0=a"), "a/b name=ab"},
    {S("a/b; name*0=.e; name*1=xe"), "a/b name=.exe"},
    {S("a/b; name*=utf-8''%e2%82%ac"), "a/b name*=utf-8''%e2%82%ac"},
    {S("a/b; name*0*=utf-8'en'a%20; name*1=\"b c\"; name*2*=%2a"), "a/b name*=utf-8'en'a%20b%20c%2a"},
    {S("a/b; name=plain; name*=utf-8''x"), "a/b name=plain name*=utf-8''x"},
    {S("a/b; name=plain; name*0=x; name*1=y"), "a/b name=xy !"},
    {S("a/b; name*0=x; name*2=z"), "a/b name=x !"},
    {S("a/b; name*1=x"), "a/b !"},
    {S("a/b; name*0=x; name*0=y"), "a/b name=x !"},
    {S("a/b; name*0=x; name*1*=%41"), "a/b name*=''x%41 !"},
    {S("a/b; name*99999999999=x"), "a/b ! ..."},
    {S("a/b; *=x"), "a/b !"},
    {S("a/b; =x; y=z"), "a/b y=z !"},
    {S("a/b; x; y=z"), "a/b y=z !"},
    {S("a/b; x=; y=z"), "a/b x= y=z !"},
    {S("a/b; x=\"\"; y=z"), "a/b x= y=z"},
    {S("a/b x=y"), "a/b !"},
    {S("a/b; x=\"y"), "a/b x=y !"},
    {S("a/b; x=\"y\"z; w=v"), "a/b x=y w=v !"},
    {S("a/b; (x=y"), "a/b !"},
    {S("a/b;;; x=y;;"), "a/b x=y"},
    {S("a"), "a/-"},
    {S("a/"), "a/- !"},
    {S("/b"), "-/-"},
    {S(""), "-/-"},
    {S(";x=y"), "-/- x=y"},
    {S("a/b; boundary=a=b?"), "a/b boundary=a=b? !"},
};

static void params_read(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
        show_params(params[i].in, &out);
        if (!slice_eq(buf_slice(&out), slice_str(params[i].out)))
            fail_msg("%.*s\n  gave %.*s", SLICE_ARG(params[i].in), SLICE_ARG(buf_slice(&out)));
        for (size_t n = 0; n < params[i].in.n; n++) { /* cut anywhere */
            char *copy = malloc(n + !n);
            memcpy(copy, params[i].in.p, n);
            CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
            struct header_params p;
            header_params_parse(slice_of(copy, n), &arena, &p);
            free(copy);
        }
    }
}

static void params_limits(void **unused)
{
    (void)unused;
    CLEANUP_BUF struct buf in = BUF_INIT(16 << 20);
    buf_put_str(&in, "a/b");
    for (int i = 0; i < 100000; i++)
        buf_printf(&in, "; name*%d*=a", i);
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    struct header_params p;
    header_params_parse(buf_slice(&in), &arena, &p);
    assert_true(p.truncated && p.count == 1 && p.items[0].value.n == LIMIT_MIME_SEGMENTS);
    buf_clear(&in);
    buf_put_str(&in, "a/b");
    for (int i = 0; i < 100000; i++)
        buf_printf(&in, "; n%d=a", i);
    header_params_parse(buf_slice(&in), &arena, &p);
    assert_true(p.truncated && p.count == LIMIT_MIME_PARAMETERS);
    CLEANUP_ARENA struct arena tiny = ARENA_INIT(16);
    header_params_parse(S("a/b; c=d; e=\"\\f\""), &tiny, &p);
    assert_true(p.truncated && p.count == 0);
}

static void params_text(void **charsets)
{
    static const struct {
        struct slice in;
        const char *out;
    } rows[] = {
        {S("a; n=x"), "x"},
        {S("a; n*=utf-8''%e2%82%ac%20rates"), "\xe2\x82\xac rates"},
        {S("a; n*=iso-8859-1'en'%A3%20rates"), "\xc2\xa3 rates"},
        {S("a; n*0*=utf-8''%e2; n*1*=%82%ac"), "\xe2\x82\xac"},
        {S("a; n=plain; n*=utf-8''better"), "better"},
        {S("a; n*=%41"), "A"},
        {S("a; n*=''%e9"), "\xc3\xa9"},
        {S("a; n*=utf-8''%4"), "%4"},
        {S("a; n*=utf-8''a%0d%0ab%00c"), "a  b c"},
        {S("a; n=\"=?utf-8?b?5p2O?=.txt\""), "\xe6\x9d\x8e.txt"},
        {S("a; n=\"\xd6\xd0\""), "\xc3\x96\xc3\x90"},
        {S("a; n=\"\xe6\x9d\x8e\""), "\xe6\x9d\x8e"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
        CLEANUP_BUF struct buf out = BUF_INIT(1000);
        struct header_params p;
        header_params_parse(rows[i].in, &arena, &p);
        const struct header_param *n = header_param_find(&p, S("N"));
        assert_non_null(n);
        header_param_put_text(*charsets, n, &out);
        if (!slice_eq(buf_slice(&out), slice_str(rows[i].out)))
            fail_msg("%.*s\n  gave %.*s", SLICE_ARG(rows[i].in), SLICE_ARG(buf_slice(&out)));
    }
}

/* What is written is one field, lines are short, and it reads back. */
static void check_written(struct slice field, struct slice text, void *charsets)
{
    struct header_field f;
    size_t at = 0;
    assert_true(header_next(field, &at, &f));
    assert_int_equal(field.n, at);
    assert_false(header_next(field, &at, &f));
    struct slice rest = field, line;
    while (slice_cut(&rest, '\n', &line))
        assert_true(line.n <= 79 || !slice_has(slice_trim(line), ' '));
    if (!text.p)
        return;
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
    header_decode_text(charsets, f.value, &out);
    assert_true(slice_eq(buf_slice(&out), text));
}

static void fields_written(void **charsets)
{
    static const struct slice texts[] = {
        S("short"),
        S("a long subject of many words that does not fit into one line of seventy-eight columns, so that it "
          "folds "
          "more than once"),
        S("\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87"
          "\xe4\xb8\xad\xe6"
          "\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6"
          "\x96\x87 end"),
        S("=?utf-8?q?not a word?="),
        S(""),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
        header_put_text_field(&out, S("Subject"), texts[i]);
        check_written(buf_slice(&out), texts[i], *charsets);
    }
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
    header_put_field(&out, S("Subject"), S("Hi\r\nBcc: x@evil.test\n\r\nbody\0"));
    check_written(buf_slice(&out), S("Hi  Bcc: x@evil.test   body"), *charsets);
    buf_clear(&out);
    header_put_text_field(&out, S("Subject"), S("\xc3\xa9\r\nBcc: x\xe2\x80\xa8\xff"));
    check_written(buf_slice(&out), S("\xc3\xa9  Bcc: x \xef\xbf\xbd"), *charsets);
}

static void params_written(void **charsets)
{
    static const struct slice values[] = {
        S("a.txt"),
        S("a b.txt"),
        S("a\"b\\c"),
        S("\xe6\x9d\x8e.txt"),
        S(""),
        S("a very long name of a file that nobody would ever give to a file but machines do so all the "
          "time.pdf"),
        S("\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87"
          "\xe4\xb8\xad\xe6"
          "\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87.docx"),
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(1 << 16), text = BUF_INIT(1 << 16);
        CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
        buf_put_str(&out, "attachment");
        header_put_param(&out, S("filename"), values[i]);
        struct header_params p;
        header_params_parse(buf_slice(&out), &arena, &p);
        assert_false(p.ambiguous || p.truncated);
        assert_int_equal(1, p.count);
        header_param_put_text(*charsets, &p.items[0], &text);
        assert_true(slice_eq(buf_slice(&text), values[i]));
        struct slice rest = buf_slice(&out), line;
        while (slice_cut(&rest, '\n', &line))
            assert_true(line.n <= 100);
    }
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    header_put_param(&out, S("filename"), S("a\"\r\nX: y"));
    assert_slice(";\r\n filename=\"a\\\"  X: y\"", buf_slice(&out));
}

static int setup(void **state)
{
    return charsets_new((struct charsets **)state, NULL);
}

static int teardown(void **state)
{
    charsets_free((struct charsets **)state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_whole), cmocka_unit_test(sections_in_pieces),
        cmocka_unit_test(section_limits), cmocka_unit_test(words),
        cmocka_unit_test(params_read),    cmocka_unit_test(params_limits),
        cmocka_unit_test(params_text),    cmocka_unit_test(fields_written),
        cmocka_unit_test(params_written),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
