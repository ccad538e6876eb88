#include "sasl/server.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "sasl/ops.h"

enum { MAGIC = 0x5a51a001 };

struct sasl_server *sasl_server_new(const struct sasl_mechanism *mechanism, const struct sasl_env *env)
{
    struct sasl_server *s = NEW(struct sasl_server);
    *s = (struct sasl_server){
        .magic = MAGIC,
        .mechanism = mechanism,
        .env = *env,
        .authcid = BUF_INIT(LIMIT_SASL_NAME),
        .authzid = BUF_INIT(LIMIT_SASL_NAME),
    };
    return s;
}

void sasl_server_free(struct sasl_server **server)
{
    struct sasl_server *s = *server;
    *server = NULL;
    if (!s)
        return;
    assert(s->magic == MAGIC);
    secret_free(&s->secret);
    buf_wipe(&s->authcid); /* people type their password here */
    buf_wipe(&s->authzid);
    s->magic = 0;
    free(s);
}

const struct sasl_mechanism *sasl_server_mechanism(const struct sasl_server *server)
{
    return server->mechanism;
}

/* The one place where the state changes. */
static enum sasl_outcome moved(struct sasl_server *s, enum sasl_outcome outcome, struct buf *out)
{
    static const enum sasl_state next[] = {
        [SASL_CHALLENGE] = SASL_WAITS, [SASL_CLAIM] = SASL_CLAIMED, [SASL_DONE] = SASL_ENDED,
        [SASL_FAILED] = SASL_ENDED,    [SASL_BAD] = SASL_ENDED,
    };
    if (out->failed)
        outcome = SASL_BAD;
    s->state = next[outcome];
    if (s->state == SASL_ENDED)
        secret_free(&s->secret);
    return outcome;
}

enum sasl_outcome sasl_server_start(struct sasl_server *s, const struct slice *initial, struct buf *out)
{
    assert(s->magic == MAGIC);
    if (s->state != SASL_NEW)
        return moved(s, SASL_BAD, out);
    enum sasl_outcome outcome = s->mechanism->server->turn(s, initial, out);
    s->turn += initial != NULL;
    return moved(s, outcome, out);
}

enum sasl_outcome sasl_server_step(struct sasl_server *s, struct slice response, struct buf *out)
{
    assert(s->magic == MAGIC);
    if (s->state != SASL_WAITS)
        return moved(s, SASL_BAD, out);
    enum sasl_outcome outcome = s->mechanism->server->turn(s, &response, out);
    s->turn++;
    return moved(s, outcome, out);
}

const struct sasl_claim *sasl_server_claim(const struct sasl_server *s)
{
    assert(s->magic == MAGIC && s->state == SASL_CLAIMED);
    return &s->claim;
}

enum sasl_outcome sasl_server_judged(struct sasl_server *s, bool is_right, struct buf *out)
{
    assert(s->magic == MAGIC && s->state == SASL_CLAIMED);
    enum sasl_outcome outcome = is_right ? SASL_DONE : SASL_FAILED;
    if (s->mechanism->server->judged)
        outcome = s->mechanism->server->judged(s, is_right, out);
    return moved(s, outcome, out);
}

bool sasl_text_is_good(struct slice text, size_t limit)
{
    return text.n > 0 && text.n <= limit && !slice_has(text, '\0') && utf8_is_valid(text);
}

static bool keep_name(struct buf *kept, struct slice name, struct slice *ret_name)
{
    if (!sasl_text_is_good(name, LIMIT_SASL_NAME))
        return false;
    buf_clear(kept);
    buf_put(kept, name);
    *ret_name = buf_slice(kept);
    return true;
}

bool sasl_keep_authcid(struct sasl_server *s, struct slice name)
{
    return keep_name(&s->authcid, name, &s->claim.authcid);
}

bool sasl_keep_authzid(struct sasl_server *s, struct slice name)
{
    return keep_name(&s->authzid, name, &s->claim.authzid);
}

bool sasl_keep_secret(struct sasl_server *s, struct slice secret)
{
    if (!sasl_text_is_good(secret, LIMIT_PASSWORD_MAX) || secret_copy(s->env.slab, secret, &s->secret) != OK)
        return false;
    s->claim.proof = SASL_PROOF_SECRET;
    s->claim.secret = &s->secret;
    return true;
}
