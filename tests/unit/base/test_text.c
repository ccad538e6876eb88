/* Slices, buffers, arenas, encodings, UTF-8: what every parser stands on. */
#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/encode.h"
#include "base/utf8.h"

static void slices(void **unused)
{
    (void)unused;
    assert_true(slice_eq_nocase(S("InBox"), S("iNbOX")));
    assert_false(slice_eq_nocase(S("\xc4"), S("\xe4"))); /* ASCII only */
    assert_true(slice_eq(SLICE_EMPTY, S("")));
    assert_true(
        slice_cmp(S("a"), S("ab")) < 0 && slice_cmp(S("b"), S("ab")) > 0 && slice_cmp(S("a"), S("a")) == 0);
    assert_true(slice_starts(S("abc"), S("ab")) && !slice_starts(S("a"), S("ab")));
    assert_true(slice_ends_nocase(S("x.TEST"), S(".test")));
    assert_int_equal(2, slice_find(S("a\0b"), 'b'));
    assert_int_equal(3, slice_rfind(S("abab"), 'b'));
    assert_int_equal(SLICE_NPOS, slice_search(S("abc"), S("abcd")));
    assert_int_equal(0, slice_search(SLICE_EMPTY, SLICE_EMPTY));
    assert_int_equal(1, slice_search_nocase(S("xABx"), S("ab")));
    assert_slice("a b", slice_trim(S(" \r\n\ta b\t \n")));
    assert_slice("", slice_from(S("abc"), 9));
    assert_slice("bc", slice_sub(S("abc"), 1, SLICE_NPOS));
    struct slice rest = S("a,,b"), word;
    assert_true(slice_cut(&rest, ',', &word) && slice_eq(word, S("a")));
    assert_true(slice_cut(&rest, ',', &word) && word.n == 0);
    assert_true(slice_cut(&rest, ',', &word) && slice_eq(word, S("b")));
    assert_false(slice_cut(&rest, ',', &word));
}

static void numbers(void **unused)
{
    (void)unused;
    uint64_t v = 7;
    assert_ok(slice_to_u64(S("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_err(ERR_LIMIT, slice_to_u64(S("18446744073709551616"), UINT64_MAX, &v));
    assert_err(ERR_LIMIT, slice_to_u64(S("99999999999999999999999999"), UINT64_MAX, &v));
    assert_err(ERR_LIMIT, slice_to_u64(S("11"), 10, &v));
    static const char *const bad[] = {"", " 1", "1 ", "-1", "+1", "0x1", "1e3", "1.", "\xef\xbc\x91"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(ERR_SYNTAX, slice_to_u64(slice_str(bad[i]), 100, &v));
    assert_true(v == UINT64_MAX); /* untouched on failure */
}

static void buffers_have_a_ceiling(void **unused)
{
    (void)unused;
    struct buf b = BUF_INIT(10);
    buf_put(&b, S("12345"));
    buf_printf(&b, "%d", 678);
    assert_ok(buf_check(&b));
    buf_put(&b, S("90x"));
    assert_err(ERR_LIMIT, buf_check(&b));
    buf_put_char(&b, 'y'); /* sticky */
    assert_slice("12345678", buf_slice(&b));
    buf_clear(&b);
    buf_put_u64(&b, 0);
    buf_put_u64(&b, 123456789);
    assert_ok(buf_check(&b));
    assert_string_equal("0123456789", buf_cstr(&b));
    buf_drop_front(&b, 8);
    assert_slice("89", buf_slice(&b));
    buf_done(&b);
    struct buf big = BUF_INIT(100000);
    for (int i = 0; i < 1000; i++)
        buf_printf(&big, "%0100d", i);
    assert_int_equal(100000, big.n);
    assert_ok(buf_check(&big));
    buf_put_char(&big, 'x');
    assert_true(big.failed);
    buf_wipe(&big);
    assert_null(big.p);
}

static void arenas_have_a_ceiling(void **unused)
{
    (void)unused;
    struct arena a CLEANUP_ARENA = ARENA_INIT(100000);
    char *first = arena_alloc(&a, 3);
    memcpy(first, "abc", 3);
    for (int i = 0; i < 1000; i++)
        assert_non_null(arena_alloc(&a, 90));
    assert_memory_equal("abc", first, 3); /* nothing moves */
    assert_int_equal(0, (uintptr_t)arena_alloc(&a, 1) % 16);
    assert_null(arena_alloc(&a, 20000));
    assert_err(ERR_LIMIT, arena_check(&a));
    arena_clear(&a);
    assert_ok(arena_check(&a));
    assert_slice("x=1", arena_printf(&a, "x=%d", 1));
    assert_null(arena_array(&a, SIZE_MAX / 2, 3)); /* overflow is a limit, too */
    assert_int_equal(0, arena_cstr(&a, S("a\0b"))[3]);
}

static void base64(void **unused)
{
    (void)unused;
    /* RFC 4648 10 */
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"}};
    struct buf out = BUF_INIT(100);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        buf_clear(&out);
        base64_put(&out, slice_str(vectors[i][0]));
        assert_true(slice_eq(buf_slice(&out), slice_str(vectors[i][1])));
        buf_clear(&out);
        assert_ok(base64_get(slice_str(vectors[i][1]), &out));
        assert_true(slice_eq(buf_slice(&out), slice_str(vectors[i][0])));
    }
    static const char *const bad[] = {"Z",      "Zg",   "Zg=",  "Zg===", "====", "Zh==",     "Zm9=",
                                      "Zm9v\n", "Z m9", "Zm=v", "=",     "A===", "Zg==Zg==", "-_8="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(ERR_SYNTAX, base64_get(slice_str(bad[i]), &out));
    uint8_t id[2];
    assert_ok(hex_get(S("0aFF"), id, 2));
    assert_int_equal(0x0a, id[0]);
    assert_int_equal(0xff, id[1]);
    assert_err(ERR_SYNTAX, hex_get(S("0aF"), id, 2));
    assert_err(ERR_SYNTAX, hex_get(S("0aFg"), id, 2));
    char text[5];
    hex_text(slice_of(id, 2), text);
    assert_string_equal("0aff", text);
    buf_done(&out);
}

static void utf8_every_code_point(void **unused)
{
    (void)unused;
    for (uint32_t code = 0; code <= 0x110010; code++) {
        char octets[4];
        size_t n = utf8_encode(code, octets);
        bool scalar = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        assert_int_equal(scalar, n > 0);
        uint32_t back = 0;
        if (n) {
            assert_int_equal(n, utf8_decode(slice_of(octets, n), &back));
            assert_int_equal(code, back);
            assert_int_equal(0, n > 1 ? utf8_decode(slice_of(octets, n - 1), &back) : 0);
        }
    }
    static const char *const bad[] = {
        "\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xed\xa0\x80",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x82",
        "a\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_is_valid(slice_str(bad[i])));
    struct buf out = BUF_INIT(100);
    utf8_put_repaired(&out, S("a\xc0\xaf\xe4\xbd\xa0"));
    assert_slice("a\xef\xbf\xbd\xef\xbf\xbd\xe4\xbd\xa0", buf_slice(&out));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),
        cmocka_unit_test(numbers),
        cmocka_unit_test(buffers_have_a_ceiling),
        cmocka_unit_test(arenas_have_a_ceiling),
        cmocka_unit_test(base64),
        cmocka_unit_test(utf8_every_code_point),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
