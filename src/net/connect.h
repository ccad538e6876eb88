/* connect.h - opening a connection to somebody else, and waiting for it.              room: net   runs in: directory cli
 *
 * For who has a thread to spare. One address, one try. Owns nothing after it returned. When `stop`
 * (may be NULL) comes, waiting is over at once, as if the time were.
 */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include "base/ip.h"
#include "loop/stop.h"

/* OK: *ret_fd is connected, non-blocking, without delay. ERR_TIMEOUT; ERR_DENIED (refused, or a reset); ERR_NOT_FOUND (no route, or
 * no address of this family here); ERR_LIMIT; ERR_IO. *ret_errno (may be NULL): the system's own number for the evidence. */
fallible connect_wait(
    const struct ip *ip, uint16_t port, uint64_t within_ms, const struct stop *stop, int *ret_fd,
    int *ret_errno);
/* One of several tries that go on side by side. */
struct connect_try {
    struct ip ip; /* given */
    uint16_t port;
    enum err e;       /* what became of it, as of connect_wait */
    int error_number; /* the system's */
    int fd;           /* connected, and the caller's to close; else -1 */
    uint64_t took_ms;
};
enum { CONNECT_MOST = 32 };
/* At most CONNECT_MOST. Waits within_ms, but once one is connected only latecomers_ms more; what is not decided then has
 * ERR_TIMEOUT. */
void connect_all(
    struct connect_try *tries, size_t n, uint64_t within_ms, uint64_t latecomers_ms, const struct stop *stop);
void connect_close_all(struct connect_try *tries, size_t n);
/* Waits until fd can be read (written) or the moment of the monotonic clock (clock_mono_ms) is there: ERR_TIMEOUT. */
fallible connect_ready(int fd, bool write, uint64_t until_ms, const struct stop *stop);

#endif
