/* A message arriving at a keeper: the framed octets of a gate, however they are cut, and what the header of a submission
 * becomes. The first octet chooses the service, what the vault says, and whether the rest is frames or a message that is
 * framed here; the second how the stream is cut. What is handed on to the owners was complete, is what came, and the
 * header of a submission reads as it did, without Bcc, with Date and Message-ID. Vault and gate are functions here. */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "smtp/session/private.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUBMISSION = 1, REFUSES = 2, ASKED_EARLY = 4, RAW = 8, VAULT_LEAVES = 16, MOST = 60000 };
enum { SESSION = 7, REQUEST = 9 };

#define TRACE S("Received: by mx.test\r\n")

struct channel {
    int of;
};

struct ask {
    channel_answer_fn *fn;
    void *owner;
    bool live;
};

static struct {
    struct loop *loop;
    struct keeper_env env;
    struct arrivals all;
    struct channel gate, vault;
    struct session session;
    /* of one message */
    unsigned mode;
    struct ask asks[LIMIT_SENDER_ADDRESSES];
    unsigned ask_count;
    struct buf content; /* of the frames that were sent whole or in part */
    bool complete;
    bool ended;
} world;

/* ---- the other processes ---- */

unsigned channel_peer_index(const struct channel *ch)
{
    assert(ch == &world.gate);
    return 0;
}

enum err channel_answer(struct channel *ch, uint64_t id, struct ipc_msg *m)
{
    assert(ch == &world.gate && id == REQUEST && m->type == MSG_ARRIVE_RESULT);
    return OK;
}

enum err channel_request(
    struct channel *ch, struct ipc_msg *m, uint64_t deadline_ms, channel_answer_fn *fn, void *owner,
    uint64_t *ret_request)
{
    assert(ch == &world.vault && m->type == MSG_OWNS && m->u.owns.address.n);
    if (world.mode & VAULT_LEAVES && world.ask_count)
        return ERR_UNAVAILABLE;
    assert(world.ask_count < LIMIT_SENDER_ADDRESSES);
    world.asks[world.ask_count++] = (struct ask){fn, owner, true};
    *ret_request = world.ask_count;
    return OK;
}

void channel_forget(struct channel *ch, uint64_t request)
{
    assert(request && request <= world.ask_count);
    world.asks[request - 1].live = false;
}

/* ---- what is handed on ---- */

static bool is_dropped(const struct header_field *f)
{
    return slice_eq_nocase(f->name, S("Bcc")) || slice_eq_nocase(f->name, S("Resent-Bcc"));
}

/* The same fields in the same order, but for those that go and the two that may have been put before them. */
static void check_fields(struct slice stored, struct slice sent)
{
    struct header_field was, is;
    size_t at = 0, from = 0;
    for (const char *const *name = (const char *const[]){"Date", "Message-ID", NULL}; *name; name++) {
        if (header_count(sent, slice_str(*name)))
            continue;
        bool is_there = header_next(stored, &at, &is);
        assert(is_there && slice_eq(is.name, slice_str(*name)));
    }
    while (header_next(sent, &from, &was)) {
        if (is_dropped(&was))
            continue;
        bool is_there = header_next(stored, &at, &is);
        assert(is_there && slice_eq(is.raw, was.raw));
    }
    assert(!header_next(stored, &at, &is));
}

static void check_submission(struct slice stored, struct slice sent)
{
    size_t head = header_length(sent);
    struct slice body = slice_from(sent, head), section = slice_sub(stored, 0, stored.n - body.n);
    assert(stored.n >= body.n && slice_eq(slice_from(stored, stored.n - body.n), body));
    assert(header_length(stored) == section.n || header_length(sent) == sent.n);
    assert(header_count(section, S("From")) == 1 && header_count(section, S("Sender")) <= 1);
    check_fields(section, slice_sub(sent, 0, head));
}

void arrival_deliver(struct arrival *a)
{
    struct slice stored = octets_memory(a->octets), sent = buf_slice(&world.content);
    assert(world.complete && a->complete && a->request == REQUEST && !a->refused);
    assert(slice_starts(stored, TRACE));
    stored = slice_from(stored, TRACE.n);
    if (a->is_submission)
        check_submission(stored, sent);
    else
        assert(slice_eq(stored, sent));
    assert(a->received == sent.n);
    assert(!a->is_submission || (world.ask_count && !(world.mode & REFUSES)));
    arrival_free(a);
}

void arrival_forget_targets(struct arrival *a)
{
    assert(!world.ended);
    world.ended = true;
}

struct slice arrival_prefix(struct arrival *a, struct slice address)
{
    return SLICE_EMPTY;
}

