/* ip.h - internet addresses and networks as values.                            room: base   runs in: all */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/slice.h"

/* IPv4 is kept as ::ffff:a.b.c.d, so that one comparison serves both. All zero: none known. */
struct ip {
    uint8_t b[16];
};
struct ip_net {
    struct ip ip;
    uint8_t bits; /* 0..128, on the 16-octet form */
};
#define IP_TEXT_MAX 46

bool ip_is_v4(const struct ip *ip);
bool ip_is_loopback(const struct ip *ip);
fallible ip_parse(struct slice text, struct ip *ret_ip);
/* "10.0.0.0/8", "2001:db8::/32", or a single address. Host bits must be zero: ERR_SYNTAX. */
fallible ip_net_parse(struct slice text, struct ip_net *ret_net);
bool ip_net_has(const struct ip_net *net, const struct ip *ip);
/* The /32 or /64 that limits count by (L_IP of the threats). */
struct ip ip_limit_net(const struct ip *ip);
/* Into a buffer of IP_TEXT_MAX; returns it. */
const char *ip_text(const struct ip *ip, char out[IP_TEXT_MAX]);

#endif
