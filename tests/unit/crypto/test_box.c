/* Sealed boxes, and keys from passphrases. */
#include "test.h"

#include "crypto/box.h"
#include "crypto/passhash.h"
#include "crypto/random.h"

static struct secret_slab *slab;
static struct box_public public, other_public;
static struct secret key, other;

static int setup(void **state)
{
    slab = secret_slab_new(65536);
    return box_pair_make(slab, &public, &key) || box_pair_make(slab, &other_public, &other);
}

static int teardown(void **state)
{
    secret_free(&key);
    secret_free(&other);
    secret_slab_free(&slab);
    return 0;
}

static void opens_for_its_owner_alone(void **state)
{
    struct buf box CLEANUP_BUF = BUF_INIT(1000), again CLEANUP_BUF = BUF_INIT(1000);
    struct secret plain = SECRET_NONE;
    assert_ok(box_seal(&public, S("alice,secret"), &box));
    assert_ok(box_seal(&public, S("alice,secret"), &again));
    assert_int_equal(box.n, 12 + BOX_OVERHEAD);
    assert_false(slice_eq(buf_slice(&box), buf_slice(&again)));
    assert_err(ERR_CORRUPT, box_open(&other_public, &other, buf_slice(&box), slab, &plain));
    assert_err(ERR_CORRUPT, box_open(&public, &other, buf_slice(&box), slab, &plain));
    assert_null(plain.bytes);
    assert_ok(box_open(&public, &key, buf_slice(&box), slab, &plain));
    assert_slice("alice,secret", secret_reveal(&plain));
    secret_free(&plain);
}

static void any_damage_is_seen(void **state)
{
    struct buf box CLEANUP_BUF = BUF_INIT(1000);
    struct secret plain = SECRET_NONE;
    assert_ok(box_seal(&public, S("x"), &box));
    for (size_t i = 0; i < box.n; i++) {
        box.p[i] ^= 1;
        assert_err(ERR_CORRUPT, box_open(&public, &key, buf_slice(&box), slab, &plain));
        box.p[i] ^= 1;
        assert_err(ERR_CORRUPT, box_open(&public, &key, slice_sub(buf_slice(&box), 0, i), slab, &plain));
    }
    struct box_public none = {{0}};
    size_t before = box.n;
    assert_err(ERR_CORRUPT, box_seal(&none, S("x"), &box));
    assert_int_equal(box.n, before);
}

static void keys_of_passphrases(void **state)
{
    static const uint8_t salt[PASSHASH_SALT_LEN] = {1}, salt2[PASSHASH_SALT_LEN] = {2};
    const struct passhash_cost cheap = {.memory_kib = 64, .passes = 1},
                               more = {.memory_kib = 64, .passes = 2};
    struct secret one = SECRET_NONE, two = SECRET_NONE;
    assert_ok(passhash_derive_key(slab, S("four words make it"), salt, cheap, &one));
    assert_int_equal(one.n, PASSHASH_KEY_LEN);
    assert_ok(passhash_derive_key(slab, S("four words make it"), salt, cheap, &two));
    assert_true(secret_same(secret_reveal(&one), secret_reveal(&two)));
    secret_free(&two);
    assert_ok(passhash_derive_key(slab, S("four words make it"), salt2, cheap, &two));
    assert_false(secret_same(secret_reveal(&one), secret_reveal(&two)));
    secret_free(&two);
    assert_ok(passhash_derive_key(slab, S("four words make it"), salt, more, &two));
    assert_false(secret_same(secret_reveal(&one), secret_reveal(&two)));
    secret_free(&two);
    assert_ok(passhash_derive_key(slab, S("four words make it!"), salt, cheap, &two));
    assert_false(secret_same(secret_reveal(&one), secret_reveal(&two)));
    secret_free(&two);
    secret_free(&one);
    assert_err(
        ERR_LIMIT, passhash_derive_key(
                       slab, S("x"), salt, (struct passhash_cost){PASSHASH_MEMORY_MAX_KIB + 1, 1}, &one));
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_for_its_owner_alone),
        cmocka_unit_test(any_damage_is_seen),
        cmocka_unit_test(keys_of_passphrases),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
