#include "keeper/spending.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "mail/address.h"

/* The vault revokes what is frozen; what it could not be told is told no more. */
static void on_spent(void *owner, enum err why, struct ipc_msg *m)
{
    (void)owner;
    (void)m;
    if (why != OK)
        log_event(LOG_WARN, "spend.unanswered", LOG_ERR(why));
}

static void report(struct keeper_env *env, struct session *s)
{
    struct ipc_msg m = {.type = MSG_SPEND};
    m.u.spend = (struct msg_spend){
        .account = s->grant.account, .credential = s->grant.credential, .octets = s->unspent};
    /* What cannot be told now is kept and told with the next step. */
    if (env->vault && channel_request(env->vault, &m, 0, on_spent, NULL, NULL) == OK)
        s->unspent = 0;
}

void session_spend_octets(struct keeper_env *env, struct session *s, uint64_t octets)
{
    if (!grant_scope(&s->grant)->bytes_day)
        return;
    s->unspent += octets;
    if (s->unspent >= LIMIT_SPEND_STEP)
        report(env, s);
}

void session_spend_rest(struct session *s, void *arg)
{
    if (s->unspent)
        report(arg, s);
}

fallible spending_ask(
    struct keeper_env *env, const struct grant *grant, struct slice recipients, channel_answer_fn *fn,
    void *owner, uint64_t *ret_request)
{
    struct ipc_msg m = {.type = MSG_SPEND};
    m.u.spend = (struct msg_spend){
        .account = grant->account,
        .credential = grant->credential,
        .messages = 1,
        .recipients = recipients,
    };
    return env->vault ? channel_request(env->vault, &m, 0, fn, owner, ret_request) : ERR_UNAVAILABLE;
}

fallible spending_recipient(struct slice address, struct buf *out)
{
    struct address a;
    struct address_key key;
    TRY(address_parse(address, ADDRESS_ALLOW_UTF8, &a));
    TRY(address_key(&a, &key));
    struct hash h = hash_of(NULL, address_key_text(&key));
    buf_put(out, slice_of(h.b, LIMIT_SPEND_RECIPIENT));
    return buf_check(out);
}
