/* listen.h - opening sockets that wait for others.                                  room: net   runs in: supervisor
 *
 * Only the supervisor opens doors; it hands the descriptors on, and who accepts needs loop/incoming.h alone. Nothing is
 * logged: the error says what happened, and net_listen_advice what to do about it.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <sys/types.h>

#include "base/ip.h"

/* A listening TCP socket, non-blocking and closed on exec. `every`: all addresses of both families in one socket (ip is
 * not looked at); where the machine has no IPv6, of IPv4. Otherwise that one address; an IPv6 one takes no IPv4.
 * Port 0: any free one (tests).
 * ERR_BUSY: the port is taken; ERR_DENIED: no right to this port; ERR_NOT_FOUND: not an address of this machine;
 * ERR_UNSUPPORTED: no such address family here; ERR_LIMIT: out of descriptors; ERR_IO: see errno. */
fallible net_listen_tcp(const struct ip *ip, bool every, uint16_t port, int *ret_fd);
/* A listening UNIX socket of messages (SEQPACKET, as ipc/ speaks it) that only its owner's processes (and root) may open. A socket file left behind by a
 * process that is gone is replaced. ERR_BUSY: somebody listens there; ERR_EXISTS: something else has that name;
 * ERR_LIMIT: the path is too long for a socket (107 octets); ERR_DENIED, ERR_NOT_FOUND, ERR_IO. */
fallible net_listen_unix(const char *path, int *ret_fd);
/* Connects to one, waiting for it. ERR_NOT_FOUND: no such file, or nobody listens; ERR_DENIED; ERR_LIMIT; ERR_IO. */
fallible net_connect_unix(const char *path, int *ret_fd);

/* Who made or connected a UNIX socket, as the kernel says (SO_PEERCRED). */
struct net_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};
fallible net_peer_of(int fd, struct net_peer *ret_peer);

/* What a person can do about an error of net_listen_tcp or net_listen_unix; never NULL. */
const char *net_listen_advice(enum err e);

#endif
