/* Streams over socketpairs: buffering, limits, back-pressure, endings, splices. */
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

static int64_t ahead;

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

static void on_input(struct stream *s, void *owner)
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

static void on_drained(struct stream *s, void *owner)
{
    (void)s;
    ((struct peer *)owner)->drains++;
}

static void on_closed(struct stream *s, enum err why, void *owner)
{
    struct peer *p = owner;
    (void)s;
    p->closes++;
    p->why = why;
}

static const struct stream_events events = {on_input, on_drained, on_closed};
static const struct stream_limits limits = {.input = 1000, .output_high = 4000, .output_max = 300000};

static void peer_init_limits(struct peer *p, struct loop *loop, const struct stream_limits *l)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    *p = (struct peer){.loop = loop, .far = fd[1], .got = BUF_INIT(10000000)};
    p->s = stream_new(loop, fd[0], l, &events, p);
}

static struct peer *peer_new(void)
{
    struct peer *p = NEW(struct peer);
    peer_init_limits(p, loop_new(), &limits);
    return p;
}

static void peer_free(struct peer *p)
{
    stream_close(&p->s);
    close(p->far);
    buf_done(&p->got);
    loop_free(&p->loop);
    free(p);
}

static void turns(struct loop *loop, int n)
{
    while (n--)
        loop_turn(loop, 0);
}

static void far_put(struct peer *p, const char *text)
{
    assert_int_equal(write(p->far, text, strlen(text)), strlen(text));
}

static struct slice far_get(struct peer *p, char *out, size_t n)
{
    ssize_t got = read(p->far, out, n);
    return slice_of(out, got > 0 ? (size_t)got : 0);
}

static void test_input_arrives_and_stays_until_taken(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    p->take = 3;
    far_put(p, "abcdef");
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 1); /* nothing new: not called again */
    assert_slice("def", stream_input(p->s));
    far_put(p, "gh");
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 2);
    stream_again(p->s);
    turns(p->loop, 2);
    assert_slice("abcdefgh", buf_slice(&p->got));
    stream_again(p->s);
    turns(p->loop, 2);
    assert_int_equal(p->inputs, 3); /* nothing unread: no call */
    peer_free(p);
}

static void test_input_limit_stops_reading(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    p->take = 1;
    char big[5000];
    memset(big, 'x', sizeof big);
    assert_int_equal(write(p->far, big, sizeof big), sizeof big);
    turns(p->loop, 10);
    assert_true(stream_input(p->s).n <= 1000);
    stream_take(p->s, 1);
    turns(p->loop, 10);
    stream_forget_input(p->s);
    stream_set_input_limit(p->s, 4000);
    p->take = 0;
    turns(p->loop, 10);
    stream_set_input_limit(p->s, 10);
    turns(p->loop, 10);
    assert_true(p->got.n > 3000);
    far_put(p, "0123456789abcdef");
    p->take = 0;
    p->got.n = 0;
    turns(p->loop, 5);
    assert_slice("0123456789abcdef", buf_slice(&p->got));
    peer_free(p);
}

static void test_full_input_is_said(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    p->leave = true;
    stream_set_input_limit(p->s, 4);
    far_put(p, "abc");
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 1);
    assert_false(stream_input_full(p->s));
    far_put(p, "defgh");
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 2);
    assert_true(stream_input_full(p->s));
    assert_slice("abcd", stream_input(p->s));
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 2);
    stream_take(p->s, 2);
    assert_false(stream_input_full(p->s));
    turns(p->loop, 3);
    assert_slice("cdef", stream_input(p->s));
    peer_free(p);
}

static void test_pause(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    stream_pause(p->s, true);
    far_put(p, "abc");
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 0);
    stream_pause(p->s, false);
    turns(p->loop, 3);
    assert_slice("abc", buf_slice(&p->got));
    peer_free(p);
}

