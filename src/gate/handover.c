#include "gate/handover.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

/* Between a stream's making and its new owner: what comes waits. */
static void on_early_input(struct stream *s, void *owner)
{
    (void)s, (void)owner;
}

static void on_early_end(struct stream *s, enum err why, void *owner)
{
    (void)s, (void)why, (void)owner; /* stream_set_events tells it again */
}

static const struct stream_events early = {.input = on_early_input, .closed = on_early_end};

static const struct stream_limits keeper_limits = {
    .input = LIMIT_STREAM_INPUT,
    .output_high = LIMIT_SESSION_OUTPUT,
    .output_max = 2 * LIMIT_SESSION_OUTPUT,
};

static void tell(struct handover *h, enum handover_outcome outcome)
{
    struct connection *c = h->c;
    struct stream *keeper = NULL;
    c->asking = false;
    if (outcome == HANDOVER_OK)
        keeper = stream_new(c->gate->loop, TAKE(h->fd, -1), &keeper_limits, &early, NULL);
    file_close(&h->fd);
    if (outcome != HANDOVER_OK) {
        log_event(LOG_WARN, "handover.failed", LOG_ID(c->id), LOG_NUM("outcome", outcome));
        connection_pause(c, false);
    }
    h->answered(h, outcome, keeper, h->owner);
}

static void on_late(struct task *t)
{
    tell(t->owner, HANDOVER_LATER);
}

static void on_answer(void *owner, enum err why, struct ipc_msg *m)
{
    static const enum handover_outcome outcomes[] = {
        [ATTACH_OUTCOME_OK] = HANDOVER_OK,
        [ATTACH_OUTCOME_NO] = HANDOVER_NO,
        [ATTACH_OUTCOME_LATER] = HANDOVER_LATER,
    };
    struct handover *h = owner;
    h->request = 0;
    tell(h, why == OK ? outcomes[m->u.attach_result.outcome] : HANDOVER_LATER);
}

void handover_init(struct handover *h, struct connection *c, handover_answered_fn *answered, void *owner)
{
    *h = (struct handover){.c = c, .answered = answered, .owner = owner, .fd = -1};
    task_init(&h->late, on_late, h);
}

static fallible ask(struct handover *h, const struct signin_who *who, struct slice tag)
{
    struct connection *c = h->c;
    struct channel *keeper = c->gate->keeper_of(who->slot, c->gate->keeper_arg);
    if (!keeper)
        return ERR_UNAVAILABLE;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return ERR_LIMIT;
    h->fd = pair[0];
    struct buf tls CLEANUP_BUF = BUF_INIT(128);
    connection_put_tls(c, &tls);
    struct ipc_msg m = {
        .type = MSG_ATTACH,
        .u.attach =
            {
                .ticket = secret_reveal(&who->ticket),
                .session = c->id,
                .service = c->door->service,
                .tag = tag,
                .client = c->peer,
                .tls = buf_slice(&tls),
            },
        .fd_count = 1,
        .fds = {pair[1]},
    };
    TRY(channel_request(keeper, &m, 0, on_answer, h, &h->request));
    h->asked = keeper;
    return OK;
}

void handover_start(struct handover *h, struct signin_who *who, struct slice tag)
{
    assert(h->fd < 0 && !h->request);
    h->c->asking = true;
    connection_pause(h->c, true);
    if (ask(h, who, tag) != OK)
        loop_defer(h->c->gate->loop, &h->late);
    secret_free(&who->ticket); /* INV-32 */
}

void handover_done(struct handover *h)
{
    if (h->request)
        channel_forget(h->asked, h->request);
    h->request = 0;
    task_stop(&h->late);
    file_close(&h->fd);
}
