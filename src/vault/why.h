/* why.h - what was decided lately, for `letterlock why`.                            room: vault   runs in: vault
 *
 * Every sign-in decision and every refusal that another process tells is kept, bounded by LIMIT_WHY_ROWS and by age. A row
 * names nobody in clear: it carries a keyed hash of the name's key, because people type passwords into the name field
 * (T-315); who asks `why` gives the name, which is hashed the same way. Rows are pending up to LIMIT_VAULT_FLUSH, at most
 * LIMIT_VAULT_PENDING of them (then the oldest are dropped).
 */
#ifndef VAULT_WHY_H
#define VAULT_WHY_H

#include "base/ip.h"
#include "base/limits.h"
#include "vault/vault.h"

struct why_row {
    int64_t time_s;
    struct slice name;                /* as typed: an address, or anything else; only its hash is kept */
    const struct account_id *account; /* NULL: unknown */
    struct slice door, outcome;       /* "imap", "refused" */
    struct slice reason;              /* a stable word */
    uint64_t credential;              /* 0: none */
    struct ip client;
    struct slice program, detail; /* foreign text: cut and repaired here */
};
void vault_why_add(struct vault *v, const struct why_row *row);

/* Newest first; name and account of the rows are not set. The slices are good during the call. */
typedef void vault_why_fn(void *owner, const struct why_row *row);
fallible vault_why_list(struct vault *v, struct slice name, uint32_t most, vault_why_fn *fn, void *owner);

/* The word under which logs speak of a name that is not an account's: 16 hex digits of its keyed hash. */
enum { WHY_ALIAS_LEN = 16 };
void vault_name_alias(struct vault *v, struct slice name, char out[WHY_ALIAS_LEN + 1]);

#endif
