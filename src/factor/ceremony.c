#include "factor/ceremony.h"

#include <assert.h>
#include <jansson.h>
#include <liboath/oath.h>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "factor/authenticator.h"
#include "factor/cbor.h"
#include "factor/client_data.h"
#include "factor/cose.h"
#include "factor/verify.h"

static const char *const flaw_names[] = {
#define FLAW(name, text) text,
    FLAWS(FLAW)
#undef FLAW
};
static_assert(sizeof flaw_names / sizeof *flaw_names == FLAW_N, "a flaw without a name");

const char *flaw_name(enum flaw flaw)
{
    return (unsigned)flaw < FLAW_N ? flaw_names[flaw] : "unknown";
}

void factor_init(void)
{
    int ready = oath_init();
    assert(ready == OATH_OK);
    verify_init();
    json_object_seed(
        1 + random_below(UINT32_MAX - 1)); /* else jansson would look for a device file at its first object */
}

/* What authenticator data must say in both ceremonies (7.1 steps 13 to 18, 7.2 steps 15 to 17). */
static enum flaw check_data(const struct ceremony *expected, const struct authenticator_data *data)
{
    uint8_t hash[SHA256_LEN];
    sha256_of(expected->rp_id, hash);
    bool eligible = data->flags & FLAG_BACKUP_ELIGIBLE, backed_up = data->flags & FLAG_BACKED_UP;
    if (!secret_same(data->rp_id_hash, slice_of(hash, sizeof hash)))
        return FLAW_RP_ID;
    if (!(data->flags & FLAG_PRESENT))
        return FLAW_NOT_PRESENT;
    if (expected->needs_verified && !(data->flags & FLAG_VERIFIED))
        return FLAW_NOT_VERIFIED;
    if ((backed_up && !eligible) || (expected->needs_bound && eligible))
        return FLAW_BACKUP;
    return FLAW_NONE;
}

/* Nothing is said with "none"; "packed" without certificates is algorithm and signature (8.2). */
static enum flaw check_statement(const struct attestation *made, const struct cose_key *key)
{
    struct cbor_item map, algorithm, signature;
    if (cbor_read(made->statement, &map) != OK)
        return FLAW_ATTESTATION;
    if (slice_eq(made->format, S("none")))
        return map.number == 0 ? FLAW_NONE : FLAW_ATTESTATION;
    bool self = slice_eq(made->format, S("packed")) && map.number == 2 &&
                cbor_find_text(&map, S("alg"), &algorithm) && cbor_is_number(&algorithm, key->algorithm) &&
                cbor_find_text(&map, S("sig"), &signature) && signature.kind == CBOR_BYTES;
    return self ? FLAW_NONE : FLAW_ATTESTATION;
}

static enum flaw check_registered(
    const struct ceremony *expected, struct slice client_data, const struct attestation *made,
    const struct authenticator_data *data)
{
    struct cose_key key;
    if (!(data->flags & FLAG_CREDENTIAL))
        return FLAW_AUTHENTICATOR;
    enum flaw flaw = check_data(expected, data);
    if (flaw == FLAW_NONE)
        flaw = cose_read(data->cose, &key);
    if (flaw == FLAW_NONE && !verify_key(&key))
        flaw = FLAW_KEY;
    if (flaw == FLAW_NONE)
        flaw = check_statement(made, &key);
    if (flaw == FLAW_NONE && !verify_registration(expected->rp_id, &key, client_data, made))
        flaw = FLAW_SIGNATURE;
    return flaw;
}

enum flaw ceremony_register(
    const struct ceremony *expected, struct slice client_data, struct slice attestation,
    struct ceremony_credential *ret_credential)
{
    struct attestation made;
    struct authenticator_data data;
    assert(expected->is_registration);
    enum flaw flaw = client_data_check(client_data, expected);
    if (flaw != FLAW_NONE)
        return flaw;
    if (attestation_read(attestation, &made) != OK)
        return FLAW_ATTESTATION;
    if (authenticator_data_read(made.authenticator_data, &data) != OK)
        return FLAW_AUTHENTICATOR;
    flaw = check_registered(expected, client_data, &made, &data);
    if (flaw != FLAW_NONE)
        return flaw;
    *ret_credential = (struct ceremony_credential){
        .id = data.credential_id,
        .cose = data.cose,
        .counter = data.counter,
        .is_verified = (data.flags & FLAG_VERIFIED) != 0,
        .can_be_copied = (data.flags & FLAG_BACKUP_ELIGIBLE) != 0,
    };
    return FLAW_NONE;
}

enum flaw ceremony_assert(
    const struct ceremony *expected, struct slice cose, const struct ceremony_assertion *answer,
    uint32_t *ret_counter)
{
    struct authenticator_data data;
    struct cose_key key;
    assert(!expected->is_registration);
    enum flaw flaw = client_data_check(answer->client_data, expected);
    if (flaw != FLAW_NONE)
        return flaw;
    if (authenticator_data_read(answer->authenticator_data, &data) != OK || (data.flags & FLAG_CREDENTIAL))
        return FLAW_AUTHENTICATOR;
    flaw = check_data(expected, &data);
    if (flaw == FLAW_NONE)
        flaw = cose_read(cose, &key);
    if (flaw == FLAW_NONE && !verify_assertion(expected->rp_id, &key, answer))
        flaw = FLAW_SIGNATURE;
    if (flaw == FLAW_NONE)
        *ret_counter = data.counter;
    return flaw;
}
