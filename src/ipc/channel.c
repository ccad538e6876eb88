#include "ipc/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"

enum { MAGIC = 0x4c4c6368, BURST = 64 };

/* A frame that the socket did not take yet. */
struct parcel {
    struct list link;
    unsigned fd_count;
    int fds[LIMIT_IPC_DESCRIPTORS];
    size_t n;
    char frame[];
};

struct pending {
    uint64_t id;
    enum ipc_type type;
    uint64_t deadline;
    channel_answer_fn *fn;
    void *owner;
};

struct channel {
    unsigned magic;
    struct loop *loop;
    int fd;
    enum ipc_role self, peer;
    unsigned peer_index;
    struct channel_events events;
    void *owner;
    struct watch watch;
    struct timer timer;
    uint64_t timer_at;
    struct list outbox;
    size_t outbox_octets;
    struct map requests;
    uint64_t last_id;
    unsigned depth; /* callbacks of this channel that are running */
    bool ended;     /* no more traffic */
    bool freed;     /* channel_close was called inside a callback */
};

static void free_parcel(struct parcel *p)
{
    list_drop(&p->link);
    for (unsigned i = 0; i < p->fd_count; i++)
        file_close(&p->fds[i]);
    explicit_bzero(p->frame, p->n);
    free(p);
}

static void fail_pending(struct channel *ch, enum err why)
{
    void *value;
    for (size_t at = 0; map_next(&ch->requests, &at, &value);) {
        struct pending *p = value;
        map_drop(&ch->requests, map_id(&p->id));
        p->fn(p->owner, why, NULL);
        free(p);
    }
}

static void release(struct channel *ch)
{
    while (!list_is_empty(&ch->outbox))
        free_parcel(LIST_FIRST(&ch->outbox, struct parcel, link));
    map_done(&ch->requests);
    ch->magic = 0;
    free(ch);
}

static void enter(struct channel *ch)
{
    ch->depth++;
}

static void leave(struct channel *ch)
{
    if (--ch->depth == 0 && ch->freed)
        release(ch);
}

/* Stops all traffic; callers of pending requests hear why. */
static void end(struct channel *ch, enum err why)
{
    if (ch->ended)
        return;
    ch->ended = true;
    watch_stop(&ch->watch);
    timer_stop(&ch->timer);
    file_close(&ch->fd);
    fail_pending(ch, why);
}

static void end_and_tell(struct channel *ch, enum err why)
{
    if (ch->ended)
        return;
    enter(ch);
    end(ch, why);
    if (!ch->freed)
        ch->events.closed(ch, why, ch->owner);
    leave(ch);
}

void channel_close(struct channel **ch_ptr)
{
    struct channel *ch = *ch_ptr;
    *ch_ptr = NULL;
    if (!ch || ch->freed)
        return;
    assert(ch->magic == MAGIC);
    enter(ch);
    end(ch, ERR_CLOSED);
    ch->freed = true;
    leave(ch);
}

static void want(struct channel *ch)
{
    if (!ch->ended)
        watch_set(&ch->watch, WATCH_READ | (list_is_empty(&ch->outbox) ? 0 : WATCH_WRITE));
}

/* -------------------------------------------------------------------------------------------------------
 * sending */

union control {
    char space[CMSG_SPACE(sizeof(int) * LIMIT_IPC_DESCRIPTORS)];
    struct cmsghdr align;
};

static ssize_t send_frame(int fd, const char *frame, size_t n, const int *fds, unsigned fd_count)
{
    struct iovec iov = {.iov_base = (void *)frame, .iov_len = n};
    union control control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd_count) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
    }
    return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool would_wait(int e)
{
    return e == EAGAIN || e == EWOULDBLOCK || e == EINTR || e == ENOBUFS || e == ETOOMANYREFS;
}

static void flush_outbox(struct channel *ch)
{
    while (!list_is_empty(&ch->outbox)) {
        struct parcel *p = LIST_FIRST(&ch->outbox, struct parcel, link);
        if (send_frame(ch->fd, p->frame, p->n, p->fds, p->fd_count) < 0) {
            if (!would_wait(errno))
                end_and_tell(ch, ERR_CLOSED);
            return;
        }
        ch->outbox_octets -= p->n;
        free_parcel(p);
    }
}

