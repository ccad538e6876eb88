/* operations.h - rows of a batch that were done.                                   room: vault   runs in: vault
 *
 * A batch may be killed and begun again: each row has an id of its own, and is done in one transaction with the note that it
 * was done. The result, sealed in the note, says which credential the row made; a second run replaces that one's secret, which
 * nobody may have seen, instead of making another. LIMIT_OPERATION_KEPT later the note is gone.
 *
 *   vault_begin(v, c); vault_operation_find -> ERR_NOT_FOUND; the change; vault_operation_put; vault_commit(v, c)
 *
 * The change itself opens a transaction within this one. A batch row changes one container: accounts or clients.
 */
#ifndef VAULT_OPERATIONS_H
#define VAULT_OPERATIONS_H

#include "vault/vault.h"

enum { OPERATION_ID_LEN = 16 };

fallible vault_begin(struct vault *v, enum vault_container c);
fallible vault_commit(struct vault *v, enum vault_container c); /* on failure all was rolled back */
void vault_rollback(struct vault *v, enum vault_container c);

/* ERR_NOT_FOUND: not done yet. The result may be empty. */
fallible
vault_operation_find(struct vault *v, enum vault_container c, struct slice id, struct secret *ret_result);
fallible vault_operation_put(
    struct vault *v, enum vault_container c, struct slice id, struct slice result, int64_t now_s);
/* Forgets those older than LIMIT_OPERATION_KEPT, in both. */
fallible vault_operations_trim(struct vault *v, int64_t now_s);

#endif
