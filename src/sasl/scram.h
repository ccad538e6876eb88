/* scram.h - the words of SCRAM-SHA-256 that both sides share (RFC 5802 7, RFC 7677).   room: sasl   runs in: vault cli
 *
 * Internal to the room. A message is a list of attributes, "x=value", in a fixed order, separated by commas; extensions
 * may follow, of which none is known, and a mandatory one ("m=") ends the exchange. */
#ifndef SASL_SCRAM_H
#define SASL_SCRAM_H

#include "sasl/gs2.h"
#include "sasl/ops.h"

enum { SCRAM_ROUNDS_LEAST = 4096, SCRAM_SALT_MAX = 256 }; /* RFC 7677 section 4 */

/* Takes the attribute `name` with a value of at least one octet. False: something else, or nothing, is there. */
bool scram_take(struct slice *rest, char name, struct slice *ret_value);
/* The rest is nothing, or extensions that may be ignored. */
bool scram_only_extensions(struct slice rest);
/* RFC 5802: c-nonce = printable, no comma. */
bool scram_nonce_is_good(struct slice nonce);
/* Base64 of exactly n octets, in its one canonical spelling. */
bool scram_get_octets(struct slice text, uint8_t *out, size_t n);

/* Appends the base64 of what c= says: the header, and the data that the flag "p" names. False: no such binding here. */
bool scram_put_binding(
    struct buf *out, const struct sasl_gs2 *head, struct slice exporter, struct slice end_point);

extern const struct slice scram_exporter_name, scram_end_point_name;

#endif
