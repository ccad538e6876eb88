/* Which messages are opaque: by account and number, bounded, the newest kept. */
#include "test.h"

#include "base/limits.h"
#include "keeper/poisoned.h"

static void entries_are_found_by_account_and_number(void **unused)
{
    (void)unused;
    struct poisoned_set *set = poisoned_new();
    struct account_id alice = {.b = {1}}, bob = {.b = {2}};
    assert_false(poisoned_has(NULL, &alice, 7));
    assert_false(poisoned_has(set, &alice, 7));
    assert_true(poisoned_add(set, &alice, 7));
    assert_false(poisoned_add(set, &alice, 7));
    assert_true(poisoned_has(set, &alice, 7));
    assert_false(poisoned_has(set, &alice, 8));
    assert_false(poisoned_has(set, &bob, 7));
    assert_true(poisoned_add(set, &bob, 7));
    assert_true(poisoned_has(set, &bob, 7));
    poisoned_free(&set);
    assert_null(set);
    poisoned_free(&set);
}

static void the_oldest_goes_first(void **unused)
{
    (void)unused;
    struct poisoned_set *set = poisoned_new();
    struct account_id alice = {.b = {1}};
    for (uint64_t i = 0; i < 2 * LIMIT_POISON_ENTRIES; i++) {
        assert_true(poisoned_add(set, &alice, i));
        assert_true(poisoned_has(set, &alice, i));
    }
    for (uint64_t i = 0; i < 2 * LIMIT_POISON_ENTRIES; i++)
        assert_int_equal(poisoned_has(set, &alice, i), i >= LIMIT_POISON_ENTRIES);
    poisoned_free(&set);
}

static void marks_of_octets(void **unused)
{
    (void)unused;
    struct hash a = hash_of(NULL, S("a")), b = hash_of(NULL, S("b"));
    assert_true(poisoned_mark_delivery(&a) == poisoned_mark_delivery(&a));
    assert_true(poisoned_mark_delivery(&a) != poisoned_mark_delivery(&b));
    assert_true(poisoned_mark_append(3) != poisoned_mark_append(4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_by_account_and_number),
        cmocka_unit_test(the_oldest_goes_first),
        cmocka_unit_test(marks_of_octets),
    };
    return cmocka_run_group_tests_name("keeper/poisoned", tests, NULL, NULL);
}
