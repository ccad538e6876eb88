/* A stream's life:  live -> ended (the reason is told once by `closed`) -> freed by stream_close
 *                   live or ended -> finishing (stream_finish: owner gone; flush, goodbye, drain) -> freed by itself
 *
 * Callbacks into the owner happen only from on_ready, on_deadline and run_work, which the loop calls; they hold the
 * stream by `busy`, so that the owner may close it from within. All other functions only note what is due in `work`. */
#include "loop/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop_private.h"

enum {
    MAGIC = 0x53545245,
    READ_CHUNK = 16384, /* one TLS record */
    FLUSH_AT = 16384,   /* output that does not wait for the end of the turn */
    DRAIN_MAX = 262144, /* input thrown away after the last word, before the connection is cut */
};

/* What run_work has to do. */
enum { WORK_FLUSH = 1, WORK_READ = 2, WORK_INPUT = 4, WORK_DRAINED = 8, WORK_CLOSED = 16 };

struct stream {
    unsigned magic;
    int fd;
    struct loop *loop;
    struct transport *transport;
    struct stream_limits limits;
    const struct stream_events *events;
    void *owner;
    struct buf in, out;
    size_t in_taken;   /* octets at the front of `in` that were taken */
    size_t drain_left; /* finishing: input that may still be thrown away */
    uint64_t deadline_at;
    struct watch watch;
    struct timer deadline;
    struct task work_task;
    struct task ending; /* finishing: for loop_free */
    uint8_t work;
    uint8_t read_want, write_want; /* the readiness that the transport waits for */
    enum err ended;
    unsigned busy;
    bool blocked;    /* a write waits for readiness */
    bool want_drain; /* the owner waits for `drained` */
    bool paused;
    bool secret;
    bool told; /* `closed` was called */
    bool finishing;
    bool said_goodbye;
    bool dead;
};

static void give_back(struct stream *s, struct buf *b)
{
    if (s->secret)
        buf_wipe(b);
    else
        buf_release(b);
}

static size_t unread(const struct stream *s)
{
    return s->in.n - s->in_taken;
}

static bool may_read(const struct stream *s)
{
    if (s->ended != OK || s->dead)
        return false;
    if (s->finishing)
        return s->said_goodbye;
    return !s->paused && unread(s) < s->limits.input && s->out.n <= s->limits.output_high;
}

static void add_work(struct stream *s, unsigned what)
{
    s->work |= (uint8_t)what;
    loop_defer(s->loop, &s->work_task);
}

/* Watches what is waited for now. */
static void update(struct stream *s)
{
    unsigned what = 0;
    if (s->dead || s->ended != OK) {
        watch_set(&s->watch, 0);
        return;
    }
    if (may_read(s)) {
        what |= s->read_want;
        if (!s->finishing && s->transport->ops->pending(s->transport))
            add_work(s, WORK_READ);
    }
    if (s->blocked)
        what |= s->write_want;
    watch_set(&s->watch, what);
}

static void stream_destroy(struct stream *s)
{
    buf_wipe(&s->in);
    buf_wipe(&s->out);
    s->magic = 0;
    free(s);
}

/* Gives up everything but the struct itself, which a caller up the stack may still hold. */
static void kill_stream(struct stream *s)
{
    if (s->dead)
        return;
    s->dead = true;
    watch_stop(&s->watch);
    timer_stop(&s->deadline);
    task_stop(&s->work_task);
    task_stop(&s->ending);
    if (s->transport)
        s->transport->ops->free(s->transport);
    s->transport = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    if (s->busy == 0)
        stream_destroy(s);
}

static void enter(struct stream *s)
{
    s->busy++;
}

static void leave(struct stream *s)
{
    assert(s->busy > 0);
    if (--s->busy > 0)
        return;
    if (s->dead) {
        stream_destroy(s);
        return;
    }
    if (unread(s) == 0) {
        s->in.n = s->in_taken = 0;
        give_back(s, &s->in);
    }
    if (s->out.n == 0)
        give_back(s, &s->out);
    update(s);
}

