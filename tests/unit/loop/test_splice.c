/* Splices: two streams that feed each other. */
#include "loop/peer.h"

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
    clock_stand_still(true);
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
    clock_stand_still(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splice_forwards_what_was_unread_first),
        cmocka_unit_test(test_splice_back_pressure),
        cmocka_unit_test(test_splice_ends_after_the_last_words),
        cmocka_unit_test(test_splice_ends_when_the_client_goes),
        cmocka_unit_test(test_splice_stall_has_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
