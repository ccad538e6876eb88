#include "vault/clients_audit.h"

#include <assert.h>

#include "vault/accounts.h"

enum {
    DAY_S = 86400,
    STALE_DAYS = 90,
    NEVER_USED_DAYS = 30,
    OVER_AGE_DAYS = 365,
    EXPIRING_DAYS = 7,
    WORDS = 1024
};

/* ---- reach ---- */

static bool opens(const struct vault_client *c, enum vault_door door)
{
    return c->scopes.doors & VAULT_DOOR_BIT(door);
}

static bool receives(const struct vault_client *c)
{
    return c->scopes.can_receive && (opens(c, VAULT_IMAP) || opens(c, VAULT_POP3));
}

static bool has_right(const struct vault_client *c, unsigned right)
{
    return receives(c) && c->scopes.limits.rights & right;
}

static bool sends(const struct vault_client *c)
{
    return c->scopes.can_send && (opens(c, VAULT_SUBMISSION) || opens(c, VAULT_API));
}

static bool imap_read(const struct vault_client *c)
{
    return has_right(c, SCOPE_READ) && opens(c, VAULT_IMAP);
}

static bool pop3_read(const struct vault_client *c)
{
    return has_right(c, SCOPE_READ) && opens(c, VAULT_POP3);
}

static bool whole_mailbox(const struct vault_client *c)
{
    const struct scope *s = &c->scopes.limits;
    return has_right(c, SCOPE_READ) && !s->folder_count && !s->window_days;
}

static bool attachments(const struct vault_client *c)
{
    return has_right(c, SCOPE_READ) && !scope_limits_attachments(&c->scopes.limits);
}

static bool imap_write(const struct vault_client *c)
{
    return has_right(c, SCOPE_FLAG | SCOPE_APPEND | SCOPE_MANAGE) && opens(c, VAULT_IMAP);
}

static bool can_delete(const struct vault_client *c)
{
    return has_right(c, SCOPE_DELETE);
}

static bool send_as_any(const struct vault_client *c)
{
    return sends(c) && !c->scopes.limits.sender_count;
}

static bool send_anywhere(const struct vault_client *c)
{
    return sends(c) && !c->scopes.limits.recipient_count;
}

static bool unlimited_messages(const struct vault_client *c)
{
    return sends(c) && !c->scopes.limits.messages_day && !c->scopes.limits.messages_hour;
}

static bool from_anywhere(const struct vault_client *c)
{
    return (receives(c) || sends(c)) && !c->scopes.limits.network_count;
}

static bool for_ever(const struct vault_client *c)
{
    return (receives(c) || sends(c)) && !c->scopes.expires_s && !c->scopes.limits.rotate_days;
}

typedef bool reach_fn(const struct vault_client *c);
static reach_fn *const reach_asked[] = {
    imap_read, pop3_read,   whole_mailbox, attachments,        imap_write,    can_delete,
    sends,     send_as_any, send_anywhere, unlimited_messages, from_anywhere, for_ever,
};
static const struct {
    const char *word;
    unsigned weight;
} reaches[] = {
#define REACH(word, weight, text) {word, weight},
    CLIENT_REACHES(REACH)
#undef REACH
};
static_assert(
    sizeof reaches / sizeof *reaches == sizeof reach_asked / sizeof *reach_asked,
    "a word without a question");

static void put_word(const char *word, struct buf *out)
{
    buf_printf(out, "%s%s", out->n ? " " : "", word);
}

static unsigned put_reach(const struct vault_client *c, struct buf *out)
{
    enum { IMAP_READ, POP3_READ };
    unsigned risk = 0;
    bool is_reached[sizeof reaches / sizeof *reaches];
    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++) {
        is_reached[i] = reach_asked[i](c);
        if (!is_reached[i])
            continue;
        put_word(reaches[i].word, out);
        if (i != POP3_READ || !is_reached[IMAP_READ])
            risk += reaches[i].weight;
    }
    return risk > 100 ? 100 : risk;
}

/* ---- findings ---- */

static bool is_over_age(const struct vault_client *c, int64_t now_s)
{
    int64_t days = c->scopes.limits.rotate_days ? (int64_t)c->scopes.limits.rotate_days : OVER_AGE_DAYS;
    return now_s >= c->scopes.created_s + days * DAY_S;
}

static void put_findings(const struct vault_client *c, int64_t now_s, unsigned risk, struct buf *out)
{
    const struct scopes *s = &c->scopes;
    bool is_canary = s->limits.is_canary;
    bool is_used = c->last_used_s != 0;
    const struct {
        const char *word;
        bool holds;
    } rows[] = {
        {"wide", risk >= CLIENT_AUDIT_WIDE},
        {"stale", is_used && now_s >= c->last_used_s + STALE_DAYS * DAY_S},
        {"never-used", !is_used && !is_canary && now_s >= c->created_s + NEVER_USED_DAYS * DAY_S},
        {"over-age", !is_canary && is_over_age(c, now_s)},
        {"expiring", s->expires_s && now_s >= s->expires_s - EXPIRING_DAYS * DAY_S},
        {"canary", is_canary},
        {"frozen", s->is_frozen},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].holds)
            put_word(rows[i].word, out);
}

/* One credential; pure. */
static void client_audit_one(
    const struct vault_client *c, int64_t now_s, uint8_t *ret_risk, struct buf *reach, struct buf *findings)
{
    bool opens_nothing = c->scopes.is_frozen || c->scopes.limits.is_canary || c->scopes.has_unknown_limit;
    unsigned risk = opens_nothing ? 0 : put_reach(c, reach);
    put_findings(c, now_s, risk, findings);
    *ret_risk = (uint8_t)risk;
}

/* ---- all of them ---- */

struct audit {
    struct vault *vault;
    int64_t now_s;
    client_audit_fn *fn;
    void *owner;
    const struct vault_account *account;
    enum err e;
};

static void audit_client(void *owner, const struct vault_client *c)
{
    struct audit *a = owner;
    if (c->is_revoked || (c->scopes.expires_s && a->now_s >= c->scopes.expires_s))
        return;
    struct buf reach CLEANUP_BUF = BUF_INIT(WORDS), findings CLEANUP_BUF = BUF_INIT(WORDS);
    struct client_audit found = {.client = c, .address = slice_str(a->account->address)};
    client_audit_one(c, a->now_s, &found.risk, &reach, &findings);
    found.reach = buf_slice(&reach);
    found.findings = buf_slice(&findings);
    a->fn(a->owner, &found);
}

static void audit_account(void *owner, const struct vault_account *account)
{
    struct audit *a = owner;
    a->account = account;
    if (a->e == OK)
        a->e = vault_client_list(a->vault, &account->id, audit_client, a);
}

fallible vault_clients_audit(
    struct vault *v, struct slice domain, struct slice account, int64_t now_s, client_audit_fn *fn,
    void *owner)
{
    struct audit a = {.vault = v, .now_s = now_s, .fn = fn, .owner = owner};
    if (account.n) {
        struct vault_account one;
        TRY(vault_account_find(v, account, &one));
        audit_account(&a, &one);
    } else {
        TRY(vault_account_list(v, domain, audit_account, &a));
    }
    return a.e;
}
