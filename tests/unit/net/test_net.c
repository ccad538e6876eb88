/* Listening and accepting on loopback. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "loop/incoming.h"
#include "net/connect.h"
#include "net/listen.h"

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_ok(ip_parse(slice_str(text), &ip));
    return ip;
}

static int dial(const char *to, uint16_t port)
{
    struct ip ip = ip_of(to);
    int fd = -1;
    assert_ok(connect_wait(&ip, port, 60000, NULL, &fd, NULL));
    return fd;
}

/* A connection is there for who listens a moment later than for who dialled. */
static void await(int listener)
{
    assert_ok(connect_ready(listener, false, clock_mono_ms() + 60000, NULL));
}

static uint16_t port_of(int fd)
{
    struct ip ip;
    uint16_t port;
    assert_ok(incoming_local(fd, &ip, &port));
    return port;
}

/* Connects from `from`'s family and sees which address the listener says the peer has. */
static void expect_peer(int listener, const char *to, const char *seen)
{
    int ours = dial(to, port_of(listener)), fd = -1;
    struct ip peer, local;
    uint16_t peer_port, local_port;
    await(listener);
    assert_ok(incoming_accept(listener, &fd, &peer, &peer_port));
    char text[IP_TEXT_MAX];
    assert_string_equal(ip_text(&peer, text), seen);
    assert_ok(incoming_local(ours, &local, &local_port));
    assert_int_equal(peer_port, local_port);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    int nodelay = 0;
    socklen_t n = sizeof nodelay;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &n), 0);
    assert_true(nodelay);
    assert_err(ERR_AGAIN, incoming_accept(listener, &fd, &peer, &peer_port));
    close(fd);
    close(ours);
}

static bool has_ipv6(void)
{
    struct ip ip = ip_of("::1");
    int fd = -1;
    enum err e = net_listen_tcp(&ip, false, 0, &fd);
    file_close(&fd);
    return e == OK;
}

static void test_listen_on_one_family_or_both(void **state)
{
    (void)state;
    struct ip v4 = ip_of("127.0.0.1");
    int fd = -1, other = -1;
    assert_ok(net_listen_tcp(&v4, false, 0, &fd));
    expect_peer(fd, "127.0.0.1", "127.0.0.1");
    file_close(&fd);
    assert_ok(net_listen_tcp(NULL, true, 0, &fd));
    expect_peer(fd, "127.0.0.1", "127.0.0.1"); /* no ::ffff: form in limits and logs */
    if (has_ipv6())
        expect_peer(fd, "::1", "::1");
    file_close(&fd);
    if (has_ipv6()) {
        struct ip v6 = ip_of("::1");
        assert_ok(net_listen_tcp(&v6, false, 0, &fd));
        expect_peer(fd, "::1", "::1");
        assert_err(ERR_DENIED, connect_wait(&v4, port_of(fd), 60000, NULL, &other, NULL));
        file_close(&fd);
    }
}

static void test_listen_errors_say_what_to_do(void **state)
{
    (void)state;
    /* An address of this process, so that no other takes the port while it is free for a moment. */
    char own[IP_TEXT_MAX];
    snprintf(own, sizeof own, "127.77.%d.%d", getpid() >> 8 & 255, getpid() & 255);
    struct ip v4 = ip_of(own), foreign = ip_of("192.0.2.1");
    int fd = -1, second = -1;
    assert_ok(net_listen_tcp(&v4, false, 0, &fd));
    enum err e = net_listen_tcp(&v4, false, port_of(fd), &second);
    assert_int_equal(e, ERR_BUSY);
    assert_int_equal(second, -1);
    assert_non_null(strstr(net_listen_advice(e), "another program"));
    e = net_listen_tcp(&foreign, false, 0, &second);
    assert_int_equal(e, ERR_NOT_FOUND);
    assert_non_null(strstr(net_listen_advice(e), "does not have that address"));
    /* the port is free again at once after a restart, in spite of connections in TIME_WAIT */
    uint16_t port = port_of(fd);
    int ours = dial(own, port);
    struct ip peer;
    uint16_t peer_port;
    int accepted = -1;
    await(fd);
    assert_ok(incoming_accept(fd, &accepted, &peer, &peer_port));
    close(accepted); /* our side closes first and waits */
    close(ours);
    close(fd);
    assert_ok(net_listen_tcp(&v4, false, port, &fd));
    close(fd);
}

static void test_accept_without_descriptors_is_a_limit(void **state)
{
    (void)state;
    struct ip v4 = ip_of("127.0.0.1"), peer;
    uint16_t port;
    int fd = -1, accepted = -1;
    assert_ok(net_listen_tcp(&v4, false, 0, &fd));
    int ours = dial("127.0.0.1", port_of(fd));
    await(fd);
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    int lowest_free = dup(fd);
    close(lowest_free);
    none.rlim_cur = (rlim_t)lowest_free;
    setrlimit(RLIMIT_NOFILE, &none);
    enum err e = incoming_accept(fd, &accepted, &peer, &port);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(e, ERR_LIMIT);
    assert_ok(incoming_accept(fd, &accepted, &peer, &port)); /* it waited in the queue */
    close(accepted);
    close(ours);
    close(fd);
}

static void test_unix_socket(void **state)
{
    (void)state;
    char folder[] = "/tmp/net-test-XXXXXX", path[64], other[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/control", folder);
    snprintf(other, sizeof other, "%s/file", folder);
    int fd = -1, client = -1, accepted = -1, second = -1;
    assert_err(ERR_NOT_FOUND, net_connect_unix(path, &client));
    assert_ok(net_listen_unix(path, &fd));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ok(net_connect_unix(path, &client));
    struct ip ip;
    uint16_t port;
    assert_ok(incoming_accept(fd, &accepted, &ip, &port));
    struct net_peer peer;
    assert_ok(net_peer_of(accepted, &peer));
    assert_int_equal(peer.uid, getuid());
    assert_int_equal(peer.pid, getpid());
    assert_err(ERR_BUSY, net_listen_unix(path, &second));
    close(accepted);
    close(client);
    close(fd); /* the name stays behind, as after a kill */
    assert_ok(net_listen_unix(path, &fd));
    close(fd);
    close(open(other, O_CREAT | O_WRONLY, 0600));
    assert_err(ERR_EXISTS, net_listen_unix(other, &fd));
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_err(ERR_LIMIT, net_listen_unix(longest, &fd));
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    assert_err(ERR_IO, net_peer_of(tcp, &peer));
    close(tcp);
    unlink(path);
    unlink(other);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen_on_one_family_or_both),
        cmocka_unit_test(test_listen_errors_say_what_to_do),
        cmocka_unit_test(test_accept_without_descriptors_is_a_limit),
        cmocka_unit_test(test_unix_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
