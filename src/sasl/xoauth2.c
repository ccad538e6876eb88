/* XOAUTH2, as Google and Microsoft describe it: "user=NAME", 0x01, "auth=Bearer TOKEN", 0x01, 0x01. Never standardised,
 * but programs that can OAuth at all can this. */
#include "base/limits.h"
#include "sasl/bearer.h"

static const struct slice user_key = {"user=", 5}, auth_key = {"auth=", 5}, finish = {"\x01\x01", 2};

static enum sasl_outcome server_turn(struct sasl_server *s, const struct slice *message, struct buf *out)
{
    (void)out;
    if (!message)
        return SASL_CHALLENGE;
    struct slice rest = *message, user;
    if (!slice_ends(rest, finish))
        return SASL_BAD;
    rest = slice_sub(rest, 0, rest.n - finish.n);
    if (!slice_cut(&rest, finish.p[0], &user) || !slice_starts(user, user_key) ||
        !slice_starts(rest, auth_key) || slice_has(rest, finish.p[0]))
        return SASL_BAD;
    return sasl_keep_authcid(s, slice_from(user, user_key.n)) && bearer_keep(s, slice_from(rest, auth_key.n))
               ? SASL_CLAIM
               : SASL_BAD;
}

static enum sasl_outcome server_judged(struct sasl_server *s, bool is_right, struct buf *out)
{
    (void)s;
    if (is_right)
        return SASL_DONE;
    buf_put_str(out, "{\"status\":\"401\",\"schemes\":\"bearer\"}");
    return SASL_CHALLENGE;
}

static bool is_good(const struct sasl_identity *who)
{
    return bearer_has_token(who) && sasl_text_is_good(who->authcid, LIMIT_SASL_NAME) &&
           !slice_has(who->authcid, finish.p[0]);
}

static fallible client_initial(struct sasl_client *c, struct buf *out)
{
    buf_put(out, user_key);
    buf_put(out, c->who->authcid);
    buf_put_str(
        out, "\x01"
             "auth=Bearer ");
    buf_put(out, secret_reveal(c->who->secret));
    buf_put(out, finish);
    return OK;
}

static fallible client_turn(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    return bearer_client_turn(c, challenge, SLICE_EMPTY, out);
}

const struct sasl_server_ops sasl_xoauth2_server = {
    .turn = server_turn, .judged = server_judged, .after = bearer_after};
const struct sasl_client_ops sasl_xoauth2_client = {
    .is_good = is_good, .initial = client_initial, .turn = client_turn, .least = 1, .most = 2};
