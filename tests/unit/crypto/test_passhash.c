#include "test.h"

#include "crypto/passhash.h"
#include "crypto/random.h"

static const struct passhash_cost cheap = {.memory_kib = 64, .passes = 1};

static void right_and_wrong(void **state)
{
    char text[PASSHASH_TEXT_MAX], again[PASSHASH_TEXT_MAX];
    struct slice password = S("abc\0def");
    assert_int_equal(passhash_make(password, cheap, text), OK);
    assert_int_equal(passhash_make(password, cheap, again), OK);
    assert_string_not_equal(text, again);
    assert_int_equal(passhash_check(slice_str(text), password), OK);
    assert_int_equal(passhash_check(slice_str(text), S("abc")), ERR_DENIED);
    assert_int_equal(passhash_check(slice_str(text), S("abc\0deg")), ERR_DENIED);
    assert_int_equal(passhash_check(slice_str(text), SLICE_EMPTY), ERR_DENIED);
    assert_false(passhash_needs_rehash(slice_str(text), cheap));
    assert_true(passhash_needs_rehash(slice_str(text), passhash_cost_default));
}

static void all_octets_count(void **state)
{
    char text[PASSHASH_TEXT_MAX], password[1024];
    memset(password, 'x', sizeof password);
    assert_int_equal(passhash_make(slice_of(password, sizeof password), cheap, text), OK);
    password[1023] = 'y';
    assert_int_equal(passhash_check(slice_str(text), slice_of(password, sizeof password)), ERR_DENIED);
    password[1023] = 'x';
    assert_int_equal(passhash_check(slice_str(text), slice_of(password, sizeof password)), OK);
}

static void another_program_s_hash_is_read(void **state)
{
    /* Made by the reference implementation's argon2 command. */
    struct slice made =
        S("$argon2id$v=19$m=256,t=3,p=1$c2l4dGVlbiBvY3RldHMhIQ$nRa+jCQvx8Rt2YYbbdYge7oozBXKwwGeqtu/EJDHHgo");
    assert_int_equal(passhash_check(made, S("correct horse")), OK);
    assert_int_equal(passhash_check(made, S("Correct horse")), ERR_DENIED);
}

static void damaged_rows_compute_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "$argon2id$",
        "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAA",
        "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAA",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHRzYWx0$AAAA",
        "$argon2id$v=19$m=64,t=4000000000,p=1$c2FsdHNhbHRzYWx0$AAAA",
        "$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0$AAAA",
        "$argon2id$v=19$t=1,m=64,p=1$c2FsdHNhbHRzYWx0$AAAA",
        "$argon2id$v=19$m=64,t=1,p=1$???$!!!",
        "$argon2id$v=19$m=64,t=1,p=1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(passhash_check(slice_str(bad[i]), S("x")), ERR_CORRUPT);
        if (i < 8)
            assert_true(passhash_needs_rehash(slice_str(bad[i]), cheap));
    }
    char text[PASSHASH_TEXT_MAX];
    struct passhash_cost silly = {.memory_kib = 4, .passes = 1};
    assert_int_equal(passhash_make(S("x"), silly, text), ERR_LIMIT);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_and_wrong),
        cmocka_unit_test(all_octets_count),
        cmocka_unit_test(another_program_s_hash_is_read),
        cmocka_unit_test(damaged_rows_compute_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
