#include "crypto/passhash.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

#include "crypto/secret.h"

static_assert(crypto_pwhash_STRBYTES <= PASSHASH_TEXT_MAX, "the text fits");

const struct passhash_cost passhash_cost_default = {.memory_kib = 64 * 1024, .passes = 3};

static bool is_allowed(struct passhash_cost cost)
{
    return cost.memory_kib >= 8 && cost.memory_kib <= PASSHASH_MEMORY_MAX_KIB && cost.passes >= 1 &&
           cost.passes <= PASSHASH_PASSES_MAX;
}

fallible passhash_make(struct slice password, struct passhash_cost cost, char out[PASSHASH_TEXT_MAX])
{
    if (!is_allowed(cost))
        return ERR_LIMIT;
    char text[PASSHASH_TEXT_MAX] = {0};
    if (crypto_pwhash_str_alg(
            text, password.n ? password.p : "", password.n, cost.passes, (size_t)cost.memory_kib * 1024,
            crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_MEMORY;
    memcpy(out, text, sizeof text);
    return OK;
}

/* Takes "NAME=number" off the front, up to `end`. */
static fallible take_number(struct slice *rest, struct slice name, char end, uint32_t *ret_value)
{
    struct slice word;
    uint64_t value;
    if (!slice_cut(rest, end, &word) || !slice_starts(word, name))
        return ERR_CORRUPT;
    if (slice_to_u64(slice_from(word, name.n), UINT32_MAX, &value) != OK)
        return ERR_CORRUPT;
    *ret_value = (uint32_t)value;
    return OK;
}

static fallible read_cost(struct slice stored, struct passhash_cost *ret_cost)
{
    static const struct slice head = {"$argon2id$v=19$", 15};
    if (stored.n >= crypto_pwhash_STRBYTES || !slice_starts(stored, head))
        return ERR_CORRUPT;
    struct slice rest = slice_from(stored, head.n);
    struct passhash_cost cost;
    uint32_t lanes;
    TRY(take_number(&rest, S("m="), ',', &cost.memory_kib));
    TRY(take_number(&rest, S("t="), ',', &cost.passes));
    TRY(take_number(&rest, S("p="), '$', &lanes));
    if (!is_allowed(cost) || lanes != 1)
        return ERR_CORRUPT;
    *ret_cost = cost;
    return OK;
}

fallible passhash_check(struct slice stored, struct slice password)
{
    struct passhash_cost cost;
    TRY(read_cost(stored, &cost));
    char text[crypto_pwhash_STRBYTES] = {0};
    memcpy(text, stored.p, stored.n);
    errno = 0;
    int wrong = crypto_pwhash_str_verify(text, password.n ? password.p : "", password.n);
    secret_wipe(text, sizeof text);
    if (!wrong)
        return OK;
    /* libsodium says EINVAL for a mismatch; anything else never got as far as comparing. */
    return errno == EINVAL ? ERR_DENIED : errno == ENOMEM ? ERR_MEMORY : ERR_CORRUPT;
}

bool passhash_needs_rehash(struct slice stored, struct passhash_cost cost)
{
    struct passhash_cost made;
    return read_cost(stored, &made) != OK || made.memory_kib != cost.memory_kib || made.passes != cost.passes;
}

static_assert(crypto_pwhash_SALTBYTES == PASSHASH_SALT_LEN, "the salt's length");

fallible passhash_derive_key(
    struct secret_slab *slab, struct slice passphrase, const uint8_t salt[PASSHASH_SALT_LEN],
    struct passhash_cost cost, struct secret *ret_key)
{
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    if (!is_allowed(cost))
        return ERR_LIMIT;
    TRY(secret_new(slab, PASSHASH_KEY_LEN, &key));
    if (crypto_pwhash(
            key.bytes, key.n, passphrase.n ? passphrase.p : "", passphrase.n, salt, cost.passes,
            (size_t)cost.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_MEMORY;
    *ret_key = key;
    key = SECRET_NONE;
    return OK;
}
