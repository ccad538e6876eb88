/* clients_private.h - what the files about credentials share.                     room: vault   runs in: vault */
#ifndef VAULT_CLIENTS_PRIVATE_H
#define VAULT_CLIENTS_PRIVATE_H

#include "vault/clients.h"
#include "vault/notices.h"
#include "vault/private.h"

static inline struct slice id_slice(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

/* ---- clients_read.c ---- */
struct hash
client_lookup_password(struct vault *v, const struct account_id *account, const struct clientpw *pw);
struct hash client_lookup_token(struct vault *v, const struct token *token);
struct hash client_lookup_certificate(struct vault *v, const struct account_id *account, struct slice hash);
/* Binds a token's row to its account (INV-V2). */
struct hash client_bound(struct vault *v, const struct account_id *account, const struct hash *lookup);
/* One row of a statement that is bound; with its limits. */
fallible client_read_one(struct vault *v, struct stmt *st, struct vault_client *ret_client);

/* ---- clients.c ---- */
/* "credential=7\nlabel=phone\nkind=password\ndoors=imap\nby=uid 0\n". */
void client_facts(struct vault *v, const struct vault_client *c, struct buf *facts);
/* The journal and the log's reader: kind "client.added". `more`: further lines, may be empty. */
void client_audit(struct vault *v, const char *kind, const struct vault_client *c, struct slice more);
void client_tell_revoked(struct vault *v, const struct account_id *account, uint64_t id, uint32_t version);

/* ---- budget.c ---- */
/* Within the caller's transaction: what `from` used counts for `to`. */
fallible budget_copy(struct vault *v, uint64_t from, uint64_t to);
/* Forgets what is counted, in memory and within the caller's transaction. */
fallible budget_reset(struct vault *v, uint64_t credential);
void budget_forget_account(struct vault *v, const struct account_id *account);

#endif
