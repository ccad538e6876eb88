#include "vault/decide.h"

#include <assert.h>

static const struct {
    const char *name;
    enum verdict verdict;
    bool counts;
} reasons[] = {
#define REASON(id, stable, verdict_, counts_) [REASON_##id] = {stable, VERDICT_##verdict_, counts_},
    REASONS(REASON)
#undef REASON
};

static const struct {
    const char *name;
    bool receives, sends;
} doors[] = {
    [VAULT_SUBMISSION] = {"submission", .sends = true},
    [VAULT_IMAP] = {"imap", .receives = true},
    [VAULT_POP3] = {"pop3", .receives = true},
    [VAULT_API] = {"api", .sends = true},
};
static_assert(sizeof doors / sizeof *doors == VAULT_DOORS, "a door without a row");

const char *vault_door_name(enum vault_door door)
{
    return (unsigned)door < VAULT_DOORS ? doors[door].name : "unknown";
}

const char *reason_name(enum reason r)
{
    return (unsigned)r < REASON_N ? reasons[r].name : "unknown";
}

bool reason_counts(enum reason r)
{
    return (unsigned)r < REASON_N && reasons[r].counts;
}

fallible reason_parse(struct slice name, enum reason *ret_reason)
{
    for (unsigned i = 0; i < REASON_N; i++) {
        if (slice_eq(name, slice_str(reasons[i].name))) {
            *ret_reason = (enum reason)i;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

/* When the secret is too old; 0: never. */
static int64_t rotation_due(const struct scopes *s)
{
    enum { DAY_S = 86400 };
    return s->limits.rotate_days ? s->created_s + (int64_t)s->limits.rotate_days * DAY_S : 0;
}

static bool is_reached(int64_t when_s, int64_t now_s)
{
    return when_s && now_s >= when_s;
}

/* What ends a credential at every door, and the sessions that it opened. */
static enum reason judge_life(const struct scopes *s, int64_t now_s)
{
    if (s->has_unknown_limit)
        return REASON_UNKNOWN_LIMIT;
    if (is_reached(s->expires_s, now_s))
        return REASON_EXPIRED;
    if (s->is_frozen)
        return REASON_FROZEN;
    if (is_reached(rotation_due(s), now_s))
        return REASON_ROTATE;
    return scope_allows_time(&s->limits, now_s) ? REASON_FINE : REASON_HOURS;
}

bool decide_goes_on(const struct scopes *s, int64_t now_s)
{
    return judge_life(s, now_s) == REASON_FINE && !s->limits.is_canary;
}

/* What a live credential of an active account may still be refused for. */
static enum reason judge_scopes(const struct decide_question *q)
{
    const struct scopes *s = &q->scopes;
    enum reason life = judge_life(s, q->now_s);
    if (life != REASON_FINE)
        return life;
    if (!(s->doors & VAULT_DOOR_BIT(q->door)))
        return REASON_DOOR;
    if (doors[q->door].receives && !s->can_receive)
        return REASON_NO_RECEIVE;
    if (doors[q->door].sends && !s->can_send)
        return REASON_NO_SEND;
    return scope_allows_network(&s->limits, &q->client) ? REASON_FINE : REASON_NETWORK;
}

/* What the mailbox password may be refused for, by policy. */
static enum reason judge_mailbox(const struct decide_question *q)
{
    if (q->policy == MAILBOX_NEVER)
        return REASON_MAILBOX_PASSWORD;
    if (q->kind == CREDENTIAL_MAILBOX_BAD_CODE)
        return REASON_WRONG_CODE;
    if (q->kind == CREDENTIAL_MAILBOX && q->policy != MAILBOX_ALLOWED)
        return REASON_NO_CODE;
    return is_reached(q->mailbox_ends_s, q->now_s) ? REASON_MUST_CHANGE : REASON_FINE;
}

/* What the secret itself is good for, wherever it is used. A canary sounds also when its account is locked. */
static enum reason judge_secret(const struct decide_question *q)
{
    if (q->kind == CREDENTIAL_NONE)
        return REASON_WRONG_SECRET;
    if (q->kind == CREDENTIAL_SLIP)
        return REASON_SLIP;
    if (!credential_is_made(q->kind))
        return judge_mailbox(q);
    if (q->is_revoked)
        return REASON_REVOKED;
    return q->scopes.limits.is_canary ? REASON_CANARY : REASON_FINE;
}

/* The order decides only which reason the owner reads, with one exception: a right client password is not held up by
 * other people's guesses. It cannot have been guessed, so nothing is lost, and the owner always has a way in. */
static enum reason judge(const struct decide_question *q)
{
    if (!q->has_tls)
        return REASON_NO_TLS;
    if (q->must_wait && (!credential_is_made(q->kind) || q->is_revoked))
        return REASON_WAIT;
    if (q->is_bound_elsewhere)
        return REASON_BINDING;
    if (q->account == ACCOUNT_UNKNOWN)
        return REASON_UNKNOWN_ACCOUNT;
    enum reason reason = judge_secret(q);
    if (reason != REASON_FINE)
        return reason;
    if (q->account == ACCOUNT_LOCKED)
        return REASON_LOCKED;
    if (q->as_other)
        return REASON_AS_OTHER;
    return credential_is_made(q->kind) ? judge_scopes(q) : REASON_FINE;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a && (!b || a < b) ? a : b;
}

struct decision decide(const struct decide_question *q)
{
    assert((unsigned)q->door < VAULT_DOORS);
    enum reason reason = judge(q);
    struct decision d = {.verdict = reasons[reason].verdict, .reason = reason};
    /* Among guesses that hear "later", a no would say that this one is a credential of ours: expired, say, or a bait. */
    if (d.verdict == VERDICT_NO && q->must_wait && q->has_tls)
        d.verdict = VERDICT_LATER;
    if (d.verdict == VERDICT_YES) {
        const struct scopes *s = &q->scopes;
        bool is_made = credential_is_made(q->kind);
        d.can_receive = doors[q->door].receives && (!is_made || s->can_receive);
        d.can_send = doors[q->door].sends && (!is_made || s->can_send);
        d.expires_s =
            is_made ? earlier(scope_time_ends(&s->limits, q->now_s), earlier(s->expires_s, rotation_due(s)))
                    : q->mailbox_ends_s;
    }
    return d;
}
