#include "directory/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(const struct ip *ip, uint16_t port, union place *to)
{
    memset(to, 0, sizeof *to);
    if (ip_is_v4(ip)) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(port);
        memcpy(&to->v4.sin_addr, ip->b + 12, 4);
        return sizeof to->v4;
    }
    to->v6.sin6_family = AF_INET6;
    to->v6.sin6_port = htons(port);
    memcpy(&to->v6.sin6_addr, ip->b, 16);
    return sizeof to->v6;
}

static enum err error_of(int e)
{
    switch (e) {
    case ECONNREFUSED:
    case ECONNRESET:
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return ERR_NOT_FOUND;
    default:
        return ERR_IO;
    }
}

fallible directory_socket(const struct ip *ip, uint16_t port, int kind, int *ret_fd)
{
    union place to;
    socklen_t n = fill(ip, port, &to);
    int fd CLEANUP_FD = socket(to.any.sa_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, &to.any, n) != 0 && errno != EINPROGRESS))
        return error_of(errno);
    *ret_fd = TAKE(fd, -1);
    return OK;
}

fallible directory_dial(const struct ip *ip, uint16_t port, uint64_t until_ms, int *ret_fd)
{
    int fd CLEANUP_FD = -1, failed = 0, one = 1;
    socklen_t n = sizeof failed;
    TRY(directory_socket(ip, port, SOCK_STREAM, &fd));
    uint64_t now = clock_mono_ms();
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (now >= until_ms || poll(&p, 1, (int)(until_ms - now)) <= 0)
        return ERR_TIMEOUT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0 || failed)
        return error_of(failed ? failed : errno);
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
        return error_of(errno);
    *ret_fd = TAKE(fd, -1);
    return OK;
}
