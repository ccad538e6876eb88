#include "net/connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "loop/incoming.h"
#include "net/refusal.h"

fallible connect_ready(int fd, bool write, uint64_t until_ms)
{
    for (;;) {
        uint64_t now = clock_mono_ms(), left = until_ms > now ? until_ms - now : 0;
        struct pollfd p = {.fd = fd, .events = write ? POLLOUT : POLLIN};
        int n = poll(&p, 1, left < INT32_MAX ? (int)left : INT32_MAX);
        if (n > 0)
            return OK;
        if (n == 0 && left == 0)
            return ERR_TIMEOUT;
        if (n < 0 && errno != EINTR)
            return ERR_IO;
    }
}

/* What became of a connect that had to be waited for. */
static fallible outcome(int fd, uint64_t within_ms, int *ret_errno)
{
    int e = 0;
    socklen_t n = sizeof e;
    enum err waited = connect_ready(fd, true, clock_mono_ms() + within_ms);
    if (waited != OK) {
        *ret_errno = waited == ERR_TIMEOUT ? ETIMEDOUT : errno;
        return waited;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
        e = errno;
    *ret_errno = e;
    return e ? refusal_of_errno(e) : OK;
}

fallible connect_wait(const struct ip *ip, uint16_t port, uint64_t within_ms, int *ret_fd, int *ret_errno)
{
    struct sockaddr_storage to;
    socklen_t n = ip_to_sockaddr(ip, port, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, why = 0;
    enum err e = OK;
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        (connect(fd, (struct sockaddr *)&to, n) != 0 && errno != EINPROGRESS)) {
        why = errno;
        e = refusal_of_errno(why);
    } else {
        e = outcome(fd, within_ms, &why);
    }
    if (ret_errno)
        *ret_errno = why;
    if (e == OK)
        *ret_fd = fd;
    else
        file_close(&fd);
    return e;
}
