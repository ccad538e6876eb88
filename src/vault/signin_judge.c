/* From a claim to a decision: what decide() is asked, and what the guard learns. */
#include "base/limits.h"
#include "vault/factors.h"
#include "vault/guarded.h"
#include "vault/known.h"
#include "vault/mailbox.h"
#include "vault/policy.h"
#include "vault/signin_private.h"

/* ---- the guard ---- */

struct guarded {
    struct address_key key;
    struct guard_who who;
    struct slice secret;
};

/* Certificates count as proofs: what nobody guesses makes nobody wait who types. */
static void guard_view(struct signins *s, const struct exchange *x, struct guarded *out)
{
    const struct signin_facts *f = &x->facts;
    out->who = vault_guarded(
        s->vault, f->name, f->has_account ? &f->account.id : NULL, &x->client, s->ops->now_s(s->owner),
        &out->key);
    out->who.is_exempt = s->ops->is_exempt(s->owner, &x->client);
    out->who.is_proof = f->is_proof;
    out->secret = f->is_proof ? slice_str(f->recognised) : secret_reveal(sasl_server_claim(x->sasl)->secret);
}

void signin_count(struct signins *s, struct exchange *x)
{
    struct guarded g;
    uint64_t now = s->ops->now_ms(s->owner);
    guard_view(s, x, &g);
    if (x->decision.verdict == VERDICT_YES) {
        vault_known_note(s->vault, &x->facts.account.id, &x->client, s->ops->now_s(s->owner));
        if (!credential_is_made(x->question.kind))
            guard_count_right(s->guard, now, &g.who);
    } else if (x->decision.verdict == VERDICT_NO && reason_counts(x->decision.reason)) {
        x->is_new_strike = guard_count_wrong(s->guard, now, &g.who, g.secret);
    }
}

/* ---- the question ---- */

/* INV-S3. Whether Argon2 is computed depends on the door and on what was typed, never on whose name it is: where anybody may
 * come in with a mailbox password, everybody's is compared. */
static fallible look_at_policy(struct signins *s, struct exchange *x)
{
    struct signin_facts *f = &x->facts;
    if (!f->may_be_mailbox)
        return OK;
    TRY(vault_policy_mailbox_widest(s->vault, x->door, &f->widest));
    if (f->is_slip && f->widest == MAILBOX_NEVER) {
        f->may_be_mailbox = false;
        return OK;
    }
    if (f->is_slip) /* it is compared, so it is a guess as good as any other */
        x->question.kind = CREDENTIAL_NONE;
    return vault_policy_mailbox(
        s->vault, f->has_account ? &f->account : NULL, f->name, x->door, &x->question.policy);
}

void signin_look_at_guard(struct signins *s, struct exchange *x)
{
    struct guarded g;
    guard_view(s, x, &g);
    x->question.must_wait = guard_must_wait(s->guard, s->ops->now_ms(s->owner), &g.who, g.secret);
}

fallible signin_judge(struct signins *s, struct exchange *x, bool *ret_must_hash)
{
    const struct sasl_claim *claim = sasl_server_claim(x->sasl);
    struct decide_question *q = &x->question;
    *q = (struct decide_question){
        .door = x->door,
        .has_tls = x->has_tls,
        .is_bound_elsewhere = claim->flaw != SASL_FLAW_NONE,
        .client = x->client,
        .now_s = s->ops->now_s(s->owner),
    };
    TRY(signin_recognise(s->vault, claim, q->now_s, &x->facts, q));
    q->as_other = signin_is_other(s->vault, &x->facts, claim->authzid);
    signin_look_at_guard(s, x);
    TRY(look_at_policy(s, x));
    *ret_must_hash =
        x->facts.may_be_mailbox && x->facts.widest != MAILBOX_NEVER && !q->must_wait && x->has_tls;
    return OK;
}

/* ---- the mailbox password ---- */

/* Where a code is asked for, six digits at the end are taken for one; the rest is compared all the same when there are none,
 * for the owner's sake. */
static fallible typed_password(
    struct vault *v, struct signin_facts *f, enum mailbox_policy policy, const struct secret *typed,
    struct secret *ret_password)
{
    struct secret normal CLEANUP_SECRET = SECRET_NONE;
    struct slice password, code;
    TRY(vault_password_normal(v, typed, &normal));
    f->typed = SIGNIN_WHOLE;
    if (policy == MAILBOX_WITH_TOTP && factors_split_code(secret_reveal(&normal), &password, &code)) {
        f->typed = SIGNIN_BEFORE_CODE;
        return secret_copy(v->slab, password, ret_password);
    }
    *ret_password = normal;
    normal = SECRET_NONE;
    return OK;
}

fallible signin_start_hash(
    struct signins *s, uint64_t id, struct signin_facts *f, enum mailbox_policy policy,
    const struct secret *typed)
{
    struct secret stored CLEANUP_SECRET = SECRET_NONE, password CLEANUP_SECRET = SECRET_NONE;
    enum err e = typed_password(s->vault, f, policy, typed, &password);
    if (e == ERR_SYNTAX || e == ERR_LIMIT) /* no password of that form was ever set */
        return ERR_SYNTAX;
    TRY(e);
    TRY(vault_password_stored(s->vault, f->has_account ? &f->account.id : NULL, &stored));
    TRY(s->ops->hash(s->owner, id, f->has_account ? &f->account.id : NULL, &stored, &password));
    stored = password = SECRET_NONE;
    return OK;
}

static fallible check_code(
    struct signins *s, const struct signin_facts *f, const struct secret *typed,
    enum credential_kind *ret_kind)
{
    struct secret normal CLEANUP_SECRET = SECRET_NONE;
    struct slice password, code;
    struct factor_result result;
    TRY(vault_password_normal(s->vault, typed, &normal));
    if (!factors_split_code(secret_reveal(&normal), &password, &code))
        return ERR_CORRUPT;
    TRY(factors_check_totp(s->vault, &f->account.id, code, s->ops->now_s(s->owner), &result));
    *ret_kind = result.verdict == FACTOR_YES ? CREDENTIAL_MAILBOX_WITH_CODE : CREDENTIAL_MAILBOX_BAD_CODE;
    return OK;
}

/* Argon2 takes its time. Meanwhile the account may have been locked or removed, or its password or a policy changed: what holds
 * now counts. Fails when that cannot be known: what was compared may not be its password any more. */
static fallible
look_at_account_again(struct signins *s, struct signin_facts *f, bool is_right, struct decide_question *q)
{
    if (!f->has_account)
        return OK;
    enum err e = vault_account_refresh(s->vault, &f->account);
    if (e == ERR_AGAIN && !is_right)
        return OK;
    f->has_account = e != ERR_NOT_FOUND;
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    q->account = f->has_account ? f->account.status : ACCOUNT_UNKNOWN;
    return vault_policy_mailbox(s->vault, f->has_account ? &f->account : NULL, f->name, q->door, &q->policy);
}

fallible signin_judge_hashed(
    struct signins *s, struct signin_facts *f, const struct secret *typed, bool is_right,
    struct decide_question *q)
{
    q->kind = CREDENTIAL_NONE;
    TRY(look_at_account_again(s, f, is_right, q));
    if (!is_right || !f->has_account || q->must_wait)
        return OK;
    TRY(vault_password_ends(s->vault, &f->account, &q->mailbox_ends_s));
    if (f->typed == SIGNIN_BEFORE_CODE)
        return check_code(s, f, typed, &q->kind);
    q->kind = CREDENTIAL_MAILBOX;
    return OK;
}
