/* check.h - is an account what its invariants say?                             room: store   runs in: keeper tests
 *
 * SQLite's integrity_check, and then every numbered promise that a look at the rows and files can prove: counts, uids below
 * UIDNEXT, modseqs, references of bodies, files present and whole, hashes of all octets (when `deep`). Slow; for tests, for
 * the administrator, and for restored backups.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/accounts.h"

/* Call with the account entered and nothing uncommitted. ERR_CORRUPT with one line for each broken promise ("INV-17: ..."). */
fallible store_check(struct account *a, bool deep, struct buf *ret_lines);

#endif
