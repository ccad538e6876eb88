/* A secret judged without a client, for `letterlock client test`: asks what a sign-in asks, counts as nothing, changes nothing.
 * Only a code of an authenticator cannot be tried without being used up: it is not looked at. */
#include <stdlib.h>

#include "base/mem.h"
#include "sasl/server.h"
#include "vault/mailbox.h"
#include "vault/policy.h"
#include "vault/signin_private.h"

struct signin_trial {
    uint64_t id;
    struct secret typed;
    struct buf name;
    struct signin_facts facts;
    struct decide_question question;
    signin_tested *fn;
    void *owner;
};

static void end(struct signins *s, struct signin_trial *t)
{
    map_drop(&s->tests, map_id(&t->id));
    signin_facts_done(&t->facts);
    secret_free(&t->typed);
    buf_done(&t->name);
    free(t);
}

static void conclude(struct signins *s, struct signin_trial *t, enum err e)
{
    struct decision d = {.reason = REASON_UNAVAILABLE};
    if (e == OK)
        d = decide(&t->question);
    t->fn(t->owner, e, &d, t->facts.client.id);
    end(s, t);
}

/* There is no client: any network of the credential is as good as its own. */
static void put_client(struct decide_question *q)
{
    if (credential_is_made(q->kind) && q->scopes.limits.network_count)
        q->client = q->scopes.limits.networks[0].ip;
}

static fallible judge(struct signins *s, struct signin_trial *t, bool *ret_must_hash)
{
    struct sasl_claim claim = {
        .authcid = buf_slice(&t->name), .proof = SASL_PROOF_SECRET, .secret = &t->typed};
    TRY(signin_recognise(s->vault, &claim, t->question.now_s, &t->facts, &t->question));
    if (!t->facts.has_account)
        return ERR_NOT_FOUND;
    put_client(&t->question);
    bool must_hash = t->facts.may_be_mailbox && t->facts.account.has_password;
    if (t->facts.may_be_mailbox)
        TRY(vault_policy_mailbox(
            s->vault, &t->facts.account, t->facts.name, t->question.door, &t->question.policy));
    *ret_must_hash = must_hash && !(t->facts.is_slip && t->question.policy == MAILBOX_NEVER);
    return OK;
}

fallible signin_test(
    struct signins *s, struct slice address, struct slice secret, enum vault_door door, signin_tested *fn,
    void *owner)
{
    if (s->tests.count >= LIMIT_HASH_QUEUE)
        return ERR_LIMIT;
    struct signin_trial *t = NEW(struct signin_trial);
    *t = (struct signin_trial){
        .id = ++s->last_id,
        .name = BUF_INIT(LIMIT_SASL_NAME),
        .question = {.door = door, .has_tls = true, .now_s = s->ops->now_s(s->owner)},
        .fn = fn,
        .owner = owner,
    };
    buf_put(&t->name, address);
    bool must_hash = false;
    enum err e = buf_check(&t->name);
    if (e == OK)
        e = secret_copy(s->vault->slab, secret, &t->typed);
    if (e == OK)
        e = map_add(&s->tests, map_id(&t->id), t);
    if (e == OK)
        e = judge(s, t, &must_hash);
    if (e == OK && must_hash)
        e = signin_start_hash(s, t->id, &t->facts, t->question.policy, &t->typed);
    if (e == ERR_SYNTAX && must_hash) { /* nothing that a mailbox password could be */
        must_hash = false;
        e = OK;
    }
    if (e != OK) {
        end(s, t);
        return e;
    }
    if (!must_hash)
        conclude(s, t, OK);
    return OK;
}

bool signin_trial_hashed(struct signins *s, uint64_t id, enum err result)
{
    struct signin_trial *t = map_find(&s->tests, map_id(&id));
    if (!t)
        return false;
    if (result == OK)
        result = vault_password_ends(s->vault, &t->facts.account, &t->question.mailbox_ends_s);
    /* A code stays unused: the password before it was right, and that is all that can be said. */
    if (result == OK)
        t->question.kind =
            t->facts.typed == SIGNIN_BEFORE_CODE ? CREDENTIAL_MAILBOX_WITH_CODE : CREDENTIAL_MAILBOX;
    conclude(s, t, result == ERR_DENIED ? OK : result);
    return true;
}

void signin_trials_free(struct signins *s)
{
    size_t at = 0;
    void *value;
    while (map_next(&s->tests, &at, &value))
        conclude(s, value, ERR_UNAVAILABLE);
    map_done(&s->tests);
}
