#include "doctor/steps/socks.h"

#include "base/ip.h"

enum { VERSION = 5, CONNECT = 1, ADDRESS_V4 = 1, ADDRESS_NAME = 3, ADDRESS_V6 = 4 };

void socks_put_hello(struct buf *out)
{
    buf_put(out, slice_of("\5\1\0", 3));
}

/* The address as a proxy wants it: its kind, then itself. */
static void put_address(struct slice host, struct buf *out)
{
    struct ip ip;
    if (ip_parse(host, &ip) != OK) {
        buf_put_char(out, ADDRESS_NAME);
        buf_put_char(out, (char)host.n);
        buf_put(out, host);
    } else if (ip_is_v4(&ip)) {
        buf_put_char(out, ADDRESS_V4);
        buf_put(out, slice_of(ip.b + 12, 4));
    } else {
        buf_put_char(out, ADDRESS_V6);
        buf_put(out, slice_of(ip.b, 16));
    }
}

fallible socks_put_connect(struct slice host, uint16_t port, struct buf *out)
{
    if (host.n == 0 || host.n > 255)
        return ERR_LIMIT;
    buf_put_char(out, VERSION);
    buf_put_char(out, CONNECT);
    buf_put_char(out, 0);
    put_address(host, out);
    buf_put_char(out, (char)(port >> 8));
    buf_put_char(out, (char)port);
    return buf_check(out);
}

/* OK when `wanted` octets are there. */
static fallible need(struct slice in, size_t wanted, size_t *ret_more)
{
    if (in.n >= wanted)
        return OK;
    *ret_more = wanted - in.n;
    return ERR_AGAIN;
}

static unsigned octet(struct slice in, size_t at)
{
    return (unsigned char)in.p[at];
}

fallible socks_read_choice(struct slice in, size_t *ret_more, unsigned *ret_method)
{
    if (in.n && octet(in, 0) != VERSION)
        return ERR_SYNTAX;
    TRY(need(in, 2, ret_more));
    *ret_method = octet(in, 1);
    return OK;
}

fallible socks_read_reply(struct slice in, size_t *ret_more, unsigned *ret_code)
{
    if (in.n && octet(in, 0) != VERSION)
        return ERR_SYNTAX;
    TRY(need(in, 2, ret_more));
    unsigned code = octet(in, 1);
    if (code == 0) {
        TRY(need(in, 5, ret_more));
        unsigned kind = octet(in, 3);
        size_t address = kind == ADDRESS_V4     ? 4
                         : kind == ADDRESS_V6   ? 16
                         : kind == ADDRESS_NAME ? 1 + (size_t)octet(in, 4)
                                                : 0;
        if (address == 0)
            return ERR_SYNTAX;
        TRY(need(in, 4 + address + 2, ret_more));
    }
    *ret_code = code;
    return OK;
}

const char *socks_code_words(unsigned code)
{
    static const char *const words[] = {
        "connected",
        "general SOCKS server failure",
        "connection not allowed by ruleset",
        "network unreachable",
        "host unreachable",
        "connection refused",
        "TTL expired",
        "command not supported",
        "address type not supported",
    };
    return code < sizeof words / sizeof *words ? words[code] : "an answer that RFC 1928 does not know";
}
