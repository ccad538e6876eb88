/* keys.h - the key of a container, as a file.                                      room: vault   runs in: vault
 *
 * One line: "letterlock-key 1 NAME 64-hex-digits". The file is made with mode 0600 and refused when others may read it or
 * when it belongs to somebody else (T-320). A key that the service manager brings is not checked for its owner.
 */
#ifndef VAULT_KEYS_H
#define VAULT_KEYS_H

#include "base/buf.h"
#include "crypto/secret.h"

/* Makes NAME.key with a fresh key, on disk when it returns. ERR_EXISTS, ERR_DISK_FULL, ERR_IO. */
fallible vault_key_make(int dirfd, const char *name, struct secret_slab *slab, struct secret *ret_key);
/* ERR_NOT_FOUND; ERR_DENIED: owner or mode; ERR_SYNTAX: not a key, or the key of another container. */
fallible vault_key_read(
    int dirfd, const char *name, bool must_be_ours, struct secret_slab *slab, struct secret *ret_key);

#endif
