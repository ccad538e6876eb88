/* devices.h - browsers that need no second factor for a while.                    room: vault   runs in: vault
 *
 * After a sign-in with a second factor a browser may be remembered: it gets a token of 256 random bits, once, and shows it at
 * the next sign-in in place of the factor. Only a keyed hash over account and token is kept, so a token is good for its account
 * alone and a stolen database holds none. A token ends after as long as the account's policy says (POLICY_REMEMBERED_DEVICES),
 * when its owner forgets the device, with the last second factor, and with the account. It replaces the factor, never the
 * password.
 *
 * Fails: ERR_DENIED, ERR_NOT_FOUND, ERR_STATE (policy remembers none), and what db/ fails with. Changes are told to the journal.
 */
#ifndef VAULT_DEVICES_H
#define VAULT_DEVICES_H

#include "base/ids.h"
#include "base/limits.h"
#include "vault/vault.h"

enum { DEVICE_TOKEN = 64 }; /* hex digits; no NUL behind */

struct device {
    uint64_t id;
    char label[LIMIT_FACTOR_LABEL + 1];
    int64_t created_s, expires_s, last_used_s; /* last_used_s 0: never */
};

/* `label`: what the browser calls itself, for its owner to read; what does not fit a label is left out. With
 * LIMIT_DEVICES_PER_ACCOUNT the oldest is forgotten. The caller wipes the token once it was sent. */
fallible device_remember(
    struct vault *v, const struct account_id *account, struct slice label, int64_t now_s,
    char ret_token[DEVICE_TOKEN], uint64_t *ret_id);
/* OK: remembered, and not expired. ERR_DENIED: not; whatever the reason. */
fallible device_check(
    struct vault *v, const struct account_id *account, struct slice token, int64_t now_s, uint64_t *ret_id);
typedef void device_fn(void *owner, const struct device *device);
fallible
device_list(struct vault *v, const struct account_id *account, int64_t now_s, device_fn *fn, void *owner);
fallible device_forget(struct vault *v, const struct account_id *account, uint64_t id);
/* All of them: a new mailbox password, a lost computer. OK also when there is none. */
fallible device_forget_all(struct vault *v, const struct account_id *account);

#endif
