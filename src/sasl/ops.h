/* ops.h - what a mechanism's file implements.                                      room: sasl   runs in: vault relay cli
 *
 * Internal to the room. The interface functions keep the order of calls (a step only after a challenge, one claim,
 * nothing after the end), so mechanisms need not.
 */
#ifndef SASL_OPS_H
#define SASL_OPS_H

#include "sasl/client.h"
#include "sasl/server.h"

enum sasl_state { SASL_NEW, SASL_WAITS, SASL_CLAIMED, SASL_ENDED };

struct sasl_server {
    uint32_t magic;
    const struct sasl_mechanism *mechanism;
    struct sasl_env env;
    enum sasl_state state;
    unsigned turn; /* responses taken so far */
    struct sasl_claim claim;
    struct secret secret;
    struct buf authcid, authzid;
};

struct sasl_server_ops {
    /* One message of the client, or NULL at the start without one. */
    enum sasl_outcome (*turn)(struct sasl_server *s, const struct slice *message, struct buf *out);
    /* After the judgement; NULL: DONE or FAILED at once. */
    enum sasl_outcome (*judged)(struct sasl_server *s, bool is_right, struct buf *out);
};

/* For mechanisms: keep a name (not empty unless `may_be_empty`) or the secret. False: BAD. */
bool sasl_keep_authcid(struct sasl_server *s, struct slice name);
bool sasl_keep_authzid(struct sasl_server *s, struct slice name);
bool sasl_keep_secret(struct sasl_server *s, struct slice secret);

struct sasl_client {
    uint32_t magic;
    const struct sasl_mechanism *mechanism;
    const struct sasl_identity *who;
    enum sasl_state state;
    unsigned turn; /* messages sent so far */
};

struct sasl_client_ops {
    fallible (*initial)(struct sasl_client *c, struct buf *out); /* NULL: none */
    fallible (*turn)(
        struct sasl_client *c, struct slice challenge, struct buf *out); /* NULL: all is in `initial` */
    unsigned turns; /* messages this side sends in all; the server may say yes only after the last */
};

/* Text of a name or secret: UTF-8, no NUL, not empty, at most `limit` octets. */
bool sasl_text_is_good(struct slice text, size_t limit);

extern const struct sasl_server_ops sasl_plain_server, sasl_login_server;
extern const struct sasl_client_ops sasl_plain_client, sasl_login_client;

#endif
