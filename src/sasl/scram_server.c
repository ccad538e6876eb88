/* SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server (RFC 5802, RFC 7677).
 *
 *   client-first  n,,n=NAME,r=C            -> server-first  r=CS,s=SALT,i=ROUNDS
 *   client-final  c=BINDING,r=CS,p=PROOF   -> a claim; after a yes  v=SIGNATURE, which the client answers with nothing
 *
 * What is bound to another channel, or believes that we bind none, still becomes a claim, with a flaw: the refusal then
 * is the same as for a wrong secret. */
#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "sasl/scram.h"

static bool keep_names(struct sasl_server *s, struct slice name, struct slice authzid)
{
    struct buf plain CLEANUP_BUF = BUF_INIT(LIMIT_SASL_NAME);
    if (!sasl_name_unescape(name, &plain) || !sasl_keep_authcid(s, buf_slice(&plain)))
        return false;
    if (!authzid.n)
        return true;
    buf_clear(&plain);
    return sasl_name_unescape(authzid, &plain) && sasl_keep_authzid(s, buf_slice(&plain));
}

static bool put_server_first(struct sasl_server *s, struct slice client_nonce, struct buf *out)
{
    struct buf salt CLEANUP_BUF = BUF_INIT(SCRAM_SALT_MAX);
    uint32_t rounds = 0;
    if (!s->env.salt || s->env.salt(s->env.owner, s->claim.authcid, &salt, &rounds) != OK || !salt.n)
        return false;
    buf_put(&s->both_nonces, client_nonce);
    buf_put_str(&s->both_nonces, s->nonce);
    struct buf first CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    buf_put_str(&first, "r=");
    buf_put(&first, buf_slice(&s->both_nonces));
    buf_put_str(&first, ",s=");
    base64_put(&first, buf_slice(&salt));
    buf_printf(&first, ",i=%u", rounds);
    buf_put_char(&s->message, ',');
    buf_put(&s->message, buf_slice(&first));
    buf_put(out, buf_slice(&first));
    return buf_check(&first) == OK && buf_check(&s->message) == OK && buf_check(&s->both_nonces) == OK;
}

static enum sasl_outcome client_first(struct sasl_server *s, struct slice message, struct buf *out)
{
    struct slice rest = message, name, nonce;
    struct sasl_gs2 head;
    bool is_plus = s->mechanism->flags & SASL_BINDS_CHANNEL;
    if (!utf8_is_valid(message) || slice_has(message, '\0') || !sasl_gs2_take(&rest, &head))
        return SASL_BAD;
    buf_put(&s->message, rest);
    if (!scram_take(&rest, 'n', &name) || !scram_take(&rest, 'r', &nonce) || !scram_only_extensions(rest) ||
        !scram_nonce_is_good(nonce) || nonce.n > LIMIT_SASL_NONCE)
        return SASL_BAD;
    /* RFC 5802 section 6: -PLUS binds, and nothing else does. */
    if ((head.flag == 'p') != is_plus ||
        !scram_put_binding(&s->binding, &head, s->env.exporter, s->env.end_point))
        return SASL_BAD;
    if (head.flag == 'y' && s->env.offers_plus)
        s->claim.flaw = SASL_FLAW_DOWNGRADE;
    return keep_names(s, name, head.authzid) && put_server_first(s, nonce, out) ? SASL_CHALLENGE : SASL_BAD;
}

static bool is_base64(struct slice text)
{
    struct buf octets CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    return base64_get(text, &octets) == OK;
}

static enum sasl_outcome client_final(struct sasl_server *s, struct slice message)
{
    struct slice rest = message, binding, nonce, proof;
    size_t last = slice_rfind(message, ',');
    if (!utf8_is_valid(message) || slice_has(message, '\0') || last == SLICE_NPOS)
        return SASL_BAD;
    struct slice before = slice_sub(message, 0, last), behind = slice_from(message, last + 1);
    rest = before;
    if (!scram_take(&rest, 'c', &binding) || !scram_take(&rest, 'r', &nonce) ||
        !scram_only_extensions(rest) || !scram_take(&behind, 'p', &proof) || !is_base64(binding) ||
        !scram_get_octets(proof, s->digest, SASL_KEY_LEN))
        return SASL_BAD;
    if (!slice_eq(nonce, buf_slice(&s->both_nonces)))
        return SASL_BAD;
    if (!secret_same(binding, buf_slice(&s->binding)))
        s->claim.flaw = SASL_FLAW_BINDING;
    buf_put_char(&s->message, ',');
    buf_put(&s->message, before);
    if (buf_check(&s->message) != OK)
        return SASL_BAD;
    s->claim.proof = SASL_PROOF_SCRAM;
    s->claim.message = buf_slice(&s->message);
    s->claim.digest = slice_of(s->digest, SASL_KEY_LEN);
    return SASL_CLAIM;
}

static enum sasl_outcome server_turn(struct sasl_server *s, const struct slice *message, struct buf *out)
{
    if (!message)
        return SASL_CHALLENGE;
    return s->both_nonces.n ? client_final(s, *message) : client_first(s, *message, out);
}

/* A no needs no last message of ours (RFC 5802 section 5.1, "e"). */
static enum sasl_outcome server_judged(struct sasl_server *s, bool is_right, struct buf *out)
{
    uint8_t signature[SHA256_LEN];
    if (!is_right)
        return SASL_FAILED;
    assert(s->has_server_key);
    hmac_sha256(slice_of(s->server_key, SASL_KEY_LEN), s->claim.message, signature);
    buf_put_str(out, "v=");
    base64_put(out, slice_of(signature, sizeof signature));
    return SASL_CHALLENGE;
}

static enum sasl_outcome server_after(struct sasl_server *s, struct slice message)
{
    (void)s;
    return message.n ? SASL_BAD : SASL_DONE;
}

const struct sasl_server_ops sasl_scram_server = {
    .turn = server_turn, .judged = server_judged, .after = server_after};
