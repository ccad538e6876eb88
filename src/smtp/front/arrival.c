#include "smtp/front/arrival.h"

#include <assert.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "crypto/random.h"

static const struct stream_limits limits = {
    .input = 512, .output_high = ARRIVAL_HIGH, .output_max = 2 * ARRIVAL_HIGH + LIMIT_STREAM_INPUT};

static void on_late(struct task *t)
{
    struct arrival *a = t->owner;
    a->id = 0;
    a->events->stored(a, STATUS_NOT_STORED, SLICE_EMPTY);
}

void arrival_init(struct arrival *a, struct gate *gate, const struct arrival_events *events, void *owner)
{
    *a = (struct arrival){.gate = gate, .events = events, .owner = owner};
    task_init(&a->late, on_late, a);
}

static struct channel *keeper(const struct arrival *a)
{
    return a->gate->keeper_of(a->slot, a->gate->keeper_arg);
}

/* ---- the stream: the keeper never writes to it, and closes it when it wants no more ---- */

static void on_input(struct stream *s, void *owner)
{
    stream_take(s, stream_input(s).n);
}

static void on_drained(struct stream *s, void *owner)
{
    struct arrival *a = owner;
    a->events->room(a);
}

static void on_closed(struct stream *s, enum err why, void *owner)
{
    struct arrival *a = owner;
    stream_close(&a->octets);
    a->events->room(a); /* what still comes is thrown away; arrive_result says why */
}

static const struct stream_events stream_events = {
    .input = on_input, .drained = on_drained, .closed = on_closed};

/* ---- the envelope ---- */

static fallible
send_begin(struct arrival *a, const struct arrival_facts *facts, const struct smtp_envelope *envelope, int fd)
{
    struct buf from CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2);
    address_put(&from, &envelope->from);
    struct ipc_msg m = {
        .type = MSG_ARRIVE_BEGIN,
        .fd_count = 1,
        .fds = {fd},
        .u.arrive_begin = {
            .arrival = a->id,
            .session = facts->session,
            .service = facts->service,
            .reverse_path = buf_slice(&from),
            .smtputf8 = envelope->smtputf8,
            .declared_size = envelope->size,
            .recipients = (uint16_t)envelope->target_count,
            .client = facts->client,
            .trace = facts->trace}};
    return channel_send(keeper(a), &m);
}

static fallible send_recipients(struct arrival *a, const struct smtp_envelope *envelope)
{
    LIST_EACH (&envelope->targets, struct smtp_target, link, t) {
        struct ipc_msg m = {
            .type = MSG_ARRIVE_RCPT,
            .u.arrive_rcpt = {
                .arrival = a->id,
                .account = t->account,
                .slot = t->slot,
                .address = t->address,
                .recipient = t->recipient,
                .quota_bytes = t->quota_bytes}};
        TRY(channel_send(keeper(a), &m));
    }
    return OK;
}

