/* The loop: readiness, timers on scripted time, deferred work, shared listeners, signals. */
#include "test.h"
#include "turning.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop.h"

static int64_t ahead;

static void pass_time(struct loop *loop, int64_t ms)
{
    clock_set_offset(ahead += ms);
    loop_turn(loop, 0);
}

struct count {
    int calls;
    unsigned what;
    struct watch *stops;
    struct loop *loop;
};

static void count_ready(struct watch *w, unsigned what)
{
    struct count *c = w->owner;
    c->calls++;
    c->what = what;
    if (c->stops)
        watch_stop(c->stops);
}

static void test_watch_is_level_triggered_and_can_be_changed(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    struct count c = {0};
    struct watch w;
    watch_init(&w, loop, fd[0], count_ready, &c);
    watch_set(&w, WATCH_READ);
    loop_turn(loop, 0);
    assert_int_equal(c.calls, 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    loop_turn(loop, 1000);
    loop_turn(loop, 1000);
    assert_int_equal(c.calls, 2);
    assert_int_equal(c.what, WATCH_READ);
    watch_set(&w, WATCH_WRITE);
    loop_turn(loop, 1000);
    assert_int_equal(c.what, WATCH_WRITE);
    watch_set(&w, WATCH_READ | WATCH_WRITE);
    loop_turn(loop, 1000);
    assert_int_equal(c.what, WATCH_READ | WATCH_WRITE);
    watch_set(&w, 0);
    int before = c.calls;
    loop_turn(loop, 0);
    assert_int_equal(c.calls, before);
    watch_stop(&w);
    watch_stop(&w);
    close(fd[0]);
    close(fd[1]);
    loop_free(&loop);
    assert_null(loop);
    loop_free(&loop);
}

/* Two descriptors are ready in one turn and each callback stops the other: only one runs. */
static void test_callback_may_stop_another(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    int a[2], b[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    struct watch wa, wb;
    struct count ca = {.stops = &wb}, cb = {.stops = &wa};
    watch_init(&wa, loop, a[0], count_ready, &ca);
    watch_init(&wb, loop, b[0], count_ready, &cb);
    watch_set(&wa, WATCH_READ);
    watch_set(&wb, WATCH_READ);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    loop_turn(loop, 1000);
    assert_int_equal(ca.calls + cb.calls, 1);
    watch_stop(&wa);
    watch_stop(&wb);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
    loop_free(&loop);
}

struct tick {
    struct timer t;
    int order;
    int again;
};
static int fired_count;
static uint64_t last_due;

static void on_tick(struct timer *t)
{
    struct tick *k = t->owner;
    fired_count++;
    assert_true(t->due >= last_due);
    last_due = t->due;
    if (k->again-- > 0)
        timer_start(t, 0);
}

static void test_timers_fire_in_order(void **state)
{
    (void)state;
    enum { N = 5000 };
    struct loop *loop = loop_new();
    struct tick *k = calloc(N, sizeof *k);
    fired_count = 0;
    last_due = 0;
    for (int i = 0; i < N; i++) {
        k[i].order = (i * 7919) % N + 1000; /* 7919 and 5000 share no factor: a permutation */
        timer_init(&k[i].t, loop, on_tick, &k[i]);
        timer_start(&k[i].t, (uint64_t)k[i].order);
    }
    int stopped = 0;
    for (int i = 0; i < N; i += 3, stopped++) {
        timer_stop(&k[i].t);
        timer_stop(&k[i].t);
        assert_false(k[i].t.armed);
    }
    for (int i = 1; i < N; i += 3) { /* put off, then back */
        timer_start(&k[i].t, 100000);
        timer_start(&k[i].t, (uint64_t)k[i].order);
    }
    pass_time(loop, 500);
    assert_int_equal(fired_count, 0);
    for (int i = 0; i < 20; i++)
        pass_time(loop, 300);
    assert_int_equal(fired_count, N - stopped);
    free(k);
    loop_free(&loop);
}

/* A timer that restarts itself with 0 runs once a turn and does not lock the loop up. */
static void test_restarting_timer_lets_the_turn_end(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct tick k = {.again = 1000000};
    fired_count = 0;
    last_due = 0;
    timer_init(&k.t, loop, on_tick, &k);
    timer_start(&k.t, 0);
    loop_turn(loop, 1000);
    loop_turn(loop, 1000);
    assert_int_equal(fired_count, 2);
    timer_stop(&k.t);
    loop_free(&loop);
}

static void test_wait_ends_at_the_timer(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct tick k = {0};
    fired_count = 0;
    last_due = 0;
    timer_init(&k.t, loop, on_tick, &k);
    timer_start(&k.t, 20);
    uint64_t begin = clock_mono_ms();
    while (!fired_count)
        loop_turn(loop, 10000);
    uint64_t took = clock_mono_ms() - begin;
    assert_true(took >= 20 && took < 10000);
    loop_free(&loop);
}

struct chain {
    struct task t;
    struct loop *loop;
    int left, runs;
};

static void run_chain(struct task *t)
{
    struct chain *c = t->owner;
    c->runs++;
    if (c->left-- > 0)
        loop_defer(c->loop, t);
}

static void test_deferred_work(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct chain c = {.loop = loop, .left = 1};
    task_init(&c.t, run_chain, &c);
    loop_defer(loop, &c.t);
    loop_defer(loop, &c.t); /* waits already */
    loop_turn(loop, 10000);
    assert_int_equal(c.runs, 2);
    c.left = 1000000; /* feeds itself: the turn ends all the same, the next does not wait */
    loop_defer(loop, &c.t);
    loop_turn(loop, 10000);
    int after_one = c.runs;
    assert_true(after_one < 100);
    loop_turn(loop, 10000);
    assert_true(c.runs > after_one);
    task_stop(&c.t);
    int stopped = c.runs;
    loop_turn(loop, 0);
    assert_int_equal(c.runs, stopped);
    loop_free(&loop);
}

static int listen_loopback(struct sockaddr_in *ret_at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 64), 0);
    socklen_t n = sizeof *ret_at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret_at, &n), 0);
    return fd;
}

