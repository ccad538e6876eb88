/* octets.h - the octets of one arriving message, written by us alone.          room: smtp/session   runs in: keeper
 *
 * In memory while small; from LIMIT_INLINE_MAX on, or when another process must read them, in a file of the slot's tmp/ that is
 * reopened read-only, compared, unlinked, and whose writer is closed before anybody else sees a descriptor (design of T-338:
 * nobody else ever holds a writable one). Octets that came as a descriptor from another keeper are checked to be read-only.
 *
 * Owns:   its memory and descriptors; counted references.
 * Fails:  ERR_DISK_FULL, ERR_IO; ERR_PROTOCOL for a descriptor that is writable or no file. Sticky. Never logs.
 */
#ifndef SMTP_SESSION_OCTETS_H
#define SMTP_SESSION_OCTETS_H

#include "base/buf.h"

struct octets;
/* Empty, for writing. `root` is accounts/, borrowed. */
struct octets *octets_new(int root, uint8_t slot);
/* Takes fd. */
fallible octets_of_fd(int fd, uint64_t size, struct octets **ret_octets);
struct octets *octets_ref(struct octets *o);
void octets_unref(struct octets **o);

fallible octets_put(struct octets *o, struct slice s);
/* No more comes. */
fallible octets_seal(struct octets *o);
uint64_t octets_size(const struct octets *o);
/* Sealed: all of them when they are in memory; p NULL when they are in a file. */
struct slice octets_memory(const struct octets *o);
/* Sealed: a read-only descriptor, borrowed; makes the file when there is none yet. */
fallible octets_fd(struct octets *o, int *ret_fd);

/* Removes what a killed predecessor left in the slot's tmp/. */
void octets_sweep(int root, uint8_t slot);

#endif
