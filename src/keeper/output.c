#include "keeper/output.h"

#include <assert.h>
#include <stdarg.h>

#include "base/limits.h"

static void on_synced(struct synced_wait *w, enum err e);

static void on_failure(struct task *t)
{
    struct output *o = t->owner;
    o->events->failed(o, o->why, o->owner);
}

void output_init(
    struct output *o, struct loop *loop, struct stream *stream, struct account *account,
    const struct output_events *events, void *owner)
{
    *o =
        (struct output){.stream = stream, .account = account, .events = events, .owner = owner, .loop = loop};
    buf_init(&o->text, LIMIT_SESSION_HELD);
    buf_init(&o->held, LIMIT_SESSION_HELD);
    o->wait.synced = on_synced;
    o->wait.owner = o;
    task_init(&o->failure, on_failure, o);
}

void output_done(struct output *o)
{
    synced_wait_stop(&o->wait);
    task_stop(&o->failure);
    buf_done(&o->text);
    buf_done(&o->held);
    o->mark_count = 0;
}

/* Said once, from the loop, so that no caller is freed under its own feet. */
static void fail(struct output *o, enum err why)
{
    if (o->why != OK)
        return;
    o->why = why;
    synced_wait_stop(&o->wait);
    buf_clear(&o->text);
    buf_clear(&o->held);
    o->mark_count = 0;
    loop_defer(o->loop, &o->failure);
}

struct buf *output_buf(struct output *o)
{
    return &o->text;
}

void output_printf(struct output *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(&o->text, format, args);
    va_end(args);
}

static void send(struct output *o, struct buf *from, size_t n)
{
    stream_put(o->stream, slice_of(from->p, n));
    buf_drop_front(from, n);
    buf_release(from);
}

/* The newest mark grows when it says the same, or when there is no place for another: later is always safe. */
static void hold(struct output *o, uint64_t upto)
{
    buf_put(&o->held, buf_slice(&o->text));
    buf_clear(&o->text);
    buf_release(&o->text);
    if (o->held.failed) {
        fail(o, ERR_LIMIT);
        return;
    }
    bool fits =
        o->mark_count > 0 && (o->marks[o->mark_count - 1].upto == upto || o->mark_count == OUTPUT_MARKS);
    unsigned at = fits ? o->mark_count - 1 : o->mark_count++;
    o->marks[at].end = o->held.n;
    o->marks[at].upto = upto;
    if (o->mark_count == 1)
        synced_wait_start(&o->wait, o->account, o->marks[0].upto);
}

static void commit(struct output *o, uint64_t upto)
{
    if (o->why != OK)
        return;
    if (o->text.failed)
        fail(o, ERR_LIMIT);
    else if (o->text.n == 0)
        return;
    else if (o->mark_count == 0 && account_synced(o->account) >= upto)
        send(o, &o->text, o->text.n);
    else
        hold(o, upto);
}

void output_commit(struct output *o)
{
    commit(o, account_committed(o->account));
}

void output_commit_free_of_state(struct output *o)
{
    commit(o, o->mark_count ? o->marks[o->mark_count - 1].upto : 0);
}

static void on_synced(struct synced_wait *w, enum err e)
{
    struct output *o = w->owner;
    if (e != OK) {
        fail(o, e);
        return;
    }
    uint64_t synced = account_synced(o->account);
    unsigned ready = 0;
    while (ready < o->mark_count && o->marks[ready].upto <= synced)
        ready++;
    if (ready) {
        size_t n = o->marks[ready - 1].end;
        for (unsigned i = ready; i < o->mark_count; i++) {
            o->marks[i - ready] = o->marks[i];
            o->marks[i - ready].end -= n;
        }
        o->mark_count -= ready;
        send(o, &o->held, n);
    }
    if (o->mark_count)
        synced_wait_start(&o->wait, o->account, o->marks[0].upto);
    if (ready && o->events->released)
        o->events->released(o, o->owner);
}

bool output_is_high(const struct output *o)
{
    return o->held.n + o->text.n + stream_owed(o->stream) > LIMIT_SESSION_OUTPUT;
}

bool output_is_held(const struct output *o)
{
    return o->mark_count > 0;
}
