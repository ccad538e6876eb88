/* CRAM-MD5 (RFC 2195): the server's challenge, then the name and the keyed MD5 of the challenge. The client alone proves
 * something, the server must know the secret itself, and whoever listens may guess at leisure: off by default. */
#include "base/encode.h"
#include "base/limits.h"
#include "crypto/md5.h"
#include "sasl/ops.h"

/* A message-id (RFC 2195 section 2); ours names no host, since it must only be new each time. */
static enum sasl_outcome challenge(struct sasl_server *s, struct buf *out)
{
    buf_printf(&s->message, "<%s@letterlock.invalid>", s->nonce);
    buf_put(out, buf_slice(&s->message));
    return SASL_CHALLENGE;
}

static enum sasl_outcome server_turn(struct sasl_server *s, const struct slice *message, struct buf *out)
{
    if (s->message.n == 0)
        return message ? SASL_BAD : challenge(s, out); /* the server speaks first */
    /* The name may hold blanks, the digest does not. */
    size_t blank = slice_rfind(*message, ' ');
    if (blank == SLICE_NPOS || hex_get(slice_from(*message, blank + 1), s->digest, MD5_LEN) != OK ||
        !sasl_keep_authcid(s, slice_sub(*message, 0, blank)))
        return SASL_BAD;
    s->claim.proof = SASL_PROOF_CRAM_MD5;
    s->claim.message = buf_slice(&s->message);
    s->claim.digest = slice_of(s->digest, MD5_LEN);
    return SASL_CLAIM;
}

/* Whatever a hostile server chooses as its challenge, the answer is good for nothing else: but an empty one is no
 * challenge. */
static fallible client_turn(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    uint8_t digest[MD5_LEN];
    if (!challenge.n)
        return ERR_PROTOCOL;
    hmac_md5(secret_reveal(c->who->secret), challenge, digest);
    buf_put(out, c->who->authcid);
    buf_put_char(out, ' ');
    hex_put(out, slice_of(digest, sizeof digest));
    return OK;
}

const struct sasl_server_ops sasl_cram_server = {.turn = server_turn};
const struct sasl_client_ops sasl_cram_client = {
    .is_good = sasl_identity_has_password, .turn = client_turn, .least = 1, .most = 1};
