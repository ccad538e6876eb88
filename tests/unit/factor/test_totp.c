#include "../test.h"

#include <stdlib.h>

#include "crypto/random.h"
#include "factor/ceremony.h"
#include "factor/totp.h"

static const char rfc_secret[] = "12345678901234567890";

static void the_vectors_of_rfc_6238(void **state)
{
    /* Appendix B, SHA-1, eight digits. */
    static const struct {
        int64_t time_s;
        const char *code;
    } vectors[] = {
        {59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
        {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char code[TOTP_DIGITS_MAX];
        uint64_t step = (uint64_t)(vectors[i].time_s / TOTP_STEP_S);
        totp_code(slice_str(rfc_secret), step, 8, code);
        assert_memory_equal(code, vectors[i].code, 8);
        totp_code(slice_str(rfc_secret), step, 6, code);
        assert_memory_equal(code, vectors[i].code + 2, 6);
        totp_code(slice_str(rfc_secret), step, 7, code);
        assert_memory_equal(code, vectors[i].code + 1, 7);
    }
}

/* The independent program. */
static void oathtool_says_the_same(void **state)
{
    crypto_init();
    for (int round = 0; round < 8; round++) {
        unsigned char secret[TOTP_SECRET];
        char key[64] = "", command[256], said[32] = "", code[TOTP_DIGITS_MAX];
        random_bytes(secret, sizeof secret);
        struct buf text CLEANUP_BUF = BUF_INIT(64);
        base32_put(&text, slice_of(secret, sizeof secret));
        assert_int_equal(text.n, 32);
        memcpy(key, text.p, text.n);
        int64_t when = random_below(2000000000);
        snprintf(
            command, sizeof command, "oathtool --totp --base32 --now '@%lld' --digits 6 %s", (long long)when,
            key);
        FILE *tool = popen(command, "r");
        assert_non_null(tool);
        assert_non_null(fgets(said, sizeof said, tool));
        assert_int_equal(pclose(tool), 0);
        totp_code(slice_of(secret, sizeof secret), (uint64_t)(when / TOTP_STEP_S), 6, code);
        assert_memory_equal(said, code, 6);
    }
}

static bool try(struct totp_state *s, int64_t step, int64_t now_s)
{
    char code[TOTP_DIGITS_MAX];
    totp_code(slice_str(rfc_secret), (uint64_t)step, TOTP_DIGITS, code);
    totp_settle(s, now_s);
    return totp_accept(s, slice_str(rfc_secret), slice_of(code, TOTP_DIGITS), now_s);
}

enum { NOW = 1700000000, STEP = NOW / TOTP_STEP_S };

static void a_code_opens_once_and_near_its_time(void **state)
{
    for (int offset = -10; offset <= 10; offset++) {
        struct totp_state s = {0};
        assert_int_equal(try(&s, STEP + offset, NOW), offset >= -1 && offset <= 1);
    }
    struct totp_state s = {0};
    assert_true(try(&s, STEP, NOW));
    assert_false(try(&s, STEP, NOW));
    assert_false(try(&s, STEP - 1, NOW)); /* earlier than the last one */
    assert_true(try(&s, STEP + 1, NOW));
    assert_false(try(&s, STEP + 1, NOW + 30));
    assert_false(try(&s, STEP + 1, NOW + 60));
}

static void forms_that_are_no_code(void **state)
{
    static const char *const bad[] = {"", "1", "12345", "1234567", "abcdef", "12 456", "\0\0\0\0\0\0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct totp_state s = {0};
        assert_false(totp_accept(&s, slice_str(rfc_secret), slice_str(bad[i]), NOW));
    }
    struct totp_state s = {0};
    assert_false(totp_accept(&s, slice_str(rfc_secret), slice_of("\0\0\0\0\0\0", 6), NOW));
    assert_false(totp_accept(&s, slice_str(rfc_secret), S("000000"), -1));
}

/* A clock that is off by a step at a time is followed as far as LIMIT_TOTP_DRIFT. */
static void drift_is_learnt_and_bounded(void **state)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        struct totp_state s = {0};
        int64_t now = NOW;
        for (int off = 1; off <= 10; off++) {
            now += 3600;
            bool good = try(&s, now / TOTP_STEP_S + (int64_t)sign * off, now);
            assert_int_equal(good, off <= LIMIT_TOTP_DRIFT + 1);
        }
        assert_int_equal(s.drift, sign * LIMIT_TOTP_DRIFT);
        now += 3600;
        assert_false(try(&s, now / TOTP_STEP_S, now)); /* the window follows the drift, it does not grow */
    }
}

static void a_clock_set_back_opens_nothing_again(void **state)
{
    struct totp_state s = {0};
    for (int i = 0; i < LIMIT_TOTP_USED; i++)
        assert_true(try(&s, STEP + i, NOW + i * 30));
    /* One hour back: the used steps come by once more, each refused; one that was not used opens. */
    int64_t back = NOW - 3600;
    assert_false(try(&s, back / TOTP_STEP_S, back));
    assert_true(try(&s, back / TOTP_STEP_S + 2, back + 60));
    for (int i = 0; i < LIMIT_TOTP_USED - 1; i++)
        assert_false(try(&s, STEP + 1 + i, NOW + (i + 1) * 30));
    assert_true(try(&s, STEP + LIMIT_TOTP_USED, NOW + LIMIT_TOTP_USED * 30));
}

static void a_clock_far_ahead_locks_nobody_out(void **state)
{
    struct totp_state s = {0};
    int64_t ahead = NOW + INT64_C(10) * 365 * 86400;
    assert_true(try(&s, ahead / TOTP_STEP_S, ahead));
    assert_false(try(&s, STEP, NOW)); /* the next step is the earliest */
    assert_true(s.last <= STEP + 1);
    assert_true(try(&s, STEP + 2, NOW + 60));
    assert_false(try(&s, ahead / TOTP_STEP_S, ahead)); /* and what was used in the future stays used */
}

static void addresses_for_qr_codes_are_escaped(void **state)
{
    struct buf uri CLEANUP_BUF = BUF_INIT(1024);
    totp_uri_put(&uri, S("Ex & Co: \xe4\xbf\xa1"), S("al+ice&secret=x@example.test"), slice_str(rfc_secret));
    assert_slice(
        "otpauth://totp/Ex%20%26%20Co%3A%20%E4%BF%A1:al%2Bice%26secret%3Dx%40example.test"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ex%20%26%20Co%3A%20%E4%BF%A1"
        "&algorithm=SHA1&digits=6&period=30",
        buf_slice(&uri));
}

static void base32_of_rfc_4648(void **state)
{
    static const char *const pairs[][2] = {{"", ""},         {"f", "MY"},         {"fo", "MZXQ"},
                                           {"foo", "MZXW6"}, {"foob", "MZXW6YQ"}, {"foobar", "MZXW6YTBOI"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(64);
        base32_put(&out, slice_str(pairs[i][0]));
        assert_true(slice_eq(buf_slice(&out), slice_str(pairs[i][1])));
    }
}

int main(void)
{
    factor_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_6238),
        cmocka_unit_test(oathtool_says_the_same),
        cmocka_unit_test(a_code_opens_once_and_near_its_time),
        cmocka_unit_test(forms_that_are_no_code),
        cmocka_unit_test(drift_is_learnt_and_bounded),
        cmocka_unit_test(a_clock_set_back_opens_nothing_again),
        cmocka_unit_test(a_clock_far_ahead_locks_nobody_out),
        cmocka_unit_test(addresses_for_qr_codes_are_escaped),
        cmocka_unit_test(base32_of_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
