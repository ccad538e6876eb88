/* gs2.h - the head of a message that names the channel binding and whom to act as (RFC 5801 4, RFC 5802 7).
 *                                                                             room: sasl   runs in: vault cli
 * Internal to the room: SCRAM and OAUTHBEARER begin with it. */
#ifndef SASL_GS2_H
#define SASL_GS2_H

#include "base/buf.h"

struct sasl_gs2 {
    char flag; /* 'n': the client binds no channel; 'y': it would, but thinks we don't; 'p': it does */
    struct slice binding; /* of 'p': the binding's name */
    struct slice authzid; /* as it stands, escaped; empty: none */
    struct slice header;  /* all of it, with its last comma */
};
/* Takes the header off the front. False: it does not follow the grammar. */
bool sasl_gs2_take(struct slice *rest, struct sasl_gs2 *ret_head);

/* "=2C" is a comma and "=3D" an equals sign; any other "=" or a bare comma is wrong. False: wrong, or over out's limit. */
bool sasl_name_unescape(struct slice text, struct buf *out);
void sasl_name_escape(struct buf *out, struct slice name);

#endif