static void end(struct stream *s, enum err why)
{
    if (s->ended != OK || s->dead)
        return;
    s->ended = why;
    add_work(s, WORK_CLOSED);
    watch_set(&s->watch, 0);
}

/* -- reading -- */

/* Room behind the unread input, moved to the front of its memory when that helps. */
static char *make_room(struct stream *s, size_t n)
{
    if (s->in_taken) {
        size_t left = unread(s);
        if (left)
            memmove(s->in.p, s->in.p + s->in_taken, left);
        if (s->secret)
            explicit_bzero(s->in.p + left, s->in_taken);
        s->in.n = left;
        s->in_taken = 0;
    }
    if (s->secret && s->in.p && s->in.n + n + 1 > s->in.cap) {
        /* realloc would leave a copy behind */
        struct buf bigger = BUF_INIT(s->in.limit);
        buf_reserve(&bigger, s->in.n + n);
        buf_put(&bigger, buf_slice(&s->in));
        buf_wipe(&s->in);
        s->in = bigger;
    }
    return buf_reserve(&s->in, n);
}

/* One read; true when another may bring more at once. */
static bool read_once(struct stream *s)
{
    size_t room = s->limits.input - unread(s);
    if (room > READ_CHUNK)
        room = READ_CHUNK;
    char *into = make_room(s, room);
    assert(into);
    unsigned want = WATCH_READ;
    ssize_t n = s->transport->ops->read(s->transport, into, room, &want);
    if (n < 0) {
        end(s, (enum err)n);
    } else if (n == 0) {
        s->read_want = (uint8_t)want;
    } else {
        s->read_want = WATCH_READ;
        buf_added(&s->in, (size_t)n);
        return s->transport->ops->pending(s->transport);
    }
    return false;
}

static void read_input(struct stream *s)
{
    size_t before = unread(s);
    while (may_read(s) && read_once(s))
        ;
    if (unread(s) > before) {
        s->work |= WORK_INPUT;
        if (s->blocked && s->write_want == WATCH_READ)
            add_work(s, WORK_FLUSH); /* what the write waited for may have been read just now */
    }
}

/* After the goodbye: whatever still comes is thrown away, until the peer is done too. Closing with unread input would
 * reset the connection, and the peer could lose our last words. */
static void drain_input(struct stream *s)
{
    char junk[4096];
    ssize_t n = -1;
    errno = EAGAIN;
    while (s->drain_left && (n = recv(s->fd, junk, sizeof junk, MSG_DONTWAIT)) > 0)
        s->drain_left -= (size_t)n < s->drain_left ? (size_t)n : s->drain_left;
    if (s->drain_left == 0 || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        kill_stream(s);
}

/* -- writing -- */

static void put_goodbye(struct stream *s)
{
    s->said_goodbye = true;
    s->transport->ops->shutdown(s->transport);
    shutdown(s->fd, SHUT_WR);
    s->read_want = WATCH_READ;
    s->blocked = false;
    drain_input(s);
}

/* How many octets went; notes readiness to wait for, or the end. */
static size_t write_some(struct stream *s, struct slice bytes)
{
    size_t done = 0;
    while (done < bytes.n && s->ended == OK) {
        unsigned want = WATCH_WRITE;
        ssize_t n = s->transport->ops->write(s->transport, bytes.p + done, bytes.n - done, &want);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n < 0) {
            end(s, (enum err)n);
        } else {
            s->blocked = true;
            s->write_want = (uint8_t)want;
        }
        return done;
    }
    s->blocked = false;
    return done;
}

static void flush(struct stream *s)
{
    if (s->ended != OK || s->dead || s->said_goodbye)
        return;
    if (buf_check(&s->out) != OK) {
        end(s, ERR_LIMIT);
        return;
    }
    bool was_blocked = s->blocked;
    bool was_high = s->out.n > s->limits.output_high;
    size_t owed = s->out.n;
    s->blocked = false;
    size_t done = write_some(s, buf_slice(&s->out));
    if (done)
        buf_drop_front(&s->out, done);
    bool empty = s->out.n == 0;
    if (empty && s->finishing) {
        if (s->ended == OK)
            put_goodbye(s);
        return;
    }
    if (s->blocked)
        empty = false;
    if ((empty && (owed || was_blocked || s->want_drain)) ||
        (was_high && s->out.n <= s->limits.output_high)) {
        s->want_drain = false;
        add_work(s, WORK_DRAINED);
    }
}

