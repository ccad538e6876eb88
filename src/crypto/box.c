#include "crypto/box.h"

#include <assert.h>
#include <sodium.h>

static_assert(crypto_box_PUBLICKEYBYTES == BOX_PUBLIC_LEN, "the public half");
static_assert(crypto_box_SEALBYTES == BOX_OVERHEAD, "what a box adds");

fallible box_pair_make(struct secret_slab *slab, struct box_public *ret_public, struct secret *ret_secret)
{
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    TRY(secret_new(slab, crypto_box_SECRETKEYBYTES, &key));
    crypto_box_keypair(ret_public->b, key.bytes);
    *ret_secret = key;
    key = SECRET_NONE;
    return OK;
}

fallible box_seal(const struct box_public *to, struct slice plain, struct buf *out)
{
    unsigned char *at = (unsigned char *)buf_reserve(out, plain.n + BOX_OVERHEAD);
    if (!at)
        return buf_check(out);
    if (crypto_box_seal(at, (const unsigned char *)plain.p, plain.n, to->b) != 0)
        return ERR_CORRUPT;
    buf_added(out, plain.n + BOX_OVERHEAD);
    return OK;
}

fallible box_open(
    const struct box_public *to, const struct secret *key, struct slice box, struct secret_slab *slab,
    struct secret *ret_plain)
{
    struct secret plain CLEANUP_SECRET = SECRET_NONE;
    assert(secret_reveal(key).n == crypto_box_SECRETKEYBYTES);
    if (box.n < BOX_OVERHEAD)
        return ERR_CORRUPT;
    TRY(secret_new(slab, box.n - BOX_OVERHEAD, &plain));
    if (crypto_box_seal_open(
            plain.bytes, (const unsigned char *)box.p, box.n, to->b,
            (const unsigned char *)secret_reveal(key).p) != 0)
        return ERR_CORRUPT;
    *ret_plain = plain;
    plain = SECRET_NONE;
    return OK;
}
