/* connect.h - opening a connection to somebody else, and waiting for it.              room: net   runs in: cli
 *
 * For commands that have a thread to spare; servers use dial.h. One address, one try. Owns nothing after it returned.
 */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include "base/ip.h"

/* OK: *ret_fd is connected, non-blocking, without delay. ERR_TIMEOUT; ERR_DENIED (refused, or a reset); ERR_NOT_FOUND (no route, or
 * no address of this family here); ERR_LIMIT; ERR_IO. *ret_errno (may be NULL): the system's own number for the evidence. */
fallible connect_wait(const struct ip *ip, uint16_t port, uint64_t within_ms, int *ret_fd, int *ret_errno);
/* Waits until fd can be read (written) or the moment of the monotonic clock (clock_ms) is there: ERR_TIMEOUT. */
fallible connect_ready(int fd, bool write, uint64_t until_ms);

#endif
