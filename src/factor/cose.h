/* cose.h - public keys of security keys: COSE_Key of three algorithms (RFC 9053, RFC 8230).      room: factor   runs in: vault
 *
 * ES256 on P-256, EdDSA on Ed25519, RS256 with 2048 bits and the exponent 65537; everything else is refused, also
 * members beside the needed ones (WebAuthn L2 6.5.1.1). That a point lies on its curve is asked of the libraries. Pure.
 */
#ifndef FACTOR_COSE_H
#define FACTOR_COSE_H

#include "factor/ceremony.h"

/* Values of the COSE registry. */
enum cose_algorithm { COSE_ALG_ES256 = -7, COSE_ALG_EDDSA = -8, COSE_ALG_RS256 = -257 };
enum { COSE_MATERIAL_MAX = 256 + 3 };
struct cose_key {
    enum cose_algorithm algorithm;
    size_t length; /* ES256: x, y; EdDSA: the point; RS256: modulus, exponent */
    unsigned char material[COSE_MATERIAL_MAX];
};
/* FLAW_NONE, FLAW_ALGORITHM, FLAW_KEY. */
enum flaw cose_read(struct slice octets, struct cose_key *ret_key);

#endif
