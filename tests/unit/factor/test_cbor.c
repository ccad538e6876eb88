/* The strict reader of CBOR: RFC 8949's own examples, and what it must refuse. */
#include "../test.h"

#include "base/buf.h"
#include "base/encode.h"
#include "base/limits.h"
#include "factor/cbor.h"

static enum err read_hex(const char *hex, struct cbor_item *ret_item, unsigned char octets[600])
{
    size_t n = strlen(hex) / 2;
    assert_int_equal(hex_get(slice_str(hex), octets, n), OK);
    return cbor_read(slice_of(octets, n), ret_item);
}

static void examples_of_the_rfc(void **state)
{
    /* RFC 8949 appendix A, as far as this reader takes them. */
    static const struct {
        const char *hex;
        enum cbor_kind kind;
        uint64_t number;
    } good[] = {
        {"00", CBOR_UNSIGNED, 0},
        {"0a", CBOR_UNSIGNED, 10},
        {"17", CBOR_UNSIGNED, 23},
        {"1818", CBOR_UNSIGNED, 24},
        {"1903e8", CBOR_UNSIGNED, 1000},
        {"1a000f4240", CBOR_UNSIGNED, 1000000},
        {"1b000000e8d4a51000", CBOR_UNSIGNED, UINT64_C(1000000000000)},
        {"1bffffffffffffffff", CBOR_UNSIGNED, UINT64_MAX},
        {"20", CBOR_NEGATIVE, 0},
        {"3863", CBOR_NEGATIVE, 99},
        {"3bffffffffffffffff", CBOR_NEGATIVE, UINT64_MAX},
        {"f4", CBOR_FALSE, 20},
        {"f5", CBOR_TRUE, 21},
        {"f6", CBOR_NULL, 22},
        {"40", CBOR_BYTES, 0},
        {"4401020304", CBOR_BYTES, 4},
        {"60", CBOR_TEXT, 0},
        {"6449455446", CBOR_TEXT, 4},
        {"62c3bc", CBOR_TEXT, 2},
        {"80", CBOR_ARRAY, 0},
        {"83010203", CBOR_ARRAY, 3},
        {"8301820203820405", CBOR_ARRAY, 3},
        {"a0", CBOR_MAP, 0},
        {"a201020304", CBOR_MAP, 2},
        {"a26161016162820203", CBOR_MAP, 2},
    };
    unsigned char octets[600];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct cbor_item item;
        assert_int_equal(read_hex(good[i].hex, &item, octets), OK);
        assert_int_equal(item.kind, good[i].kind);
        assert_true(item.number == good[i].number);
        assert_int_equal(item.whole.n, strlen(good[i].hex) / 2);
        /* Cut anywhere, and with anything behind, it is none. */
        for (size_t n = 0; n < item.whole.n; n++)
            assert_int_not_equal(cbor_read(slice_of(octets, n), &item), OK);
        octets[strlen(good[i].hex) / 2] = 0;
        assert_int_equal(cbor_read(slice_of(octets, strlen(good[i].hex) / 2 + 1), &item), ERR_SYNTAX);
        assert_int_equal(cbor_read_front(slice_of(octets, strlen(good[i].hex) / 2 + 1), &item), OK);
    }
}

static void what_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "1800",
        "1817",
        "190000",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff", /* not the shortest */
        "3800",
        "5801aa",
        "7803616263",
        "990001f4",
        "b90000",
        "1c",
        "1d",
        "1e",
        "1f",
        "5c",
        "7d",
        "9e",
        "bd",
        "fc", /* reserved */
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "bfff",
        "ff", /* indefinite */
        "c074323031332d30332d32315432303a30343a30305a",
        "d74401020304",
        "c0", /* tags */
        "f90000",
        "f97e00",
        "fa47c35000",
        "fb3ff199999999999a",
        "fb7ff8000000000000", /* floats, NaN */
        "f0",
        "f3",
        "f7",
        "f818",
        "f8ff", /* simple values, undefined */
        "5bffffffffffffffff",
        "5b8000000000000000",
        "7b7fffffffffffffff",
        "9bffffffffffffffff",
        "bb8000000000000000",
        "bbffffffffffffffff", /* lengths */
        "4401",
        "62c3",
        "830102",
        "a1",
        "a101", /* cut */
        "61ff",
        "62c328",
        "64f0808080", /* not UTF-8 */
        "a201010102",
        "a2616101616102",
        "a3010002000103", /* a key twice */
        "a14001",
        "a18001",
        "a1a001",
        "a1f401", /* keys of other kinds */
    };
    unsigned char octets[600];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cbor_item item;
        assert_int_not_equal(read_hex(bad[i], &item, octets), OK);
    }
}

static void depth_and_count_have_an_end(void **state)
{
    struct cbor_item item;
    for (size_t depth = 1; depth < 2000; depth += depth < 20 ? 1 : 490) {
        struct buf b CLEANUP_BUF = BUF_INIT(5000);
        for (size_t i = 0; i < depth; i++)
            buf_put_char(&b, (char)0x81);
        buf_put_char(&b, 0);
        enum err e = cbor_read(buf_slice(&b), &item);
        assert_int_equal(e, depth <= LIMIT_CBOR_DEPTH ? OK : ERR_LIMIT);
    }
    for (size_t count = LIMIT_CBOR_ITEMS - 2; count < LIMIT_CBOR_ITEMS + 2; count++) {
        struct buf b CLEANUP_BUF = BUF_INIT(5000);
        buf_put_char(&b, (char)0x99);
        buf_put_char(&b, (char)(count >> 8));
        buf_put_char(&b, (char)count);
        for (size_t i = 0; i < count; i++)
            buf_put_char(&b, 1);
        enum err e = cbor_read(buf_slice(&b), &item);
        if (count >= 256)
            assert_int_equal(e, count < LIMIT_CBOR_ITEMS ? OK : ERR_LIMIT);
    }
}

static void members_are_found(void **state)
{
    unsigned char octets[600];
    struct cbor_item map, value;
    /* {1: 2, 3: -7, -1: {"a": 1, "b": [true, null]}, "fmt": "none", -25: h'0102'} */
    assert_int_equal(
        read_hex(
            "a501020326"
            "20a2616101616282f5f6"
            "63666d74646e6f6e65"
            "3818420102",
            &map, octets),
        OK);
    assert_true(cbor_find_int(&map, 1, &value) && cbor_is_number(&value, 2));
    assert_true(cbor_find_int(&map, 3, &value) && cbor_is_number(&value, -7) && !cbor_is_number(&value, 7));
    assert_true(cbor_find_int(&map, -25, &value) && value.kind == CBOR_BYTES && value.inside.n == 2);
    assert_true(cbor_find_text(&map, S("fmt"), &value));
    assert_slice("none", value.inside);
    assert_false(cbor_find_text(&map, S("a"), &value)); /* not inside */
    assert_false(cbor_find_int(&map, 2, &value));
    assert_false(cbor_find_int(&map, -7, &value));
    assert_true(cbor_find_int(&map, -1, &value) && value.kind == CBOR_MAP);
    assert_true(cbor_find_text(&value, S("b"), &value) && value.kind == CBOR_ARRAY && value.number == 2);
    assert_false(cbor_find_int(&value, 0, &map)); /* no map */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(depth_and_count_have_an_end),
        cmocka_unit_test(members_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
