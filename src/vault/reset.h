/* reset.h - codes with which the owner of an account sets a new mailbox password.               room: vault   runs in: vault
 *
 * An administrator who helps somebody that lost the password makes a code and hands it over; nobody ever makes a password. A
 * code has the form of a client password (clientpw.h: 130 random bits, check symbols, forgiving when typed), is good once, for
 * its account alone, for the time that the policy reset_life says, and is kept as a keyed hash over account and code. A new
 * code voids the one before. Using it is one transaction with the new password (mailbox.h): it ends what the old password
 * opened, and leaves second factors as they are.
 *
 * Fails: ERR_NOT_FOUND, ERR_UNSUPPORTED (the directory's account), ERR_SYNTAX (life-time), and what db/ fails with.
 */
#ifndef VAULT_RESET_H
#define VAULT_RESET_H

#include "crypto/clientpw.h"
#include "crypto/hash.h"
#include "vault/accounts.h"

/* life_s 0: by policy; it may be shorter than that, never longer. The caller wipes the code once it was shown. */
fallible vault_reset_make(
    struct vault *v, struct slice address, uint32_t life_s, int64_t now_s, struct clientpw *ret_code,
    int64_t *ret_expires_s);
/* OK: this is the account's code. ERR_DENIED: it is not, or it was used, voided or is too old: no difference. *ret_lookup names
 * it for vault_reset_use. */
fallible vault_reset_check(
    struct vault *v, const struct account_id *account, struct slice typed, int64_t now_s,
    struct hash *ret_lookup);
/* Within a transaction of accounts.db. ERR_DENIED: it is there no more. */
fallible
vault_reset_use(struct vault *v, const struct account_id *account, const struct hash *lookup, int64_t now_s);

#endif
