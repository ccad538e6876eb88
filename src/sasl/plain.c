/* PLAIN (RFC 4616): [authzid] NUL authcid NUL passwd, all UTF-8 without NUL, the last two not empty. */
#include "sasl/ops.h"

static enum sasl_outcome server_turn(struct sasl_server *s, const struct slice *message, struct buf *out)
{
    if (!message)
        return SASL_CHALLENGE; /* RFC 4422 section 5: an empty challenge */
    size_t first = slice_find(*message, '\0');
    if (first == SLICE_NPOS)
        return SASL_BAD;
    struct slice rest = slice_from(*message, first + 1);
    size_t second = slice_find(rest, '\0');
    if (second == SLICE_NPOS)
        return SASL_BAD;
    /* A third NUL would be part of the password, where RFC 4616 section 2 forbids it: keep_secret refuses. */
    if (first > 0 && !sasl_keep_authzid(s, slice_sub(*message, 0, first)))
        return SASL_BAD;
    if (!sasl_keep_authcid(s, slice_sub(rest, 0, second)) ||
        !sasl_keep_secret(s, slice_from(rest, second + 1)))
        return SASL_BAD;
    return SASL_CLAIM;
}

static fallible client_initial(struct sasl_client *c, struct buf *out)
{
    buf_put(out, c->who->authzid);
    buf_put_char(out, '\0');
    buf_put(out, c->who->authcid);
    buf_put_char(out, '\0');
    buf_put(out, secret_reveal(c->who->secret));
    return OK;
}

const struct sasl_server_ops sasl_plain_server = {.turn = server_turn};
const struct sasl_client_ops sasl_plain_client = {
    .is_good = sasl_identity_has_password, .initial = client_initial, .least = 1, .most = 1};
