/* verify.h - signatures of security keys, checked by libfido2.                    room: factor   runs in: vault
 *
 * The only place that sees libfido2. What comes here has passed our own readers (cbor.h, authenticator.h, cose.h); the library
 * reads it once more, which is a second opinion, and asks OpenSSL. Pure; false also when memory is short.
 */
#ifndef FACTOR_VERIFY_H
#define FACTOR_VERIFY_H

#include "factor/authenticator.h"
#include "factor/cose.h"

void verify_init(void);
/* Is it a key at all: a point on its curve, a modulus the library takes? */
bool verify_key(const struct cose_key *key);
bool verify_assertion(
    struct slice rp_id, const struct cose_key *key, const struct ceremony_assertion *answer);
/* Format "none" has no signature, only form; "packed" is signed by the new key itself. Another format is false. */
bool verify_registration(
    struct slice rp_id, const struct cose_key *key, struct slice client_data, const struct attestation *made);

#endif
