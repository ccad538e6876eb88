/* session.h - people who are signed in to the portal.                              room: vault   runs in: vault
 *
 * A session is named by a token of 256 random bits, told once; only its keyed hash is kept. It belongs to one account and to
 * one version of it: locking, another mailbox password and whatever else raises the version ends it at once. It ends when
 * nothing was asked for LIMIT_SESSION_IDLE, and LIMIT_SESSION_LIFE after it began, whatever was asked.
 *
 * INV-E3  What could hand the account to somebody else (session_needs_proof) is done only within LIMIT_SESSION_FRESH of a proof
 *         by a second factor, or by the password where the account has none (T-231).
 *
 * Fails: ERR_DENIED (no such session, ended, of another version; no difference), and what db/ fails with. Changes are told to
 * the journal.
 */
#ifndef VAULT_SESSION_H
#define VAULT_SESSION_H

#include "base/ip.h"
#include "vault/accounts.h"

enum { SESSION_TOKEN_LEN = 32 };

struct session {
    uint64_t id;
    struct account_id account;
    int64_t created_s, used_s, proof_s;
};

/* ret_token: the caller wipes it once it was sent. With LIMIT_SESSIONS_PER_ACCOUNT the oldest ends. */
fallible session_begin(
    struct vault *v, const struct vault_account *account, const struct ip *client, struct slice program,
    int64_t now_s, uint8_t ret_token[SESSION_TOKEN_LEN]);
fallible session_find(struct vault *v, struct slice token, int64_t now_s, struct session *ret_session);
/* A fresh proof was given. */
fallible session_proved(struct vault *v, uint64_t id, int64_t now_s);
fallible session_end(struct vault *v, struct slice token, int64_t now_s);

/* SESSION_ACTION(NAME, "name", needs a fresh proof). What only takes away (revoking, forgetting) needs none: it must be quick in need. */
#define SESSION_ACTIONS(ACTION)                                                                              \
    ACTION(LOOK, "look", false)                                                                              \
    ACTION(SETTINGS, "settings", false)                                                                      \
    ACTION(CLIENT_REVOKE, "client-revoke", false)                                                            \
    ACTION(DEVICE_FORGET, "device-forget", false)                                                            \
    ACTION(SIGN_OUT, "sign-out", false)                                                                      \
    ACTION(FACTOR_ADD, "factor-add", true)                                                                   \
    ACTION(FACTOR_REMOVE, "factor-remove", true)                                                             \
    ACTION(RECOVERY_CODES, "recovery-codes", true)                                                           \
    ACTION(CLIENT_ADD, "client-add", true)                                                                   \
    ACTION(CLIENT_CHANGE, "client-change", true)                                                             \
    ACTION(FORWARDING, "forwarding", true)                                                                   \
    ACTION(RECOVERY_ADDRESS, "recovery-address", true)                                                       \
    ACTION(PASSWORD, "password", true)                                                                       \
    ACTION(EXPORT, "export", true)

enum session_action {
#define ACTION(id, name, fresh) SESSION_##id,
    SESSION_ACTIONS(ACTION)
#undef ACTION
        SESSION_ACTION_N
};
const char *session_action_name(enum session_action action);
bool session_needs_proof(enum session_action action);
/* OK; ERR_AGAIN: prove yourself again (entry_step_up); ERR_DENIED: the session has ended. */
fallible session_may(
    struct vault *v, struct slice token, enum session_action action, int64_t now_s,
    struct session *ret_session);

#endif
