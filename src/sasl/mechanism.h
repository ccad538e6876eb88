/* mechanism.h - the table of SASL mechanisms.                                  room: sasl   runs in: vault cli gate
 *
 * One row a mechanism: its name, what it asks for, and its two sides. Whether a mechanism is offered at a door is
 * policy (the vault's); this table only says what a mechanism is. New mechanisms are new rows and one file each.
 */
#ifndef SASL_MECHANISM_H
#define SASL_MECHANISM_H

#include "base/slice.h"

enum sasl_flag {
    SASL_SENDS_SECRET = 1,        /* the secret itself, or a token, travels: never without TLS */
    SASL_CLIENT_FIRST = 2,        /* the client speaks first: an initial response saves a round trip */
    SASL_BINDS_CHANNEL = 4,       /* asks for channel binding data: needs TLS */
    SASL_NEEDS_TLS = 8,           /* means nothing, or is forbidden, without TLS */
    SASL_NEEDS_CERTIFICATE = 16,  /* the client's: offer it only on a connection that has one */
    SASL_TAKES_TOKEN = 32,        /* proves with a bearer token, not with a password */
    SASL_NEEDS_CLEAR_SECRET = 64, /* the server must know the secret itself, not a verifier */
    SASL_OFF_BY_DEFAULT = 128,    /* weak: only where the policy asks for it by name */
};

struct sasl_server_ops;
struct sasl_client_ops;
struct sasl_mechanism {
    const char *name; /* as registered, upper case */
    unsigned flags;   /* enum sasl_flag */
    const struct sasl_server_ops *server;
    const struct sasl_client_ops *client;
};

/* All of them, strongest first. */
const struct sasl_mechanism *sasl_mechanisms(size_t *ret_count);
/* By name in any case; NULL when there is no such mechanism. */
const struct sasl_mechanism *sasl_find(struct slice name);

#endif