enum status
arrival_begin(struct arrival *a, const struct arrival_facts *facts, const struct smtp_envelope *envelope)
{
    assert(a->id == 0);
    int pair[2];
    a->slot = facts->slot;
    if (!keeper(a) || envelope->target_count > UINT16_MAX ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return STATUS_UNAVAILABLE;
    int ours CLEANUP_FD = pair[0];
    a->id = random_id64();
    enum err e = send_begin(a, facts, envelope, pair[1]); /* takes pair[1] */
    if (e == OK)
        e = send_recipients(a, envelope);
    if (e != OK) {
        arrival_drop(a);
        return STATUS_UNAVAILABLE;
    }
    a->octets = stream_new(a->gate->loop, TAKE(ours, -1), &limits, &stream_events, a);
    return STATUS_OK;
}

/* ---- the octets ---- */

static void put_length(struct arrival *a, uint32_t n)
{
    unsigned char b[4] = {
        (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16), (unsigned char)(n >> 24)};
    stream_put(a->octets, slice_of(b, sizeof b));
}

void arrival_put(struct arrival *a, struct slice octets)
{
    if (!a->octets || octets.n == 0)
        return;
    assert(octets.n <= UINT32_MAX);
    put_length(a, (uint32_t)octets.n);
    stream_put(a->octets, octets);
}

bool arrival_is_full(const struct arrival *a)
{
    return a->octets && stream_owed(a->octets) > ARRIVAL_HIGH;
}

/* ---- its fate ---- */

static enum status verdict_of(enum ipc_arrive_outcome outcome)
{
    static const enum status verdicts[] = {
        [ARRIVE_OUTCOME_STORED] = STATUS_STORED,
        [ARRIVE_OUTCOME_LATER] = STATUS_NOT_STORED,
        [ARRIVE_OUTCOME_DISK_FULL] = STATUS_DISK_FULL,
        [ARRIVE_OUTCOME_QUOTA] = STATUS_MAILBOX_FULL,
        [ARRIVE_OUTCOME_TOO_BIG] = STATUS_TOO_BIG,
        [ARRIVE_OUTCOME_LOOP] = STATUS_LOOP,
        [ARRIVE_OUTCOME_SENDER] = STATUS_FROM_NOT_YOURS,
        [ARRIVE_OUTCOME_HEADER] = STATUS_HEADER_TOO_BIG,
        [ARRIVE_OUTCOME_MALFORMED] = STATUS_FAILED,
        [ARRIVE_OUTCOME_CANCELLED] = STATUS_NOT_STORED,
        [ARRIVE_OUTCOME_RECIPIENT] = STATUS_RECIPIENT_NOT_ALLOWED,
        [ARRIVE_OUTCOME_BUDGET] = STATUS_BUDGET_USED,
        [ARRIVE_OUTCOME_SENDER_LIMIT] = STATUS_SENDER_NOT_ALLOWED,
    };
    static_assert(sizeof verdicts / sizeof *verdicts == ARRIVE_OUTCOME_N, "an outcome without a status");
    return verdicts[outcome];
}

static void forget_stream(struct arrival *a)
{
    if (a->octets)
        stream_finish(&a->octets, LIMIT_IPC_DEADLINE);
}

static void say_cancelled(struct arrival *a)
{
    struct ipc_msg m = {.type = MSG_ARRIVE_CANCEL, .u.arrive_cancel = {.arrival = a->id}};
    if (keeper(a))
        IGNORE(channel_send(keeper(a), &m), "the end of the stream says the same");
}

/* Without an answer the sender hears "later". The keeper must know: what it stores nevertheless stays unconfirmed, and the
 * sender's next try finds it (T-293). */
static void on_result(void *owner, enum err why, struct ipc_msg *m)
{
    struct arrival *a = owner;
    if (why != OK)
        say_cancelled(a);
    a->request = 0;
    a->asked = NULL;
    a->id = 0;
    stream_close(&a->octets);
    if (why == OK)
        a->events->stored(a, verdict_of(m->u.arrive_result.outcome), m->u.arrive_result.message_id);
    else
        a->events->stored(a, STATUS_NOT_STORED, SLICE_EMPTY);
}

void arrival_end(struct arrival *a)
{
    assert(a->id && !a->request);
    if (a->octets)
        put_length(a, 0);
    struct ipc_msg m = {.type = MSG_ARRIVE_END, .u.arrive_end = {.arrival = a->id}};
    a->asked = keeper(a);
    if (!a->asked || channel_request(a->asked, &m, 0, on_result, a, &a->request) != OK)
        loop_defer(a->gate->loop, &a->late);
}

void arrival_drop(struct arrival *a)
{
    if (!a->id)
        return;
    say_cancelled(a);
    stream_close(&a->octets);
    a->id = 0;
}

void arrival_done(struct arrival *a)
{
    task_stop(&a->late);
    if (a->request) { /* complete: the sender may have gone, the message has not */
        channel_forget(a->asked, a->request);
        a->request = 0;
        a->id = 0;
        forget_stream(a);
    } else {
        arrival_drop(a);
    }
}
