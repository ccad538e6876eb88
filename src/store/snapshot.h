/* snapshot.h - a consistent copy of an account while it is in use, for backup.    room: store   runs in: keeper
 *
 * The database is copied in steps by the pool into a nameless file of the slot's tmp/, following writes made between the steps; large
 * bodies never change, so they are handed out as they are, and none is removed while the snapshot lives. What comes out are
 * read-only descriptors with the names they have in the account's folder.
 *
 * Fails:  by `done`: ERR_UNAVAILABLE, ERR_GONE, ERR_DISK_FULL, ERR_IO.
 */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "store/accounts.h"

struct snapshot;
/* Calls `done` once, later. */
struct snapshot *
snapshot_new(struct account *a, void (*done)(struct snapshot *s, enum err e, void *owner), void *owner);
/* After done(OK): the files one by one, mail.db first. The name is good until the next call, the descriptor is the caller's.
 * ERR_NOT_FOUND at the end. Needs no entering. */
fallible snapshot_next(struct snapshot *s, struct slice *ret_name, uint64_t *ret_size, int *ret_fd);
/* Also before `done`, which then does not come. */
void snapshot_free(struct snapshot **s);

#endif
