/* box.h - sealed boxes: for somebody who is not here.                            room: crypto   runs in: cli
 *
 * X25519 with XSalsa20-Poly1305 and an ephemeral key for each box (libsodium's crypto_box_seal): who holds the public half
 * can seal and cannot open, not even what it sealed itself. A box says nothing about who made it.
 *
 * Fails: ERR_CORRUPT (damaged, or for another key), ERR_LIMIT (the slab is full).
 */
#ifndef CRYPTO_BOX_H
#define CRYPTO_BOX_H

#include "base/buf.h"
#include "crypto/secret.h"

enum { BOX_PUBLIC_LEN = 32, BOX_OVERHEAD = 48 };

struct box_public {
    uint8_t b[BOX_PUBLIC_LEN];
};

/* A new pair; the secret half has 32 octets. */
fallible box_pair_make(struct secret_slab *slab, struct box_public *ret_public, struct secret *ret_secret);
/* Appends the box to out (sticky error). ERR_CORRUPT: the public half is no key (a damaged file). */
fallible box_seal(const struct box_public *to, struct slice plain, struct buf *out);
fallible box_open(
    const struct box_public *to, const struct secret *key, struct slice box, struct secret_slab *slab,
    struct secret *ret_plain);

#endif
