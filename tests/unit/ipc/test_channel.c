/* Two ends of a channel in one process: requests, items, deadlines, descriptors, and every way a peer can break the rules. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"

struct end {
    struct channel *ch;
    int messages, closed;
    enum err why;
    uint64_t request; /* id of the last request received */
    int kept_fd;
    bool close_in_callback;
};

struct fixture {
    struct loop *loop;
    struct end gate, vault;
    int raw; /* the gate's end as a bare socket, when the test plays a broken gate */
};

static void on_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct end *e = owner;
    e->messages++;
    e->request = m->id;
    if (m->fd_count)
        e->kept_fd = dup(m->fds[0]);
    if (e->close_in_callback)
        channel_close(&e->ch);
    (void)ch;
}

static void on_closed(struct channel *ch, enum err why, void *owner)
{
    struct end *e = owner;
    e->closed++;
    e->why = why;
    (void)ch;
}

static const struct channel_events events = {.message = on_message, .closed = on_closed};

/* raw: the left end stays a bare socket. */
static void make(struct fixture *f, enum ipc_role left, enum ipc_role right, bool raw)
{
    *f = (struct fixture){.loop = loop_new(), .raw = -1, .gate.kept_fd = -1, .vault.kept_fd = -1};
    int fds[2];
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    if (raw)
        f->raw = fds[0];
    else
        f->gate.ch = channel_new(f->loop, fds[0], left, right, 0, &events, &f->gate);
    f->vault.ch = channel_new(f->loop, fds[1], right, left, 3, &events, &f->vault);
}

static void done(struct fixture *f)
{
    channel_close(&f->gate.ch);
    channel_close(&f->vault.ch);
    if (f->raw >= 0)
        close(f->raw);
    loop_free(&f->loop);
}

static void turns(struct fixture *f, int n)
{
    while (n-- > 0)
        loop_turn(f->loop, 1);
}

struct answers {
    int items, answers, failures;
    enum err why;
    enum ipc_resolve_outcome outcome;
};

static void on_answer(void *owner, enum err why, struct ipc_msg *m)
{
    struct answers *a = owner;
    if (why != OK) {
        a->failures++;
        a->why = why;
    } else if (m->type == MSG_RESOLVE_TARGET) {
        a->items++;
    } else {
        a->answers++;
        a->outcome = m->u.resolve_result.outcome;
    }
}

static struct ipc_msg resolve_request(void)
{
    return (struct ipc_msg){.type = MSG_RESOLVE, .u.resolve = {.recipient = S("alice@ours.test")}};
}

static void items_then_answer(void **unused)
{
    (void)unused;
    struct fixture f;
    make(&f, ROLE_GATE, ROLE_VAULT, false);
    struct answers a = {0};
    struct ipc_msg ask = resolve_request();
    assert_ok(channel_request(f.gate.ch, &ask, 0, on_answer, &a, NULL));
    turns(&f, 2);
    assert_int_equal(1, f.vault.messages);
    assert_int_equal(3, channel_peer_index(f.vault.ch));
    for (int i = 0; i < 3; i++) {
        struct ipc_msg item = {.type = MSG_RESOLVE_TARGET, .u.resolve_target = {.slot = 7}};
        assert_ok(channel_answer(f.vault.ch, f.vault.request, &item));
    }
    struct ipc_msg last = {
        .type = MSG_RESOLVE_RESULT, .u.resolve_result = {.outcome = RESOLVE_OUTCOME_UNKNOWN}};
    assert_ok(channel_answer(f.vault.ch, f.vault.request, &last));
    turns(&f, 2);
    assert_int_equal(3, a.items);
    assert_int_equal(1, a.answers);
    assert_int_equal(RESOLVE_OUTCOME_UNKNOWN, a.outcome);
    done(&f);
}

static void late_and_forgotten_answers_are_dropped(void **unused)
{
    (void)unused;
    struct fixture f;
    make(&f, ROLE_GATE, ROLE_VAULT, false);
    struct answers a = {0}, b = {0};
    struct ipc_msg ask = resolve_request(), again = resolve_request();
    uint64_t forgotten;
    assert_ok(channel_request(f.gate.ch, &ask, 20, on_answer, &a, NULL));
    assert_ok(channel_request(f.gate.ch, &again, 0, on_answer, &b, &forgotten));
    channel_forget(f.gate.ch, forgotten);
    for (int i = 0; i < 200 && !a.failures; i++)
        turns(&f, 1);
    assert_int_equal(1, a.failures);
    assert_int_equal(ERR_TIMEOUT, a.why);
    for (uint64_t id = 1; id <= 2; id++) {
        struct ipc_msg last = {.type = MSG_RESOLVE_RESULT};
        assert_ok(channel_answer(f.vault.ch, id, &last));
    }
    turns(&f, 3);
    assert_int_equal(0, a.answers + b.answers + b.failures);
    assert_int_equal(0, f.gate.closed);
    report_threat("T-305", 2);
    done(&f);
}

static void death_fails_what_is_pending(void **unused)
{
    (void)unused;
    struct fixture f;
    make(&f, ROLE_GATE, ROLE_VAULT, false);
    struct answers a = {0};
    struct ipc_msg ask = resolve_request();
    assert_ok(channel_request(f.gate.ch, &ask, 0, on_answer, &a, NULL));
    turns(&f, 2);
    channel_close(&f.vault.ch);
    turns(&f, 2);
    assert_int_equal(1, a.failures);
    assert_int_equal(ERR_CLOSED, a.why);
    assert_int_equal(1, f.gate.closed);
    ask = resolve_request();
    assert_err(ERR_UNAVAILABLE, channel_request(f.gate.ch, &ask, 0, on_answer, &a, NULL));
    assert_int_equal(1, a.failures);
    done(&f);
}

