/* Charsets against the C library's converters, cut anywhere; transfer encodings by their table (T-121); folding. */
#include <iconv.h>

#include "base/utf8.h"
#include "cases.h"
#include "mail/charset.h"
#include "mail/encoding.h"
#include "test.h"

static struct charsets *charsets;

static void decode(const char *name, struct slice in, size_t step, struct buf *out)
{
    struct charset_decoder d;
    charset_decoder_init(&d, charset_find(charsets, slice_str(name)));
    for (size_t at = 0; at < in.n; at += step)
        charset_decoder_feed(&d, slice_sub(in, at, step), out);
    charset_decoder_finish(&d, out);
}

static void rows(void **unused)
{
    (void)unused;
    static const struct {
        const char *charset;
        struct slice in, out;
    } table[] = {
        {"utf-8", S("a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"), S("a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80")},
        {"UTF8", S("\xff\x41\xc3"), S("\xef\xbf\xbd\x41\xef\xbf\xbd")},
        {"utf-8", S("\xe0\x80\x80\xed\xa0\x80"),
         S("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
        {"us-ascii", S("a\xe9"), S("a\xc3\xa9")},
        {"no-such-charset", S("\xc3\xa9\xe9z\x93"), S("\xc3\xa9\xc3\xa9z\xe2\x80\x9c")},
        {"../../x", S("a"), S("a")},
        {"utf-8//TRANSLIT", S("\xe9"), S("\xc3\xa9")},
        {"iso-8859-1", S("\xe9\x80"), S("\xc3\xa9\xe2\x82\xac")},
        {"iso-8859-15", S("\xa4"), S("\xe2\x82\xac")},
        {"windows-1251", S("\xcf\xf0\xe8\xe2\xe5\xf2"),
         S("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82")},
        {" KOI8-R ", S("\xf0\xd2\xc9"), S("\xd0\x9f\xd1\x80\xd0\xb8")},
        {"gb2312", S("\xd6\xd0\xb9\xfa<"), S("\xe4\xb8\xad\xe5\x9b\xbd<")},
        {"gbk", S("\x81\x40\xd6"), S("\xe4\xb8\x82\xef\xbf\xbd")},
        {"gbk", S("\xd6<b>"), S("\xef\xbf\xbd<b>")}, /* the angle is not swallowed */
        {"gb18030", S("\x81\x30\x81\x30\x90\x30\x81\x30\xe3\x32\x9a\x35"),
         S("\xc2\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
        {"gb18030", S("\x81\x30\x81\x20\xd6\xd0"), S("\xef\xbf\xbd\x30\xef\xbf\xbd\x20\xe4\xb8\xad")},
        {"big5", S("\xa4\xa4\xa4\xe5"), S("\xe4\xb8\xad\xe6\x96\x87")},
        {"shift_jis", S("\x93\xfa\x96{\xb1"), S("\xe6\x97\xa5\xe6\x9c\xac\xef\xbd\xb1")},
        {"euc-jp", S("\xc6\xfc\xcb\xdc\x8e\xb1\x8f\xb0\xa1"),
         S("\xe6\x97\xa5\xe6\x9c\xac\xef\xbd\xb1\xe4\xb8\x82")},
        {"euc-kr", S("\xc7\xd1\xb1\xdb"), S("\xed\x95\x9c\xea\xb8\x80")},
        {"ks_c_5601-1987", S("\xc7\xd1"), S("\xed\x95\x9c")},
        {"iso-2022-jp", S("a\x1b$BF|K\\\x1b(Bb"),
         S("a\xe6\x97\xa5\xe6\x9c\xac"
           "b")},
        {"iso-2022-jp", S("\x1b(I1\x1b(B"), S("\xef\xbd\xb1")},
        {"iso-2022-jp", S("\x1b$BF\nx"), S("\xef\xbf\xbd\nx")},
        {"iso-2022-jp", S("\x1bZ\x1b"), S("\xef\xbf\xbdZ\xef\xbf\xbd")},
        {"iso-2022-kr", S("\x1b$)C\x0eGQ\x0f!"), S("\xed\x95\x9c!")},
        {"hz-gb-2312", S("a~{VP9z~}b~~"),
         S("a\xe4\xb8\xad\xe5\x9b\xbd"
           "b~")},
        {"utf-7", S("Hi Mom -+Jjo--!"), S("Hi Mom -\xe2\x98\xba-!")},
        {"utf-7", S("A+ImIDkQ."), S("A\xe2\x89\xa2\xce\x91.")},
        {"utf-7", S("+2D3eAA-+-"), S("\xf0\x9f\x98\x80+")},
        {"utf-7", S("+2D0-x"), S("\xef\xbf\xbdx")},
        {"utf-16", S("\xfe\xff\0a\xd8\x3d\xde\0"), S("a\xf0\x9f\x98\x80")},
        {"utf-16",
         S("\xff\xfe"
           "a\0"),
         S("a")},
        {"utf-16", S("\0a"), S("a")},
        {"utf-16le", S("a\0\0"), S("a\xef\xbf\xbd")},
        {"utf-16be", S("\xdc\0\0a"),
         S("\xef\xbf\xbd"
           "a")},
        {"utf-32", S("\0\0\xfe\xff\0\1\xf6\0"), S("\xf0\x9f\x98\x80")},
        {"utf-32le",
         S("\0\xd8\0\0"
           "a\0\0\0"),
         S("\xef\xbf\xbd"
           "a")},
        {"windows-1255", S("\xe0\xc8"), S("\xd7\x90\xd6\xb8")},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t step = 1; step < 9; step++) {
            CLEANUP_BUF struct buf out = BUF_INIT(1000);
            decode(table[i].charset, table[i].in, step, &out);
            if (!slice_eq(buf_slice(&out), table[i].out))
                fail_msg(
                    "row %zu (%s) step %zu: %.*s", i, table[i].charset, step, SLICE_ARG(buf_slice(&out)));
        }
    assert_null(charset_find(charsets, S("klingon")));
    assert_string_equal("unknown", charset_name(NULL));
    assert_string_equal("GB18030", charset_name(charset_find(charsets, S("GBK"))));
    assert_null(charset_find(NULL, S("GBK")));
    assert_non_null(charset_find(NULL, S("utf-8")));
    CLEANUP_BUF struct buf out = BUF_INIT(100);
    assert_true(charset_put_utf8(charsets, S("big5"), S("\xa4\xa4"), &out));
    assert_false(charset_put_utf8(charsets, S("big5"), S("\xa4"), &out));
    assert_false(charset_put_utf8(charsets, S("klingon"), S("a"), &out));
}

/* JIS X 0208 has signs that Microsoft reads as others, and so do we in all Japanese charsets. */
static bool is_disputed(const char *charset, uint32_t code)
{
    static const uint32_t signs[] = {0xa2, 0xa3, 0xac, 0x2014, 0x2016, 0x2212, 0x301c};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (code == signs[i])
            return strcmp(charset, "iso-2022-jp") == 0;
    return strcmp(charset, "iso-2022-kr") == 0 && code == 0x327e; /* of a later KS X 1001 */
}

/* Every character that the C library can write in a charset is read as the C library reads it. */
static void against_iconv(void **unused)
{
    (void)unused;
    static const char *const names[][2] = {
        {"gb18030", "GB18030"},
        {"gbk", "GBK"},
        {"big5", "BIG5"},
        {"shift_jis", "CP932"},
        {"euc-jp", "EUC-JP-MS"},
        {"euc-kr", "UHC"},
        {"iso-2022-jp", "ISO-2022-JP"},
        {"iso-2022-kr", "ISO-2022-KR"},
        {"utf-7", "UTF-7"},
        {"utf-16", "UTF-16BE"},
        {"utf-16le", "UTF-16LE"},
        {"utf-32be", "UTF-32BE"},
        {"windows-1250", "CP1250"},
        {"windows-1256", "CP1256"},
        {"iso-8859-7", "ISO-8859-7"},
        {"koi8-u", "KOI8-U"},
        {"tis-620", "TIS-620"}};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        iconv_t cd = iconv_open(names[k][1], "UTF-8");
        iconv_t back_cd = iconv_open("UTF-8", names[k][1]);
        assert_true(cd != (iconv_t)-1 && back_cd != (iconv_t)-1);
        unsigned found = 0;
        for (uint32_t code = 0x20; code < 0x11000; code++) {
            char in[4], out[32], *from = in, *to = out;
            size_t n = utf8_encode(code, in), left = n, room = sizeof out;
            iconv(cd, NULL, NULL, NULL, NULL);
            if (!n || code == 0xfeff || code == 0xfffe || is_disputed(names[k][0], code) ||
                (code >= 0x80 && code < 0xa0) || (code >= 0xe000 && code < 0xf900) ||
                iconv(cd, &from, &left, &to, &room) != 0 || iconv(cd, NULL, NULL, &to, &room) == (size_t)-1)
                continue;
            CLEANUP_BUF struct buf back = BUF_INIT(100);
            decode(names[k][0], slice_of(out, (size_t)(to - out)), 1, &back);
            char wanted[32], *read = out, *write = wanted;
            size_t owed = (size_t)(to - out), space = sizeof wanted;
            iconv(back_cd, NULL, NULL, NULL, NULL);
            if (iconv(back_cd, &read, &owed, &write, &space) != 0 ||
                iconv(back_cd, NULL, NULL, &write, &space) != 0)
                continue;
            found++;
            if (!slice_eq(buf_slice(&back), slice_of(wanted, (size_t)(write - wanted))))
                fail_msg("%s: U+%04X came back as %.*s", names[k][0], code, SLICE_ARG(buf_slice(&back)));
        }
        assert_true(found > 180);
        iconv_close(cd);
        iconv_close(back_cd);
    }
}

/* Any octets in any charset: valid UTF-8 of at most 4 times the size, the same however it is cut. */
static void any_octets(void **unused)
{
    (void)unused;
    uint32_t seed = 1;
    for (size_t i = 0; charset_at(charsets, i); i++)
        for (int round = 0; round < 30; round++) {
            unsigned char in[257];
            for (size_t k = 0; k < sizeof in; k++) {
                seed = seed * 1664525 + 1013904223;
                in[k] = (unsigned char)(seed >> 24);
                if (round & 1) /* shifts and escapes more often */
                    in[k] = (unsigned char)"\x1b$(B~{}+-\x0e\x0f\xd8"[in[k] % 13] ^ (in[k] > 200 ? 1 : 0);
            }
            CLEANUP_BUF struct buf whole = BUF_INIT(2000), cut = BUF_INIT(2000);
            const char *name = charset_name(charset_at(charsets, i));
            decode(name, slice_of(in, sizeof in), sizeof in, &whole);
            decode(name, slice_of(in, sizeof in), 1, &cut);
            assert_true(utf8_is_valid(buf_slice(&whole)) && whole.n <= 4 * sizeof in);
            assert_true(slice_eq(buf_slice(&whole), buf_slice(&cut)));
        }
}

static void folding(void **unused)
{
    (void)unused;
    static const struct {
        struct slice a, b;
    } same[] = {
        {S("Hello World"), S("hello world")},
        {S("\xef\xbc\xa8\xef\xbd\x85llo"), S("hello")}, /* full width */
        {S("e\xcc\x81"), S("\xc3\x89")},
        {S("Stra\xc3\x9f"
           "e"),
         S("STRASSE")},
        {S("soft\xc2\xadhyphen"), S("softhyphen")},
        {S("\xef\xac\x81x"), S("FIX")},                                 /* fi ligature */
        {S("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), S("\xed\x95\x9c")}, /* jamo */
        {S("\xe4\xb8\xad\xe6\x96\x87"), S("\xe4\xb8\xad\xe6\x96\x87")},
        {S("a\xff"), S("A\xef\xbf\xbd")},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        CLEANUP_BUF struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);
        text_fold_put(&a, same[i].a);
        text_fold_put(&b, same[i].b);
        if (!slice_eq(buf_slice(&a), buf_slice(&b)))
            fail_msg("row %zu: %.*s, %.*s", i, SLICE_ARG(buf_slice(&a)), SLICE_ARG(buf_slice(&b)));
    }
    uint32_t seed = 7;
    for (int round = 0; round < 300; round++) {
        CLEANUP_BUF struct buf in = BUF_INIT(10000), whole = BUF_INIT(200000), cut = BUF_INIT(200000);
        for (int k = 0; k < 400; k++) {
            seed = seed * 1664525 + 1013904223;
            static const uint32_t from[] = {0x41,   0x300,  0x1100, 0x1160, 0x4e00,
                                            0xac00, 0xfdf0, 0x3099, 0xff00, 0x345};
            char octets[4];
            size_t n = utf8_encode(from[seed >> 24 & 7] + (seed >> 16 & 31), octets);
            buf_put(&in, slice_of(octets, n));
            if ((seed & 0xff00) == 0)
                buf_put_char(&in, '\xe4');
        }
        text_fold_put(&whole, buf_slice(&in));
        struct text_fold f;
        text_fold_init(&f);
        for (size_t i = 0; i < in.n; i++)
            text_fold_feed(&f, slice_of(in.p + i, 1), &cut);
        text_fold_finish(&f, &cut);
        assert_true(
            whole.n && slice_eq(buf_slice(&whole), buf_slice(&cut)) && utf8_is_valid(buf_slice(&whole)));
    }
}

/* Decodes in every cut up to 5 octets; true when each gives `out` and the flag. */
static bool decodes(enum encoding encoding, struct slice in, struct slice out, bool ambiguous)
{
    bool good = true;
    for (size_t step = 1; step <= 6; step++) {
        CLEANUP_BUF struct buf got = BUF_INIT(100000);
        struct encoding_decoder d;
        encoding_decoder_init(&d, encoding);
        for (size_t at = 0; at < in.n; at += step == 6 ? in.n : step)
            encoding_decoder_feed(&d, slice_sub(in, at, step == 6 ? in.n : step), &got);
        encoding_decoder_finish(&d, &got);
        good &= slice_eq(buf_slice(&got), out) && d.ambiguous == ambiguous && !got.failed;
    }
    return good;
}

static void t121_decoding(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in, out;
        bool ambiguous;
    } base64[] = {
        {S("aGVsbG8="), S("hello"), false},
        {S("aGVs\r\nbG8="), S("hello"), false},
        {S(" aGVs\tbG8=\r\n"), S("hello"), false},
        {S("YQ=="), S("a"), false},
        {S("YWI="), S("ab"), false},
        {S("YWJj"), S("abc"), false},
        {S(""), S(""), false},
        {S("YQ==\r\n"), S("a"), false},
        {S("Y\nQ\n=\n=\n"), S("a"), false},
        {S("aGVs=bG8="), S("hello"), true},
        {S("YQ=YWJj"), S("aabc"), true},
        {S("YQ==YQ=="), S("aa"), true},
        {S("YWJj=YWJj"), S("abcabc"), true},
        {S("a G V s b G 8 ="), S("hello"), false},
        {S("-_-_"), S("\xfb\xff\xbf"), true},
        {S("+/+/"), S("\xfb\xff\xbf"), false},
        {S("aGVs\x80"
           "bG8="),
         S("hello"), true},
        {S("aGVs\0bG8="), S("hello"), true},
        {S("aGVs*bG8="), S("hello"), true},
        {S("aGVsbG8"), S("hello"), true},
        {S("YQ"), S("a"), true},
        {S("YQ="), S("a"), true},
        {S("YQ==="), S("a"), true},
        {S("YWI=="), S("ab"), true},
        {S("Y"), S(""), true},
        {S("Y==="), S(""), true},
        {S("="), S(""), true},
        {S("===="), S(""), true},
        {S("YR=="), S("a"), true}, /* unused bits */
        {S("YWJ="), S("ab"), true},
        {S("YWJjZ"), S("abc"), true},
        {S("a\r\nG\r\nV\r\ns\r\nb\r\nG\r\n8\r\n="), S("hello"), false},
        {S("aGVsbG8=\r\n--junk"), S("hello\xfb\xe8\xee\x9e"), true},
    };
    static const struct {
        struct slice in, out;
        bool ambiguous;
    } qp[] = {
        {S("a=3Db"), S("a=b"), false},
        {S("a=\r\nb"), S("ab"), false},
        {S("a=\nb"), S("ab"), true},
        {S("a= \t\r\nb"), S("ab"), true},
        {S("a=0"), S("a=0"), true},
        {S("a=0\r\nb"), S("a=0\r\nb"), true},
        {S("a=ZZb"), S("a=ZZb"), true},
        {S("a=3db"), S("a=b"), true},
        {S("a=3DB"), S("a=B"), false},
        {S("a="), S("a="), true},
        {S("a= "), S("a= "), true},
        {S("a=\r"), S("a=\r"), true},
        {S("a=\rb"), S("a=\rb"), true},
        {S("a==3D"), S("a=="), true},
        {S("a==\r\nb"), S("a=b"), true},
        {S("a  \t\r\nb"), S("a\r\nb"), false},
        {S("a \nb"), S("a\nb"), false},
        {S("a b "), S("a b"), false},
        {S(" a"), S(" a"), false},
        {S("a \t b"), S("a \t b"), false},
        {S("a \rb"), S("a \rb"), true},
        {S("a\x80"), S("a\x80"), true},
        {S("a\0b"), S("a\0b"), true},
        {S("=C3=A9"), S("\xc3\xa9"), false},
        {S("=00"), S("\0"), false},
        {S("=0D=0A"), S("\r\n"), false},
        {S("a_b"), S("a_b"), false},
        {S("=3"
           "=3D"),
         S("=3="), true},
    };
    struct cases c = {"T-121", 0, 0};
    for (size_t i = 0; i < sizeof base64 / sizeof *base64; i++)
        cases_check(
            &c, decodes(ENCODING_BASE64, base64[i].in, base64[i].out, base64[i].ambiguous), base64[i].in.p);
    for (size_t i = 0; i < sizeof qp / sizeof *qp; i++)
        cases_check(&c, decodes(ENCODING_QUOTED_PRINTABLE, qp[i].in, qp[i].out, qp[i].ambiguous), qp[i].in.p);
    cases_check(
        &c,
        decodes(ENCODING_UNKNOWN, S("begin 644 a\n#0V%T\n`\nend\n"), S("begin 644 a\n#0V%T\n`\nend\n"), true),
        "uuencode");
    cases_check(&c, decodes(ENCODING_8BIT, S("\xff\0"), S("\xff\0"), false), "8bit");
    char blanks[3000];
    memset(blanks, ' ', sizeof blanks);
    blanks[3] = '\t';
    cases_check(
        &c, decodes(ENCODING_QUOTED_PRINTABLE, slice_of(blanks, sizeof blanks), S(""), true), "blanks only");
    blanks[sizeof blanks - 1] = 'x';
    cases_check(
        &c,
        decodes(
            ENCODING_QUOTED_PRINTABLE, slice_of(blanks, sizeof blanks), slice_of(blanks, sizeof blanks),
            true),
        "many blanks, then text");
    cases_end(&c, 60);
}

static void encoded(void **unused)
{
    (void)unused;
    assert_int_equal(ENCODING_QUOTED_PRINTABLE, encoding_find(S("Quoted-Printable")));
    assert_int_equal(ENCODING_7BIT, encoding_find(SLICE_EMPTY));
    assert_int_equal(ENCODING_UNKNOWN, encoding_find(S("x-uuencode")));
    uint32_t seed = 3;
    for (size_t n = 0; n < 400; n++) {
        char in[400];
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            in[i] = n % 2 ? (char)(seed >> 24) : " \t=.ax\xc3"[seed >> 24 & 7];
        }
        CLEANUP_BUF struct buf base64 = BUF_INIT(4000), qp = BUF_INIT(4000);
        encoding_put_base64(&base64, slice_of(in, n));
        encoding_put_quoted_printable(&qp, slice_of(in, n));
        assert_true(decodes(ENCODING_BASE64, buf_slice(&base64), slice_of(in, n), false));
        assert_true(decodes(ENCODING_QUOTED_PRINTABLE, buf_slice(&qp), slice_of(in, n), false));
        struct buf *const texts[] = {&base64, &qp};
        for (int k = 0; k < 2; k++) {
            struct slice rest = buf_slice(texts[k]), line;
            while (slice_cut(&rest, '\n', &line)) {
                assert_true(line.n <= 77);
                assert_true(!rest.p || slice_ends(line, S("\r")));
                assert_false(slice_ends(line, S(" \r")) || slice_ends(line, S("\t\r")));
            }
        }
    }
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    encoding_put_quoted_printable(&out, S("caf\xc3\xa9 = \r\nx \n"));
    assert_slice("caf=C3=A9 =3D=20\r\nx =0A", buf_slice(&out));
}

int main(void)
{
    const char *missing = NULL;
    if (charsets_new(&charsets, &missing) != OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),    cmocka_unit_test(against_iconv), cmocka_unit_test(any_octets),
        cmocka_unit_test(folding), cmocka_unit_test(t121_decoding), cmocka_unit_test(encoded),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    charsets_free(&charsets);
    return failed;
}