/* -- from the loop -- */

static void tell_closed(struct stream *s)
{
    if (s->finishing) {
        kill_stream(s);
        return;
    }
    if (s->told || s->dead)
        return;
    s->told = true;
    s->events->closed(s, s->ended, s->owner);
}

static void do_work(struct stream *s, unsigned work)
{
    if (work & WORK_READ && !s->finishing)
        read_input(s);
    work |= s->work;
    s->work = 0;
    if (work & WORK_FLUSH)
        flush(s);
    if (s->finishing) {
        if (!s->dead && s->ended != OK)
            kill_stream(s);
        return;
    }
    work |= s->work;
    s->work = 0;
    if (work & WORK_DRAINED && s->events->drained && s->ended == OK)
        s->events->drained(s, s->owner);
    if (work & WORK_INPUT && !s->dead && !s->finishing && unread(s))
        s->events->input(s, s->owner);
    if (s->ended != OK && !s->dead) {
        s->work &= (uint8_t)~WORK_CLOSED;
        tell_closed(s);
    }
}

static void run_work(struct task *t)
{
    struct stream *s = t->owner;
    enter(s);
    unsigned work = s->work;
    s->work = 0;
    do_work(s, work);
    leave(s);
}

static void on_ready(struct watch *w, unsigned what)
{
    struct stream *s = w->owner;
    enter(s);
    if (s->finishing && s->said_goodbye) {
        drain_input(s);
    } else {
        unsigned work = 0;
        if (s->blocked && what & s->write_want)
            work |= WORK_FLUSH;
        if (may_read(s) && what & s->read_want)
            work |= WORK_READ;
        do_work(s, work);
    }
    leave(s);
}

static void on_deadline(struct timer *t)
{
    struct stream *s = t->owner;
    uint64_t now = clock_mono_ms();
    if (s->deadline_at > now) {
        timer_start(t, s->deadline_at - now); /* it was put off meanwhile */
        return;
    }
    enter(s);
    end(s, ERR_TIMEOUT);
    tell_closed(s);
    leave(s);
}

/* loop_free while this stream still flushes. */
static void on_loop_end(struct task *t)
{
    kill_stream(t->owner);
}

/* -- life -- */

struct stream *stream_new(
    struct loop *loop, int fd, const struct stream_limits *limits, const struct stream_events *events,
    void *owner)
{
    struct stream *s = NEW(struct stream);
    s->magic = MAGIC;
    s->loop = loop;
    s->fd = fd;
    s->limits = *limits;
    s->events = events;
    s->owner = owner;
    buf_init(&s->in, limits->input);
    buf_init(&s->out, limits->output_max);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        s->ended = ERR_IO;
    s->transport = transport_plain_new(fd);
    s->read_want = WATCH_READ;
    s->write_want = WATCH_WRITE;
    watch_init(&s->watch, loop, fd, on_ready, s);
    timer_init(&s->deadline, loop, on_deadline, s);
    task_init(&s->work_task, run_work, s);
    task_init(&s->ending, on_loop_end, s);
    if (s->ended != OK)
        add_work(s, WORK_CLOSED);
    update(s);
    return s;
}

static void check(const struct stream *s)
{
    assert(s && s->magic == MAGIC && !s->dead);
}

void stream_close(struct stream **s_at)
{
    struct stream *s = *s_at;
    if (!s)
        return;
    check(s);
    *s_at = NULL;
    kill_stream(s);
}

void stream_finish(struct stream **s_at, uint64_t within_ms)
{
    struct stream *s = *s_at;
    if (!s)
        return;
    check(s);
    *s_at = NULL;
    if (s->ended != OK && s->ended != ERR_CLOSED && s->ended != ERR_TIMEOUT) {
        kill_stream(s);
        return;
    }
    /* Even when the peer is done sending, or was too slow, it may still read our last words. */
    s->ended = OK;
    s->finishing = true;
    s->work = 0;
    s->drain_left = DRAIN_MAX;
    loop_on_free(s->loop, &s->ending);
    stream_set_deadline(s, within_ms ? within_ms : 1);
    stream_forget_input(s);
    add_work(s, WORK_FLUSH);
    update(s);
}

