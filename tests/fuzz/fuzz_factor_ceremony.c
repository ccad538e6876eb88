/* fuzz_factor_ceremony - whole answers of a security key. The input is attestation object or authenticator data and signature,
 * behind fixed client data; nobody who does not hold the key makes an assertion that is accepted. */
#include <assert.h>

#include "base/encode.h"
#include "crypto/random.h"
#include "factor/ceremony.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t challenge[32] = {1, 2, 3};
static const struct slice origins[] = {{"https://mail.example.test", 25}};

static struct ceremony expected_for(bool is_registration)
{
    return (struct ceremony){
        .is_registration = is_registration,
        .challenge = slice_of(challenge, sizeof challenge),
        .rp_id = S("mail.example.test"),
        .origins = origins,
        .origin_count = 1,
    };
}

#define CLIENT_DATA(type)                                                                                    \
    S("{\"type\":\"" type "\",\"challenge\":\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","                \
      "\"origin\":\"https://mail.example.test\"}")

/* A P-256 key whose private half was thrown away. */
static const char cose_hex[] =
    "a5010203262001215820d759c28b968843767c7935e32150b6f9b93883474e954d567914b13d48c60c60"
    "225820c25fcb644d763cba2584e835d24a6652cda25cdc5f523aed50e7600af3807e5c";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char cose[77];
    static bool ready;
    if (!ready) {
        crypto_init();
        factor_init();
        enum err e = hex_get(slice_sub(slice_str(cose_hex), 0, sizeof cose * 2), cose, sizeof cose);
        assert(e == OK);
        ready = true;
    }
    struct ceremony enrol = expected_for(true), sign_in = expected_for(false);
    struct ceremony_credential credential;
    uint32_t counter = 0;
    struct slice octets = slice_of(data, size);
    if (ceremony_register(&enrol, CLIENT_DATA("webauthn.create"), octets, &credential) == FLAW_NONE)
        assert(credential.id.n && credential.id.n <= LIMIT_CREDENTIAL_ID && credential.cose.n);
    size_t at = size > 1 ? data[0] : 0;
    struct ceremony_assertion answer = {
        CLIENT_DATA("webauthn.get"), slice_sub(octets, 1, at), slice_from(octets, 1 + at)};
    enum flaw flaw = ceremony_assert(&sign_in, slice_of(cose, sizeof cose), &answer, &counter);
    assert(flaw != FLAW_NONE && flaw != FLAW_KEY && flaw != FLAW_CLIENT_DATA);
    return 0;
}
