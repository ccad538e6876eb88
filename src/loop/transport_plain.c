#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "loop/stream.h"

/* Never by the descriptor's own word: who passed it may have the other end of its flags, and O_NONBLOCK is one of them. */
static ssize_t plain_read(struct transport *t, void *into, size_t n, unsigned *want)
{
    ssize_t got;
    do
        got = recv(t->fd, into, n, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        return got;
    if (got == 0)
        return ERR_CLOSED;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return errno == ECONNRESET ? ERR_CLOSED : ERR_IO;
    *want = WATCH_READ;
    return 0;
}

static ssize_t plain_write(struct transport *t, const void *from, size_t n, unsigned *want)
{
    ssize_t put;
    do
        put = send(t->fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (put < 0 && errno == EINTR);
    if (put >= 0)
        return put;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
        return errno == ECONNRESET || errno == EPIPE ? ERR_CLOSED : ERR_IO;
    *want = WATCH_WRITE;
    return 0;
}

static bool plain_pending(struct transport *t)
{
    (void)t;
    return false;
}

static void plain_shutdown(struct transport *t)
{
    shutdown(t->fd, SHUT_WR);
}

static void plain_free(struct transport *t)
{
    free(t);
}

struct transport *transport_plain_new(int fd)
{
    static const struct transport_ops ops = {
        .name = "plain",
        .read = plain_read,
        .write = plain_write,
        .pending = plain_pending,
        .shutdown = plain_shutdown,
        .free = plain_free,
    };
    struct transport *t = NEW(struct transport);
    t->ops = &ops;
    t->fd = fd;
    return t;
}
