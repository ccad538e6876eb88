/* secret.h - memory for secrets: locked, not dumped, wiped on free.    room: crypto   runs in: gate vault cli
 *
 * A process has one slab: a mapping between two guard pages, locked into memory and left out of dumps.
 * Passwords and keys live there as `struct secret`, a type that no log function accepts; secret_reveal is the
 * one way to its octets, and easy to look for. Blocks are zeroed when freed.
 *
 * Owns: the mapping; secrets must be freed before the slab. Fails: ERR_LIMIT when the slab is full. Not for
 * several threads: allocate and free on the loop thread (reading elsewhere meanwhile is fine).
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "base/slice.h"

struct secret_slab;
/* `size` is rounded up to whole pages. Never NULL. When the kernel refuses to lock (RLIMIT_MEMLOCK), the slab
 * works all the same and secret_slab_is_locked tells, so that `status` can say what is missing. */
struct secret_slab *secret_slab_new(size_t size);
/* Wipes all of it; no secret may be in use. */
void secret_slab_free(struct secret_slab **slab);
bool secret_slab_is_locked(const struct secret_slab *slab);
/* Octets handed out, rounded to blocks. For tests and status. */
size_t secret_slab_used(const struct secret_slab *slab);

struct secret {
    unsigned char *bytes; /* NULL: none */
    size_t n;
    struct secret_slab *slab;
};
#define SECRET_NONE ((struct secret){NULL, 0, NULL})
#define CLEANUP_SECRET __attribute__((cleanup(secret_free)))

/* n zeroed octets. n may be 0: an empty secret is not the same as none. */
fallible secret_new(struct secret_slab *slab, size_t n, struct secret *ret_secret);
/* A copy of data. The caller wipes its own. */
fallible secret_copy(struct secret_slab *slab, struct slice data, struct secret *ret_secret);
/* n random octets: a new key. */
fallible secret_random(struct secret_slab *slab, size_t n, struct secret *ret_secret);
/* Wipes, frees, and leaves SECRET_NONE. SECRET_NONE is left alone. */
void secret_free(struct secret *s);
/* Wipes what is behind the first n octets and forgets it. n at most the present length. */
void secret_shorten(struct secret *s, size_t n);
/* The octets, to compute with, good until the secret is freed. Never to be logged, printed or kept. */
struct slice secret_reveal(const struct secret *s);

/* The one comparison for secrets, hashes of secrets, tickets and codes: time depends on the lengths only. */
bool secret_same(struct slice a, struct slice b);
/* Zeroes memory in a way that the compiler keeps. */
void secret_wipe(void *p, size_t n);

#endif
