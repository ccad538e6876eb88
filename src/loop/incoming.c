#include "loop/incoming.h"

#include <errno.h>
#include <sys/socket.h>

/* Between socket addresses and ours. Zeros for families without an address. */
static void ip_of_sockaddr(const struct sockaddr_storage *from, struct ip *ret_ip, uint16_t *ret_port)
{
    *ret_ip = (struct ip){{0}};
    *ret_port = 0;
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        ret_ip->b[10] = ret_ip->b[11] = 0xff;
        memcpy(ret_ip->b + 12, &in->sin_addr, 4);
        *ret_port = ntohs(in->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        memcpy(ret_ip->b, &in6->sin6_addr, 16);
        *ret_port = ntohs(in6->sin6_port);
    }
}

socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *ret_to)
{
    *ret_to = (struct sockaddr_storage){0};
    if (ip_is_v4(ip)) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret_to;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, ip->b + 12, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_to;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, ip->b, 16);
    return sizeof *in6;
}

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
