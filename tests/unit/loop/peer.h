/* peer.h - a stream over a socket pair, what it was told, and the far end. */
#ifndef UNIT_LOOP_PEER_H
#define UNIT_LOOP_PEER_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/stream.h"

static int64_t ahead; /* of the clock */

struct peer {
    struct loop *loop;
    struct stream *s;
    int far; /* the other end, non-blocking */
    int inputs, drains, closes;
    enum err why;
    size_t take; /* octets to take at each input; 0: all */
    bool leave;  /* take nothing */
    struct buf got;
    void (*also)(struct peer *);
};

static inline void on_input(struct stream *s, void *owner)
{
    struct peer *p = owner;
    p->inputs++;
    if (p->leave)
        return;
    struct slice in = stream_input(s);
    if (p->take)
        in = slice_sub(in, 0, p->take);
    buf_put(&p->got, in);
    stream_take(s, in.n);
    if (p->also)
        p->also(p);
}

static inline void on_drained(struct stream *s, void *owner)
{
    (void)s;
    ((struct peer *)owner)->drains++;
}

static inline void on_closed(struct stream *s, enum err why, void *owner)
{
    struct peer *p = owner;
    (void)s;
    p->closes++;
    p->why = why;
}

static const struct stream_events events = {on_input, on_drained, on_closed};
static const struct stream_limits limits = {.input = 1000, .output_high = 4000, .output_max = 300000};

static inline void peer_init_limits(struct peer *p, struct loop *loop, const struct stream_limits *l)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    *p = (struct peer){.loop = loop, .far = fd[1], .got = BUF_INIT(10000000)};
    p->s = stream_new(loop, fd[0], l, &events, p);
}

/* At most so many octets of unread input. */
static inline struct peer *peer_new_with(size_t input)
{
    struct stream_limits l = limits;
    struct peer *p = NEW(struct peer);
    l.input = input;
    peer_init_limits(p, loop_new(), &l);
    return p;
}

static inline struct peer *peer_new(void)
{
    return peer_new_with(limits.input);
}

static inline void peer_free(struct peer *p)
{
    stream_close(&p->s);
    close(p->far);
    buf_done(&p->got);
    loop_free(&p->loop);
    free(p);
}

static inline void turns(struct loop *loop, int n)
{
    while (n--)
        loop_turn(loop, 0);
}

static inline void far_put(struct peer *p, const char *text)
{
    assert_int_equal(write(p->far, text, strlen(text)), strlen(text));
}

static inline struct slice far_get(struct peer *p, char *out, size_t n)
{
    ssize_t got = read(p->far, out, n);
    return slice_of(out, got > 0 ? (size_t)got : 0);
}

#endif
