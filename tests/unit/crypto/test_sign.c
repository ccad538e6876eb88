#include "test.h"

#include "base/encode.h"
#include "crypto/random.h"
#include "crypto/sign.h"

static bool is_good(const char *hex)
{
    struct sign_public key;
    assert_ok(hex_get(slice_str(hex), key.b, sizeof key.b));
    return sign_public_is_good(&key);
}

static void keys_of_rfc8032_are_good(void **state)
{
    assert_true(is_good("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
    assert_true(is_good("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
}

static void points_that_prove_nothing_are_not(void **state)
{
    /* of order 1, 2, 4 and 8 */
    assert_false(is_good("0100000000000000000000000000000000000000000000000000000000000000"));
    assert_false(is_good("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    assert_false(is_good("0000000000000000000000000000000000000000000000000000000000000000"));
    assert_false(is_good("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"));
    /* y = 2 is on no point; y = p + 1 is another spelling of 1 */
    assert_false(is_good("0200000000000000000000000000000000000000000000000000000000000000"));
    assert_false(is_good("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_rfc8032_are_good),
        cmocka_unit_test(points_that_prove_nothing_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
