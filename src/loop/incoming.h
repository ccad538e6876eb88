/* incoming.h - taking connections from a listener that one was given.             room: loop   runs in: gate supervisor
 *
 * Opening listeners is net's; a process that only accepts needs no more than this.
 */
#ifndef LOOP_INCOMING_H
#define LOOP_INCOMING_H

#include "base/ip.h"

/* The next connection, non-blocking and closed on exec. ERR_AGAIN when none waits; ERR_LIMIT when this process or the
 * machine has no descriptor or memory left (the connection stays in the queue: stop listening for a while); ERR_IO.
 * *ret_peer is all zero for a UNIX socket. */
fallible incoming_accept(int listener, int *ret_fd, struct ip *ret_peer, uint16_t *ret_port);
/* The address and port this socket has on our side. */
fallible incoming_local(int fd, struct ip *ret_ip, uint16_t *ret_port);

#endif
