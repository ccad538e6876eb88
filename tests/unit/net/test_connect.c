/* Connecting and waiting: one address, and several side by side, on loopback. */
#include "test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "loop/incoming.h"
#include "loop/sockaddr.h"
#include "net/connect.h"

enum { LONG = 20000, SHORT = 150 };

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_ok(ip_parse(slice_str(text), &ip));
    return ip;
}

/* A socket bound to a free port of loopback; backlog -1: not listening, so that it refuses. */
static int hold(int backlog, uint16_t *ret_port)
{
    struct ip ip = ip_of("127.0.0.1");
    struct sockaddr_storage at;
    socklen_t n = ip_to_sockaddr(&ip, 0, &at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    assert_ok(incoming_local(fd, &ip, ret_port));
    return fd;
}

/* A listener whose queue is full: further connections hang. */
struct full {
    int listener, waiting[4];
    uint16_t port;
};
static struct full full_new(void)
{
    struct full f = {.listener = -1};
    struct ip ip = ip_of("127.0.0.1");
    f.listener = hold(0, &f.port);
    for (size_t i = 0; i < 4; i++)
        if (connect_wait(&ip, f.port, SHORT, NULL, &f.waiting[i], NULL) != OK)
            f.waiting[i] = -1;
    assert_int_equal(f.waiting[3], -1);
    return f;
}
static void full_done(struct full *f)
{
    for (size_t i = 0; i < 4; i++)
        file_close(&f->waiting[i]);
    close(f->listener);
}

static void one_address(void **state)
{
    struct ip ip = ip_of("127.0.0.1");
    uint16_t port, closed_port;
    int listener = hold(8, &port), closed = hold(-1, &closed_port), fd = -1, why = -1;
    assert_ok(connect_wait(&ip, port, LONG, NULL, &fd, &why));
    assert_int_equal(why, 0);
    assert_ok(connect_ready(fd, true, clock_mono_ms() + LONG, NULL));
    assert_err(ERR_TIMEOUT, connect_ready(fd, false, clock_mono_ms() + SHORT, NULL));
    int peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0 && write(peer, "x", 1) == 1);
    assert_ok(connect_ready(fd, false, clock_mono_ms() + LONG, NULL));
    file_close(&fd);
    assert_err(ERR_DENIED, connect_wait(&ip, closed_port, LONG, NULL, &fd, &why));
    assert_int_equal(why, ECONNREFUSED);
    assert_int_equal(fd, -1);
    assert_err(ERR_DENIED, connect_wait(&ip, closed_port, LONG, NULL, &fd, NULL));
    close(peer);
    close(listener);
    close(closed);
}

static void a_hanging_one_ends_in_time(void **state)
{
    struct full f = full_new();
    struct ip ip = ip_of("127.0.0.1");
    int fd = -1, why = 0;
    uint64_t start = clock_mono_ms();
    assert_err(ERR_TIMEOUT, connect_wait(&ip, f.port, SHORT, NULL, &fd, &why));
    assert_int_equal(why, ETIMEDOUT);
    assert_int_equal(fd, -1);
    assert_true(clock_mono_ms() - start >= SHORT && clock_mono_ms() - start < LONG);
    full_done(&f);
}

/* The good one is told with its time, the refused one with its reason; a hanging one is waited for a little while only. */
static void side_by_side(void **state)
{
    struct full f = full_new();
    uint16_t port, closed_port;
    int listener = hold(8, &port), closed = hold(-1, &closed_port);
    struct ip ip = ip_of("127.0.0.1");
    struct connect_try t[3] = {
        {.ip = ip, .port = f.port}, {.ip = ip, .port = port}, {.ip = ip, .port = closed_port}};
    uint64_t start = clock_mono_ms();
    connect_all(t, 3, 4 * LONG, SHORT, NULL);
    assert_true(clock_mono_ms() - start < LONG);
    assert_err(ERR_TIMEOUT, t[0].e);
    assert_int_equal(t[0].fd, -1);
    assert_err(OK, t[1].e);
    assert_true(t[1].fd >= 0 && t[1].took_ms < LONG);
    assert_err(ERR_DENIED, t[2].e);
    assert_int_equal(t[2].error_number, ECONNREFUSED);
    connect_close_all(t, 3);
    assert_int_equal(t[1].fd, -1);
    close(listener);
    close(closed);
    full_done(&f);
}

static void no_way(void **state)
{
    struct ip ip = ip_of("255.255.255.255"); /* TCP has no broadcast */
    int fd = -1, why = 0;
    assert_true(connect_wait(&ip, 25, LONG, NULL, &fd, &why) != OK);
    assert_true(why != 0 && fd == -1);
    struct connect_try none[1];
    connect_all(none, 0, LONG, LONG, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address),
        cmocka_unit_test(a_hanging_one_ends_in_time),
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(no_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