void stream_set_events(struct stream *s, const struct stream_events *events, void *owner)
{
    check(s);
    s->events = events;
    s->owner = owner;
    s->told = false;
    if (s->ended != OK)
        add_work(s, WORK_CLOSED);
}

/* -- input -- */

struct slice stream_input(const struct stream *s)
{
    check(s);
    return slice_from(buf_slice(&s->in), s->in_taken);
}

void stream_take(struct stream *s, size_t n)
{
    check(s);
    assert(n <= unread(s));
    s->in_taken += n;
    if (s->busy == 0 && n)
        add_work(s, 0); /* its end tidies up and reads on */
}

void stream_again(struct stream *s)
{
    check(s);
    add_work(s, WORK_INPUT);
}

void stream_pause(struct stream *s, bool paused)
{
    check(s);
    s->paused = paused;
    if (s->busy == 0)
        update(s);
}

void stream_forget_input(struct stream *s)
{
    check(s);
    if (s->in.n && s->secret)
        explicit_bzero(s->in.p, s->in.n);
    s->in.n = s->in_taken = 0;
    if (s->busy == 0)
        give_back(s, &s->in);
}

/* -- output -- */

void stream_flush(struct stream *s)
{
    check(s);
    if (s->out.n >= FLUSH_AT && !s->blocked)
        flush(s);
    else if (!s->blocked || s->out.failed)
        add_work(s, WORK_FLUSH);
    if (s->busy == 0)
        update(s);
}

/* A peer that was too slow may still read a last word; it leaves with stream_finish. */
static bool may_write(const struct stream *s)
{
    return s->ended == OK || s->ended == ERR_TIMEOUT;
}

void stream_put(struct stream *s, struct slice bytes)
{
    check(s);
    if (!may_write(s))
        return;
    buf_put(&s->out, bytes);
    stream_flush(s);
}

size_t stream_put_some(struct stream *s, struct slice bytes)
{
    check(s);
    if (s->out.n || s->blocked) {
        s->want_drain = true;
        return 0;
    }
    size_t done = write_some(s, bytes);
    s->want_drain = done < bytes.n;
    if (s->busy == 0)
        update(s);
    return done;
}

struct buf *stream_output(struct stream *s)
{
    check(s);
    return &s->out;
}

size_t stream_owed(const struct stream *s)
{
    check(s);
    return s->out.n;
}

/* -- the rest -- */

void stream_set_secret(struct stream *s, bool secret)
{
    check(s);
    if (s->secret && !secret && s->in_taken)
        explicit_bzero(s->in.p, s->in_taken); /* taken, but still in memory in front of what is unread */
    s->secret = secret;
}

void stream_set_transport(struct stream *s, struct transport *t)
{
    check(s);
    if (s->transport)
        s->transport->ops->free(s->transport);
    s->transport = t;
    s->read_want = WATCH_READ;
    s->write_want = WATCH_WRITE;
    s->blocked = false;
    if (s->ended == OK)
        add_work(s, WORK_READ | (s->out.n ? WORK_FLUSH : 0u)); /* a handshake may begin with either */
    if (s->busy == 0)
        update(s);
}

struct transport *stream_transport(struct stream *s)
{
    check(s);
    return s->transport;
}

int stream_fd(const struct stream *s)
{
    check(s);
    return s->fd;
}

void stream_set_deadline(struct stream *s, uint64_t ms)
{
    check(s);
    if (ms == 0) {
        timer_stop(&s->deadline);
        return;
    }
    s->deadline_at = clock_mono_ms() + ms;
    /* A timer that fires too early looks at deadline_at again: putting off costs nothing. */
    if (!s->deadline.armed || s->deadline.due > s->deadline_at)
        timer_start(&s->deadline, ms);
}
