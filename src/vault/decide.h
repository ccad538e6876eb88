/* decide.h - may this credential open this door? The one place where that is decided.          room: vault   runs in: vault
 *
 * Every door (IMAP, POP3, submission, later the API) and every kind of credential comes through `decide`; nobody else
 * compares a scope with a door. What the session may do inside (folders, senders, budgets) travels to the keeper as text. The answer is yes with what the session may do, no, or later; and a typed reason. Reasons
 * are for the owner (`letterlock why`, the portal) and the journal, never for the wire: there every no is the same no.
 *
 * Pure: all facts are in the question. A credential that carries a kind of limit this code does not enforce opens nothing
 * (INV-V3): an older program never grants more than a newer one meant.
 */
#ifndef VAULT_DECIDE_H
#define VAULT_DECIDE_H

#include "base/ip.h"
#include "scope/scope.h"

enum vault_door { VAULT_SUBMISSION, VAULT_IMAP, VAULT_POP3, VAULT_API, VAULT_DOORS };
#define VAULT_DOOR_BIT(door) (1u << (door))
enum {
    VAULT_DOORS_ALL = (1u << VAULT_DOORS) - 1,
    VAULT_DOORS_MAIL =
        VAULT_DOOR_BIT(VAULT_SUBMISSION) | VAULT_DOOR_BIT(VAULT_IMAP) | VAULT_DOOR_BIT(VAULT_POP3),
};
/* "imap"; never NULL. */
const char *vault_door_name(enum vault_door door);

enum account_status { ACCOUNT_UNKNOWN, ACCOUNT_ACTIVE, ACCOUNT_LOCKED };
/* What the secret was recognised as. */
enum credential_kind {
    CREDENTIAL_NONE,    /* nothing that we know */
    CREDENTIAL_SLIP,    /* a client password with a typing slip: certainly wrong, but nobody guessed */
    CREDENTIAL_MAILBOX, /* the mailbox password */
    CREDENTIAL_MAILBOX_WITH_CODE, /* with a right TOTP code behind it */
    CREDENTIAL_MAILBOX_BAD_CODE,  /* with six digits behind it that are no code, or were used before */
    CREDENTIAL_CLIENT,            /* a client password */
    CREDENTIAL_TOKEN,             /* a bearer token that we made */
    CREDENTIAL_CERTIFICATE,       /* a client certificate that stands under the account */
};
/* Made by us (or a key pair): nobody guesses it, and it has scopes. */
static inline bool credential_is_made(enum credential_kind kind)
{
    return kind >= CREDENTIAL_CLIENT;
}
/* May the mailbox password open this door? With TOTP: only with a code of the authenticator behind it. From the strictest to
 * the widest. */
enum mailbox_policy { MAILBOX_NEVER, MAILBOX_WITH_TOTP, MAILBOX_ALLOWED, MAILBOX_POLICIES };

/* What a client password, token or certificate may be used for. */
struct scopes {
    unsigned doors; /* VAULT_DOOR_BIT... */
    bool can_receive, can_send;
    bool has_unknown_limit; /* stored with a limit that this release does not enforce */
    bool is_frozen;         /* a budget was exceeded; its owner or an administrator thaws it */
    int64_t expires_s;      /* unix time, 0: never */
    int64_t created_s;      /* of the secret: "rotate" counts from here */
    struct scope limits;    /* in the arena of whoever read it */
};

struct decide_question {
    enum vault_door door;
    bool has_tls;            /* the client's connection is encrypted */
    bool must_wait;          /* guard: this network has guessed too much */
    bool is_bound_elsewhere; /* the channel binding says that somebody stands between (sasl_flaw) */
    bool as_other;           /* the authorisation identity is another account's (T-078) */
    enum account_status account;
    enum mailbox_policy policy;
    int64_t mailbox_ends_s; /* the mailbox password must have been changed by then; 0: never */
    enum credential_kind kind;
    bool is_revoked;      /* of the credential */
    struct scopes scopes; /* where credential_is_made */
    struct ip client;
    int64_t now_s;
};

enum verdict { VERDICT_NO, VERDICT_LATER, VERDICT_YES };
/* REASON(NAME, "stable-name", verdict, counts as a wrong secret). The words for people stand in cli/reasons.c, in both languages. */
#define REASONS(REASON)                                                                                      \
    REASON(FINE, "ok", YES, false)                                                                           \
    REASON(NO_TLS, "no-tls", NO, false)                                                                      \
    REASON(WAIT, "too-many-guesses", LATER, false)                                                           \
    REASON(UNKNOWN_ACCOUNT, "unknown-account", NO, true)                                                     \
    REASON(SLIP, "slip", NO, false)                                                                          \
    REASON(WRONG_SECRET, "wrong-secret", NO, true)                                                           \
    REASON(MAILBOX_PASSWORD, "mailbox-password", NO, true)                                                   \
    REASON(NO_CODE, "no-code", NO, true)                                                                     \
    REASON(WRONG_CODE, "wrong-code", NO, true)                                                               \
    REASON(MUST_CHANGE, "must-change", NO, false)                                                            \
    REASON(BINDING, "channel-binding", NO, false)                                                            \
    REASON(CANARY, "canary", NO, true)                                                                       \
    REASON(REVOKED, "revoked", NO, true)                                                                     \
    REASON(LOCKED, "locked", NO, false)                                                                      \
    REASON(AS_OTHER, "as-someone-else", NO, false)                                                           \
    REASON(UNKNOWN_LIMIT, "unknown-limit", NO, true)                                                         \
    REASON(EXPIRED, "expired", NO, true)                                                                     \
    REASON(FROZEN, "frozen", NO, true)                                                                       \
    REASON(ROTATE, "rotation-due", NO, true)                                                                 \
    REASON(DOOR, "door", NO, true)                                                                           \
    REASON(NO_RECEIVE, "send-only", NO, true)                                                                \
    REASON(NO_SEND, "receive-only", NO, true)                                                                \
    REASON(NETWORK, "network", NO, true)                                                                     \
    REASON(HOURS, "hours", NO, true)                                                                         \
    REASON(UNAVAILABLE, "unavailable", LATER, false)                                                         \
    REASON(ABANDONED, "abandoned", NO, false)                                                                \
    REASON(MALFORMED, "malformed", NO, false)

enum reason {
#define REASON(name, stable, verdict, counts) REASON_##name,
    REASONS(REASON)
#undef REASON
        REASON_N
};
/* "wrong-secret"; never NULL. */
const char *reason_name(enum reason r);
/* Does the guard count it as a wrong secret? A secret used outside its scope is one (T-247). */
bool reason_counts(enum reason r);
/* ERR_NOT_FOUND. */
fallible reason_parse(struct slice name, enum reason *ret_reason);

struct decision {
    enum verdict verdict;
    enum reason reason;
    bool can_receive, can_send; /* of the session; false unless yes */
    int64_t expires_s;          /* the session ends then, for whatever reason comes first; 0: never */
};
struct decision decide(const struct decide_question *q);
/* May a session that this credential opened go on? What the door settled for good (network, direction) is not asked again. */
bool decide_goes_on(const struct scopes *s, int64_t now_s);

#endif
