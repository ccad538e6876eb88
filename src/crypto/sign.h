/* sign.h - public keys of Ed25519 (RFC 8032) that strangers bring.               room: crypto   runs in: vault
 *
 * Signatures themselves are checked by libfido2 (factor/verify.h), which takes any 32 octets for a key.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include <stdbool.h>
#include <stdint.h>

enum { SIGN_PUBLIC_LEN = 32 };

struct sign_public {
    uint8_t b[SIGN_PUBLIC_LEN];
};

/* A point on the curve, in its one spelling, and of full order: one of small order verifies signatures that nobody made. */
bool sign_public_is_good(const struct sign_public *key);

#endif
