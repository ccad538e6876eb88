/* factors_private.h - what the files of the second factors share.                     room: vault   runs in: vault
 *
 * factors.c lists, counts and removes; factor_tries.c counts wrong codes; totp.c, recovery_set.c and webauthn.c do their kind.
 */
#ifndef VAULT_FACTORS_PRIVATE_H
#define VAULT_FACTORS_PRIVATE_H

#include "factor/totp.h"
#include "vault/factors.h"
#include "vault/private.h"

static inline struct slice account_slice(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

/* ---- rows ---- */

enum { FACTOR_SEALED_MAX = 8192 };
/* Adds a row with its sealed secret (empty: none), within the caller's transaction. */
struct factor_row {
    enum factor_kind kind;
    enum factor_status status;
    struct slice label, secret, lookup; /* lookup empty: none */
    int64_t counter, now_s;
};
fallible factor_row_add(
    struct vault *v, const struct account_id *account, const struct factor_row *row, uint64_t *ret_id);
/* The row's secret, opened. `sealed` as the column has it. */
fallible factor_unseal(struct vault *v, uint64_t id, struct slice sealed, struct secret *ret_secret);
/* Keyed, and bound to what it is for (INV-V1, INV-V2). account may be NULL: the same for all accounts. */
struct hash
factor_lookup(struct vault *v, const char *purpose, const struct account_id *account, struct slice secret);
/* Is there room for one more? Words and ERR_LIMIT when not; ERR_SYNTAX for the label. */
fallible factor_check_new(
    struct vault *v, const struct account_id *account, enum factor_kind kind, struct slice label);
/* A record for the journal; id 0: none. */
void factor_audit(
    struct vault *v, const char *event, const struct account_id *account, enum factor_kind kind, uint64_t id);
/* A mail to the owner, within the caller's transaction. `what`: "added", "removed", ... */
fallible factor_tell(
    struct vault *v, const struct account_id *account, enum factor_kind kind, const char *what,
    int64_t now_s);
/* The same: somebody guesses. */
fallible
factor_tell_guessed(struct vault *v, const struct account_id *account, enum factor_kind kind, int64_t now_s);
/* All rows of one kind and status go. */
fallible factor_remove_kind(
    struct vault *v, const struct account_id *account, enum factor_kind kind, enum factor_status status);
/* OK: committed. Else rolled back, with words. */
fallible factor_end(struct vault *v, enum err e);

/* ---- wrong codes (factor_tries.c) ---- */

enum { TRIES_MAX = LIMIT_RECOVERY_TRIES };
struct tries {
    int64_t wrong, last_s; /* in a row, and when */
    size_t count;
    int64_t at_s[TRIES_MAX]; /* the last tries, right or wrong, oldest first */
};
/* Brought down to now when the clock went back; *ret_changed says so, and then it must be stored, or a wait that was counted
 * from the future would begin anew at every look. */
fallible tries_get(
    struct vault *v, const struct account_id *account, enum factor_kind kind, int64_t now_s,
    struct tries *ret_tries, bool *ret_changed);
fallible
tries_put(struct vault *v, const struct account_id *account, enum factor_kind kind, const struct tries *t);
/* When the next code is looked at; 0: now. */
int64_t tries_wait_totp(const struct tries *t, int64_t now_s);
int64_t tries_wait_recovery(const struct tries *t, int64_t now_s);
void tries_note(struct tries *t, int64_t now_s, bool is_right);

/* ---- one kind ---- */

typedef enum err factor_check_fn(
    struct vault *v, const struct account_id *account, struct slice code, int64_t now_s,
    struct factor_result *ret_result);
factor_check_fn totp_check_code, recovery_check_code;

#endif
