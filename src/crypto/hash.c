#include "crypto/hash.h"

#include <assert.h>
#include <sodium.h>

static_assert(sizeof(crypto_generichash_state) <= sizeof(struct hash_state), "the state fits");
static_assert(_Alignof(crypto_generichash_state) <= _Alignof(struct hash_state), "the state is aligned");

struct hash hash_of(const struct secret *key, struct slice data)
{
    struct slice k = key ? secret_reveal(key) : SLICE_EMPTY;
    assert(k.n <= HASH_KEY_MAX);
    struct hash out;
    int failed = crypto_generichash(
        out.b, sizeof out.b, (const unsigned char *)data.p, data.n, (const unsigned char *)k.p, k.n);
    assert(!failed);
    return out;
}

void hash_start(struct hash_state *s, const struct secret *key)
{
    struct slice k = key ? secret_reveal(key) : SLICE_EMPTY;
    assert(k.n <= HASH_KEY_MAX);
    int failed = crypto_generichash_init((void *)s->space, (const unsigned char *)k.p, k.n, HASH_LEN);
    assert(!failed);
}

void hash_add(struct hash_state *s, struct slice data)
{
    if (data.n)
        crypto_generichash_update((void *)s->space, (const unsigned char *)data.p, data.n);
}

void hash_add_piece(struct hash_state *s, struct slice data)
{
    unsigned char n[8];
    for (int i = 0; i < 8; i++)
        n[i] = (unsigned char)((uint64_t)data.n >> 8 * i);
    hash_add(s, slice_of(n, sizeof n));
    hash_add(s, data);
}

struct hash hash_end(struct hash_state *s)
{
    struct hash out;
    crypto_generichash_final((void *)s->space, out.b, sizeof out.b);
    secret_wipe(s, sizeof *s);
    return out;
}

fallible
hash_derive_key(struct secret_slab *slab, const struct secret *key, const char *label, struct secret *ret_key)
{
    struct hash derived = hash_of(key, slice_str(label));
    enum err e = secret_copy(slab, hash_slice(&derived), ret_key);
    secret_wipe(&derived, sizeof derived);
    return e;
}

uint8_t slot_of(const struct account_id *id)
{
    return hash_of(NULL, slice_of(id->b, sizeof id->b)).b[0];
}
