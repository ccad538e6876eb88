/* client.h - the client's side of a SASL exchange (RFC 4422).                  room: sasl   runs in: cli
 *
 * A pure state machine against a server that may be hostile: it never sends the secret twice, and answers nothing that
 * its mechanism does not foresee. Where the mechanism lets the server prove itself (SCRAM), a yes without that proof is
 * not believed (INV-X3). Octets are outside base64. What is appended to `out` may hold the secret: wipe it with buf_wipe after
 * sending.
 */
#ifndef SASL_CLIENT_H
#define SASL_CLIENT_H

#include "base/buf.h"
#include "crypto/secret.h"
#include "sasl/mechanism.h"

struct sasl_identity {
    struct slice authcid;        /* EXTERNAL needs none */
    struct slice authzid;        /* usually empty: act as oneself */
    const struct secret *secret; /* password, already prepared (RFC 8265 4.2), or token; NULL for EXTERNAL */
    /* Channel binding data of the TLS connection, tls-exporter being preferred. For SCRAM without -PLUS leave them out
     * (gs2 flag "n"), unless -PLUS would have been chosen had the server offered it ("y", so that a downgrade fails). */
    struct slice exporter;
    struct slice end_point;
};

struct sasl_client;
/* The identity is borrowed until the client is freed. ERR_SYNTAX: a name or secret that the mechanism cannot carry
 * (NUL, not UTF-8, empty, too long). ERR_UNSUPPORTED: -PLUS without channel binding data. */
fallible sasl_client_new(
    const struct sasl_mechanism *mechanism, const struct sasl_identity *who, struct sasl_client **ret_client);
void sasl_client_free(struct sasl_client **client);

/* What goes with the AUTH command: *ret_has_initial false when nothing does. Where the protocol cannot carry it, keep it
 * and send it as the answer to the server's first, empty challenge (RFC 4422 section 3). */
fallible sasl_client_start(struct sasl_client *client, struct buf *out, bool *ret_has_initial);
/* Answers a challenge. ERR_PROTOCOL: not foreseen here; abort the exchange ("*"). ERR_DENIED: the server does not prove
 * what it must. ERR_LIMIT: it asks for too much work. */
fallible sasl_client_step(struct sasl_client *client, struct slice challenge, struct buf *out);
/* The server said yes, with `data` when it carried any (may be NULL). ERR_PROTOCOL or ERR_DENIED: do not believe it. */
fallible sasl_client_end(struct sasl_client *client, const struct slice *data);
/* What the server gave as its reason within the mechanism: SCRAM's error name, or the JSON of OAUTHBEARER and XOAUTH2.
 * Foreign text; empty when it gave none. Good until the client is freed. */
struct slice sasl_client_complaint(const struct sasl_client *client);

#endif
