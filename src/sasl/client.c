#include "sasl/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sasl/ops.h"

enum { MAGIC = 0x5a51a002 };

bool sasl_identity_has_password(const struct sasl_identity *who)
{
    return sasl_text_is_good(who->authcid, LIMIT_SASL_NAME) && who->secret &&
           sasl_text_is_good(secret_reveal(who->secret), LIMIT_PASSWORD_MAX);
}

fallible sasl_client_new(
    const struct sasl_mechanism *mechanism, const struct sasl_identity *who, struct sasl_client **ret_client)
{
    const struct sasl_client_ops *ops = mechanism->client;
    if (!ops->is_good(who) || (who->authzid.n && !sasl_text_is_good(who->authzid, LIMIT_SASL_NAME)))
        return ERR_SYNTAX;
    if ((mechanism->flags & SASL_BINDS_CHANNEL) && !who->exporter.n && !who->end_point.n)
        return ERR_UNSUPPORTED;
    struct sasl_client *c = NEW(struct sasl_client);
    *c = (struct sasl_client){
        .magic = MAGIC,
        .mechanism = mechanism,
        .who = who,
        .complaint = BUF_INIT(LIMIT_SASL_RESPONSE),
        .message = BUF_INIT(LIMIT_SASL_RESPONSE),
    };
    sasl_nonce(c->nonce);
    *ret_client = c;
    return OK;
}

void sasl_client_free(struct sasl_client **client)
{
    struct sasl_client *c = *client;
    *client = NULL;
    if (!c)
        return;
    assert(c->magic == MAGIC);
    buf_done(&c->complaint);
    buf_done(&c->message);
    secret_wipe(c->server_signature, sizeof c->server_signature);
    c->magic = 0;
    free(c);
}

/* After each message: the end when it failed. */
static enum err sent(struct sasl_client *c, enum err e, const struct buf *out)
{
    c->turn++;
    if (e == OK)
        e = buf_check(out);
    c->state = e == OK ? SASL_WAITS : SASL_ENDED;
    return e;
}

fallible sasl_client_start(struct sasl_client *c, struct buf *out, bool *ret_has_initial)
{
    assert(c->magic == MAGIC && c->state == SASL_NEW);
    bool has_initial = c->mechanism->client->initial != NULL;
    c->state = SASL_WAITS;
    if (has_initial)
        TRY(sent(c, c->mechanism->client->initial(c, out), out));
    *ret_has_initial = has_initial;
    return OK;
}

/* A server that asks for more than the mechanism has is either broken or fishing. */
fallible sasl_client_step(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    assert(c->magic == MAGIC);
    if (c->state != SASL_WAITS || c->turn >= c->mechanism->client->most) {
        c->state = SASL_ENDED;
        return ERR_PROTOCOL;
    }
    return sent(c, c->mechanism->client->turn(c, challenge, out), out);
}

fallible sasl_client_end(struct sasl_client *c, const struct slice *data)
{
    assert(c->magic == MAGIC);
    bool in_order = c->state == SASL_WAITS && c->turn >= c->mechanism->client->least && !c->complaint.n;
    c->state = SASL_ENDED;
    if (!in_order)
        return ERR_PROTOCOL;
    if (c->mechanism->client->end)
        return c->mechanism->client->end(c, data);
    return data && data->n ? ERR_PROTOCOL : OK;
}

struct slice sasl_client_complaint(const struct sasl_client *c)
{
    assert(c->magic == MAGIC);
    return buf_slice(&c->complaint);
}

void sasl_client_set_nonce(struct sasl_client *c, struct slice nonce)
{
    assert(c->magic == MAGIC && c->state == SASL_NEW && nonce.n <= SASL_NONCE_LEN);
    memcpy(c->nonce, nonce.p, nonce.n);
    c->nonce[nonce.n] = '\0';
}
