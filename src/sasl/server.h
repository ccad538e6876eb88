/* server.h - the server's side of a SASL exchange (RFC 4422).                    room: sasl   runs in: vault
 *
 * A pure state machine: octets in (already out of base64), octets and a claim out. It decides nothing: when the client
 * has said everything, the claim (who, as whom, with which proof) goes to the vault's judgement, and the judgement
 * comes back with sasl_server_judged, because some mechanisms still have something to say after it.
 *
 *   new -- start --> CHALLENGE <-- step --> ... --> CLAIM -- judged --> DONE | FAILED
 *                        |                                     |
 *                        |                                     '-- judged --> CHALLENGE -- step --> DONE | FAILED | BAD
 *                        '-- anything malformed --> BAD (the end)
 *
 * A challenge after the judgement is SCRAM's server signature after a yes (the exchange then ends DONE, or BAD when the
 * client does not take it), and the error of OAUTHBEARER and XOAUTH2 after a no (it then ends FAILED, whatever the
 * client answers). There is one judgement: after such a challenge no further claim comes.
 *
 * INV-X1 One exchange makes at most one claim; nothing said after it can become another.
 * INV-X2 A claim that is bound to another TLS connection, or believes that we bind none, is wrong whatever its proof.
 *
 * The machine owns the names and the secret of its claim; the secret lies in the slab and is wiped when the exchange
 * ends, and by sasl_server_free. Limits: LIMIT_SASL_NAME, LIMIT_PASSWORD_MAX, LIMIT_SASL_TOKEN. Never logs.
 */
#ifndef SASL_SERVER_H
#define SASL_SERVER_H

#include "base/buf.h"
#include "crypto/secret.h"
#include "sasl/mechanism.h"

enum { SASL_KEY_LEN = 32, SASL_CRAM_LEN = 16 };

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
    bool offers_plus;       /* this door offers a mechanism with channel binding: SCRAM's "y" is then a lie */
    struct slice
        certificate_hash; /* SHA-256 of the DER of the client's certificate; empty: none that was verified */
    struct slice certificate_name; /* its one rfc822Name; empty: none */
    /* Salt and iteration count of a name, for mechanisms that prove knowledge of a verifier. Unknown names get a
     * stable invented salt, so the answer looks the same. ERR_UNAVAILABLE: try later. */
    fallible (*salt)(void *owner, struct slice name, struct buf *salt, uint32_t *ret_rounds);
    void *owner;
};

enum sasl_proof {
    SASL_PROOF_SECRET,      /* the secret itself, in `secret` */
    SASL_PROOF_SCRAM,       /* ask sasl_scram_check for each stored key */
    SASL_PROOF_CRAM_MD5,    /* ask sasl_cram_check for each secret */
    SASL_PROOF_TOKEN,       /* a bearer token, in `secret` (maybe empty: wrong); `authcid` may be empty */
    SASL_PROOF_CERTIFICATE, /* whoever `certificate_hash` and `certificate_name` are; `authcid` is empty */
    SASL_PROOFS
};

/* A claim with a flaw is wrong whatever its proof: the checks below say no to it. For the owner's `why`. */
enum sasl_flaw {
    SASL_FLAW_NONE,
    SASL_FLAW_BINDING, /* the client is bound to another TLS connection than ours: somebody stands between */
    SASL_FLAW_DOWNGRADE, /* the client believes that we bind no channel, though we offer it */
};

struct sasl_claim {
    struct slice
        authcid; /* whose secret: valid UTF-8, no NUL, as typed; not empty but where the proof says so */
    struct slice authzid; /* whom to act as; empty: the same */
    enum sasl_proof proof;
    enum sasl_flaw flaw;
    const struct secret *secret; /* never NULL; empty for SCRAM, CRAM-MD5 and certificates */
    struct slice message;        /* SCRAM: the AuthMessage (RFC 5802 3); CRAM-MD5: our challenge */
    struct slice digest;         /* SCRAM: the ClientProof, SASL_KEY_LEN; CRAM-MD5: the HMAC, SASL_CRAM_LEN */
    struct slice certificate_hash, certificate_name; /* of the environment */
};

/* Does the claim prove knowledge of the secret behind this StoredKey? Nothing of the comparison shows in its time.
 * False for any other kind of claim, and for one with a flaw. */
bool sasl_scram_check(const struct sasl_claim *claim, const uint8_t stored_key[SASL_KEY_LEN]);
/* The same for a secret that CRAM-MD5 proves (RFC 2195). */
bool sasl_cram_check(const struct sasl_claim *claim, struct slice secret);

struct sasl_server;
/* env is copied; what its slices point to must stay until the exchange is freed. */
struct sasl_server *sasl_server_new(const struct sasl_mechanism *mechanism, const struct sasl_env *env);
void sasl_server_free(struct sasl_server **server);
const struct sasl_mechanism *sasl_server_mechanism(const struct sasl_server *server);

/* Once. `initial` NULL: the client sent no initial response (an empty one is something else, RFC 4422 section 3). */
enum sasl_outcome sasl_server_start(struct sasl_server *server, const struct slice *initial, struct buf *out);
enum sasl_outcome sasl_server_step(struct sasl_server *server, struct slice response, struct buf *out);
/* After SASL_CLAIM; good until the server is freed, its secret until the exchange ends. */
const struct sasl_claim *sasl_server_claim(const struct sasl_server *server);
/* The ServerKey beside the StoredKey that sasl_scram_check agreed to: needed before a yes to a claim of SCRAM, ignored
 * for any other. Copied, wiped with the server. */
void sasl_server_set_server_key(struct sasl_server *server, const uint8_t key[SASL_KEY_LEN]);
enum sasl_outcome sasl_server_judged(struct sasl_server *server, bool is_right, struct buf *out);

#endif
