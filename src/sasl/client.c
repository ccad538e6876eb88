#include "sasl/client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sasl/ops.h"

enum { MAGIC = 0x5a51a002 };

fallible sasl_client_new(
    const struct sasl_mechanism *mechanism, const struct sasl_identity *who, struct sasl_client **ret_client)
{
    if (!sasl_text_is_good(who->authcid, LIMIT_SASL_NAME) ||
        (who->authzid.n && !sasl_text_is_good(who->authzid, LIMIT_SASL_NAME)))
        return ERR_SYNTAX;
    if (!who->secret || !sasl_text_is_good(secret_reveal(who->secret), LIMIT_PASSWORD_MAX))
        return ERR_SYNTAX;
    struct sasl_client *c = NEW(struct sasl_client);
    *c = (struct sasl_client){.magic = MAGIC, .mechanism = mechanism, .who = who};
    *ret_client = c;
    return OK;
}

void sasl_client_free(struct sasl_client **client)
{
    if (*client)
        (*client)->magic = 0;
    mem_free(client);
}

fallible sasl_client_start(struct sasl_client *c, struct buf *out, bool *ret_has_initial)
{
    assert(c->magic == MAGIC && c->state == SASL_NEW);
    bool has_initial = c->mechanism->client->initial != NULL;
    c->state = SASL_WAITS;
    if (has_initial) {
        c->turn++;
        TRY(c->mechanism->client->initial(c, out));
        TRY(buf_check(out));
    }
    *ret_has_initial = has_initial;
    return OK;
}

/* A server that asks for more than the mechanism has is either broken or fishing. */
fallible sasl_client_step(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    assert(c->magic == MAGIC);
    if (c->state != SASL_WAITS || c->turn >= c->mechanism->client->turns) {
        c->state = SASL_ENDED;
        return ERR_PROTOCOL;
    }
    enum err e = c->mechanism->client->turn(c, challenge, out);
    c->turn++;
    if (e == OK)
        e = buf_check(out);
    if (e != OK)
        c->state = SASL_ENDED;
    return e;
}

fallible sasl_client_end(struct sasl_client *c, const struct slice *data)
{
    assert(c->magic == MAGIC);
    bool early = c->turn < c->mechanism->client->turns;
    bool in_order = c->state == SASL_WAITS;
    c->state = SASL_ENDED;
    return early || !in_order || (data && data->n) ? ERR_PROTOCOL : OK;
}
