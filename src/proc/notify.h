/* notify.h - telling the service manager what goes on, over NOTIFY_SOCKET.      room: proc   runs in: supervisor
 *
 * The protocol is one datagram of "KEY=VALUE" lines; nothing is ever waited for, and where there is no manager all is
 * silently fine. Opened before the jail. Owns: the socket.
 */
#ifndef PROC_NOTIFY_H
#define PROC_NOTIFY_H

#include <stdint.h>

struct notify {
    int fd;               /* -1: no manager */
    uint64_t watchdog_ms; /* it wants a sign of life at least this often; 0: never */
};
/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and forgets them. */
void notify_init(struct notify *n);
void notify_done(struct notify *n);
/* "READY=1", with a line of what we do for people; NULL leaves that out. */
void notify_send(const struct notify *n, const char *state, const char *status);
/* RELOADING=1 with the time that systemd wants to see. */
void notify_reloading(const struct notify *n);

#endif
