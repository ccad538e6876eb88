#include "factor/verify.h"

#include <assert.h>

/* OpenSSL has a type of that name, and our error would be hidden. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#undef ERR_STATE

#include "base/limits.h"
#include "crypto/sha256.h"

static_assert(
    (int)COSE_ALG_ES256 == COSE_ES256 && (int)COSE_ALG_EDDSA == COSE_EDDSA, "as the library counts");
static_assert((int)COSE_ALG_RS256 == COSE_RS256, "as the library counts");

static const unsigned char *octets(struct slice s)
{
    return (const unsigned char *)s.p;
}

void verify_init(void)
{
    fido_init(0);
}

/* ---- public keys, in the library's form ---- */

static void *take_es256(const struct cose_key *key)
{
    es256_pk_t *pk = es256_pk_new();
    if (pk && es256_pk_from_ptr(pk, key->material, key->length) != FIDO_OK)
        es256_pk_free(&pk);
    return pk;
}

static void *take_eddsa(const struct cose_key *key)
{
    eddsa_pk_t *pk = eddsa_pk_new();
    if (pk && eddsa_pk_from_ptr(pk, key->material, key->length) != FIDO_OK)
        eddsa_pk_free(&pk);
    return pk;
}

static void *take_rs256(const struct cose_key *key)
{
    rs256_pk_t *pk = rs256_pk_new();
    if (pk && rs256_pk_from_ptr(pk, key->material, key->length) != FIDO_OK)
        rs256_pk_free(&pk);
    return pk;
}

static void drop_es256(void *pk)
{
    es256_pk_t *mine = pk;
    es256_pk_free(&mine);
}

static void drop_eddsa(void *pk)
{
    eddsa_pk_t *mine = pk;
    eddsa_pk_free(&mine);
}

static void drop_rs256(void *pk)
{
    rs256_pk_t *mine = pk;
    rs256_pk_free(&mine);
}

static const struct library_key {
    enum cose_algorithm algorithm;
    void *(*take)(const struct cose_key *);
    void (*drop)(void *);
} library_keys[] = {
    {COSE_ALG_ES256, take_es256, drop_es256},
    {COSE_ALG_EDDSA, take_eddsa, drop_eddsa},
    {COSE_ALG_RS256, take_rs256, drop_rs256},
};

static const struct library_key *library_of(enum cose_algorithm algorithm)
{
    for (size_t i = 0; i < sizeof library_keys / sizeof *library_keys; i++)
        if (library_keys[i].algorithm == algorithm)
            return &library_keys[i];
    return NULL;
}

bool verify_key(const struct cose_key *key)
{
    const struct library_key *library = library_of(key->algorithm);
    void *pk = library ? library->take(key) : NULL;
    if (library)
        library->drop(pk);
    return pk != NULL;
}

/* ---- assertions ---- */

static bool has_name(struct slice rp_id, char out[LIMIT_DOMAIN + 1])
{
    if (!rp_id.n || rp_id.n > LIMIT_DOMAIN || slice_has(rp_id, '\0'))
        return false;
    memcpy(out, rp_id.p, rp_id.n);
    out[rp_id.n] = '\0';
    return true;
}

static bool fill_assertion(fido_assert_t *a, const char *rp_id, const struct ceremony_assertion *answer)
{
    uint8_t hash[SHA256_LEN];
    sha256_of(answer->client_data, hash);
    struct slice data = answer->authenticator_data, sig = answer->signature;
    return fido_assert_set_count(a, 1) == FIDO_OK &&
           fido_assert_set_clientdata_hash(a, hash, sizeof hash) == FIDO_OK &&
           fido_assert_set_rp(a, rp_id) == FIDO_OK &&
           fido_assert_set_authdata_raw(a, 0, octets(data), data.n) == FIDO_OK &&
           fido_assert_set_sig(a, 0, octets(sig), sig.n) == FIDO_OK;
}

bool verify_assertion(struct slice rp_id, const struct cose_key *key, const struct ceremony_assertion *answer)
{
    char name[LIMIT_DOMAIN + 1];
    const struct library_key *library = library_of(key->algorithm);
    if (!library || !has_name(rp_id, name) || !answer->signature.n)
        return false;
    fido_assert_t *a = fido_assert_new();
    void *pk = library->take(key);
    bool good =
        a && pk && fill_assertion(a, name, answer) && fido_assert_verify(a, 0, key->algorithm, pk) == FIDO_OK;
    library->drop(pk);
    fido_assert_free(&a);
    return good;
}

/* ---- registrations ---- */

static bool fill_registration(
    fido_cred_t *c, const char *rp_id, const struct cose_key *key, struct slice client_data,
    const struct attestation *made)
{
    uint8_t hash[SHA256_LEN];
    sha256_of(client_data, hash);
    struct slice data = made->authenticator_data;
    return fido_cred_set_type(c, key->algorithm) == FIDO_OK &&
           fido_cred_set_clientdata_hash(c, hash, sizeof hash) == FIDO_OK &&
           fido_cred_set_rp(c, rp_id, NULL) == FIDO_OK &&
           fido_cred_set_authdata_raw(c, octets(data), data.n) == FIDO_OK;
}

static bool is_self_signed(fido_cred_t *c, struct slice statement)
{
    return fido_cred_set_fmt(c, "packed") == FIDO_OK &&
           fido_cred_set_attstmt(c, octets(statement), statement.n) == FIDO_OK && fido_cred_x5c_len(c) == 0 &&
           fido_cred_verify_self(c) == FIDO_OK;
}

bool verify_registration(
    struct slice rp_id, const struct cose_key *key, struct slice client_data, const struct attestation *made)
{
    char name[LIMIT_DOMAIN + 1];
    bool none = slice_eq(made->format, S("none")), packed = slice_eq(made->format, S("packed"));
    if ((!none && !packed) || !has_name(rp_id, name))
        return false;
    fido_cred_t *c = fido_cred_new();
    bool good = c && fill_registration(c, name, key, client_data, made);
    if (good && packed)
        good = is_self_signed(c, made->statement);
    fido_cred_free(&c);
    return good;
}
