#include "loop/incoming.h"

#include <errno.h>
#include <sys/socket.h>

#include "loop/sockaddr.h"

/* What accept4 may say about one connection that died in the queue (accept(2), "Error handling"): the next may be fine. */
static bool is_dead_connection(int e)
{
    return e == EINTR || e == ECONNABORTED || e == EPROTO || e == ENETDOWN || e == ENOPROTOOPT ||
           e == EHOSTDOWN || e == ENONET || e == EHOSTUNREACH || e == EOPNOTSUPP || e == ENETUNREACH ||
           e == EPERM;
}

fallible incoming_accept(int listener, int *ret_fd, struct ip *ret_peer, uint16_t *ret_port)
{
    struct sockaddr_storage from = {0};
    int fd;
    int tries = 16;
    do {
        socklen_t n = sizeof from;
        fd = accept4(listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && is_dead_connection(errno) && --tries);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return ERR_LIMIT;
        return errno == EAGAIN || errno == EWOULDBLOCK || is_dead_connection(errno) ? ERR_AGAIN : ERR_IO;
    }
    ip_of_sockaddr(&from, ret_peer, ret_port);
    *ret_fd = fd;
    return OK;
}

fallible incoming_local(int fd, struct ip *ret_ip, uint16_t *ret_port)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return ERR_IO;
    ip_of_sockaddr(&at, ret_ip, ret_port);
    return OK;
}
