/* session.h - the sessions of a keeper: who is here, by which grant, waiting for what.   room: keeper   runs in: keeper
 *
 * Every protocol's session embeds a `struct session` and registers it. Revoking a credential, stopping, an
 * account that was poisoned or removed: all end sessions through here, by the session's own `end`, which says
 * goodbye in its protocol's words. A session whose grant expires is ended from here as well, within a second of the
 * wall clock, idle or not. Every wait has a name, and `letterlock status` prints it.
 */
#ifndef KEEPER_SESSION_H
#define KEEPER_SESSION_H

#include "base/buf.h"
#include "keeper/grants.h"

enum session_wait {
    WAIT_INPUT,
    WAIT_OUTPUT,
    WAIT_DISK,
    WAIT_STORE,
    WAIT_WORK,
    WAIT_CHANGES,
    WAIT_PROCESS,
    WAIT_N
};
const char *session_wait_name(enum session_wait wait);

enum session_end_reason { END_REVOKED, END_STOPPING, END_UNAVAILABLE, END_REMOVED, END_EXPIRED, END_REASONS };
/* "this password was revoked": for the log. */
const char *session_end_text(enum session_end_reason reason);

struct session;
struct session_ops {
    /* Says goodbye and frees the session; it leaves the registry before this returns. */
    void (*end)(struct session *s, enum session_end_reason reason);
    /* A few words for the status table ("selected INBOX"); nothing when there is nothing to say. May be NULL.
     */
    void (*describe)(const struct session *s, struct buf *out);
};

struct session {
    struct list link;
    const struct session_ops *ops;
    uint64_t id;
    struct grant grant;
    struct ip client;
    int64_t started_s;
    enum session_wait wait;
    uint64_t unspent; /* octets that were fetched and not yet told to the vault (keeper/spending.h) */
};

/* What a protocol's session begins with. Each protocol has one function of this type (imap_session_start,
 * pop3_session_start, submission_session_start): it takes `fd` whatever happens, registers the session, and greets in its
 * protocol's words (IMAP: the tagged OK of the command that signed in) once the account can be entered. Answers OK;
 * ERR_UNAVAILABLE, ERR_LIMIT: not now. */
struct keeper_env;
struct session_start {
    uint64_t id;
    struct grant grant;
    struct ip client;
    struct slice tag; /* IMAP; good during the call */
    struct slice tls; /* protocol and suite; empty in the clear */
    int fd;           /* the gate's end of the client's stream is at the other end */
};
typedef enum err session_start_fn(struct keeper_env *env, const struct session_start *start);

struct sessions;
struct sessions *sessions_new(struct loop *loop);
void sessions_free(struct sessions **all);
/* ERR_LIMIT above LIMIT_SESSIONS. A registered session holds its own reference to the grant's limits. */
fallible sessions_add(struct sessions *all, struct session *s);
void sessions_drop(struct sessions *all, struct session *s);
/* `fn` is called as each session leaves. */
void sessions_on_drop(struct sessions *all, void (*fn)(struct session *s, void *arg), void *arg);
size_t sessions_count(const struct sessions *all);
/* The account's session of this service that began first; NULL when there is none. */
struct session *
sessions_find_first(const struct sessions *all, const struct account_id *account, enum ipc_service service);
/* NULL when there is none (T-337: an arrival names the submission session whose grant it uses). */
struct session *sessions_find(const struct sessions *all, uint64_t id);
/* Ends sessions of the account: of one credential below `version`, or all when credential is 0. Returns how
 * many. */
unsigned sessions_revoke(
    struct sessions *all, const struct account_id *account, uint64_t credential, uint32_t version,
    enum session_end_reason reason);
void sessions_end_all(struct sessions *all, enum session_end_reason reason);
/* Calls fn for each; fn may not change the registry. */
void sessions_each(const struct sessions *all, void (*fn)(const struct session *s, void *arg), void *arg);

#endif
