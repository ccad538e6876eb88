#include "crypto/aead.h"

#include <assert.h>
#include <sodium.h>

#include "crypto/random.h"

enum { FORMAT = 1, NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES };
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == AEAD_KEY_LEN, "the key's length");
static_assert(
    1 + NONCE_LEN + crypto_aead_xchacha20poly1305_ietf_ABYTES == AEAD_OVERHEAD, "what sealing adds");

void aead_seal(const struct secret *key, struct slice place, struct slice plain, struct buf *out)
{
    struct slice k = secret_reveal(key);
    assert(k.n == AEAD_KEY_LEN);
    unsigned char *at = (unsigned char *)buf_reserve(out, plain.n + AEAD_OVERHEAD);
    if (!at)
        return;
    at[0] = FORMAT;
    random_bytes(at + 1, NONCE_LEN);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        at + 1 + NONCE_LEN, NULL, (const unsigned char *)plain.p, plain.n, (const unsigned char *)place.p,
        place.n, NULL, at + 1, (const unsigned char *)k.p);
    buf_added(out, plain.n + AEAD_OVERHEAD);
}

fallible aead_open(
    const struct secret *key, struct slice place, struct slice sealed, struct secret_slab *slab,
    struct secret *ret_plain)
{
    struct slice k = secret_reveal(key);
    assert(k.n == AEAD_KEY_LEN);
    if (sealed.n < AEAD_OVERHEAD || sealed.p[0] != FORMAT)
        return ERR_CORRUPT;
    const unsigned char *at = (const unsigned char *)sealed.p;
    struct secret plain CLEANUP_SECRET = SECRET_NONE;
    TRY(secret_new(slab, sealed.n - AEAD_OVERHEAD, &plain));
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain.bytes, NULL, NULL, at + 1 + NONCE_LEN, sealed.n - 1 - NONCE_LEN,
            (const unsigned char *)place.p, place.n, at + 1, (const unsigned char *)k.p) != 0)
        return ERR_CORRUPT;
    *ret_plain = plain;
    plain = SECRET_NONE;
    return OK;
}
