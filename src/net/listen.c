#include "net/listen.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/sockaddr.h"

static enum err listen_error(int e)
{
    switch (e) {
    case EADDRINUSE:
        return ERR_BUSY;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case EADDRNOTAVAIL:
    case ENODEV:
        return ERR_NOT_FOUND;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return ERR_UNSUPPORTED;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ERR_LIMIT;
    default:
        return err_of_errno(e);
    }
}

static bool set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* A socket of one family with the options that accepted connections inherit. */
static fallible open_tcp(int family, bool v6_only, int *ret_fd)
{
    int fd CLEANUP_FD = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_error(errno);
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) ||
        (family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only)))
        return listen_error(errno);
    *ret_fd = TAKE(fd, -1);
    return OK;
}

static fallible bind_and_listen(int fd, const struct ip *ip, uint16_t port)
{
    struct sockaddr_storage at;
    socklen_t n = ip_to_sockaddr(ip, port, &at);
    if (bind(fd, (struct sockaddr *)&at, n) != 0 || listen(fd, LIMIT_LISTEN_BACKLOG) != 0)
        return listen_error(errno);
    return OK;
}

static fallible listen_at(const struct ip *ip, bool v6_only, uint16_t port, int *ret_fd)
{
    int fd CLEANUP_FD = -1;
    TRY(open_tcp(ip_is_v4(ip) ? AF_INET : AF_INET6, v6_only, &fd));
    TRY(bind_and_listen(fd, ip, port));
    *ret_fd = TAKE(fd, -1);
    return OK;
}

fallible net_listen_tcp(const struct ip *ip, bool every, uint16_t port, int *ret_fd)
{
    static const struct ip any_v6 = {{0}};
    static const struct ip any_v4 = {{[10] = 0xff, [11] = 0xff}};
    if (!every)
        return listen_at(ip, true, port, ret_fd);
    enum err e = listen_at(&any_v6, false, port, ret_fd);
    /* Without IPv6 in the kernel there is no such family; with it switched off, no such address. */
    if (e == ERR_UNSUPPORTED || e == ERR_NOT_FOUND)
        e = listen_at(&any_v4, false, port, ret_fd);
    return e;
}

static fallible unix_address(const char *path, struct sockaddr_un *ret_at)
{
    struct slice p = slice_str(path);
    if (p.n >= sizeof ret_at->sun_path)
        return ERR_LIMIT;
    *ret_at = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_at->sun_path, p.p, p.n);
    return OK;
}

fallible net_connect_unix(const char *path, int *ret_fd)
{
    struct sockaddr_un at;
    TRY(unix_address(path, &at));
    int fd CLEANUP_FD = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_error(errno);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        return errno == ECONNREFUSED || errno == ENOTSOCK ? ERR_NOT_FOUND : err_of_errno(errno);
    *ret_fd = TAKE(fd, -1);
    return OK;
}

/* OK when the name is free now. */
static fallible clear_stale(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? OK : err_of_errno(errno);
    if (!S_ISSOCK(st.st_mode))
        return ERR_EXISTS;
    int fd CLEANUP_FD = -1;
    enum err e = net_connect_unix(path, &fd);
    if (e == OK)
        return ERR_BUSY;
    if (e != ERR_NOT_FOUND)
        return e;
    return unlink(path) == 0 || errno == ENOENT ? OK : err_of_errno(errno);
}

fallible net_listen_unix(const char *path, int *ret_fd)
{
    struct sockaddr_un at;
    TRY(unix_address(path, &at));
    TRY(clear_stale(path));
    int fd CLEANUP_FD = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_error(errno);
    /* The mode has to be right from the first moment: it is the mask that decides it. */
    mode_t before = umask(0177);
    int failed = bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ? errno : 0;
    umask(before);
    if (failed)
        return failed == EADDRINUSE ? ERR_BUSY : err_of_errno(failed);
    if (listen(fd, LIMIT_LISTEN_BACKLOG) != 0) {
        int e = errno;
        unlink(path);
        return listen_error(e);
    }
    *ret_fd = TAKE(fd, -1);
    return OK;
}

fallible net_peer_of(int fd, struct net_peer *ret_peer)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof cred || cred.pid == 0)
        return ERR_IO;
    *ret_peer = (struct net_peer){.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
    return OK;
}

const char *net_listen_advice(enum err e)
{
    static const struct {
        enum err e;
        const char *advice;
    } table[] = {
        {ERR_BUSY,
         "another program listens there already: stop it (ss -ltnp shows which), or choose another port"},
        {ERR_DENIED,
         "ports below 1024 need root or CAP_NET_BIND_SERVICE: start as root, or choose a higher port"},
        {ERR_NOT_FOUND, "this machine does not have that address: see \"ip address\", or write * for all"},
        {ERR_UNSUPPORTED, "this machine has no such address family: is IPv6 switched off?"},
        {ERR_LIMIT,
         "too many open files, or too long a path for a socket (107 octets): raise the limit or move DIR"},
        {ERR_EXISTS, "a file that is no socket has that name: move it away"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].e == e)
            return table[i].advice;
    return "the system refused: see the error beside this line";
}
