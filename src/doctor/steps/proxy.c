#include "doctor/steps/proxy.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "doctor/steps/socks.h"
#include "net/connect.h"

static uint64_t left_ms(uint64_t until_ms)
{
    uint64_t now = clock_mono_ms();
    return until_ms > now ? until_ms - now : 0;
}

/* ------------------------------------------------------------------------------------------------- to the proxy */

/* Its addresses: at most `room`; none when its name has none. */
static size_t addresses_of(const struct visit *v, uint64_t until_ms, struct ip *ips, size_t room)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    struct slice host = v->wishes->proxy.host;
    size_t n = 0;
    if (ip_parse(host, &ips[0]) == OK)
        return 1;
    for (size_t t = 0; t < 2; t++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
        struct dns_answer answer;
        if (dns_ask(v->dns, host, types[t], left_ms(until_ms) / 2, &arena, &answer) == OK)
            for (size_t i = 0; i < answer.count && n < room; i++)
                ips[n++] = answer.records[i].ip;
    }
    return n;
}

static fallible reach(const struct visit *v, uint64_t until_ms, int *ret_fd, struct proxy_outcome *o)
{
    struct ip ips[LIMIT_DOCTOR_ADDRESSES];
    size_t n = addresses_of(v, until_ms, ips, LIMIT_DOCTOR_ADDRESSES);
    enum err e = ERR_NOT_FOUND;
    o->trouble = n ? PROXY_UNREACHED : PROXY_NO_NAME;
    for (size_t i = 0; e != OK && i < n; i++)
        e = connect_wait(
            &ips[i], v->wishes->proxy.port, left_ms(until_ms) / (n - i), v->wishes->stop, ret_fd, NULL);
    if (e == OK)
        o->trouble = PROXY_FINE;
    return e;
}

/* --------------------------------------------------------------------------------------------- talking to it */

/* The connection to the proxy, and what ends all waiting. */
struct towards {
    int fd;
    const struct stop *stop;
};

static fallible put_all(const struct towards *to, struct slice s, uint64_t until_ms)
{
    while (s.n) {
        ssize_t n = send(to->fd, s.p, s.n, MSG_NOSIGNAL);
        if (n > 0)
            s = slice_from(s, (size_t)n);
        else if (errno == EAGAIN)
            TRY(connect_ready(to->fd, true, until_ms, to->stop));
        else if (errno != EINTR)
            return ERR_CLOSED;
    }
    return OK;
}

/* At most `more` octets, at least one. */
static fallible read_some(const struct towards *to, size_t more, struct buf *in, uint64_t until_ms)
{
    for (;;) {
        char *room = buf_reserve(in, more);
        ssize_t n = room ? recv(to->fd, room, more, 0) : 0;
        if (n > 0) {
            buf_added(in, (size_t)n);
            return OK;
        }
        if (n == 0)
            return ERR_CLOSED;
        if (errno == EAGAIN)
            TRY(connect_ready(to->fd, false, until_ms, to->stop));
        else if (errno != EINTR)
            return ERR_CLOSED;
    }
}

typedef fallible socks_read_fn(struct slice in, size_t *ret_more, unsigned *ret_value);

/* One answer, no octet more. */
static fallible read_answer(
    const struct towards *to, socks_read_fn *read, struct buf *in, uint64_t until_ms, unsigned *ret_value)
{
    size_t more = 1;
    for (;;) {
        enum err e = read(buf_slice(in), &more, ret_value);
        if (e != ERR_AGAIN)
            return e;
        TRY(read_some(to, more, in, until_ms));
    }
}

/* It is no SOCKS5: what it says besides, as far as that is there or comes soon, and there is room for it. */
static void keep_said(const struct towards *to, struct buf *in, struct proxy_outcome *o)
{
    uint64_t soon = clock_mono_ms() + LIMIT_DOCTOR_AFTERTHOUGHT;
    if (in->n < sizeof o->said)
        IGNORE(read_some(to, sizeof o->said - in->n, in, soon), "what came before may be all");
    o->said_n = in->n < sizeof o->said ? in->n : sizeof o->said;
    memcpy(o->said, in->n ? in->p : "", o->said_n);
}

static enum proxy_trouble trouble_of(enum err e)
{
    return e == ERR_SYNTAX || e == ERR_CLOSED ? PROXY_NOT_SOCKS : PROXY_SILENT;
}

/* Something waits for more. An HTTP proxy does, for the end of a line, and then says what it is. */
static void ask_as_http(const struct towards *to, struct buf *in, struct proxy_outcome *o)
{
    if (put_all(to, S("\r\n\r\n"), clock_mono_ms() + LIMIT_DOCTOR_AFTERTHOUGHT) == OK)
        keep_said(to, in, o);
    if (o->said_n)
        o->trouble = PROXY_NOT_SOCKS;
}

static fallible agree_on_method(const struct towards *to, uint64_t until_ms, struct proxy_outcome *o)
{
    struct buf hello CLEANUP_BUF = BUF_INIT(16), in CLEANUP_BUF = BUF_INIT(sizeof o->said);
    unsigned method = SOCKS_METHOD_REFUSED;
    socks_put_hello(&hello);
    enum err e = put_all(to, buf_slice(&hello), until_ms);
    if (e == OK)
        e = read_answer(to, socks_read_choice, &in, until_ms, &method);
    if (e != OK) {
        o->trouble = trouble_of(e);
        if (e == ERR_TIMEOUT)
            ask_as_http(to, &in, o);
        else
            keep_said(to, &in, o);
        return e == ERR_SYNTAX ? ERR_IO : e;
    }
    o->trouble = method == SOCKS_METHOD_NONE ? PROXY_FINE : PROXY_WANTS_AUTH;
    return method == SOCKS_METHOD_NONE ? OK : ERR_DENIED;
}

static fallible ask_for_server(
    const struct towards *to, const struct endpoint *at, uint64_t until_ms, struct proxy_outcome *o)
{
    struct buf question CLEANUP_BUF = BUF_INIT(512), in CLEANUP_BUF = BUF_INIT(SOCKS_REPLY_MAX);
    TRY(socks_put_connect(at->host, at->port, &question));
    enum err e = put_all(to, buf_slice(&question), until_ms);
    if (e == OK)
        e = read_answer(to, socks_read_reply, &in, until_ms, &o->code);
    if (e != OK) {
        o->trouble = trouble_of(e);
        return e == ERR_SYNTAX ? ERR_IO : e;
    }
    if (o->code)
        o->trouble = PROXY_REFUSES;
    return o->code ? ERR_DENIED : OK;
}

fallible proxy_try(const struct visit *v, uint64_t until_ms, int *ret_fd, struct proxy_outcome *ret_outcome)
{
    struct proxy_outcome o = {.trouble = PROXY_FINE};
    int fd CLEANUP_FD = -1;
    enum err e = reach(v, until_ms, &fd, &o);
    const struct towards towards = {fd, v->wishes->stop};
    if (e == OK)
        e = agree_on_method(&towards, clock_mono_ms() + left_ms(until_ms) / 2, &o);
    if (e == OK)
        e = ask_for_server(&towards, &v->server->endpoint, until_ms, &o);
    *ret_outcome = o;
    if (e == OK)
        *ret_fd = TAKE(fd, -1);
    return e;
}

fallible proxy_connect(const struct visit *v, uint64_t until_ms, int *ret_fd)
{
    struct proxy_outcome ignored;
    return proxy_try(v, until_ms, ret_fd, &ignored);
}
