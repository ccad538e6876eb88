/* rotate_private.h - what vault.c and rotate.c share: the keys of an open vault.   room: vault   runs in: vault */
#ifndef VAULT_ROTATE_PRIVATE_H
#define VAULT_ROTATE_PRIVATE_H

#include "vault/private.h"

/* Within a transaction: the keys that the container keeps sealed; made when it is new, or was written by version 1. */
fallible
vault_derived_open(struct vault *v, enum vault_container c, const struct secret *container_key, bool is_new);
void vault_derived_free(struct vault *v);

/* vault_seal and vault_unseal under a key of the caller's. */
void vault_seal_with(
    const struct secret *seal, const struct vault_place *place, struct slice plain, struct buf *out);
fallible vault_unseal_with(
    struct vault *v, const struct secret *seal, const struct vault_place *place, struct slice sealed,
    struct secret *ret_plain);
/* Writes the mark under the container's present key. */
fallible vault_mark_again(struct vault *v, enum vault_container c);
/* Is this column sealed anew by a rotation? vault_seal asserts it, so that no column can be forgotten. */
bool vault_place_is_listed(const struct vault_place *place);
/* keys/ in the vault's folder; the caller closes it. */
fallible vault_keys_folder(struct vault *v, int *ret_fd);

#endif