/* Counts writes through a transport of our own. */
struct counting {
    struct transport t;
    struct transport *plain;
    int writes;
    int freed;
};
static ssize_t counting_read(struct transport *t, void *into, size_t n, unsigned *want)
{
    struct counting *c = (struct counting *)t;
    return c->plain->ops->read(c->plain, into, n, want);
}
static ssize_t counting_write(struct transport *t, const void *from, size_t n, unsigned *want)
{
    struct counting *c = (struct counting *)t;
    c->writes++;
    return c->plain->ops->write(c->plain, from, n, want);
}
static bool counting_pending(struct transport *t)
{
    (void)t;
    return false;
}
static void counting_shutdown(struct transport *t)
{
    struct counting *c = (struct counting *)t;
    ssize_t n = write(c->plain->fd, "bye", 3);
    assert_int_equal(n, 3);
}
static void counting_free(struct transport *t)
{
    struct counting *c = (struct counting *)t;
    c->plain->ops->free(c->plain);
    c->freed++;
}
static const struct transport_ops counting_ops = {"counting",       counting_read,     counting_write,
                                                  counting_pending, counting_shutdown, counting_free};

static void test_writes_of_a_turn_go_in_one(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    struct counting c = {
        .t = {&counting_ops, stream_fd(p->s)}, .plain = transport_plain_new(stream_fd(p->s))};
    stream_set_transport(p->s, &c.t);
    assert_ptr_equal(stream_transport(p->s), &c.t);
    turns(p->loop, 2);
    stream_put(p->s, S("one "));
    stream_printf(p->s, "%s ", "two");
    buf_put(stream_output(p->s), S("three"));
    stream_flush(p->s);
    assert_int_equal(c.writes, 0);
    assert_int_equal(stream_owed(p->s), 13);
    turns(p->loop, 1);
    char out[100];
    assert_slice("one two three", far_get(p, out, sizeof out));
    assert_int_equal(c.writes, 1);
    assert_int_equal(p->drains, 1);
    assert_int_equal(stream_owed(p->s), 0);
    stream_finish(&p->s, 1000);
    turns(p->loop, 2);
    assert_slice("bye", far_get(p, out, sizeof out));
    assert_int_equal(read(p->far, out, 1), 0);
    close(p->far);
    p->far = -1;
    turns(p->loop, 2);
    assert_int_equal(c.freed, 1);
    peer_free(p);
}

static void test_owed_output_stops_reading_and_has_a_ceiling(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    char big[1000];
    memset(big, 'y', sizeof big);
    while (stream_owed(p->s) <= limits.output_high) {
        for (int i = 0; i < 10; i++)
            stream_put(p->s, slice_of(big, sizeof big));
        turns(p->loop, 1);
    }
    far_put(p, "ignored for now");
    turns(p->loop, 5);
    assert_int_equal(p->inputs, 0); /* write mode */
    char sink[70000];
    size_t total = 0;
    struct slice got;
    int before = p->drains;
    for (int i = 0; i < 1000 && (i < 5 || stream_owed(p->s)); i++) {
        while ((got = far_get(p, sink, sizeof sink)).n)
            total += got.n;
        turns(p->loop, 1);
    }
    assert_int_equal(stream_owed(p->s), 0);
    assert_true(p->drains > before);
    turns(p->loop, 2);
    assert_int_equal(p->inputs, 1); /* read mode again */
    assert_true(total >= 4000);
    while (p->closes == 0) {
        stream_put(p->s, slice_of(big, sizeof big));
        if (stream_owed(p->s) % 50000 == 0)
            turns(p->loop, 1);
    }
    assert_int_equal(p->why, ERR_LIMIT);
    assert_int_equal(p->closes, 1);
    peer_free(p);
}

static void test_end_of_input_comes_after_the_input(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    far_put(p, "last");
    shutdown(p->far, SHUT_WR);
    turns(p->loop, 3);
    assert_slice("last", buf_slice(&p->got));
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->why, ERR_CLOSED);
    assert_int_equal(stream_ended(p->s), ERR_CLOSED);
    turns(p->loop, 3);
    assert_int_equal(p->closes, 1);
    /* the half-closed peer still hears a goodbye */
    stream_put(p->s, S("lost: the stream has ended"));
    stream_finish(&p->s, 100);
    turns(p->loop, 3);
    char out[10];
    assert_int_equal(read(p->far, out, sizeof out), 0);
    peer_free(p);
}

static void say_bye_and_finish(struct peer *p)
{
    stream_put(p->s, S("bye\r\n"));
    stream_finish(&p->s, 1000);
}

/* QUIT and the end in one segment: the answer still leaves. */
static void test_finish_from_input_before_the_end(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    p->also = say_bye_and_finish;
    far_put(p, "QUIT");
    shutdown(p->far, SHUT_WR);
    turns(p->loop, 3);
    char out[10];
    assert_slice("bye\r\n", far_get(p, out, sizeof out));
    assert_int_equal(p->closes, 0);
    peer_free(p);
}

