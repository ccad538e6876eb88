#include "test.h"

#include "base/encode.h"
#include "crypto/random.h"
#include "crypto/sign.h"

static void rfc8032_test_2(void **state)
{
    struct secret_slab *slab = secret_slab_new(4096);
    uint8_t raw[32];
    assert_int_equal(
        hex_get(S("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), raw, 32), OK);
    struct secret seed, key;
    struct sign_public public;
    assert_int_equal(secret_copy(slab, slice_of(raw, 32), &seed), OK);
    assert_int_equal(sign_open(slab, &seed, &key, &public), OK);
    struct sign_mark mark = sign_make(&key, S("\x72"));
    struct buf hex CLEANUP_BUF = BUF_INIT(200);
    hex_put(&hex, slice_of(mark.b, sizeof mark.b));
    assert_string_equal(
        buf_cstr(&hex), "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_true(sign_is_good(&public, S("\x72"), &mark));
    assert_false(sign_is_good(&public, S("\x73"), &mark));
    mark.b[5] ^= 1;
    assert_false(sign_is_good(&public, S("\x72"), &mark));
    secret_free(&seed);
    secret_free(&key);
    secret_slab_free(&slab);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(rfc8032_test_2)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
