/* Octets go from one stream's input buffer straight into the other's transport, so that nothing is held twice; what the
 * other side does not take stays, fills the input limit, and stops the reading. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "loop/stream.h"

enum {
    /* What one side said before it ended gets this long to reach the other. */
    LAST_WORDS_MS = 10000,
    FINISH_MS = 5000,
};

struct side {
    struct stream *s;
    struct splice *splice;
    struct side *other;
    enum err ended;
    bool stalled; /* it does not take what it is owed; its deadline runs */
};

struct splice {
    struct side side[2]; /* a, b */
    struct loop *loop;
    struct task telling;
    enum err why;
    bool over;
    void (*ended)(struct splice *, enum err why, void *owner);
    void *owner;
};

static void tell_ended(struct task *t)
{
    struct splice *sp = t->owner;
    sp->ended(sp, sp->why, sp->owner);
}

static void end(struct splice *sp, enum err why)
{
    if (sp->over)
        return;
    sp->over = true;
    sp->why = why;
    loop_defer(sp->loop, &sp->telling);
}

/* A side that takes nothing for too long is given up; each octet that it takes starts its time anew. */
static void watch_progress(struct side *to, size_t moved, size_t left)
{
    if (left && (moved || !to->stalled))
        stream_set_deadline(to->s, LIMIT_SPLICE_STALL);
    if (!left && to->stalled)
        stream_set_deadline(to->s, 0);
    to->stalled = left > 0;
}

static void move(struct side *from)
{
    struct side *to = from->other;
    if (from->splice->over || to->ended != OK)
        return;
    struct slice bytes = stream_input(from->s);
    if (bytes.n) {
        size_t moved = stream_put_some(to->s, bytes);
        stream_take(from->s, moved);
        if (from->ended == OK)
            watch_progress(to, moved, bytes.n - moved);
    }
    if (from->ended != OK && stream_input(from->s).n == 0 && stream_owed(to->s) == 0)
        end(from->splice, from->ended);
}

static void on_input(struct stream *s, void *owner)
{
    (void)s;
    move(owner);
}

static void on_drained(struct stream *s, void *owner)
{
    (void)s;
    move(((struct side *)owner)->other);
}

static void on_closed(struct stream *s, enum err why, void *owner)
{
    struct side *side = owner;
    (void)s;
    side->ended = why;
    if (side->other->ended != OK) {
        end(side->splice, side->other->ended);
        return;
    }
    stream_set_deadline(side->other->s, LAST_WORDS_MS);
    move(side);
}

static const struct stream_events events = {.input = on_input, .drained = on_drained, .closed = on_closed};

struct splice *splice_new(
    struct loop *loop, struct stream *a, struct stream *b,
    void (*ended)(struct splice *, enum err why, void *owner), void *owner)
{
    assert(a != b);
    struct splice *sp = NEW(struct splice);
    sp->loop = loop;
    sp->ended = ended;
    sp->owner = owner;
    task_init(&sp->telling, tell_ended, sp);
    sp->side[0] = (struct side){.s = a, .splice = sp, .other = &sp->side[1]};
    sp->side[1] = (struct side){.s = b, .splice = sp, .other = &sp->side[0]};
    for (int i = 0; i < 2; i++) {
        struct stream *s = sp->side[i].s;
        stream_set_deadline(s, 0);
        stream_set_events(s, &events, &sp->side[i]);
        stream_pause(s, false);
        stream_again(s);
    }
    return sp;
}

void splice_close(struct splice **sp_at)
{
    struct splice *sp = *sp_at;
    if (!sp)
        return;
    task_stop(&sp->telling);
    stream_finish(&sp->side[0].s, FINISH_MS);
    stream_finish(&sp->side[1].s, FINISH_MS);
    mem_free(sp_at);
}
