#include "net/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/mem.h"
#include "loop/incoming.h"
#include "net/refusal.h"

struct dial {
    int fd;
    enum err failed;
    struct watch connected;
    struct timer late;
    struct task telling; /* what is known at once is told from the loop too */
    dial_done_fn *done;
    void *owner;
};

static void tell(struct dial *d, enum err e)
{
    watch_stop(&d->connected);
    timer_stop(&d->late);
    task_stop(&d->telling);
    if (e != OK)
        file_close(&d->fd);
    d->done(d, e, TAKE(d->fd, -1), d->owner);
}

static void on_ready(struct watch *w, unsigned what)
{
    struct dial *d = w->owner;
    int e = 0;
    socklen_t n = sizeof e;
    (void)what;
    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
        e = errno;
    tell(d, e ? refusal_of_errno(e) : OK);
}

static void on_late(struct timer *t)
{
    tell(t->owner, ERR_TIMEOUT);
}

static void on_telling(struct task *t)
{
    struct dial *d = t->owner;
    tell(d, d->failed);
}

struct dial *dial_new(
    struct loop *loop, const struct ip *ip, uint16_t port, uint64_t within_ms, dial_done_fn *done,
    void *owner)
{
    struct dial *d = NEW(struct dial);
    d->done = done;
    d->owner = owner;
    struct sockaddr_storage to;
    socklen_t n = ip_to_sockaddr(ip, port, &to);
    d->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    watch_init(&d->connected, loop, d->fd, on_ready, d);
    timer_init(&d->late, loop, on_late, d);
    task_init(&d->telling, on_telling, d);
    int one = 1;
    if (d->fd >= 0 && setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
        (connect(d->fd, (struct sockaddr *)&to, n) == 0 || errno == EINPROGRESS)) {
        watch_set(&d->connected, WATCH_WRITE);
        timer_start(&d->late, within_ms);
    } else {
        d->failed = refusal_of_errno(errno);
        loop_defer(loop, &d->telling);
    }
    return d;
}

void dial_free(struct dial **d_at)
{
    struct dial *d = *d_at;
    if (!d)
        return;
    watch_stop(&d->connected);
    timer_stop(&d->late);
    task_stop(&d->telling);
    file_close(&d->fd);
    mem_free(d_at);
}
