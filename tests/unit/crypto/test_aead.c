#include "test.h"

#include "crypto/aead.h"
#include "crypto/random.h"

static struct secret_slab *slab;
static struct secret key, other;

static int setup(void **state)
{
    slab = secret_slab_new(65536);
    return secret_random(slab, AEAD_KEY_LEN, &key) || secret_random(slab, AEAD_KEY_LEN, &other);
}

static int teardown(void **state)
{
    secret_free(&key);
    secret_free(&other);
    secret_slab_free(&slab);
    return 0;
}

static void opens_only_in_its_place(void **state)
{
    struct buf sealed CLEANUP_BUF = BUF_INIT(1000);
    aead_seal(&key, S("row 1"), S("the secret"), &sealed);
    assert_int_equal(sealed.n, 10 + AEAD_OVERHEAD);
    assert_int_equal(slice_search(buf_slice(&sealed), S("secret")), SLICE_NPOS);
    struct secret plain = SECRET_NONE;
    assert_int_equal(aead_open(&key, S("row 2"), buf_slice(&sealed), slab, &plain), ERR_CORRUPT);
    assert_int_equal(aead_open(&other, S("row 1"), buf_slice(&sealed), slab, &plain), ERR_CORRUPT);
    assert_null(plain.bytes);
    assert_int_equal(aead_open(&key, S("row 1"), buf_slice(&sealed), slab, &plain), OK);
    assert_true(slice_eq(secret_reveal(&plain), S("the secret")));
    secret_free(&plain);
}

static void every_changed_bit_is_seen(void **state)
{
    struct buf sealed CLEANUP_BUF = BUF_INIT(1000);
    aead_seal(&key, S("p"), S("x"), &sealed);
    struct secret plain = SECRET_NONE;
    for (size_t bit = 0; bit < sealed.n * 8; bit++) {
        sealed.p[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(aead_open(&key, S("p"), buf_slice(&sealed), slab, &plain), ERR_CORRUPT);
        sealed.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t n = 0; n < sealed.n; n++)
        assert_int_equal(
            aead_open(&key, S("p"), slice_sub(buf_slice(&sealed), 0, n), slab, &plain), ERR_CORRUPT);
    assert_int_equal(aead_open(&key, S("p"), buf_slice(&sealed), slab, &plain), OK);
    secret_free(&plain);
}

static void empty_and_twice(void **state)
{
    struct buf a CLEANUP_BUF = BUF_INIT(1000), b CLEANUP_BUF = BUF_INIT(1000);
    aead_seal(&key, S("p"), SLICE_EMPTY, &a);
    aead_seal(&key, S("p"), SLICE_EMPTY, &b);
    assert_false(slice_eq(buf_slice(&a), buf_slice(&b)));
    struct secret plain = SECRET_NONE;
    assert_int_equal(aead_open(&key, S("p"), buf_slice(&a), slab, &plain), OK);
    assert_int_equal(plain.n, 0);
    secret_free(&plain);
    struct buf tight CLEANUP_BUF = BUF_INIT(AEAD_OVERHEAD);
    aead_seal(&key, S("p"), S("x"), &tight);
    assert_int_equal(buf_check(&tight), ERR_LIMIT);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_only_in_its_place),
        cmocka_unit_test(every_changed_bit_is_seen),
        cmocka_unit_test(empty_and_twice),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
