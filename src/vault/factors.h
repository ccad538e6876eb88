/* factors.h - second factors of an account's mailbox password: list, enrol, confirm, remove, check.     room: vault   runs in: vault
 *
 * Three kinds. An authenticator (TOTP, RFC 6238) counts once a code of it was typed. A security key (webauthn.h) is registered
 * and asked by ceremonies of its own; here it is only listed, counted and removed. Recovery codes are a set of ten, each good
 * once: they are a way in, not a factor that a policy could ask for, and they go when the last other factor goes.
 *
 * INV-F1  A code opens once. That it was used is on disk before anyone hears the yes; when it cannot be written, the
 *         answer is an error, whatever the code was (T-227).
 * INV-F2  Wrong codes are counted by account and kind, on disk before anyone hears the no; only a right code of that kind
 *         clears the count, never a password (T-228). While an account waits, no code is looked at.
 * INV-F3  A clock that goes back opens no used code again; one that went far ahead and came back locks nobody out for longer
 *         than a step or a pause (T-229).
 *
 * Callers ask for a code only after the mailbox password was right: else a stranger could make the owner wait.
 * Every change and every wait is told to the journal; changes and the first wait to the owner, by mail. Secrets are sealed in
 * their row; a recovery code and a credential id are found by a keyed hash. Times are unix seconds, from the caller.
 *
 * Fails: ERR_NOT_FOUND, ERR_SYNTAX, ERR_LIMIT (too many factors), ERR_STATE (policy keeps the last factor), ERR_DENIED (as each
 * function says), and what db/ fails with: then nothing is decided, and the answer to a person is "try later". vault_problem
 * has the words. Limits: LIMIT_FACTORS_PER_ACCOUNT, LIMIT_TOTP_PER_ACCOUNT, LIMIT_FACTOR_*, LIMIT_RECOVERY_*.
 */
#ifndef VAULT_FACTORS_H
#define VAULT_FACTORS_H

#include "base/ids.h"
#include "base/limits.h"
#include "vault/recovery.h"
#include "vault/vault.h"

enum factor_kind { FACTOR_TOTP = 1, FACTOR_KEY = 2, FACTOR_RECOVERY = 3 };
/* "totp", "key", "recovery"; never NULL. */
const char *factor_kind_name(enum factor_kind kind);

enum factor_status {
    FACTOR_PENDING, /* an authenticator of which no code was typed yet */
    FACTOR_LIVE,
    FACTOR_SUSPECT, /* a security key whose counter went back: perhaps there are two of it; opens nothing any more */
};
/* "pending", "live", "suspect". */
const char *factor_status_name(enum factor_status status);

struct factor {
    uint64_t id; /* of a set of recovery codes: of the first one left */
    enum factor_kind kind;
    enum factor_status status;
    char label[LIMIT_FACTOR_LABEL + 1];
    int64_t created_s, last_used_s; /* last_used_s 0: never */
    uint32_t left;                  /* recovery codes not used yet */
};
typedef void factor_fn(void *owner, const struct factor *factor);
/* The recovery codes come as one, last. Pending authenticators that are too old are left out. */
fallible
factors_list(struct vault *v, const struct account_id *account, int64_t now_s, factor_fn *fn, void *owner);

/* What can be asked for at sign-in. */
struct factors_have {
    uint32_t totp, keys; /* live ones: a policy that demands a factor demands one of these */
    uint32_t recovery;   /* codes left */
};
fallible factors_count(struct vault *v, const struct account_id *account, struct factors_have *ret_have);

/* ---- authenticators ---- */

struct factor_totp_new {
    uint64_t id;
    struct secret secret; /* base32, as a person would type it; the caller frees both */
    struct secret uri;    /* otpauth://totp/ISSUER:ACCOUNT?secret=...&issuer=... for a QR code */
};
/* A secret of 160 bits, shown once. Pending until factors_confirm; a former pending one is dropped. `issuer` is what the
 * authenticator shows above the address, usually the domain. */
fallible factors_enrol_totp(
    struct vault *v, const struct account_id *account, struct slice label, struct slice issuer, int64_t now_s,
    struct factor_totp_new *ret_new);
/* The first code, which cannot be used to sign in afterwards. ERR_DENIED: not its code; ERR_NOT_FOUND: no such pending one. */
fallible factors_confirm(
    struct vault *v, const struct account_id *account, uint64_t id, struct slice code, int64_t now_s);

/* ---- recovery codes ---- */

/* Ten new codes, shown once; the former set is void. ERR_STATE: there is no other factor they could stand in for. */
fallible factors_new_recovery(
    struct vault *v, const struct account_id *account, int64_t now_s,
    struct recovery_code ret_codes[LIMIT_RECOVERY_CODES]);

/* ---- removing ---- */

/* `must_keep`: the account's policy holds (POLICY_FACTOR_REQUIRED): the last live factor of a kind that it demands stays,
 * ERR_STATE. The id of a recovery code stands for the whole set. With the last factor the recovery codes and the remembered
 * devices go. */
fallible
factors_remove(struct vault *v, const struct account_id *account, uint64_t id, bool must_keep, int64_t now_s);

/* ---- checking ---- */

enum factor_verdict {
    FACTOR_YES,
    FACTOR_WRONG,   /* wrong, used before, or expired */
    FACTOR_WAIT,    /* too many wrong ones: nothing was looked at; again at wait_until_s */
    FACTOR_NONE,    /* the account has no such factor */
    FACTOR_ANOTHER, /* right, but not to be trusted (FACTOR_SUSPECT): ask for another factor */
};

struct factor_result {
    enum factor_verdict verdict;
    uint64_t factor;      /* YES, ANOTHER: which one */
    int64_t wait_until_s; /* WAIT; WRONG: 0, or when the next try is looked at */
    uint32_t left;        /* recovery: codes left after this one */
};
/* `code` as typed: blanks, hyphens, capitals and full-width forms are forgiven. kind: FACTOR_TOTP or FACTOR_RECOVERY; keys are
 * asked by webauthn.h. *ret_result is set only with OK; without OK the answer is never yes. */
fallible factors_check(
    struct vault *v, const struct account_id *account, enum factor_kind kind, struct slice code,
    int64_t now_s, struct factor_result *ret_result);
/* The same for FACTOR_TOTP: where policy opens a mail door to the mailbox password with a code appended. */
fallible factors_check_totp(
    struct vault *v, const struct account_id *account, struct slice code, int64_t now_s,
    struct factor_result *ret_result);
/* Splits "passwordNNNNNN" (in its normal form, vault_password_normal): the last six digits are the code. False: it does not
 * end in six digits, or nothing is before them. */
bool factors_split_code(struct slice typed, struct slice *ret_password, struct slice *ret_code);

#endif
