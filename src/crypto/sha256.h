/* sha256.h - SHA-256, HMAC-SHA-256 and PBKDF2 for formats that ask for them.   room: crypto   runs in: all
 *
 * Used by SCRAM (RFC 5802, 7677), by the store for the octets of messages, later by DKIM. A running state
 * holds heap memory: end it with sha256_end, or give it up with sha256_done.
 */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "base/slice.h"

enum { SHA256_LEN = 32 };

struct evp_md_ctx_st;
struct sha256 {
    struct evp_md_ctx_st *ctx;
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, struct slice data);
/* Writes the digest and frees the state. */
void sha256_end(struct sha256 *s, uint8_t out[SHA256_LEN]);
/* Frees without a result; a zeroed or ended state is left alone. */
void sha256_done(struct sha256 *s);
void sha256_of(struct slice data, uint8_t out[SHA256_LEN]);

/* RFC 2104. Key of any length. */
void hmac_sha256(struct slice key, struct slice data, uint8_t out[SHA256_LEN]);
/* RFC 8018 5.2 with HMAC-SHA-256; one block, as SCRAM's Hi(). rounds at least 1. */
void pbkdf2_sha256(struct slice password, struct slice salt, uint32_t rounds, uint8_t out[SHA256_LEN]);

#endif
