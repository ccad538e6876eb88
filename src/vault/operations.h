/* operations.h - rows of a batch that were done.                                   room: vault   runs in: vault
 *
 * A batch may be killed and begun again: each row has an id of its own, and is done in one transaction with the note that it
 * was done. The result (which may hold a client password that nobody has seen yet) is sealed in the note, so that the second
 * run can give it again; LIMIT_OPERATION_KEPT later it is gone.
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
