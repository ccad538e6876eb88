/* ceremony.h - is this answer of a security key right? (WebAuthn L2 7.1, 7.2)      room: factor   runs in: vault
 *
 * Both ceremonies in one place: what is expected, what the browser and the key answered, and every check that needs no store,
 * in the order of the specification. Each way to be wrong has a name, so that a test can say which check refused and an owner
 * can be told; the wire never learns it.
 *
 * Pure: the caller keeps the challenge, uses it once, and knows whose credential id it is (vault/webauthn.h).
 */
#ifndef FACTOR_CEREMONY_H
#define FACTOR_CEREMONY_H

#include "base/buf.h"
#include "base/limits.h"

struct ceremony {
    bool is_registration;
    struct slice challenge; /* octets */
    struct slice rp_id;
    const struct slice *origins;
    size_t origin_count;
    bool needs_verified, needs_bound; /* as policy: user verified; the key cannot be copied */
};

/* FLAW(NAME, "stable-name") */
#define FLAWS(FLAW)                                                                                          \
    FLAW(NONE, "none")                                                                                       \
    FLAW(CLIENT_DATA, "client-data")     /* not JSON as it should be */                                      \
    FLAW(TYPE, "type")                   /* made for the other ceremony */                                   \
    FLAW(CHALLENGE, "challenge")         /* another challenge */                                             \
    FLAW(ORIGIN, "origin")               /* another site */                                                  \
    FLAW(CROSS_ORIGIN, "cross-origin")   /* within a frame of another site */                                \
    FLAW(TOKEN_BINDING, "token-binding") /* bound to a TLS connection that we do not know */                 \
    FLAW(AUTHENTICATOR, "authenticator") /* authenticator data not as it should be */                        \
    FLAW(RP_ID, "rp-id")                 /* for another site */                                              \
    FLAW(NOT_PRESENT, "not-present")     /* nobody touched the key */                                        \
    FLAW(NOT_VERIFIED, "not-verified")   /* no PIN, no finger, and policy wants it */                        \
    FLAW(BACKUP, "backup")               /* backed up without being eligible, or policy wants bound keys */  \
    FLAW(ALGORITHM, "algorithm")         /* a kind of key that we do not take */                             \
    FLAW(KEY, "key")                     /* a weak or impossible public key */                               \
    FLAW(CREDENTIAL, "credential")       /* of another account */                                            \
    FLAW(ATTESTATION, "attestation")     /* a format that we do not take, or a wrong statement */            \
    FLAW(SIGNATURE, "signature")

enum flaw {
#define FLAW(name, text) FLAW_##name,
    FLAWS(FLAW)
#undef FLAW
        FLAW_N
};
/* "origin"; never NULL. */
const char *flaw_name(enum flaw flaw);

/* A public key (COSE_Key, RFC 9053) with the credential id it belongs to. Slices point into what was read. */
struct ceremony_credential {
    struct slice id, cose;
    uint32_t counter;
    bool is_verified, can_be_copied; /* user verified at registration; the backup-eligible flag */
};
/* What a registration leaves to be stored. *ret_credential is set only with FLAW_NONE. */
enum flaw ceremony_register(
    const struct ceremony *expected, struct slice client_data, struct slice attestation,
    struct ceremony_credential *ret_credential);

struct ceremony_assertion {
    struct slice client_data, authenticator_data, signature;
};
/* *ret_counter (the key's signature counter) is set only with FLAW_NONE. */
enum flaw ceremony_assert(
    const struct ceremony *expected, struct slice cose, const struct ceremony_assertion *answer,
    uint32_t *ret_counter);

/* Before the jail: the libraries of this room. More calls do nothing. */
void factor_init(void);

#endif
