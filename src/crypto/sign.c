#include "crypto/sign.h"

#include <assert.h>
#include <sodium.h>

static_assert(
    crypto_sign_PUBLICKEYBYTES == SIGN_PUBLIC_LEN && crypto_sign_SEEDBYTES == SIGN_SEED_LEN, "keys");
static_assert(crypto_sign_BYTES == SIGN_MARK_LEN, "signature");

fallible sign_open(
    struct secret_slab *slab, const struct secret *seed, struct secret *ret_key,
    struct sign_public *ret_public)
{
    assert(seed->n == SIGN_SEED_LEN);
    struct secret key;
    TRY(secret_new(slab, crypto_sign_SECRETKEYBYTES, &key));
    crypto_sign_seed_keypair(ret_public->b, key.bytes, seed->bytes);
    *ret_key = key;
    return OK;
}

struct sign_mark sign_make(const struct secret *key, struct slice data)
{
    assert(key->n == crypto_sign_SECRETKEYBYTES);
    struct sign_mark mark;
    crypto_sign_detached(mark.b, NULL, (const unsigned char *)data.p, data.n, key->bytes);
    return mark;
}

bool sign_public_is_good(const struct sign_public *key)
{
    return crypto_core_ed25519_is_valid_point(key->b) == 1;
}

bool sign_is_good(const struct sign_public *key, struct slice data, const struct sign_mark *mark)
{
    return crypto_sign_verify_detached(mark->b, (const unsigned char *)data.p, data.n, key->b) == 0;
}
