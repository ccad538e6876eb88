#include "doctor/steps/talk.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/line.h"
#include "base/mem.h"
#include "doctor/steps/proxy.h"
#include "loop/incoming.h"
#include "net/connect.h"

enum { READ_AT_ONCE = 4096 };

struct talk {
    struct transport *transport;
    int fd;                  /* -1: over a transport that somebody gave */
    bool tls;                /* the transport is one of tls/outgoing.h */
    bool broken;             /* an error was returned */
    const struct stop *stop; /* ends each waiting; may be NULL */
    uint64_t until_ms;
    struct buf in;
    size_t taken; /* octets at the front of `in` that were handed out */
    size_t total; /* octets read from the connection */
    size_t bare;
};

/* ------------------------------------------------------------------------------------------------ begin and end */

static struct talk *talk_new(struct transport *t, int fd, uint64_t within_ms, const struct stop *stop)
{
    struct talk *talk = NEW(struct talk);
    talk->transport = t;
    talk->fd = fd;
    talk->stop = stop;
    talk->until_ms = clock_mono_ms() + within_ms;
    buf_init(&talk->in, LIMIT_DOCTOR_TALK + READ_AT_ONCE);
    return talk;
}

struct talk *talk_over(struct transport *t)
{
    return talk_new(t, -1, LIMIT_DOCTOR_PATIENCE, NULL);
}

fallible talk_open(const struct visit *v, struct talk **ret_talk)
{
    uint64_t patience = v->wishes->patience_ms, until = clock_mono_ms() + patience;
    int fd = -1;
    enum err e = ERR_NOT_FOUND;
    if (v->dial)
        return v->dial(v->dial_owner, ret_talk);
    if (v->wishes->proxy.host.n)
        e = proxy_connect(v, until, &fd);
    for (size_t i = 0; fd < 0 && i < v->address_count; i++)
        e = connect_wait(&v->addresses[i], v->server->endpoint.port, patience, v->wishes->stop, &fd, NULL);
    if (e == OK)
        *ret_talk = talk_new(transport_plain_new(fd), fd, patience, v->wishes->stop);
    return e;
}

void talk_close(struct talk **t)
{
    struct talk *talk = *t;
    if (!talk)
        return;
    if (talk->transport->ops->shutdown)
        talk->transport->ops->shutdown(talk->transport);
    talk->transport->ops->free(talk->transport);
    file_close(&talk->fd);
    buf_wipe(&talk->in); /* a server may say a secret back */
    mem_free(t);
}

void talk_within(struct talk *t, uint64_t ms)
{
    t->until_ms = clock_mono_ms() + ms;
}

uint64_t talk_left_ms(const struct talk *t)
{
    uint64_t now = clock_mono_ms();
    return t->until_ms > now ? t->until_ms - now : 0;
}

/* ------------------------------------------------------------------------------------------------------ octets */

static enum err fail(struct talk *t, enum err e)
{
    t->broken = true;
    return e;
}

/* Until the transport can go on, as it wished. The moment counts also where there is always something to read that comes to
 * nothing, such as records of TLS itself. */
static fallible wait_for(struct talk *t, unsigned want, uint64_t until_ms)
{
    if (clock_mono_ms() > until_ms)
        return ERR_TIMEOUT;
    return t->fd < 0 ? ERR_CLOSED : connect_ready(t->fd, want == WATCH_WRITE, until_ms, t->stop);
}

/* Some more input; waits for it, until then. */
static fallible read_more(struct talk *t, uint64_t until_ms)
{
    if (t->broken)
        return ERR_STATE;
    buf_drop_front(&t->in, t->taken);
    t->taken = 0;
    for (;;) {
        unsigned want = WATCH_READ;
        if (t->total > LIMIT_DOCTOR_TALK)
            return fail(t, ERR_LIMIT);
        char *room = buf_reserve(&t->in, READ_AT_ONCE);
        if (!room)
            return fail(t, ERR_LIMIT);
        ssize_t n = t->transport->ops->read(t->transport, room, READ_AT_ONCE, &want);
        if (n > 0) {
            buf_added(&t->in, (size_t)n);
            t->total += (size_t)n;
            return OK;
        }
        if (n < 0)
            return fail(t, (enum err)n);
        enum err e = wait_for(t, want, until_ms);
        if (e == ERR_TIMEOUT)
            return e;
        if (e != OK)
            return fail(t, e);
    }
}

