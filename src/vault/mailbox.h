/* mailbox.h - mailbox passwords: what may become one, setting, changing, growing old.           room: vault   runs in: vault
 *
 * A change has two halves, because comparing with former passwords and making the new hash cost up to a dozen times Argon2:
 *
 *   vault_password_begin    on the loop: who may, what the policy says of the new password; collects what to compare
 *   password_work_run       on a thread of the hash pool: touches nothing but its own struct
 *   vault_password_finish   on the loop: one transaction, if the account is still what it was
 *
 * INV-M1  One transaction holds the new hash, the old one among the former ones, the used reset code, the end of remembered
 *         devices and portal sessions, and the notice to the owner: after a crash all of it holds or nothing (T-256).
 * INV-M2  The sessions that the old password opened end if and only if the new one is in force; version says which (T-256).
 * INV-M3  Of two changes at the same time one wins; the other is ERR_BUSY and changes nothing.
 * INV-M4  No administrator sets a password in place of another one: only where none was, and then it must be changed by its
 *         owner. What they can make is a code (reset.h).
 * INV-M5  A hash is made anew with the present cost at a sign-in; that changes neither version nor age, and its failure
 *         fails no sign-in.
 *
 * Former passwords are kept as sealed Argon2id texts, no more than the policy asks for. Every change is told to the journal
 * (account.password, account.password-refused) and to the owner (notices.h).
 *
 * Fails: ERR_DENIED (old password or code wrong, account locked, INV-M4), ERR_SYNTAX (the policy says no, or it was used
 * before; words say which), ERR_BUSY, ERR_UNSUPPORTED (the directory's account), ERR_NOT_FOUND, and what db/ fails with.
 */
#ifndef VAULT_MAILBOX_H
#define VAULT_MAILBOX_H

#include "crypto/hash.h"
#include "vault/accounts.h"
#include "vault/strength.h"

/* ---- judging ---- */

struct password_judgement {
    enum strength_colour colour; /* red when it is not allowed */
    enum password_reason reason;
    int64_t number; /* that the reason's words name */
    bool is_allowed;
};
/* By the account's policy, without comparing with former ones. `account` needs an address, a name and a group only. `typed`: of
 * any length. Some milliseconds. */
fallible vault_password_judge(
    struct vault *v, const struct vault_account *account, const struct secret *typed,
    struct password_judgement *ret_judgement);

/* The filter of breached passwords in the vault's folder. ERR_NOT_FOUND: there is none, none is used. Else on failure the one in
 * use stays; `problem` gets the words. At the start, and at each reload. */
fallible vault_breach_load(struct vault *v, int dirfd, struct buf *problem);
/* Listed passwords; 0 without a filter. */
uint64_t vault_breach_count(const struct vault *v);

/* ---- changing ---- */

enum password_by {
    PASSWORD_INITIAL,  /* by whoever makes the account */
    PASSWORD_BY_ADMIN, /* by an administrator, where there is none; must be changed */
    PASSWORD_BY_OWNER, /* with the old one */
    PASSWORD_BY_RESET, /* with a code (reset.h) */
    PASSWORD_BY_ENTRY, /* by somebody who proved himself a moment ago (entry.h) */
    PASSWORD_BY_N
};

struct password_work {
    enum password_by by;
    struct account_id account;
    uint32_t version; /* of the account when it began */
    struct secret password, old;
    struct secret former[LIMIT_PASSWORD_HISTORY + 1]; /* the present one first */
    size_t former_count;
    bool has_present; /* former[0] is the present one */
    size_t compared;  /* how many of `former` the policy forbids to use again */
    struct passhash_cost cost;
    struct hash reset; /* of the code */
    /* What password_work_run finds: OK, ERR_DENIED (old is wrong), ERR_EXISTS (used before), ERR_MEMORY, ERR_CORRUPT. */
    enum err result;
    char hash[PASSHASH_TEXT_MAX];
};
/* `proof`: the old password or the code as typed; NULL where none is asked for. `now_s`: unix time. */
fallible vault_password_begin(
    struct vault *v, struct slice address, enum password_by by, const struct secret *proof,
    const struct secret *typed, int64_t now_s, struct password_work *ret_work);
void password_work_run(struct password_work *w);
fallible vault_password_finish(struct vault *v, const struct password_work *w, int64_t now_s);
/* On the loop. Wipes. */
void password_work_done(struct password_work *w);

/* The account must be given another password before this one opens anything. ERR_STATE: it has none. */
fallible vault_password_must_change(struct vault *v, struct slice address);

/* What a typed password is compared with. account NULL, or one without a password: a text that no password fits and that costs
 * the same, so that nobody learns who is there. */
fallible vault_password_stored(struct vault *v, const struct account_id *account, struct secret *ret_text);
/* INV-M5. `stored`: what was compared; when it is not the present one any more nothing happens. */
bool vault_password_is_stale(const struct vault *v, struct slice stored);
fallible vault_password_rehash(
    struct vault *v, const struct account_id *account, struct slice stored, struct slice hash);

/* ---- growing old ---- */

/* When it must have been changed; 0: never. A must_change account: 1, long ago. */
fallible vault_password_ends(struct vault *v, const struct vault_account *account, int64_t *ret_ends_s);
/* Called now and then: notices to owners whose password ends within the policy's time, each once. At most `most` accounts a call;
 * begin with 0 in *cursor and call again until it is 0 again. */
fallible vault_passwords_warn(struct vault *v, int64_t now_s, unsigned most, int64_t *cursor);

#endif
