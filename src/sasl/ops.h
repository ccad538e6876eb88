/* ops.h - what a mechanism's file implements.                                  room: sasl   runs in: vault cli
 *
 * Internal to the room. The interface functions keep the order of calls (a step only after a challenge, one claim,
 * nothing after the end), so mechanisms need not.
 */
#ifndef SASL_OPS_H
#define SASL_OPS_H

#include "sasl/client.h"
#include "sasl/server.h"

enum { SASL_NONCE_LEN = 32 }; /* characters: 24 random octets in base64, which has no comma */

/* A server: NEW -> WAITS -> CLAIMED -> [JUDGED, after a challenge that followed the judgement] -> ENDED.
 * A client: NEW -> WAITS -> ENDED. */
enum sasl_state { SASL_NEW, SASL_WAITS, SASL_CLAIMED, SASL_JUDGED, SASL_ENDED };

struct sasl_server {
    uint32_t magic;
    const struct sasl_mechanism *mechanism;
    struct sasl_env env;
    enum sasl_state state;
    unsigned turn; /* responses taken so far */
    bool has_claim;
    struct sasl_claim claim;
    struct secret secret;
    struct buf authcid, authzid;
    struct buf message; /* SCRAM's AuthMessage as it grows, or a challenge */
    uint8_t digest[SASL_KEY_LEN];
    char nonce[SASL_NONCE_LEN + 1];
    bool has_server_key;
    uint8_t server_key[SASL_KEY_LEN];
    struct buf both_nonces, binding; /* SCRAM: what r= and c= of the last message must be */
};

struct sasl_server_ops {
    /* One message of the client, or NULL at the start without one. */
    enum sasl_outcome (*turn)(struct sasl_server *s, const struct slice *message, struct buf *out);
    /* After the judgement; NULL: DONE or FAILED at once. */
    enum sasl_outcome (*judged)(struct sasl_server *s, bool is_right, struct buf *out);
    /* The client's answer to a challenge of `judged`: DONE, FAILED or BAD. */
    enum sasl_outcome (*after)(struct sasl_server *s, struct slice message);
};

/* For mechanisms: keep a name (not empty) or the secret. False: BAD. */
bool sasl_keep_authcid(struct sasl_server *s, struct slice name);
bool sasl_keep_authzid(struct sasl_server *s, struct slice name);
bool sasl_keep_secret(struct sasl_server *s, struct slice secret);
/* A bearer token (RFC 6750 2.1), maybe empty. */
bool sasl_keep_token(struct sasl_server *s, struct slice token);
bool sasl_token_is_good(struct slice token);

struct sasl_client {
    uint32_t magic;
    const struct sasl_mechanism *mechanism;
    const struct sasl_identity *who;
    enum sasl_state state;
    unsigned turn; /* messages sent so far */
    char nonce[SASL_NONCE_LEN + 1];
    struct buf complaint;
    struct buf message;                     /* SCRAM's AuthMessage as it grows */
    uint8_t server_signature[SASL_KEY_LEN]; /* SCRAM: what v= must be */
    bool has_verified;
};

struct sasl_client_ops {
    /* Can it carry this identity? Names and lengths of what it uses. */
    bool (*is_good)(const struct sasl_identity *who);
    fallible (*initial)(struct sasl_client *c, struct buf *out); /* NULL: none */
    fallible (*turn)(
        struct sasl_client *c, struct slice challenge, struct buf *out); /* NULL: all is in `initial` */
    /* The server said yes after the least number of turns; NULL: there is nothing to prove, and no data is foreseen. */
    fallible (*end)(struct sasl_client *c, const struct slice *data);
    unsigned least; /* messages this side must have sent before the server may say yes */
    unsigned most;  /* messages it ever sends */
};

/* Text of a name or secret: UTF-8, no NUL, not empty, at most `limit` octets. */
bool sasl_text_is_good(struct slice text, size_t limit);
/* The same for an identity with a name and a password. */
bool sasl_identity_has_password(const struct sasl_identity *who);
/* SASL_NONCE_LEN characters and a NUL. */
void sasl_nonce(char out[SASL_NONCE_LEN + 1]);

/* For tests, which hold the examples of the RFCs against us: before the start. At most SASL_NONCE_LEN characters. */
void sasl_server_set_nonce(struct sasl_server *server, struct slice nonce);
void sasl_client_set_nonce(struct sasl_client *client, struct slice nonce);

extern const struct sasl_server_ops sasl_plain_server, sasl_login_server, sasl_external_server,
    sasl_cram_server, sasl_oauthbearer_server, sasl_xoauth2_server, sasl_scram_server;
extern const struct sasl_client_ops sasl_plain_client, sasl_login_client, sasl_external_client,
    sasl_cram_client, sasl_oauthbearer_client, sasl_xoauth2_client, sasl_scram_client;

#endif
