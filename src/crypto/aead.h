/* aead.h - sealing with XChaCha20-Poly1305, bound to a place.                   room: crypto   runs in: vault
 *
 * A sealed value is one format octet (1), a random nonce of 24 octets, the encrypted octets and a tag of 16.
 * The associated data says where the value belongs (table, row, column): moved elsewhere, it does not open.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/buf.h"
#include "crypto/secret.h"

enum { AEAD_KEY_LEN = 32, AEAD_OVERHEAD = 1 + 24 + 16 };

/* Appends the sealed value to out (sticky error). The key has AEAD_KEY_LEN octets. */
void aead_seal(const struct secret *key, struct slice place, struct slice plain, struct buf *out);
/* ERR_CORRUPT: damaged, another key, or another place. ERR_LIMIT: the slab is full. */
fallible aead_open(
    const struct secret *key, struct slice place, struct slice sealed, struct secret_slab *slab,
    struct secret *ret_plain);

#endif
