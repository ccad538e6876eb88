/* peers.h - the channels of one process to the others, by role and index.                 room: proc
 *                                                                     runs in: gate vault keeper scan relay scribe
 *
 * The supervisor makes each pair and sends both ends; a new end for a peer replaces the old one (an epoch later). While
 * the process opens, ends are only kept: channels are made by proc_peers_connect, after the call filter is set.
 *
 * Owns: the channels and the descriptors of those not connected yet.
 */
#ifndef PROC_PEERS_H
#define PROC_PEERS_H

#include "proc/child.h"

struct proc_peers *proc_peers_new(struct proc *p);
void proc_peers_free(struct proc_peers **peers);
/* Takes the socket. An end with an older epoch than the present one is closed and forgotten. */
void proc_peers_add(struct proc_peers *peers, const struct msg_peer *m, int socket);
/* Makes channels of the ends kept so far; later ones become channels at once. */
void proc_peers_connect(struct proc_peers *peers);
/* Calls ops.peer_up for every channel there is; later ones are announced at once. */
void proc_peers_announce(struct proc_peers *peers);
/* Records for the journal that found no scribe or a full line. */
uint64_t proc_peers_dropped(const struct proc_peers *peers);

#endif
