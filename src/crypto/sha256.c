#include "crypto/sha256.h"

#include <assert.h>
#include <sodium.h>

#include "base/log.h"
#include "crypto/evp.h"
#include "crypto/secret.h"

void sha256_of(struct slice data, uint8_t out[SHA256_LEN])
{
    unsigned n = 0;
    if (EVP_Digest(data.n ? data.p : "", data.n, out, &n, EVP_sha256(), NULL) != 1)
        log_fatal("libcrypto does not hash");
    assert(n == SHA256_LEN);
}

void hmac_sha256(struct slice key, struct slice data, uint8_t out[SHA256_LEN])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.n);
    if (data.n)
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)data.p, data.n);
    crypto_auth_hmacsha256_final(&state, out);
    secret_wipe(&state, sizeof state);
}

void pbkdf2_sha256(struct slice password, struct slice salt, uint32_t rounds, uint8_t out[SHA256_LEN])
{
    assert(rounds > 0 && rounds <= INT32_MAX && password.n <= INT32_MAX && salt.n <= INT32_MAX);
    if (PKCS5_PBKDF2_HMAC(
            password.n ? password.p : "", (int)password.n, (const unsigned char *)salt.p, (int)salt.n,
            (int)rounds, EVP_sha256(), SHA256_LEN, out) != 1)
        log_fatal("libcrypto does not hash");
}