static void descriptors_travel(void **unused)
{
    (void)unused;
    struct fixture f;
    make(&f, ROLE_GATE, ROLE_KEEPER, false);
    int pair[2];
    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    struct ipc_msg m = {.type = MSG_ARRIVE_BEGIN, .fd_count = 1, .fds = {pair[0]}};
    assert_ok(channel_send(f.gate.ch, &m));
    turns(&f, 2);
    assert_int_equal(1, f.vault.messages);
    assert_int_equal(1, write(pair[1], "x", 1));
    char c;
    assert_int_equal(1, read(f.vault.kept_fd, &c, 1));
    /* sender and receiver have closed theirs: the only reader left is our copy */
    close(f.vault.kept_fd);
    assert_int_equal(-1, write(pair[1], "x", 1));
    close(pair[1]);
    done(&f);
}

static void full_outbox_is_unavailable(void **unused)
{
    (void)unused;
    struct fixture f;
    make(&f, ROLE_KEEPER, ROLE_SCRIBE, false);
    char body[8000];
    memset(body, 'x', sizeof body);
    enum err e = OK;
    int sent = 0;
    for (; e == OK && sent < 10000; sent++) {
        struct ipc_msg m = {.type = MSG_AUDIT, .u.audit = {.body = slice_of(body, sizeof body)}};
        e = channel_send(f.gate.ch, &m);
    }
    assert_int_equal(ERR_UNAVAILABLE, e);
    assert_true(sent > 10 && sent < 2000);
    for (int i = 0; i < 1000 && f.vault.messages < sent - 1; i++)
        turns(&f, 1);
    assert_int_equal(sent - 1, f.vault.messages); /* what was taken arrives, in the end */
    done(&f);
}

static void close_inside_callback(void **unused)
{
    (void)unused;
    struct fixture f;
    make(&f, ROLE_GATE, ROLE_VAULT, false);
    f.vault.close_in_callback = true;
    struct answers a = {0};
    for (int i = 0; i < 3; i++) {
        struct ipc_msg ask = resolve_request();
        assert_ok(channel_request(f.gate.ch, &ask, 0, on_answer, &a, NULL));
    }
    turns(&f, 3);
    assert_int_equal(1, f.vault.messages);
    assert_int_equal(3, a.failures);
    done(&f);
}

/* ---- a gate that was taken over (T-328, T-329): raw frames ---- */

static void send_raw(struct fixture *f, const struct ipc_msg *m, size_t cut, int fd_count)
{
    struct buf frame = BUF_INIT(LIMIT_IPC_MESSAGE);
    assert_ok(ipc_encode(m, &frame));
    struct iovec iov = {.iov_base = frame.p, .iov_len = frame.n - cut};
    union {
        char space[CMSG_SPACE(sizeof(int) * 8)];
        struct cmsghdr align;
    } control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd_count) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        for (int i = 0; i < fd_count; i++)
            memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &f->raw, sizeof(int));
    }
    assert_true(sendmsg(f->raw, &msg, 0) >= 0);
    buf_done(&frame);
}

static void expect_closed(const struct ipc_msg *m, size_t cut, int fd_count)
{
    struct fixture f;
    make(&f, ROLE_GATE, ROLE_VAULT, true);
    send_raw(&f, m, cut, fd_count);
    turns(&f, 2);
    assert_int_equal(0, f.vault.messages);
    assert_int_equal(1, f.vault.closed);
    assert_int_equal(ERR_PROTOCOL, f.vault.why);
    done(&f);
}

static void broken_peers_are_closed(void **unused)
{
    (void)unused;
    int cases = 0;
    struct ipc_msg resolve = resolve_request();
    resolve.id = 1;
    for (size_t cut = 1; cut < 40; cut++, cases++)
        expect_closed(&resolve, cut, 0);
    for (int fds = 1; fds <= 8; fds++, cases++)
        expect_closed(&resolve, 0, fds);
    resolve.id = 0; /* a request without an id */
    expect_closed(&resolve, 0, 0);
    /* what only others may say to the vault, and answers nobody asked for */
    static const enum ipc_type forbidden[] = {
        MSG_CLIENT_ADD,       MSG_OWNS_RESULT, MSG_GRANT,       MSG_ACCOUNT_SET_PASSWORD,
        MSG_CREDENTIAL_CHECK, MSG_SETTING,     MSG_STATUS_LINE, MSG_STOP,
        MSG_RELOADED};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++, cases++)
        expect_closed(&(struct ipc_msg){.type = forbidden[i], .id = 99}, 0, 0);
    report_threat("T-328", sizeof forbidden / sizeof *forbidden);
    report_threat("T-329", cases + 1);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_then_answer),
        cmocka_unit_test(late_and_forgotten_answers_are_dropped),
        cmocka_unit_test(death_fails_what_is_pending),
        cmocka_unit_test(descriptors_travel),
        cmocka_unit_test(full_outbox_is_unavailable),
        cmocka_unit_test(close_inside_callback),
        cmocka_unit_test(broken_peers_are_closed),
    };
    return cmocka_run_group_tests_name("ipc/channel", tests, NULL, NULL);
}
