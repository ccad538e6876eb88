/* session_world.h - a TLS session of ours over a socket pair, with the library's own client at the other end. */
#ifndef UNIT_TLS_SESSION_WORLD_H
#define UNIT_TLS_SESSION_WORLD_H

#include "tls_peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tls/session.h"

enum { KIND_IMAPS, KIND_POP3S, KIND_MX };
static const char *const imap_protocols[] = {"imap", NULL};
static const char *const pop3_protocols[] = {"pop3", NULL};
static const struct tls_kind kinds[] = {
    {"imaps", imap_protocols},
    {"pop3s", pop3_protocols},
    {"smtp", NULL},
};

struct world {
    struct loop *loop;
    struct tls_set *set;
    struct stream *s;
    struct test_client c;
    struct task done;
    int handshakes, closes;
    enum err why;
    struct buf got;
    bool leave;
    int reason; /* of the client's failure */
};

static inline void on_input(struct stream *s, void *owner)
{
    struct world *w = owner;
    struct slice in = stream_input(s);
    if (w->leave)
        return;
    buf_put(&w->got, in);
    stream_take(s, in.n);
}

static inline void on_closed(struct stream *s, enum err why, void *owner)
{
    struct world *w = owner;
    (void)s;
    w->closes++;
    w->why = why;
}

static inline void on_handshake(struct task *t)
{
    ((struct world *)t->owner)->handshakes++;
}

static const struct stream_events events = {on_input, NULL, on_closed};
static const struct stream_limits limits = {.input = 16384, .output_high = 65536, .output_max = 1000000};

static inline void add(struct tls_set *set, const char *san, const char *names)
{
    struct test_pair p = test_pair_new(san, -1, 30);
    assert_int_equal(
        tls_set_add(set, buf_slice(&p.chain), buf_slice(&p.key), slice_str(names), false), TLS_FINE);
    test_pair_free(&p);
}

static inline struct tls_set *new_set(void)
{
    struct tls_set *set = tls_set_new(kinds, 3, false);
    assert_true(tls_set_is_empty(set));
    add(set, "DNS:mx.test,DNS:*.wild.test", NULL);
    add(set, "DNS:other.test", "Imap.Other.test pop.other.test");
    return set;
}

static inline void turns(struct world *w, int n)
{
    while (n--)
        loop_turn(w->loop, 0);
}

static inline void open_plain_within(struct world *w, const struct stream_limits *l)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    w->s = stream_new(w->loop, fd[0], l, &events, w);
    w->c = (struct test_client){.fd = fd[1]};
    w->handshakes = w->closes = 0;
    w->why = OK;
    w->got.n = 0;
}

static inline void open_plain(struct world *w)
{
    open_plain_within(w, &limits);
}

static inline void start_tls(struct world *w, unsigned kind)
{
    struct transport *t = tls_server_new(w->set, kind, stream_fd(w->s), w->loop, &w->done);
    assert_non_null(t);
    assert_true(transport_is_tls(t));
    stream_set_transport(w->s, t);
}

static inline void open_tls(struct world *w, unsigned kind, const char *name)
{
    open_plain(w);
    start_tls(w, kind);
    test_client_init(&w->c, w->c.fd, name);
}

static inline bool handshake(struct world *w)
{
    for (int i = 0; i < 20; i++) {
        ERR_clear_error();
        int r = SSL_do_handshake(w->c.ssl);
        int e = SSL_get_error(w->c.ssl, r);
        w->reason = ERR_GET_REASON(ERR_peek_last_error());
        turns(w, 2);
        if (r == 1)
            return true;
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return false;
    }
    return false;
}

static inline void end(struct world *w)
{
    stream_close(&w->s);
    test_client_free(&w->c);
    close(w->c.fd);
}

static inline int setup(void **state)
{
    struct world *w = NEW(struct world);
    w->loop = loop_new();
    w->set = new_set();
    w->got = BUF_INIT(10000000);
    task_init(&w->done, on_handshake, w);
    *state = w;
    return 0;
}

static inline int teardown(void **state)
{
    struct world *w = *state;
    task_stop(&w->done);
    tls_set_unref(&w->set);
    buf_done(&w->got);
    loop_free(&w->loop);
    free(w);
    clock_set_offset(0);
    return 0;
}

static inline void client_put(struct world *w, const char *text)
{
    assert_int_equal(SSL_write(w->c.ssl, text, (int)strlen(text)), strlen(text));
    turns(w, 2);
}

static inline void expect(struct world *w, const char *wanted)
{
    char out[1000];
    turns(w, 2);
    int n = test_client_read(&w->c, out, sizeof out);
    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(out, wanted, n);
}
#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
