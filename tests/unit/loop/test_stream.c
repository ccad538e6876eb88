/* Streams over socketpairs: buffering, limits, back-pressure, endings. */
#include "loop/peer.h"

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
    assert_true(stream_input(p->s).n <= 1000);
    p->take = 0;
    stream_take(p->s, stream_input(p->s).n);
    turns(p->loop, 10);
    assert_true(p->got.n > 3000);
    far_put(p, "0123456789abcdef");
    p->got.n = 0;
    turns(p->loop, 5);
    assert_slice("0123456789abcdef", buf_slice(&p->got));
    peer_free(p);
}

static void test_full_input_is_told_once(void **state)
{
    (void)state;
    struct peer *p = peer_new_with(4);
    p->leave = true;
    far_put(p, "abc");
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 1);
    far_put(p, "defgh");
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 2);
    assert_slice("abcd", stream_input(p->s));
    turns(p->loop, 3);
    assert_int_equal(p->inputs, 2);
    stream_take(p->s, 2);
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
    buf_put(stream_output(p->s), S("two three"));
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
    struct peer *p =
        peer_new_with(20000); /* more than one read takes: with unread input the next one needs more room */
    stream_set_secret(p->s, true);
    p->take = 2;
    far_put(p, "abcdefghij");
    turns(p->loop, 2);
    far_put(p, "klm");
    turns(p->loop, 2);
    p->take = 0;
    stream_again(p->s);
    turns(p->loop, 2);
    assert_slice("abcdefghijklm", buf_slice(&p->got));
    peer_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_arrives_and_stays_until_taken),
        cmocka_unit_test(test_input_limit_stops_reading),
        cmocka_unit_test(test_full_input_is_told_once),
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
        cmocka_unit_test(test_peer_reset_is_told_once),
        cmocka_unit_test(test_secret_input_survives_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