static void close_it(struct peer *p)
{
    stream_close(&p->s);
}

static void test_close_from_callbacks(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    p->also = close_it;
    far_put(p, "x");
    stream_put(p->s, S("y"));
    turns(p->loop, 3);
    assert_null(p->s);
    stream_close(&p->s);
    stream_finish(&p->s, 1);
    char out[2];
    struct slice got = far_get(p, out, 2);
    assert_true(got.n <= 1);
    peer_free(p);
}

static void test_deadline(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    stream_set_deadline(p->s, 60000);
    clock_set_offset(ahead += 50000);
    turns(p->loop, 2);
    stream_set_deadline(p->s, 60000); /* put off */
    clock_set_offset(ahead += 50000);
    turns(p->loop, 2);
    assert_int_equal(p->closes, 0);
    stream_set_deadline(p->s, 5000); /* sooner */
    clock_set_offset(ahead += 6000);
    turns(p->loop, 2);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->why, ERR_TIMEOUT);
    stream_put(p->s, S("too slow"));
    stream_finish(&p->s, 1000);
    turns(p->loop, 2);
    char out[20];
    assert_slice("too slow", far_get(p, out, sizeof out));
    peer_free(p);
    p = peer_new();
    stream_set_deadline(p->s, 1000);
    stream_set_deadline(p->s, 0);
    clock_set_offset(ahead += 600000);
    turns(p->loop, 2);
    assert_int_equal(p->closes, 0);
    peer_free(p);
}

/* A peer that never reads does not keep a finishing stream for ever; one that reads gets all of it. */
static void test_finish_lingers_until_its_deadline(void **state)
{
    (void)state;
    for (int reads = 0; reads < 2; reads++) {
        struct peer *p = peer_new();
        char *big = mem_alloc(250000);
        stream_put(p->s, slice_of(big, 250000));
        stream_finish(&p->s, 1000);
        assert_null(p->s);
        turns(p->loop, 3);
        size_t total = 0;
        struct slice got;
        if (!reads) {
            clock_set_offset(ahead += 2000);
            turns(p->loop, 2);
        }
        for (int i = 0; i < 50; i++) {
            while ((got = far_get(p, big, 250000)).n)
                total += got.n;
            turns(p->loop, 1);
        }
        if (reads)
            assert_int_equal(total, 250000);
        else
            assert_true(total < 250000);
        free(big);
        peer_free(p);
    }
}

/* Unread input at close would reset the connection and take the last words with it. */
static void test_finish_reads_what_still_comes(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    stream_pause(p->s, true);
    far_put(p, "never read");
    stream_put(p->s, S("too many errors\r\n"));
    stream_finish(&p->s, 1000);
    turns(p->loop, 2);
    far_put(p, "more");
    turns(p->loop, 2);
    char out[100];
    assert_slice("too many errors\r\n", far_get(p, out, sizeof out));
    assert_int_equal(read(p->far, out, sizeof out), 0); /* an end, no reset */
    peer_free(p);
}

static void test_loop_may_end_before_a_finish(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    stream_put(p->s, S("x"));
    stream_finish(&p->s, 100000);
    peer_free(p); /* leak checkers see the rest */
}

static void test_put_some_takes_what_fits(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    size_t n = 4000000;
    char *big = mem_alloc(n);
    for (size_t i = 0; i < n; i++)
        big[i] = (char)(i * 31 + i / 251);
    size_t done = stream_put_some(p->s, slice_of(big, n));
    assert_true(done > 0 && done < n);
    assert_int_equal(stream_put_some(p->s, slice_of(big + done, n - done)), 0);
    char *back = mem_alloc(n);
    size_t total = 0;
    while (total < n) {
        struct slice got = far_get(p, back + total, n - total);
        total += got.n;
        int before = p->drains;
        turns(p->loop, 1);
        if (p->drains > before)
            done += stream_put_some(p->s, slice_of(big + done, n - done));
    }
    assert_int_equal(done, n);
    assert_memory_equal(big, back, n);
    assert_int_equal(stream_put_some(p->s, S("end")), 3);
    free(big);
    free(back);
    peer_free(p);
}

