#include "vault/decide.h"

#include <assert.h>

static const struct {
    const char *name, *text;
    enum verdict verdict;
    bool counts;
} reasons[] = {
#define REASON(id, stable, verdict_, counts_, text_)                                                         \
    [REASON_##id] = {stable, text_, VERDICT_##verdict_, counts_},
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

const char *reason_text(enum reason r)
{
    return (unsigned)r < REASON_N ? reasons[r].text : "";
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

static bool is_from_allowed_network(const struct decide_question *q)
{
    if (q->scopes.network_count == 0)
        return true;
    for (size_t i = 0; i < q->scopes.network_count; i++)
        if (ip_net_has(&q->scopes.networks[i], &q->client))
            return true;
    return false;
}

/* What a live client password of an active account may still be refused for. */
static enum reason judge_scopes(const struct decide_question *q)
{
    const struct scopes *s = &q->scopes;
    if (s->has_unknown_limit)
        return REASON_UNKNOWN_LIMIT;
    if (s->expires_s && q->now_s >= s->expires_s)
        return REASON_EXPIRED;
    if (!(s->doors & VAULT_DOOR_BIT(q->door)))
        return REASON_DOOR;
    if (doors[q->door].receives && !s->can_receive)
        return REASON_NO_RECEIVE;
    if (doors[q->door].sends && !s->can_send)
        return REASON_NO_SEND;
    return is_from_allowed_network(q) ? REASON_FINE : REASON_NETWORK;
}

/* The order decides only which reason the owner reads, with one exception: a right client password is not held up by
 * other people's guesses. It cannot have been guessed, so nothing is lost, and the owner always has a way in. */
static enum reason judge(const struct decide_question *q)
{
    if (!q->has_tls)
        return REASON_NO_TLS;
    if (q->must_wait && (q->kind != CREDENTIAL_CLIENT || q->is_revoked))
        return REASON_WAIT;
    if (q->account == ACCOUNT_UNKNOWN)
        return REASON_UNKNOWN_ACCOUNT;
    if (q->kind == CREDENTIAL_NONE)
        return REASON_WRONG_SECRET;
    if (q->kind == CREDENTIAL_SLIP)
        return REASON_SLIP;
    if (q->kind == CREDENTIAL_MAILBOX && q->policy != MAILBOX_ALLOWED)
        return REASON_MAILBOX_PASSWORD;
    if (q->is_revoked)
        return REASON_REVOKED;
    if (q->account == ACCOUNT_LOCKED)
        return REASON_LOCKED;
    if (q->as_other)
        return REASON_AS_OTHER;
    return q->kind == CREDENTIAL_MAILBOX ? REASON_FINE : judge_scopes(q);
}

struct decision decide(const struct decide_question *q)
{
    assert((unsigned)q->door < VAULT_DOORS);
    enum reason reason = judge(q);
    struct decision d = {.verdict = reasons[reason].verdict, .reason = reason};
    if (d.verdict == VERDICT_YES) {
        bool is_mailbox = q->kind == CREDENTIAL_MAILBOX;
        d.can_receive = doors[q->door].receives && (is_mailbox || q->scopes.can_receive);
        d.can_send = doors[q->door].sends && (is_mailbox || q->scopes.can_send);
        d.expires_s = is_mailbox ? 0 : q->scopes.expires_s;
    }
    return d;
}
