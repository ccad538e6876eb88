/* bearer.h - what OAUTHBEARER and XOAUTH2 have in common.                      room: sasl   runs in: vault cli
 *
 * Internal to the room. After a no the server says why in JSON, the client answers with anything, and only then the
 * exchange fails. */
#ifndef SASL_BEARER_H
#define SASL_BEARER_H

#include "sasl/ops.h"

/* The token of "Bearer TOKEN" (RFC 6750 2.1; the scheme in any case). An empty value, another scheme or no token gives an
 * empty one, which is judged wrong. False: octets that no token has. */
bool bearer_keep(struct sasl_server *s, struct slice value);
/* sasl_server_ops.after: failed, whatever was answered. */
enum sasl_outcome bearer_after(struct sasl_server *s, struct slice message);

bool bearer_has_token(const struct sasl_identity *who);
/* sasl_client_ops.turn: keeps the server's error as the complaint and appends `answer`. An empty challenge is not
 * foreseen, as the token has gone already. */
fallible
bearer_client_turn(struct sasl_client *c, struct slice challenge, struct slice answer, struct buf *out);

#endif
