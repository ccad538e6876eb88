#include "crypto/sign.h"

#include <assert.h>
#include <sodium.h>

static_assert(crypto_core_ed25519_BYTES == SIGN_PUBLIC_LEN, "a point is a public key");

bool sign_public_is_good(const struct sign_public *key)
{
    return crypto_core_ed25519_is_valid_point(key->b) == 1;
}
