/* resolve.h - where does mail to an address go, and whose address is it?              room: vault   runs in: vault
 *
 * Follows aliases to accounts: each account once, at most LIMIT_ALIAS_TARGETS of them, at most LIMIT_ALIAS_DEPTH deep; a
 * cycle contributes nothing. "alice+shop" is alice's unless it is an address of its own. postmaster and abuse exist in every
 * domain (RFC 5321 4.5.1, RFC 2142): they lead to the domain's administrator, or its oldest account, or the oldest of all.
 */
#ifndef VAULT_RESOLVE_H
#define VAULT_RESOLVE_H

#include "base/arena.h"
#include "base/limits.h"
#include "vault/vault.h"

struct vault_target {
    struct account_id account;
    uint8_t slot;
    char address[LIMIT_ADDRESS + 1]; /* the account's own */
    uint64_t quota_bytes;
};

/* `recipient` is an address, or postmaster alone. The targets live in the arena. ERR_NOT_FOUND: no such address in a domain
 * of ours; ERR_UNSUPPORTED: not a domain of ours; ERR_SYNTAX: not an address; ERR_LIMIT: too many targets or levels (an
 * administrator can repair that: answer "later"). */
fallible vault_resolve(
    struct vault *v, struct slice recipient, struct arena *arena, const struct vault_target **ret_targets,
    size_t *ret_count);
/* May the account send as this address (T-080)? OK when the address leads to this account and nobody else; ERR_DENIED. */
fallible vault_owns(struct vault *v, const struct account_id *account, struct slice address);

#endif
