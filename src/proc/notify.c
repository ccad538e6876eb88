#include "proc/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/slice.h"

static int open_socket(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n < 2 || n >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return -1;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, length) != 0)
        file_close(&fd);
    return fd;
}

static uint64_t number_of(const char *name)
{
    uint64_t value = 0;
    const char *text = getenv(name);
    return text && slice_to_u64(slice_str(text), UINT64_MAX, &value) == OK ? value : 0;
}

void notify_init(struct notify *n)
{
    const char *path = getenv("NOTIFY_SOCKET");
    uint64_t pid = number_of("WATCHDOG_PID");
    *n = (struct notify){.fd = path ? open_socket(path) : -1};
    if (n->fd >= 0 && (pid == 0 || pid == (uint64_t)getpid()))
        n->watchdog_ms = number_of("WATCHDOG_USEC") / 1000;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_done(struct notify *n)
{
    file_close(&n->fd);
}

static void send_text(const struct notify *n, const char *text, int length)
{
    if (n->fd >= 0 && length > 0) {
        ssize_t sent = send(n->fd, text, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent; /* a manager that does not listen is no reason to stop serving */
    }
}

void notify_send(const struct notify *n, const char *state, const char *status)
{
    char text[512];
    int length = status ? snprintf(text, sizeof text, "%s\nSTATUS=%s\n", state, status)
                        : snprintf(text, sizeof text, "%s\n", state);
    if ((size_t)length < sizeof text)
        send_text(n, text, length);
}

void notify_reloading(const struct notify *n)
{
    struct timespec now;
    char text[128];
    clock_gettime(CLOCK_MONOTONIC, &now);
    send_text(
        n, text,
        snprintf(
            text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
            (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000));
}
