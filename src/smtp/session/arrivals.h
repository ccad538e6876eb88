/* arrivals.h - messages that are coming in, on the keeper's side.            room: smtp/session   runs in: keeper
 *
 * The keeper's main hands every message between processes that is about arriving mail to here (arrive_begin, arrive_rcpt,
 * arrive_end, arrive_cancel from gates; deliver, deliver_confirm from other keepers), and says when another process has gone.
 *
 * Owns:   the arriving messages, their files in tmp/, the hand-overs of our slots (transit).
 */
#ifndef SMTP_SESSION_ARRIVALS_H
#define SMTP_SESSION_ARRIVALS_H

#include "keeper/env.h"

struct pool;
struct arrivals;
/* `root` is the folder accounts/, `pool` the sync pool; both borrowed. Looks for hand-overs of our slots left behind. */
fallible arrivals_new(struct keeper_env *env, struct pool *pool, int root, struct arrivals **ret_arrivals);
void arrivals_free(struct arrivals **a);
/* A message that is none of arriving mail's is ignored and logged. */
void arrivals_message(struct arrivals *a, struct channel *from, struct ipc_msg *m);
/* Its channel is gone already: what it asked is answered to nobody, what it was asked is retried. */
void arrivals_peer_down(struct arrivals *a, enum ipc_role role, unsigned index);
/* A copy of what waits in a slot of ours, for backup: a read-only descriptor, the caller's. ERR_NOT_FOUND: nothing ever
 * waited there, and `done` is not called. */
fallible arrivals_snapshot(
    struct arrivals *a, uint8_t slot, void (*done)(void *owner, enum err e, int fd), void *owner);
/* Drops what is half received (T-308: the gate says 421); hand-overs stay in transit. */
void arrivals_stop(struct arrivals *a);

#endif
