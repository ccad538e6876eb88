#include "sasl/bearer.h"

#include "base/limits.h"

static struct slice token_of(struct slice value)
{
    struct slice scheme = slice_sub(value, 0, 7);
    if (!slice_eq_nocase(scheme, S("Bearer ")))
        return SLICE_EMPTY;
    struct slice token = slice_from(value, scheme.n);
    while (token.n && token.p[0] == ' ')
        token = slice_from(token, 1);
    return token;
}

bool bearer_keep(struct sasl_server *s, struct slice value)
{
    return sasl_keep_token(s, token_of(value));
}

enum sasl_outcome bearer_after(struct sasl_server *s, struct slice message)
{
    (void)s;
    (void)message;
    return SASL_FAILED;
}

bool bearer_has_token(const struct sasl_identity *who)
{
    struct slice token = who->secret ? secret_reveal(who->secret) : SLICE_EMPTY;
    return token.n && sasl_token_is_good(token);
}

fallible
bearer_client_turn(struct sasl_client *c, struct slice challenge, struct slice answer, struct buf *out)
{
    if (!challenge.n)
        return ERR_PROTOCOL;
    buf_put(&c->complaint, challenge);
    TRY(buf_check(&c->complaint));
    buf_put(out, answer);
    return OK;
}
