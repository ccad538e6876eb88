/* hash.h - BLAKE2b, keyed and plain, and the slot of an account.                room: crypto   runs in: all
 *
 * BLAKE2b (RFC 7693) is the house's own hash: identities, chains, keyed look-ups. SHA-256 (sha256.h) is for
 * formats that ask for it. Keys are `struct secret`, at most 64 octets.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/ids.h"
#include "base/slice.h"
#include "crypto/secret.h"

enum { HASH_LEN = 32, HASH_KEY_MAX = 64 };

struct hash {
    uint8_t b[HASH_LEN];
};

static inline struct slice hash_slice(const struct hash *h)
{
    return slice_of(h->b, sizeof h->b);
}

/* BLAKE2b-256 of data; `key` may be NULL. */
struct hash hash_of(const struct secret *key, struct slice data);

/* Piece by piece; the state is in place and is wiped by hash_end. */
struct hash_state {
    _Alignas(64) unsigned char space[384];
};
void hash_start(struct hash_state *s, const struct secret *key);
void hash_add(struct hash_state *s, struct slice data);
struct hash hash_end(struct hash_state *s);
/* Adds the length as eight octets and then the data, so that no two lists of pieces give one stream. */
void hash_add_piece(struct hash_state *s, struct slice data);

/* A key of 32 octets for one purpose, derived from another key: BLAKE2b keyed by `key` over `label`.
 * ERR_LIMIT when the slab is full. */
fallible hash_derive_key(
    struct secret_slab *slab, const struct secret *key, const char *label, struct secret *ret_key);

/* The first octet of BLAKE2b of the id: which of 256 slots owns the account (docs/architecture.md). */
uint8_t slot_of(const struct account_id *id);

#endif
