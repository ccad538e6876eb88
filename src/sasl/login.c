/* LOGIN: two prompts, name and password. Never standardised, but older programs know nothing else. Some send the name
 * with the command. The client answers the prompts in order whatever their words are, since servers differ. */
#include "sasl/ops.h"

static enum sasl_outcome server_turn(struct sasl_server *s, const struct slice *message, struct buf *out)
{
    if (!message) {
        buf_put(out, S("Username:"));
        return SASL_CHALLENGE;
    }
    if (s->turn == 0) {
        if (!sasl_keep_authcid(s, *message))
            return SASL_BAD;
        buf_put(out, S("Password:"));
        return SASL_CHALLENGE;
    }
    return sasl_keep_secret(s, *message) ? SASL_CLAIM : SASL_BAD;
}

static fallible client_turn(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    buf_put(out, c->turn == 0 ? c->who->authcid : secret_reveal(c->who->secret));
    return OK;
}

const struct sasl_server_ops sasl_login_server = {.turn = server_turn};
const struct sasl_client_ops sasl_login_client = {
    .is_good = sasl_identity_has_password, .turn = client_turn, .least = 2, .most = 2};