static void accept_all(struct watch *w, unsigned what)
{
    struct count *c = w->owner;
    int fd;
    assert_int_equal(what, WATCH_READ);
    c->calls++;
    while ((fd = accept(w->fd, NULL, NULL)) >= 0) {
        c->what++;
        close(fd);
    }
}

static void connect_to(const struct sockaddr_in *at, int n)
{
    for (int i = 0; i < n; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)at, sizeof *at), 0);
        close(fd);
    }
}

static void turn_both(struct loop *l[2])
{
    loop_turn(l[0], 10);
    loop_turn(l[1], 10);
}

/* Two loops share a listener as two gates do; the one that has stopped listening ("full") gets nothing, and nothing is
 * lost. */
static void test_shared_listener(void **state)
{
    (void)state;
    struct sockaddr_in at;
    int fd = listen_loopback(&at);
    struct loop *l[2] = {loop_new(), loop_new()};
    struct count c[2] = {{0}, {0}};
    struct watch w[2];
    for (int i = 0; i < 2; i++) {
        watch_init(&w[i], l[i], fd, accept_all, &c[i]);
        watch_accept(&w[i]);
        watch_accept(&w[i]);
    }
    connect_to(&at, 10);
    STEP_UNTIL(c[0].what + c[1].what == 10, turn_both(l));
    unsigned before = c[0].what;
    watch_set(&w[0], 0);
    connect_to(&at, 10);
    STEP_UNTIL(c[0].what + c[1].what == 20, turn_both(l));
    assert_int_equal(c[0].what, before);
    watch_accept(&w[0]);
    watch_stop(&w[1]);
    connect_to(&at, 1);
    TURN_UNTIL(l[0], c[0].what == before + 1);
    for (int i = 0; i < 2; i++) {
        watch_stop(&w[i]);
        loop_free(&l[i]);
    }
    close(fd);
}

static int signals_got[2];
static void on_signal(int signal, void *owner)
{
    signals_got[*(int *)owner] += signal == SIGUSR1 || signal == SIGUSR2;
}

static void test_signals(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    int first = 0, second = 1;
    assert_ok(loop_on_signal(loop, SIGUSR1, on_signal, &first));
    assert_ok(loop_on_signal(loop, SIGUSR2, on_signal, &second));
    raise(SIGUSR1);
    loop_turn(loop, 1000);
    assert_int_equal(signals_got[0], 1);
    assert_int_equal(signals_got[1], 0);
    raise(SIGUSR2);
    loop_turn(loop, 1000);
    assert_int_equal(signals_got[1], 1);
    loop_free(&loop);
}

static void stop_loop(struct timer *t)
{
    loop_stop(t->owner);
}

static void test_run_and_stop(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct timer t;
    timer_init(&t, loop, stop_loop, loop);
    timer_start(&t, 5);
    assert_ok(loop_run(loop));
    uint64_t seen = loop_now(loop);
    assert_true(seen <= clock_mono_ms());
    loop_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch_is_level_triggered_and_can_be_changed),
        cmocka_unit_test(test_callback_may_stop_another),
        cmocka_unit_test(test_timers_fire_in_order),
        cmocka_unit_test(test_restarting_timer_lets_the_turn_end),
        cmocka_unit_test(test_wait_ends_at_the_timer),
        cmocka_unit_test(test_deferred_work),
        cmocka_unit_test(test_shared_listener),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_run_and_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
