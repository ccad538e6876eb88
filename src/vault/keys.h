/* keys.h - the key of a container, as a file.                                      room: vault   runs in: vault
 *
 * One line: "letterlock-key 1 NAME 64-hex-digits". The file is made with mode 0600 and refused when others may read it or
 * when it belongs to somebody else (T-320). A key that the service manager brings comes as a descriptor and is not checked for
 * its owner. While a container is rotated, its next key stands beside the present one as NAME.key.new (rotate.c).
 */
#ifndef VAULT_KEYS_H
#define VAULT_KEYS_H

#include "base/buf.h"
#include "crypto/secret.h"

enum key_age { KEY_PRESENT, KEY_NEXT }; /* NAME.key, NAME.key.new */

/* A fresh key in a file that must not exist, on disk when it returns. ERR_EXISTS, ERR_DISK_FULL, ERR_IO. */
fallible vault_key_make(
    int dirfd, const char *name, enum key_age age, struct secret_slab *slab, struct secret *ret_key);
/* ERR_NOT_FOUND; ERR_DENIED: owner or mode; ERR_SYNTAX: not a key, or the key of another container. */
fallible vault_key_read(
    int dirfd, const char *name, enum key_age age, struct secret_slab *slab, struct secret *ret_key);
/* From a descriptor that we were given. ERR_SYNTAX, ERR_IO. */
fallible vault_key_take(int fd, const char *name, struct secret_slab *slab, struct secret *ret_key);
/* The next key becomes the present one, in one step that is on disk when it returns. */
fallible vault_key_adopt(int dirfd, const char *name);
/* There is no next key any more. OK when there was none. */
fallible vault_key_drop_next(int dirfd, const char *name);

#endif
