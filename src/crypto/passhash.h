/* passhash.h - Argon2id for secrets that people choose (RFC 9106).             room: crypto   runs in: vault cli
 *
 * The stored form is the usual text "$argon2id$v=19$m=...,t=...,p=1$salt$hash". Computing takes tens of
 * milliseconds and the memory of its cost: the vault does it in its pool. What a stored text asks for is
 * bounded before anything is computed, so a damaged row cannot make us allocate.
 */
#ifndef CRYPTO_PASSHASH_H
#define CRYPTO_PASSHASH_H

#include "base/slice.h"

enum { PASSHASH_TEXT_MAX = 128 };

struct passhash_cost {
    uint32_t memory_kib; /* 8 .. PASSHASH_MEMORY_MAX_KIB */
    uint32_t passes;     /* 1 .. PASSHASH_PASSES_MAX */
};
enum { PASSHASH_MEMORY_MAX_KIB = 1024 * 1024, PASSHASH_PASSES_MAX = 16 };
/* 64 MiB, 3 passes. */
extern const struct passhash_cost passhash_cost_default;

/* Writes a C string. ERR_LIMIT: cost out of bounds; ERR_MEMORY. */
fallible passhash_make(struct slice password, struct passhash_cost cost, char out[PASSHASH_TEXT_MAX]);
/* OK; ERR_DENIED: another password; ERR_CORRUPT: not such a text, or a cost out of bounds; ERR_MEMORY. */
fallible passhash_check(struct slice stored, struct slice password);
/* True when the stored text was made with another cost (or is damaged): hash anew at the next sign-in. */
bool passhash_needs_rehash(struct slice stored, struct passhash_cost cost);

/* A key of 32 octets from a passphrase, for files that people carry about. ERR_LIMIT: cost out of bounds, or the slab is
 * full; ERR_MEMORY. */
enum { PASSHASH_SALT_LEN = 16, PASSHASH_KEY_LEN = 32 };
struct secret;
struct secret_slab;
fallible passhash_derive_key(
    struct secret_slab *slab, struct slice passphrase, const uint8_t salt[PASSHASH_SALT_LEN],
    struct passhash_cost cost, struct secret *ret_key);

#endif
