/* client.h - the client's side of a SASL exchange (RFC 4422).                    room: sasl   runs in: relay cli
 *
 * A pure state machine against a server that may be hostile: it never sends the secret twice, and answers nothing that
 * its mechanism does not foresee. Octets are outside base64. What is appended to `out` may hold the secret: wipe it
 * with buf_wipe after sending.
 */
#ifndef SASL_CLIENT_H
#define SASL_CLIENT_H

#include "base/buf.h"
#include "crypto/secret.h"
#include "sasl/mechanism.h"

struct sasl_identity {
    struct slice authcid;
    struct slice authzid; /* usually empty: act as oneself */
    const struct secret *secret;
    struct slice exporter; /* channel binding data of the TLS connection; may be empty */
    struct slice end_point;
};

struct sasl_client;
/* The identity is borrowed until the client is freed. ERR_SYNTAX: a name or secret that the mechanism cannot carry
 * (NUL, not UTF-8, empty). */
fallible sasl_client_new(
    const struct sasl_mechanism *mechanism, const struct sasl_identity *who, struct sasl_client **ret_client);
void sasl_client_free(struct sasl_client **client);

/* What goes with the AUTH command: *ret_has_initial false when nothing does. Where the protocol cannot carry it, keep it
 * and send it as the answer to the server's first, empty challenge (RFC 4422 section 3). */
fallible sasl_client_start(struct sasl_client *client, struct buf *out, bool *ret_has_initial);
/* Answers a challenge. ERR_PROTOCOL: not foreseen here; abort the exchange ("*"). ERR_DENIED: the server does not prove
 * what it must. */
fallible sasl_client_step(struct sasl_client *client, struct slice challenge, struct buf *out);
/* The server said yes, with `data` when it carried any (may be NULL). ERR_PROTOCOL or ERR_DENIED: do not believe it. */
fallible sasl_client_end(struct sasl_client *client, const struct slice *data);

#endif