/* ---- a gate ---- */

/* What the frames say, read by the letter: u32 length, octets; length 0 completes. */
static void note_content(struct slice frames)
{
    buf_clear(&world.content);
    world.complete = false;
    while (frames.n >= sizeof(uint32_t) && !world.complete) {
        uint32_t length;
        memcpy(&length, frames.p, sizeof length);
        frames = slice_from(frames, sizeof length);
        world.complete = length == 0;
        buf_put(&world.content, slice_sub(frames, 0, le32toh(length)));
        frames = slice_from(frames, le32toh(length));
    }
}

static void put_frames(struct buf *out, struct slice message, size_t step)
{
    uint32_t end = 0;
    for (size_t at = 0; at < message.n; at += step) {
        struct slice piece = slice_sub(message, at, step);
        uint32_t length = htole32((uint32_t)piece.n);
        buf_put(out, slice_of(&length, sizeof length));
        buf_put(out, piece);
    }
    buf_put(out, slice_of(&end, sizeof end));
}

static struct arrival *begin(int fd)
{
    struct ipc_msg m = {
        .type = MSG_ARRIVE_BEGIN,
        .fd_count = 1,
        .fds = {fd},
        .u.arrive_begin = {
            .arrival = 1,
            .session = SESSION,
            .service = world.mode & SUBMISSION ? SERVICE_SUBMISSION : SERVICE_MX,
            .reverse_path = world.mode & SUBMISSION ? S("alice@ours.test") : SLICE_EMPTY,
            .recipients = 2,
            .trace = TRACE}};
    const struct msg_arrive_rcpt to = {.arrival = 1, .slot = 1, .address = S("bob@ours.test")};
    struct arrival *a = arrival_new(&world.all, &world.gate, &m);
    enum err e = arrival_add_target(a, &to);
    assert(e == OK && m.fds[0] == -1);
    return a;
}

static void send_stream(int fd, struct slice frames, size_t step)
{
    for (size_t at = 0; at < frames.n && !world.ended; at += step) {
        struct slice piece = slice_sub(frames, at, step);
        if (send(fd, piece.p, piece.n, MSG_NOSIGNAL) != (ssize_t)piece.n)
            break; /* it wants no more */
        loop_turn(world.loop, 0);
    }
}

static void answer_asks(void)
{
    for (unsigned i = 0; i < world.ask_count; i++) {
        if (!world.asks[i].live)
            continue;
        struct ipc_msg answer = {.type = MSG_OWNS_RESULT, .u.owns_result = {.outcome = OWNS_OUTCOME_YES}};
        if (world.mode & REFUSES && i % 2 == 0)
            answer.u.owns_result.outcome = OWNS_OUTCOME_NO;
        world.asks[i].live = false;
        world.asks[i].fn(world.asks[i].owner, OK, &answer);
    }
}

static void post(struct slice frames, size_t step)
{
    int pair[2];
    int made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    assert(made == 0);
    note_content(frames);
    world.ended = false;
    world.ask_count = 0;
    struct arrival *a = begin(pair[1]);
    if (world.mode & ASKED_EARLY)
        arrival_asked(a, REQUEST);
    send_stream(pair[0], frames, step);
    if (!world.ended && !a->request)
        arrival_asked(a, REQUEST);
    answer_asks();
    close(pair[0]);
    for (int i = 0; i < 8 && !world.ended; i++)
        loop_turn(world.loop, 0);
    assert(world.ended && list_is_empty(&world.all.arriving));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    crypto_init();
    log_set_level(LOG_ERROR);
    world.loop = loop_new();
    world.env = (struct keeper_env){
        .loop = world.loop,
        .keepers = 1,
        .sessions = sessions_new(world.loop),
        .hostname = S("mx.test"),
        .message_limit = MOST,
        .vault = &world.vault};
    world.all = (struct arrivals){.env = &world.env, .root = -1};
    list_init(&world.all.arriving);
    buf_init(&world.content, MOST * 2);
    world.session.id = SESSION;
    world.session.grant = (struct grant){.service = SERVICE_SUBMISSION, .can_send = true};
    enum err e = sessions_add(world.env.sessions, &world.session);
    assert(e == OK);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > MOST)
        return 0;
    world.mode = data[0];
    struct slice rest = slice_of(data + 2, size - 2);
    struct buf frames CLEANUP_BUF = BUF_INIT(8 * MOST);
    if (world.mode & RAW)
        buf_put(&frames, rest);
    else
        put_frames(&frames, rest, 1 + data[1] % 31 * 13);
    post(buf_slice(&frames), data[1] < 128 ? 65536 : 1 + data[1] % 16);
    return 0;
}
