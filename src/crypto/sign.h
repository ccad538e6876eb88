/* sign.h - Ed25519 signatures (RFC 8032).                                       room: crypto   runs in:
 * scribe cli */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "crypto/secret.h"

enum { SIGN_PUBLIC_LEN = 32, SIGN_SEED_LEN = 32, SIGN_MARK_LEN = 64 };

struct sign_public {
    uint8_t b[SIGN_PUBLIC_LEN];
};
struct sign_mark {
    uint8_t b[SIGN_MARK_LEN];
};

/* A pair made from a seed of 32 octets (what is kept in a key file): ret_key signs. ERR_LIMIT when the slab
 * is full. */
fallible sign_open(
    struct secret_slab *slab, const struct secret *seed, struct secret *ret_key,
    struct sign_public *ret_public);
struct sign_mark sign_make(const struct secret *key, struct slice data);
/* For a key that a stranger brings: a point on the curve, in its one spelling, and of full order. */
bool sign_public_is_good(const struct sign_public *key);
bool sign_is_good(const struct sign_public *key, struct slice data, const struct sign_mark *mark);

#endif