static fallible queue_frame(struct channel *ch, struct slice frame, struct ipc_msg *m)
{
    if (ch->outbox_octets + frame.n > LIMIT_IPC_OUTBOX)
        return ERR_UNAVAILABLE;
    struct parcel *p = mem_alloc(sizeof *p + frame.n);
    memcpy(p->frame, frame.p, frame.n);
    p->n = frame.n;
    p->fd_count = m->fd_count;
    for (unsigned i = 0; i < m->fd_count; i++)
        p->fds[i] = TAKE(m->fds[i], -1);
    list_add(&ch->outbox, &p->link);
    ch->outbox_octets += frame.n;
    return OK;
}

static void close_fds(struct ipc_msg *m)
{
    for (unsigned i = 0; i < m->fd_count; i++)
        file_close(&m->fds[i]);
}

static fallible transmit(struct channel *ch, struct ipc_msg *m)
{
    assert(ch->magic == MAGIC);
    assert(ipc_may_send(m->type, ch->self, ch->peer));
    enum err e = ERR_UNAVAILABLE;
    if (!ch->ended) {
        struct buf frame = BUF_INIT(LIMIT_IPC_MESSAGE);
        e = ipc_encode(m, &frame);
        bool sent = false;
        if (e == OK && list_is_empty(&ch->outbox)) {
            sent = send_frame(ch->fd, frame.p, frame.n, m->fds, m->fd_count) >= 0;
            if (!sent && !would_wait(errno))
                e = ERR_UNAVAILABLE; /* the watch will find the channel closed */
        }
        if (e == OK && !sent)
            e = queue_frame(ch, buf_slice(&frame), m);
        buf_wipe(&frame);
        want(ch);
    }
    close_fds(m);
    return e;
}

fallible channel_send(struct channel *ch, struct ipc_msg *m)
{
    m->id = 0;
    return transmit(ch, m);
}

fallible channel_answer(struct channel *ch, uint64_t id, struct ipc_msg *m)
{
    assert(ipc_shape_of(m->type)->reply && id);
    m->id = id;
    return transmit(ch, m);
}

/* Wakes at the earliest deadline. */
static void arm(struct channel *ch, uint64_t deadline)
{
    if (ch->ended || (ch->timer_at && ch->timer_at <= deadline))
        return;
    uint64_t now = loop_now(ch->loop);
    ch->timer_at = deadline;
    timer_start(&ch->timer, deadline > now ? deadline - now : 1);
}

fallible channel_request(
    struct channel *ch, struct ipc_msg *m, uint64_t deadline_ms, channel_answer_fn *fn, void *owner,
    uint64_t *ret_request)
{
    assert(ipc_shape_of(m->type)->answer != MSG_NONE);
    struct pending *p = NEW(struct pending);
    *p = (struct pending){
        .id = ++ch->last_id,
        .type = m->type,
        .deadline = loop_now(ch->loop) + (deadline_ms ? deadline_ms : LIMIT_IPC_DEADLINE),
        .fn = fn,
        .owner = owner,
    };
    m->id = p->id;
    enum err e = map_add(&ch->requests, map_id(&p->id), p);
    if (e != OK)
        close_fds(m);
    else
        e = transmit(ch, m);
    if (e != OK) {
        map_drop(&ch->requests, map_id(&p->id));
        free(p);
        return e == ERR_LIMIT && ch->requests.count >= ch->requests.limit ? ERR_UNAVAILABLE : e;
    }
    arm(ch, p->deadline);
    if (ret_request)
        *ret_request = p->id;
    return OK;
}

void channel_forget(struct channel *ch, uint64_t request)
{
    free(ch && request ? map_drop(&ch->requests, map_id(&request)) : NULL);
}

static void on_timer(struct timer *t)
{
    struct channel *ch = t->owner;
    uint64_t now = loop_now(ch->loop), next = 0;
    ch->timer_at = 0;
    enter(ch);
    void *value;
    for (size_t at = 0; !ch->ended && map_next(&ch->requests, &at, &value);) {
        struct pending *p = value;
        if (p->deadline <= now) {
            map_drop(&ch->requests, map_id(&p->id));
            p->fn(p->owner, ERR_TIMEOUT, NULL);
            free(p);
            at = 0; /* the callback may have added requests and moved the table */
            next = 0;
        } else if (!next || p->deadline < next) {
            next = p->deadline;
        }
    }
    if (next)
        arm(ch, next);
    leave(ch);
}

/* -----------------------------------------------------------------------------------------------------
 * receiving */

static bool is_item_of(const struct ipc_shape *request, enum ipc_type type)
{
    for (unsigned i = 0; i < request->item_count; i++)
        if (request->items[i] == type)
            return true;
    return false;
}

