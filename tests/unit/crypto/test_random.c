#include "test.h"

#include "crypto/random.h"

static void below_is_even(void **state)
{
    /* 3 does not divide 2^32: a plain remainder of an octet would show here. */
    unsigned counts[6] = {0};
    enum { DRAWS = 60000 };
    for (int i = 0; i < DRAWS; i++)
        counts[random_below(6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], DRAWS / 6 - 600, DRAWS / 6 + 600);
    for (int i = 0; i < 100; i++)
        assert_int_equal(random_below(1), 0);
}

static void ids_differ(void **state)
{
    struct account_id a = random_account_id(), b = random_account_id();
    assert_false(account_id_eq(&a, &b));
    assert_int_not_equal(random_id64(), random_id64());
}

int main(void)
{
    crypto_init();
    crypto_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(below_is_even), cmocka_unit_test(ids_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
