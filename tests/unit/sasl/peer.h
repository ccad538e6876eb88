/* peer.h - what the tests of mechanisms share: a slab, a judge who knows one secret, and a SCRAM client by hand. */
#ifndef TESTS_SASL_PEER_H
#define TESTS_SASL_PEER_H

#include "test.h"

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/random.h"
#include "crypto/sha256.h"
#include "sasl/ops.h"

/* The secret and the salt of RFC 7677 section 3. */
static const struct slice peer_secret = {"pencil", 6};
static const char peer_salt[] = "W22ZaJ0SNY7soEsUEjb6gQ==";
static const uint32_t peer_rounds = 4096;

struct peer_keys {
    uint8_t client[32], stored[32], server[32];
};

static inline struct peer_keys peer_keys_of(struct slice secret)
{
    struct peer_keys k;
    uint8_t salted[32];
    struct buf salt CLEANUP_BUF = BUF_INIT(64);
    assert_int_equal(base64_get(slice_str(peer_salt), &salt), OK);
    pbkdf2_sha256(secret, buf_slice(&salt), peer_rounds, salted);
    hmac_sha256(slice_of(salted, 32), S("Client Key"), k.client);
    sha256_of(slice_of(k.client, 32), k.stored);
    hmac_sha256(slice_of(salted, 32), S("Server Key"), k.server);
    return k;
}

static inline fallible peer_salt_of(void *owner, struct slice name, struct buf *salt, uint32_t *ret_rounds)
{
    (void)name;
    if (owner)
        return ERR_UNAVAILABLE;
    TRY(base64_get(slice_str(peer_salt), salt));
    *ret_rounds = peer_rounds;
    return OK;
}

/* Appends ",p=" and the proof that `keys` give for this AuthMessage. */
static inline void peer_put_proof(struct buf *final, const struct peer_keys *keys, struct slice auth_message)
{
    uint8_t proof[32];
    hmac_sha256(slice_of(keys->stored, 32), auth_message, proof);
    for (size_t i = 0; i < sizeof proof; i++)
        proof[i] ^= keys->client[i];
    buf_put_str(final, ",p=");
    base64_put(final, slice_of(proof, sizeof proof));
}

#endif
