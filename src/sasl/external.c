/* EXTERNAL (RFC 4422 appendix A): who the client is, its certificate has said; the message is whom to act as, or empty.
 * Without a certificate there is a claim all the same, of nobody: it is judged wrong like any other. */
#include "base/limits.h"
#include "sasl/ops.h"

static enum sasl_outcome server_turn(struct sasl_server *s, const struct slice *message, struct buf *out)
{
    (void)out;
    if (!message)
        return SASL_CHALLENGE;
    if (message->n && !sasl_keep_authzid(s, *message))
        return SASL_BAD;
    s->claim.proof = SASL_PROOF_CERTIFICATE;
    s->claim.certificate_hash = s->env.certificate_hash;
    s->claim.certificate_name = s->env.certificate_name;
    return SASL_CLAIM;
}

static bool is_good(const struct sasl_identity *who)
{
    (void)who;
    return true;
}

static fallible client_initial(struct sasl_client *c, struct buf *out)
{
    buf_put(out, c->who->authzid);
    return OK;
}

const struct sasl_server_ops sasl_external_server = {.turn = server_turn};
const struct sasl_client_ops sasl_external_client = {
    .is_good = is_good, .initial = client_initial, .least = 1, .most = 1};
