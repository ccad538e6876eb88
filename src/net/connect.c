#include "net/connect.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "loop/sockaddr.h"

static enum err refusal_of_errno(int e)
{
    switch (e) {
    case ECONNREFUSED:
    case EACCES:
    case EPERM:
    case ECONNRESET:
        return ERR_DENIED;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return ERR_NOT_FOUND;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

fallible connect_ready(int fd, bool write, uint64_t until_ms, const struct stop *stop)
{
    for (;;) {
        uint64_t now = clock_mono_ms(), left = until_ms > now ? until_ms - now : 0;
        struct pollfd p = {.fd = fd, .events = write ? POLLOUT : POLLIN};
        int n = stop_poll(stop, &p, 1, left < INT32_MAX ? (int)left : INT32_MAX);
        if (n > 0)
            return OK;
        if ((n == 0 && left == 0) || (n < 0 && errno == ECANCELED))
            return ERR_TIMEOUT;
        if (n < 0 && errno != EINTR)
            return ERR_IO;
    }
}

/* Begins to connect: the descriptor, or -1 and errno. */
static int begin(const struct ip *ip, uint16_t port)
{
    struct sockaddr_storage to;
    socklen_t n = ip_to_sockaddr(ip, port, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
        (connect(fd, (struct sockaddr *)&to, n) == 0 || errno == EINPROGRESS))
        return fd;
    int why = errno;
    file_close(&fd);
    errno = why;
    return -1;
}

/* What became of a connect that came to its end: the system's number, 0 for a connection. */
static int outcome(int fd)
{
    int e = 0;
    socklen_t n = sizeof e;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) == 0 ? e : errno;
}

static void decide(struct connect_try *t, int why)
{
    t->error_number = why;
    t->e = why ? refusal_of_errno(why) : OK;
    if (why)
        file_close(&t->fd);
}

/* Waits for those that are open, until then; true when one of them was connected. */
static bool decide_some(
    struct connect_try *tries, size_t n, uint64_t start_ms, uint64_t until_ms, const struct stop *stop)
{
    struct pollfd p[CONNECT_MOST];
    uint64_t now = clock_mono_ms(), left = until_ms > now ? until_ms - now : 0;
    bool connected = false;
    for (size_t i = 0; i < n; i++)
        p[i] = (struct pollfd){.fd = tries[i].e == ERR_AGAIN ? tries[i].fd : -1, .events = POLLOUT};
    if (stop_poll(stop, p, n, left < INT32_MAX ? (int)left : INT32_MAX) <= 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!p[i].revents)
            continue;
        tries[i].took_ms = clock_mono_ms() - start_ms;
        decide(&tries[i], outcome(tries[i].fd));
        connected |= tries[i].e == OK;
    }
    return connected;
}

static bool any_open(const struct connect_try *tries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tries[i].e == ERR_AGAIN)
            return true;
    return false;
}

void connect_all(
    struct connect_try *tries, size_t n, uint64_t within_ms, uint64_t latecomers_ms, const struct stop *stop)
{
    uint64_t start = clock_mono_ms(), until = start + within_ms;
    assert(n <= CONNECT_MOST);
    for (size_t i = 0; i < n; i++) {
        tries[i].e = ERR_AGAIN;
        tries[i].took_ms = 0;
        tries[i].fd = begin(&tries[i].ip, tries[i].port);
        if (tries[i].fd < 0)
            decide(&tries[i], errno);
    }
    while (any_open(tries, n) && clock_mono_ms() < until && !stop_signal(stop))
        if (decide_some(tries, n, start, until, stop) && clock_mono_ms() + latecomers_ms < until)
            until = clock_mono_ms() + latecomers_ms;
    for (size_t i = 0; i < n; i++)
        if (tries[i].e == ERR_AGAIN)
            decide(&tries[i], ETIMEDOUT);
}

void connect_close_all(struct connect_try *tries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        file_close(&tries[i].fd);
}

fallible connect_wait(
    const struct ip *ip, uint16_t port, uint64_t within_ms, const struct stop *stop, int *ret_fd,
    int *ret_errno)
{
    struct connect_try one = {.ip = *ip, .port = port};
    connect_all(&one, 1, within_ms, 0, stop);
    if (ret_errno)
        *ret_errno = one.error_number;
    if (one.e == OK)
        *ret_fd = one.fd;
    return one.e;
}
