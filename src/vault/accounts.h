/* accounts.h - domains, accounts and aliases.                                      room: vault   runs in: vault
 *
 * An account has an id for ever, one address of its own, and mail. Further addresses are aliases: an address that leads to
 * one or several others. Every name is compared by its key (mail/address.h): case, Unicode form and the spelling of the
 * domain do not count. `letterlock` and the portal come through here; nobody else writes these tables.
 *
 * Fails: ERR_NOT_FOUND, ERR_EXISTS, ERR_SYNTAX (not an address, not a name), ERR_STATE (a domain with accounts), ERR_LIMIT
 * (alias depth or targets), ERR_BUSY (an alias that would lead back to itself), ERR_GONE (an address that rests), and what db/
 * fails with; vault_problem has the words.
 *
 * INV-N1  An address that was somebody's is nobody else's for address_rest_s after it was given up: no account, no alias, nothing
 *         that looks like it. An administrator may release it before; those whom an alias led to may have it back (T-261).
 */
#ifndef VAULT_ACCOUNTS_H
#define VAULT_ACCOUNTS_H

#include "base/limits.h"
#include "vault/decide.h"
#include "vault/vault.h"

fallible vault_domain_add(struct vault *v, struct slice name);
/* Only when no account and no alias is left in it. */
fallible vault_domain_remove(struct vault *v, struct slice name);
typedef void vault_domain_fn(void *owner, struct slice name, uint32_t accounts, uint32_t aliases);
fallible vault_domain_list(struct vault *v, vault_domain_fn *fn, void *owner);

struct vault_account {
    struct account_id id;
    uint8_t slot;
    char address[LIMIT_ADDRESS + 1];
    char name[LIMIT_DISPLAY_NAME + 1];
    char language[LIMIT_LANGUAGE + 1];
    uint64_t quota_bytes; /* the default put in when it has none of its own */
    enum account_status status;
    uint32_t version; /* grows when the mailbox password's sessions must end */
    bool has_password;
    bool must_change;            /* the mailbox password opens nothing but its own change */
    int64_t password_s;          /* when it was set; 0: none was */
    char group[LIMIT_GROUP + 1]; /* whose policies hold (policy.h); empty: none */
    int64_t created_s;
};

struct vault_account_new {
    struct slice address, name, language; /* language empty: "en" */
    uint64_t quota_bytes;                 /* 0: the default */
    struct slice password_hash;           /* Argon2id text over vault_password_normal; empty: none yet */
};
fallible vault_account_add(
    struct vault *v, const struct vault_account_new *new_account, struct vault_account *ret_account);
/* Would that be done? Fails as vault_account_add does. */
fallible vault_account_may_add(struct vault *v, const struct vault_account_new *new_account);
fallible vault_account_find(struct vault *v, struct slice address, struct vault_account *ret_account);
fallible vault_account_get(struct vault *v, const struct account_id *id, struct vault_account *ret_account);
/* Brings it up to date after something that took its time. ERR_NOT_FOUND: it is gone; ERR_AGAIN: its password or what its policies
 * allow may be another one now (it is left as it was). */
fallible vault_account_refresh(struct vault *v, struct vault_account *account);
typedef void vault_account_fn(void *owner, const struct vault_account *account);
/* Of a domain, or of all (empty). */
fallible vault_account_list(struct vault *v, struct slice domain, vault_account_fn *fn, void *owner);
/* Locking ends all sessions and refuses every sign-in; mail still arrives. */
fallible vault_account_set_status(struct vault *v, struct slice address, enum account_status status);
/* With its credentials, its address, and what led to it. Sessions end, mail is deleted (events). The id is kept a while, and its
 * addresses rest. */
fallible vault_account_remove(struct vault *v, struct slice address);
/* The stored Argon2id text, opened. ERR_NOT_FOUND: it has no password. */
fallible vault_account_password(struct vault *v, const struct account_id *id, struct secret *ret_text);
/* Accounts removed within LIMIT_REMOVED_KEPT, whose mail a keeper that was away then has still to delete. */
typedef void vault_removed_fn(void *owner, const struct account_id *id);
fallible vault_account_removed_list(struct vault *v, vault_removed_fn *fn, void *owner);
/* The form in which a mailbox password is hashed: NFKC, RFC 8265 OpaqueString's mapping of blanks. ERR_SYNTAX: not UTF-8,
 * control characters, empty; ERR_LIMIT. */
fallible vault_password_normal(struct vault *v, const struct secret *typed, struct secret *ret_normal);

/* One target of an alias; the alias is made with its first target. Targets must be addresses here. */
fallible vault_alias_add(struct vault *v, struct slice address, struct slice target);
/* target empty: the whole alias. It goes with its last target, and so do aliases that led to it alone; their addresses rest. */
fallible vault_alias_remove(struct vault *v, struct slice address, struct slice target);
typedef void vault_alias_fn(void *owner, struct slice address, struct slice target);
fallible vault_alias_list(struct vault *v, struct slice domain, vault_alias_fn *fn, void *owner);

/* Addresses that rest: since when, and until when. Of a domain, or all (empty). */
typedef void vault_resting_fn(void *owner, struct slice address, int64_t left_s, int64_t until_s);
fallible vault_resting_list(struct vault *v, struct slice domain, vault_resting_fn *fn, void *owner);
/* It may be given away now. ERR_NOT_FOUND: it does not rest. */
fallible vault_resting_release(struct vault *v, struct slice address);

#endif
