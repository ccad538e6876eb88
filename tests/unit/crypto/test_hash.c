#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/sha256.h"

static void expect_hex(const void *bytes, size_t n, const char *hex)
{
    struct buf b CLEANUP_BUF = BUF_INIT(256);
    hex_put(&b, slice_of(bytes, n));
    assert_string_equal(buf_cstr(&b), hex);
}

static void blake2b_of_abc(void **state)
{
    /* BLAKE2b with 32 octets of output over "abc". */
    struct hash h = hash_of(NULL, S("abc"));
    expect_hex(h.b, sizeof h.b, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    struct hash_state s;
    hash_start(&s, NULL);
    hash_add(&s, S("a"));
    hash_add(&s, SLICE_EMPTY);
    hash_add(&s, S("bc"));
    struct hash again = hash_end(&s);
    assert_memory_equal(&again, &h, sizeof h);
}

static void keys_and_pieces_separate(void **state)
{
    struct secret_slab *slab = secret_slab_new(4096);
    struct secret key, one, two;
    assert_int_equal(secret_copy(slab, S("0123456789abcdef0123456789abcdef"), &key), OK);
    struct hash plain = hash_of(NULL, S("x")), keyed = hash_of(&key, S("x"));
    assert_memory_not_equal(&plain, &keyed, sizeof plain);
    assert_int_equal(hash_derive_key(slab, &key, "one", &one), OK);
    assert_int_equal(hash_derive_key(slab, &key, "two", &two), OK);
    assert_int_equal(one.n, 32);
    assert_false(secret_same(secret_reveal(&one), secret_reveal(&two)));

    struct hash_state s;
    hash_start(&s, &key);
    hash_add_piece(&s, S("ab"));
    hash_add_piece(&s, S("c"));
    struct hash first = hash_end(&s);
    hash_start(&s, &key);
    hash_add_piece(&s, S("a"));
    hash_add_piece(&s, S("bc"));
    struct hash second = hash_end(&s);
    assert_memory_not_equal(&first, &second, sizeof first);
    secret_free(&key);
    secret_free(&one);
    secret_free(&two);
    secret_slab_free(&slab);
}

static void slots_are_the_first_octet(void **state)
{
    struct account_id id = {{0}};
    struct hash h = hash_of(NULL, slice_of(id.b, 16));
    assert_int_equal(slot_of(&id), h.b[0]);
    /* Fixed for ever: accounts would move otherwise. Computed with Python's hashlib.blake2b(bytes(16),
     * digest_size=32). */
    assert_int_equal(slot_of(&id), 148);
}

static void sha256_examples(void **state)
{
    uint8_t out[SHA256_LEN];
    sha256_of(S("abc"), out);
    expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_of(SLICE_EMPTY, out);
    expect_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of(S("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
    expect_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void hmac_rfc4231(void **state)
{
    uint8_t out[SHA256_LEN], key[131];
    hmac_sha256(S("Jefe"), S("what do ya want for nothing?"), out);
    expect_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    hmac_sha256(slice_of(key, sizeof key), S("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    expect_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void pbkdf2_rfc7914(void **state)
{
    /* RFC 7914 section 11. */
    uint8_t out[SHA256_LEN];
    pbkdf2_sha256(S("passwd"), S("salt"), 1, out);
    expect_hex(out, 32, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    pbkdf2_sha256(S("Password"), S("NaCl"), 80000, out);
    expect_hex(out, 32, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blake2b_of_abc),  cmocka_unit_test(keys_and_pieces_separate),
        cmocka_unit_test(sha256_examples), cmocka_unit_test(slots_are_the_first_octet),
        cmocka_unit_test(hmac_rfc4231),    cmocka_unit_test(pbkdf2_rfc7914),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
