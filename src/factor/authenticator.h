/* authenticator.h - authenticator data, octet by octet (WebAuthn L2 6.1), and its attestation object.
 *                                                                               room: factor   runs in: vault
 *
 * Nothing may be missing and nothing may follow. Slices point into what was read. Pure.
 */
#ifndef FACTOR_AUTHENTICATOR_H
#define FACTOR_AUTHENTICATOR_H

#include "base/slice.h"

enum { RP_ID_HASH = 32, AAGUID = 16 };
/* L2 6.1; BE and BS as level 3 has them. */
enum {
    FLAG_PRESENT = 0x01,
    FLAG_VERIFIED = 0x04,
    FLAG_BACKUP_ELIGIBLE = 0x08,
    FLAG_BACKED_UP = 0x10,
    FLAG_CREDENTIAL = 0x40,
    FLAG_EXTENSIONS = 0x80,
};
struct authenticator_data {
    struct slice rp_id_hash;
    unsigned flags;
    uint32_t counter;
    struct slice credential_id, cose; /* with FLAG_CREDENTIAL */
};
/* ERR_SYNTAX, ERR_LIMIT. */
fallible authenticator_data_read(struct slice octets, struct authenticator_data *ret_data);

struct attestation {
    struct slice format, statement, authenticator_data; /* statement: a CBOR map, encoded */
};
fallible attestation_read(struct slice octets, struct attestation *ret_attestation);

#endif
