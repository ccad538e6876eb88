/* rotate.h - new keys for a container (`letterlock vault rotate`).                  room: vault   runs in: vault
 *
 * A new key is made, and every sealed value is sealed anew under it in one transaction; afterwards the old key opens nothing of
 * the file, the log included. A crash at any point leaves one key that fits:
 *
 *   1. NAME.key.new is on disk           the container still opens with NAME.key; .new is dropped at the next start
 *   2. the transaction commits           the mark now fits .new: the next start finds that out and finishes step 3
 *   3. .new becomes NAME.key
 *   4. the file is written anew without what was freed, and the log is emptied
 *
 * What is kept as a keyed hash of something that we no longer have (client passwords, tokens, recovery codes) cannot be hashed
 * anew. So those keys are not derived from the container's key: they are random, sealed under it (table derived_key), and only
 * sealed anew here. A container of version 1 had derived them; what could be guessed under such a key, the names in decisions
 * for `why`, gets a new key and loses the names that are not an account's.
 *
 * Fails: ERR_UNSUPPORTED (the service manager brings the keys), ERR_DISK_FULL, ERR_IO, ERR_CORRUPT (a value that does not open:
 * nothing was changed); vault_problem has the words.
 */
#ifndef VAULT_ROTATE_H
#define VAULT_ROTATE_H

#include "vault/vault.h"

typedef void vault_progress_fn(void *owner, uint64_t done, uint64_t total);
/* `progress` may be NULL; it is told about fifty times. The vault serves nothing else meanwhile. */
fallible vault_rotate(struct vault *v, enum vault_container c, vault_progress_fn *progress, void *owner);

#endif
