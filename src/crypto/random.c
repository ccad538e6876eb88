#include "crypto/random.h"

#include <assert.h>
#include <sodium.h>

#include "base/log.h"
#include "crypto/evp.h"

void crypto_init(void)
{
    if (sodium_init() < 0)
        log_fatal("libsodium does not start");
    /* No openssl.cnf: what the machine's file says must not change what we compute, and the jail hides it
     * later. */
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        log_fatal("libcrypto does not start");
    /* Fetches the implementation now: a first use after the jail must find everything loaded. */
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest("", 0, digest, &n, EVP_sha256(), NULL) != 1)
        log_fatal("libcrypto has no SHA-256");
}

void random_bytes(void *out, size_t n)
{
    randombytes_buf(out, n);
}

uint64_t random_id64(void)
{
    uint64_t id;
    do
        random_bytes(&id, sizeof id);
    while (id == 0);
    return id;
}

uint32_t random_below(uint32_t bound)
{
    assert(bound > 0);
    return randombytes_uniform(bound);
}

struct account_id random_account_id(void)
{
    struct account_id id;
    random_bytes(id.b, sizeof id.b);
    return id;
}

struct delivery_id random_delivery_id(void)
{
    struct delivery_id id;
    random_bytes(id.b, sizeof id.b);
    return id;
}
