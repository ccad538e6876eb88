/* supervisor_doors.c - the listening sockets: opened here, or by a service manager before us. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/listen.h"
#include "proc/supervisor.h"

enum { FIRST_GIVEN_FD = 3 };

void doors_adopt(struct supervisor *s)
{
    struct doors_given *g = &s->given;
    uint64_t count = 0, pid = 0;
    const char *fds = getenv("LISTEN_FDS"), *who = getenv("LISTEN_PID");
    g->count = 0;
    if (fds && who && slice_to_u64(slice_str(who), UINT32_MAX, &pid) == OK && pid == (uint64_t)getpid() &&
        slice_to_u64(slice_str(fds), DOORS_GIVEN_MAX, &count) == OK)
        for (; g->count < count; g->count++)
            g->fds[g->count] = FIRST_GIVEN_FD + (int)g->count;
    const int none[1] = {0};
    if (jail_close_others(FIRST_GIVEN_FD, g->count ? g->fds : none, g->count) != OK)
        log_fatal_errno("close descriptors that are not ours");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
}

static void given_done(struct doors_given *g)
{
    for (size_t i = 0; i < g->count; i++)
        file_close(&g->fds[i]);
}

static bool address_matches(int fd, const struct config_listener *want)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage space;
    } at;
    socklen_t n = sizeof at;
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockname(fd, &at.any, &n) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
        return false;
    struct ip ip = {0};
    if (at.any.sa_family == AF_INET6)
        memcpy(ip.b, &at.v6.sin6_addr, 16);
    else if (at.any.sa_family == AF_INET && at.v4.sin_addr.s_addr)
        memcpy(ip.b + 12, &at.v4.sin_addr, 4), ip.b[10] = ip.b[11] = 0xff;
    else if (at.any.sa_family != AF_INET)
        return false;
    uint16_t port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    return port == want->port && memcmp(ip.b, want->ip.b, sizeof ip.b) == 0;
}

/* Returns -1 when the manager gave none for this door. */
static int given_take(struct doors_given *g, const struct config_listener *want)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->fds[i] >= 0 && address_matches(g->fds[i], want))
            return TAKE(g->fds[i], -1);
    return -1;
}

/* Gates of a server that was killed may still be finishing what they had (LIMIT_STOP_TIME): a busy port is asked for
 * again until they must be gone. */
static fallible listen_patiently(const struct config_listener *l, uint64_t deadline, int *ret_fd)
{
    for (bool told = false;; told = true) {
        enum err e = net_listen_tcp(&l->ip, l->every, l->port, ret_fd);
        if (e != ERR_BUSY || clock_mono_ms() >= deadline)
            return e;
        if (!told)
            log_event(
                LOG_WARN, "listen.busy", LOG_NUM("port", l->port),
                LOG_STR("effect", "waiting for it to be free"));
        supervisor_pause();
    }
}

static void name_address(const struct config_listener *l, char *out, size_t n)
{
    char ip[IP_TEXT_MAX];
    ip_text(&l->ip, ip);
    if (l->every)
        snprintf(out, n, "*:%u", l->port);
    else
        snprintf(out, n, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, l->port);
}

static void describe_door(const struct config_listener *l, struct door *door)
{
    static const struct {
        enum ipc_service service;
        enum ipc_tls_mode mode;
    } doors[DOOR_N] = {
        [DOOR_SMTP] = {SERVICE_MX, TLS_MODE_STARTTLS},
        [DOOR_SUBMISSION] = {SERVICE_SUBMISSION, TLS_MODE_STARTTLS},
        [DOOR_SUBMISSIONS] = {SERVICE_SUBMISSION, TLS_MODE_IMPLICIT},
        [DOOR_IMAP] = {SERVICE_IMAP, TLS_MODE_STARTTLS},
        [DOOR_IMAPS] = {SERVICE_IMAP, TLS_MODE_IMPLICIT},
        [DOOR_POP3] = {SERVICE_POP3, TLS_MODE_STARTTLS},
        [DOOR_POP3S] = {SERVICE_POP3, TLS_MODE_IMPLICIT},
    };
    door->service = doors[l->door].service;
    door->mode = doors[l->door].mode;
    name_address(l, door->address, sizeof door->address);
}

static fallible
open_door(struct supervisor *s, struct doors_given *g, const struct config_listener *l, uint64_t deadline)
{
    struct door *door = &s->doors[s->door_count];
    describe_door(l, door);
    door->fd = given_take(g, l);
    enum err e = door->fd >= 0 ? OK : listen_patiently(l, deadline, &door->fd);
    if (e != OK) {
        log_event(
            LOG_ERROR, "listen.failed", LOG_STR("door", config_door_name(l->door)),
            LOG_STR("address", door->address), LOG_ERR(e), LOG_STR("remedy", net_listen_advice(e)));
        return e;
    }
    s->door_count++;
    return OK;
}

fallible doors_open(struct supervisor *s)
{
    uint64_t deadline = clock_mono_ms() + LIMIT_STOP_TIME + 1000;
    enum err e = OK;
    for (size_t i = 0; e == OK && i < config_listeners(s->config) && s->door_count < LIMIT_CONFIG_REPEATS;
         i++)
        e = open_door(s, &s->given, config_listener(s->config, i), deadline);
    given_done(&s->given);
    return e;
}

void doors_close(struct supervisor *s)
{
    for (size_t i = 0; i < s->door_count; i++)
        file_close(&s->doors[i].fd);
    s->door_count = 0;
}
