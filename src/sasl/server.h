/* server.h - the server's side of a SASL exchange (RFC 4422).                    room: sasl   runs in: vault
 *
 * A pure state machine: octets in (already out of base64), octets and a claim out. It decides nothing: when the client
 * has said everything, the claim (who, as whom, with which proof) goes to the vault's judgement, and the judgement
 * comes back with sasl_server_judged, because some mechanisms still have something to say after it.
 *
 *   new -- start --> CHALLENGE <-- step --> ... --> CLAIM -- judged --> DONE | FAILED
 *                        \-- anything malformed --> BAD (the end)
 *
 * The machine owns the names and the secret of its claim; the secret lies in the slab and is wiped by
 * sasl_server_free. Limits: LIMIT_SASL_NAME, LIMIT_PASSWORD_MAX. Never logs.
 */
#ifndef SASL_SERVER_H
#define SASL_SERVER_H

#include "base/buf.h"
#include "crypto/secret.h"
#include "sasl/mechanism.h"

enum sasl_outcome {
    SASL_CHALLENGE, /* send what is in `out` (may be empty) and come back with the response */
    SASL_CLAIM,     /* look at sasl_server_claim, then call sasl_server_judged */
    SASL_DONE,      /* success; what is in `out` goes with it, when the protocol can carry it */
    SASL_FAILED,    /* the claim was judged wrong */
    SASL_BAD,       /* the client broke the mechanism's rules, or the step came out of order */
};

/* What a mechanism may need from around it. Everything but the slab may be missing. */
struct sasl_env {
    struct secret_slab *slab;
    struct slice exporter;  /* tls-exporter channel binding (RFC 9266), as the gate measured it */
    struct slice end_point; /* tls-server-end-point (RFC 5929) */
    /* Salt and iteration count of a name, for mechanisms that prove knowledge of a verifier. Unknown names get a
     * stable invented salt, so the answer looks the same. ERR_UNAVAILABLE: try later. */
    fallible (*salt)(void *owner, struct slice name, struct buf *salt, uint32_t *ret_rounds);
    void *owner;
};

enum sasl_proof {
    SASL_PROOF_SECRET, /* the secret itself, in `secret` */
};

struct sasl_claim {
    struct slice authcid; /* whose secret: valid UTF-8, not empty, no NUL, as typed */
    struct slice authzid; /* whom to act as; empty: the same */
    enum sasl_proof proof;
    const struct secret *secret;
};

struct sasl_server;
/* env is copied; what its slices point to must stay until the exchange is freed. */
struct sasl_server *sasl_server_new(const struct sasl_mechanism *mechanism, const struct sasl_env *env);
void sasl_server_free(struct sasl_server **server);
const struct sasl_mechanism *sasl_server_mechanism(const struct sasl_server *server);

/* Once. `initial` NULL: the client sent no initial response (an empty one is something else, RFC 4422 section 3). */
enum sasl_outcome sasl_server_start(struct sasl_server *server, const struct slice *initial, struct buf *out);
enum sasl_outcome sasl_server_step(struct sasl_server *server, struct slice response, struct buf *out);
/* After SASL_CLAIM; good until the server is freed. */
const struct sasl_claim *sasl_server_claim(const struct sasl_server *server);
enum sasl_outcome sasl_server_judged(struct sasl_server *server, bool is_right, struct buf *out);

#endif
