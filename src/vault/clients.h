/* clients.h - client passwords: making, finding, revoking.                          room: vault   runs in: vault
 *
 * A client password is made here, shown once, and kept as a keyed hash bound to its account: to find it is one look-up, and
 * the row is of no use under another account or without the key (INV-V1, INV-V2). With it SCRAM-SHA-256 verifiers are made
 * (they cannot be derived later), in two spellings, under the salt that all client passwords of the account share.
 *
 * Fails: ERR_NOT_FOUND, ERR_SYNTAX, ERR_LIMIT (LIMIT_CLIENTS_PER_ACCOUNT live ones), and what db/ fails with.
 */
#ifndef VAULT_CLIENTS_H
#define VAULT_CLIENTS_H

#include "base/limits.h"
#include "vault/clientpw.h"
#include "vault/decide.h"
#include "vault/vault.h"

/* The number under which sessions of the mailbox password run; no client password ever has it. */
#define VAULT_MAILBOX_CREDENTIAL ((uint64_t)INT64_MAX)

struct vault_client {
    uint64_t id;
    uint32_t version;
    struct account_id account;
    char label[LIMIT_CLIENT_LABEL + 1];
    bool is_revoked;
    struct scopes scopes; /* its networks point into `networks` */
    struct ip_net networks[LIMIT_CLIENT_NETWORKS];
    int64_t created_s;
    int64_t last_used_s; /* 0: never */
    struct ip last_from;
    char last_program[LIMIT_PROGRAM_NAME + 1];
};

struct vault_client_new {
    struct slice label;
    unsigned doors; /* VAULT_DOOR_BIT..., 0: all that receive or send */
    bool can_receive, can_send;
    int64_t expires_s;     /* 0: never */
    struct slice networks; /* separated by blanks or commas; empty: from anywhere */
};
/* ret_pw is the secret: show it, wipe it. */
fallible vault_client_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *new_client,
    struct clientpw *ret_pw, uint64_t *ret_id);
/* By what was typed. ERR_NOT_FOUND: no client password of this account. The client is filled in place, because its scopes
 * point into it. */
fallible vault_client_find(
    struct vault *v, const struct account_id *account, const struct clientpw *pw,
    struct vault_client *ret_client);
fallible vault_client_get(
    struct vault *v, const struct account_id *account, uint64_t id, struct vault_client *ret_client);
typedef void vault_client_fn(void *owner, const struct vault_client *client);
fallible
vault_client_list(struct vault *v, const struct account_id *account, vault_client_fn *fn, void *owner);
/* Live ones. */
fallible vault_client_count(struct vault *v, const struct account_id *account, uint32_t *ret_count);
/* It opens nothing any more; its live sessions end (events). Revoking twice is fine. */
fallible vault_client_revoke(struct vault *v, const struct account_id *account, uint64_t id);
/* Revokes and forgets it. */
fallible vault_client_remove(struct vault *v, const struct account_id *account, uint64_t id);
fallible vault_clients_remove_all(struct vault *v, const struct account_id *account);
/* Noted now, written by vault_flush. */
void vault_client_used(
    struct vault *v, uint64_t id, int64_t now_s, const struct ip *from, struct slice program);
/* After a channel was made anew: may sessions of this credential at this version go on? Also for
 * VAULT_MAILBOX_CREDENTIAL. ERR_DENIED. */
fallible vault_client_is_live(
    struct vault *v, const struct account_id *account, uint64_t id, uint32_t version, int64_t now_s);

/* ---- SCRAM (RFC 5802, RFC 7677) ---- */

enum { SCRAM_KEY_LEN = 32, SCRAM_SALT_LEN = 16 };
struct scram_keys {
    uint8_t stored_key[SCRAM_KEY_LEN], server_key[SCRAM_KEY_LEN];
};
/* Of any secret; pure. */
struct scram_keys scram_make(struct slice secret, struct slice salt, uint32_t rounds);
/* Salt and iteration count of a name, known or not: unknown names get an invented salt that stays the same. */
fallible
vault_scram_salt(struct vault *v, struct slice name, uint8_t ret_salt[SCRAM_SALT_LEN], uint32_t *ret_rounds);
typedef void vault_scram_fn(void *owner, bool as_shown, const struct scram_keys *keys);
/* The verifiers of one client password. */
fallible vault_scram_list(struct vault *v, uint64_t id, vault_scram_fn *fn, void *owner);

#endif
