#include "loop/sockaddr.h"

void ip_of_sockaddr(const struct sockaddr_storage *from, struct ip *ret_ip, uint16_t *ret_port)
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
