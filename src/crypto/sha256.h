/* sha256.h - SHA-256, HMAC-SHA-256 and PBKDF2 for formats that ask for them.   room: crypto   runs in: all
 *
 * Asked for by SCRAM (RFC 5802, 7677), WebAuthn and certificates. The house's own hash is BLAKE2b (hash.h).
 */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "base/slice.h"

enum { SHA256_LEN = 32 };

void sha256_of(struct slice data, uint8_t out[SHA256_LEN]);

/* RFC 2104. Key of any length. */
void hmac_sha256(struct slice key, struct slice data, uint8_t out[SHA256_LEN]);
/* RFC 8018 5.2 with HMAC-SHA-256; one block, as SCRAM's Hi(). rounds at least 1. */
void pbkdf2_sha256(struct slice password, struct slice salt, uint32_t rounds, uint8_t out[SHA256_LEN]);

#endif
