#include "base/ip.h"

#include <arpa/inet.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->b, v4_prefix, sizeof v4_prefix) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
    static const struct ip v6 = {.b = {[15] = 1}};
    return ip_is_v4(ip) ? ip->b[12] == 127 : memcmp(ip, &v6, sizeof v6) == 0;
}

fallible ip_parse(struct slice text, struct ip *ret_ip)
{
    char s[IP_TEXT_MAX];
    if (text.n == 0 || text.n >= sizeof s || slice_has(text, '\0'))
        return ERR_SYNTAX;
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    struct ip ip;
    memcpy(ip.b, v4_prefix, sizeof v4_prefix);
    if (inet_pton(AF_INET, s, ip.b + 12) != 1 && inet_pton(AF_INET6, s, ip.b) != 1)
        return ERR_SYNTAX;
    *ret_ip = ip;
    return OK;
}

fallible ip_net_parse(struct slice text, struct ip_net *ret_net)
{
    size_t slash = slice_find(text, '/');
    struct ip_net net = {.bits = 128};
    TRY(ip_parse(slice_sub(text, 0, slash), &net.ip));
    bool v4 = ip_is_v4(&net.ip) && !slice_has(slice_sub(text, 0, slash), ':');
    if (slash != SLICE_NPOS) {
        uint64_t bits;
        TRY(slice_to_u64(slice_from(text, slash + 1), v4 ? 32 : 128, &bits));
        net.bits = (uint8_t)(v4 ? bits + 96 : bits);
    }
    for (unsigned i = net.bits; i < 128; i++)
        if (net.ip.b[i / 8] & (0x80u >> i % 8))
            return ERR_SYNTAX;
    *ret_net = net;
    return OK;
}

static struct ip mask(const struct ip *ip, unsigned bits)
{
    struct ip out = *ip;
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits >= 8 * (i + 1) ? 8 : bits <= 8 * i ? 0 : bits - 8 * i;
        out.b[i] &= (uint8_t)(0xff00u >> keep);
    }
    return out;
}

bool ip_net_has(const struct ip_net *net, const struct ip *ip)
{
    struct ip masked = mask(ip, net->bits);
    return memcmp(&masked, &net->ip, sizeof masked) == 0;
}

struct ip ip_limit_net(const struct ip *ip)
{
    return mask(ip, ip_is_v4(ip) ? 128 : 64);
}

const char *ip_text(const struct ip *ip, char out[IP_TEXT_MAX])
{
    bool v4 = ip_is_v4(ip);
    if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip->b + 12 : ip->b, out, IP_TEXT_MAX))
        out[0] = '\0';
    return out;
}