static fallible put_from(struct talk *t, const char *p, size_t n)
{
    while (n) {
        unsigned want = WATCH_WRITE;
        if (t->broken)
            return ERR_STATE;
        ssize_t went = t->transport->ops->write(t->transport, p, n, &want);
        if (went < 0)
            return fail(t, (enum err)went);
        p += went;
        n -= (size_t)went;
        enum err e = went ? OK : wait_for(t, want, t->until_ms);
        if (e != OK)
            return fail(t, e);
    }
    return OK;
}

fallible talk_put(struct talk *t, struct slice octets)
{
    return put_from(t, octets.p, octets.n);
}

fallible talk_printf(struct talk *t, const char *format, ...)
{
    struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    va_list args;
    va_start(args, format);
    buf_vprintf(&line, format, args);
    va_end(args);
    TRY(buf_check(&line));
    return talk_put(t, buf_slice(&line));
}

fallible talk_put_secret(struct talk *t, struct buf *octets)
{
    enum err e = buf_check(octets);
    if (e == OK)
        e = talk_put(t, buf_slice(octets));
    buf_wipe(octets);
    return e;
}

/* ------------------------------------------------------------------------------------------------------- lines */

struct slice talk_input(const struct talk *t)
{
    return slice_from(buf_slice(&t->in), t->taken);
}

fallible talk_wait(struct talk *t, uint64_t ms)
{
    uint64_t until = clock_mono_ms() + ms;
    if (talk_input(t).n)
        return OK;
    return read_more(t, until < t->until_ms ? until : t->until_ms);
}

fallible talk_line(struct talk *t, struct slice *ret_line)
{
    for (;;) {
        struct line line;
        enum err e = line_find(talk_input(t), LIMIT_DOCTOR_LINE, &line);
        if (e == OK) {
            t->taken += line.used;
            t->bare += line.bare;
            *ret_line = line.text;
            return OK;
        }
        if (e != ERR_AGAIN)
            return fail(t, e);
        e = read_more(t, t->until_ms);
        if (e == ERR_TIMEOUT)
            fail(t, e);
        TRY(e);
    }
}

fallible talk_octets(struct talk *t, size_t n, struct slice *ret_octets)
{
    enum err e = OK;
    while (e == OK && talk_input(t).n < n)
        e = read_more(t, t->until_ms);
    if (e != OK && (e != ERR_CLOSED || talk_input(t).n == 0))
        return fail(t, e);
    *ret_octets = slice_sub(talk_input(t), 0, n);
    t->taken += ret_octets->n;
    return OK;
}

size_t talk_bare_lines(const struct talk *t)
{
    return t->bare;
}

void talk_add_bare(struct talk *t, size_t lines)
{
    t->bare += lines;
}

fallible talk_own_ip(const struct talk *t, struct ip *ret_ip)
{
    uint16_t port;
    return t->fd < 0 ? ERR_NOT_FOUND : incoming_local(t->fd, ret_ip, &port);
}

/* --------------------------------------------------------------------------------------------------------- TLS */

fallible talk_start_tls(struct talk *t, const struct tls_trust *trust, struct slice host)
{
    assert(!t->tls && t->fd >= 0);
    /* What waits in the socket as well: an injected line may come in a packet of its own just before. */
    IGNORE(talk_wait(t, 0), "nothing there is what we hope for");
    if (talk_input(t).n)
        return fail(t, ERR_DENIED);
    if (t->broken)
        return ERR_CLOSED;
    struct transport *over = tls_outgoing_new(trust, host, t->fd);
    if (!over)
        return fail(t, ERR_MEMORY);
    t->transport->ops->free(t->transport);
    t->transport = over;
    t->tls = true;
    while (!tls_outgoing_is_ready(over)) {
        unsigned want = WATCH_READ;
        ssize_t n = over->ops->write(over, "", 0, &want);
        enum err e = n < 0 ? (enum err)n : tls_outgoing_is_ready(over) ? OK : wait_for(t, want, t->until_ms);
        if (e != OK)
            return fail(t, e);
    }
    return OK;
}

const struct transport *talk_transport(const struct talk *t)
{
    return t->tls ? t->transport : NULL;
}

enum tls_break talk_break(const struct talk *t, const char **ret_text, int *ret_alert)
{
    assert(t->tls);
    return tls_outgoing_break(t->transport, ret_text, ret_alert);
}
