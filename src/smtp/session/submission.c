#include "smtp/session/submission.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/stream.h"

struct submission {
    struct session session; /* first: the registry's view */
    struct keeper_env *env;
    struct stream *stream;
};

static void end(struct submission *s)
{
    sessions_drop(s->env->sessions, &s->session);
    stream_close(&s->stream);
    free(s);
}

static void on_end(struct session *session, enum session_end_reason reason)
{
    (void)reason; /* the gate says 421 when the stream closes */
    end(CONTAINER_OF(session, struct submission, session));
}

/* The gate never writes here; a stream that does is broken. */
static void on_input(struct stream *stream, void *owner)
{
    (void)stream;
    end(owner);
}

static void on_closed(struct stream *stream, enum err why, void *owner)
{
    (void)stream;
    (void)why;
    end(owner);
}

enum err submission_session_start(struct keeper_env *env, const struct session_start *start)
{
    static const struct session_ops ops = {.end = on_end};
    static const struct stream_events events = {.input = on_input, .closed = on_closed};
    static const struct stream_limits limits = {.input = 1, .output_high = 1, .output_max = 1};
    struct submission *s = NEW(struct submission);
    *s = (struct submission){
        .session =
            {.ops = &ops,
             .id = start->id,
             .grant = start->grant,
             .client = start->client,
             .started_s = clock_unix_s(),
             .wait = WAIT_PROCESS},
        .env = env,
    };
    s->stream = stream_new(env->loop, start->fd, &limits, &events, s);
    enum err e = sessions_add(env->sessions, &s->session);
    if (e != OK) {
        stream_close(&s->stream);
        free(s);
    }
    return e;
}