static fallible take_reply(struct channel *ch, struct ipc_msg *m)
{
    struct pending *p = m->id ? map_find(&ch->requests, map_id(&m->id)) : NULL;
    if (!p) /* nobody waits any more (deadline passed, forgotten); ids are never used twice */
        return m->id && m->id <= ch->last_id ? OK : ERR_PROTOCOL;
    const struct ipc_shape *request = ipc_shape_of(p->type);
    if (m->type == request->answer) {
        map_drop(&ch->requests, map_id(&p->id));
        p->fn(p->owner, OK, m);
        free(p);
        return OK;
    }
    if (!is_item_of(request, m->type))
        return ERR_PROTOCOL;
    p->fn(p->owner, OK, m);
    return OK;
}

/* Moves the descriptors it accepts out of fds; the caller closes what is left there. */
static fallible dispatch(struct channel *ch, struct slice frame, int *fds, unsigned fd_count)
{
    uint16_t type;
    if (frame.n < sizeof type)
        return ERR_PROTOCOL;
    memcpy(&type, frame.p, sizeof type);
    const struct ipc_shape *shape = ipc_shape_of(le16toh(type));
    if (!shape || !ipc_may_send((enum ipc_type)le16toh(type), ch->peer, ch->self) ||
        fd_count != shape->descriptors)
        return ERR_PROTOCOL;
    struct ipc_msg m;
    TRY(ipc_decode(frame, &m));
    if (!shape->reply && (m.id != 0) != (shape->answer != MSG_NONE))
        return ERR_PROTOCOL;
    m.fd_count = fd_count;
    for (unsigned i = 0; i < fd_count; i++)
        m.fds[i] = TAKE(fds[i], -1);
    enum err e = OK;
    if (shape->reply)
        e = take_reply(ch, &m);
    else
        ch->events.message(ch, &m, ch->owner);
    close_fds(&m);
    return e;
}

/* Collects the descriptors of a received message; more than LIMIT_IPC_DESCRIPTORS cannot arrive (MSG_CTRUNC).
 */
static unsigned collect_fds(struct msghdr *msg, int fds[LIMIT_IPC_DESCRIPTORS])
{
    unsigned count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (count < LIMIT_IPC_DESCRIPTORS)
                fds[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

/* One message; ERR_AGAIN when there is none. */
static fallible receive(struct channel *ch)
{
    char frame[LIMIT_IPC_MESSAGE];
    struct iovec iov = {.iov_base = frame, .iov_len = sizeof frame};
    union control control;
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = sizeof control.space};
    ssize_t n = recvmsg(ch->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return would_wait(errno) ? ERR_AGAIN : ERR_CLOSED;
    if (n == 0)
        return ERR_CLOSED;
    int fds[LIMIT_IPC_DESCRIPTORS];
    unsigned fd_count = collect_fds(&msg, fds);
    bool cut = msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    enum err e = cut ? ERR_PROTOCOL : dispatch(ch, slice_of(frame, (size_t)n), fds, fd_count);
    explicit_bzero(frame, (size_t)n);
    for (unsigned i = 0; i < fd_count; i++)
        file_close(&fds[i]);
    return e;
}

static void on_ready(struct watch *w, unsigned what)
{
    struct channel *ch = w->owner;
    enter(ch);
    if (what & WATCH_WRITE)
        flush_outbox(ch);
    enum err e = OK;
    for (int i = 0; i < BURST && e == OK && !ch->ended && (what & WATCH_READ); i++)
        e = receive(ch);
    if (e != OK && e != ERR_AGAIN)
        end_and_tell(ch, e);
    want(ch);
    leave(ch);
}

struct channel *channel_new(
    struct loop *loop, int fd, enum ipc_role self, enum ipc_role peer, unsigned peer_index,
    const struct channel_events *events, void *owner)
{
    struct channel *ch = NEW(struct channel);
    *ch = (struct channel){
        .magic = MAGIC,
        .loop = loop,
        .fd = fd,
        .self = self,
        .peer = peer,
        .peer_index = peer_index,
        .events = *events,
        .owner = owner,
        .requests = MAP_INIT(LIMIT_IPC_PENDING),
    };
    list_init(&ch->outbox);
    watch_init(&ch->watch, loop, fd, on_ready, ch);
    timer_init(&ch->timer, loop, on_timer, ch);
    watch_set(&ch->watch, WATCH_READ);
    return ch;
}

enum ipc_role channel_peer(const struct channel *ch)
{
    return ch->peer;
}

unsigned channel_peer_index(const struct channel *ch)
{
    return ch->peer_index;
}