static void test_release_fd(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    int fd = stream_release_fd(&p->s);
    assert_null(p->s);
    assert_int_equal(write(fd, "z", 1), 1);
    char out[2];
    assert_slice("z", far_get(p, out, 2));
    close(fd);
    peer_free(p);
}

static void test_peer_reset_is_told_once(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    close(p->far);
    stream_put(p->s, S("into the void"));
    turns(p->loop, 3);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->why, ERR_CLOSED);
    p->far = -1;
    peer_free(p);
}

/* The octets of a secret stream are gone from its memory once they are taken: seen through the buffer's own growth. */
static void test_secret_input_survives_growth(void **state)
{
    (void)state;
    struct peer *p = peer_new();
    stream_set_secret(p->s, true);
    p->take = 2;
    far_put(p, "abcdefghij");
    turns(p->loop, 2);
    stream_set_input_limit(p->s, 20000);
    far_put(p, "klm");
    turns(p->loop, 2);
    p->take = 0;
    stream_again(p->s);
    turns(p->loop, 2);
    assert_slice("abcdefghijklm", buf_slice(&p->got));
    peer_free(p);
}

/* -- splices -- */

struct joint {
    struct peer a, b;
    struct splice *sp;
    int ended;
    enum err why;
};

static void on_ended(struct splice *sp, enum err why, void *owner)
{
    struct joint *j = owner;
    assert_ptr_equal(sp, j->sp);
    j->ended++;
    j->why = why;
    splice_close(&j->sp);
}

static struct joint *joint_new(struct loop *loop)
{
    struct joint *j = NEW(struct joint);
    peer_init_limits(&j->a, loop, &limits);
    peer_init_limits(&j->b, loop, &limits);
    return j;
}

static void join(struct joint *j)
{
    j->sp = splice_new(j->a.loop, TAKE(j->a.s, NULL), TAKE(j->b.s, NULL), on_ended, j);
}

static void joint_free(struct joint *j, struct loop *loop)
{
    splice_close(&j->sp);
    close(j->a.far);
    close(j->b.far);
    turns(loop, 3);
    buf_done(&j->a.got);
    buf_done(&j->b.got);
    loop_free(&loop);
    free(j);
}

static void test_splice_forwards_what_was_unread_first(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct joint *j = joint_new(loop);
    j->a.take = 6; /* the front consumed its own command only */
    far_put(&j->a, "LOGIN\nSELECT\nFETCH\n");
    turns(loop, 2);
    join(j);
    turns(loop, 2);
    char out[100];
    assert_slice("SELECT\nFETCH\n", far_get(&j->b, out, sizeof out));
    far_put(&j->b, "* OK\n");
    far_put(&j->a, "NOOP\n");
    turns(loop, 2);
    assert_slice("* OK\n", far_get(&j->a, out, sizeof out));
    assert_slice("NOOP\n", far_get(&j->b, out, sizeof out));
    joint_free(j, loop);
}

/* Far more than both buffers and the sockets hold, each way at once, with slow readers: nothing lost, nothing held. */
static void test_splice_back_pressure(void **state)
{
    (void)state;
    enum { N = 3000000 };
    struct loop *loop = loop_new();
    struct joint *j = joint_new(loop);
    join(j);
    char *data = mem_alloc(N), *back[2] = {mem_alloc(N), mem_alloc(N)};
    for (size_t i = 0; i < N; i++)
        data[i] = (char)(i * 7 + i / 255);
    size_t sent[2] = {0}, got[2] = {0};
    int far[2] = {j->a.far, j->b.far};
    for (int turn = 0; got[0] < N || got[1] < N; turn++) {
        assert_true(turn < 100000);
        for (int i = 0; i < 2; i++) {
            ssize_t n = sent[i] < N ? write(far[i], data + sent[i], N - sent[i]) : 0;
            sent[i] += n > 0 ? (size_t)n : 0;
            if (turn % 3 == i)
                continue;
            size_t most = N - got[i] < 5000 ? N - got[i] : 5000;
            n = most ? read(far[i], back[i] + got[i], most) : 0;
            got[i] += n > 0 ? (size_t)n : 0;
        }
        turns(loop, 1);
        /* what has left a side and not arrived is in socket buffers and one input buffer */
        assert_true(sent[0] - got[1] < 1500000);
    }
    assert_memory_equal(data, back[0], N);
    assert_memory_equal(data, back[1], N);
    for (int i = 0; i < 2; i++)
        free(back[i]);
    free(data);
    joint_free(j, loop);
}

