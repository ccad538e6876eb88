/* sockaddr.h - internet addresses as the system has them.                        room: loop   runs in: all
 *
 * A file of its own, so that who connects does not link what accepts.
 */
#ifndef LOOP_SOCKADDR_H
#define LOOP_SOCKADDR_H

#include <netinet/in.h>

#include "base/ip.h"

/* AF_INET for an IPv4 address, else AF_INET6; returns its length. */
socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *ret_to);
/* Zeros for families without an address. */
void ip_of_sockaddr(const struct sockaddr_storage *from, struct ip *ret_ip, uint16_t *ret_port);

#endif