/* The keeper's last words reach a client that reads late; then both are closed. */
static void test_splice_ends_after_the_last_words(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct joint *j = joint_new(loop);
    join(j);
    size_t n = 600000, total = 0;
    char *big = mem_alloc(n);
    size_t sent = 0;
    while (sent < n) {
        ssize_t w = write(j->b.far, big, n - sent);
        sent += w > 0 ? (size_t)w : 0;
        turns(loop, 1);
        if (w < 0) {
            ssize_t r = read(j->a.far, big, 1000);
            total += r > 0 ? (size_t)r : 0;
        }
    }
    close(j->b.far);
    j->b.far = -1;
    turns(loop, 5);
    assert_int_equal(j->ended, 0);
    for (int i = 0; i < 10000 && total < n; i++) {
        ssize_t r = read(j->a.far, big, 10000);
        total += r > 0 ? (size_t)r : 0;
        turns(loop, 1);
    }
    assert_int_equal(total, n);
    turns(loop, 3);
    assert_int_equal(j->ended, 1);
    assert_int_equal(j->why, ERR_CLOSED);
    assert_int_equal(read(j->a.far, big, 1), 0);
    free(big);
    joint_free(j, loop);
}

static void test_splice_ends_when_the_client_goes(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct joint *j = joint_new(loop);
    join(j);
    far_put(&j->a, "DELE 1\r\nQUIT\r\n");
    close(j->a.far);
    j->a.far = -1;
    turns(loop, 4);
    char out[100];
    assert_slice("DELE 1\r\nQUIT\r\n", far_get(&j->b, out, sizeof out));
    assert_int_equal(j->ended, 1);
    assert_int_equal(read(j->b.far, out, 1), 0);
    joint_free(j, loop);
}

/* Writes from b until nothing moves any more. */
static void stall(struct joint *j)
{
    char big[50000] = {0};
    for (int i = 0; i < 2000; i++) {
        ssize_t n = write(j->b.far, big, sizeof big);
        (void)n; /* as much as it takes */
        turns(j->a.loop, 1);
    }
}

/* A client that neither reads nor goes holds its session for a bounded time only; each octet it takes starts that anew. */
static void test_splice_stall_has_a_deadline(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct joint *j = joint_new(loop);
    join(j);
    char some[50000];
    stall(j);
    for (int i = 0; i < 3; i++) {
        clock_set_offset(ahead += LIMIT_SPLICE_STALL - 1000);
        turns(loop, 3);
        assert_int_equal(j->ended, 0);
        while (read(j->a.far, some, sizeof some) > 0)
            ;
        stall(j);
    }
    clock_set_offset(ahead += LIMIT_SPLICE_STALL + 1000);
    turns(loop, 3);
    assert_int_equal(j->ended, 1);
    clock_set_offset(ahead += 6000);
    turns(loop, 3);
    joint_free(j, loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_arrives_and_stays_until_taken),
        cmocka_unit_test(test_input_limit_stops_reading),
        cmocka_unit_test(test_full_input_is_said),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_writes_of_a_turn_go_in_one),
        cmocka_unit_test(test_owed_output_stops_reading_and_has_a_ceiling),
        cmocka_unit_test(test_end_of_input_comes_after_the_input),
        cmocka_unit_test(test_finish_from_input_before_the_end),
        cmocka_unit_test(test_close_from_callbacks),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_finish_lingers_until_its_deadline),
        cmocka_unit_test(test_finish_reads_what_still_comes),
        cmocka_unit_test(test_loop_may_end_before_a_finish),
        cmocka_unit_test(test_put_some_takes_what_fits),
        cmocka_unit_test(test_release_fd),
        cmocka_unit_test(test_peer_reset_is_told_once),
        cmocka_unit_test(test_secret_input_survives_growth),
        cmocka_unit_test(test_splice_forwards_what_was_unread_first),
        cmocka_unit_test(test_splice_back_pressure),
        cmocka_unit_test(test_splice_ends_after_the_last_words),
        cmocka_unit_test(test_splice_ends_when_the_client_goes),
        cmocka_unit_test(test_splice_stall_has_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
