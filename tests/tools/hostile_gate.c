/* hostile_gate.c - a gate in the wrong hands (T-328): it takes the gate's place, in the gate's jail, and tries what must
 * not come true.
 *
 * It speaks on the channels it was given with frames of its own making, so that no check of ours is in its way. The file
 * "goals" beside the program names an account, its client password and another account (what a gate learns when a client
 * signs in), and the number of the first rule to break, as there are more rules than gates. Each goal is one line of the log, event "goal", with its name and what came of it; what must come
 * of it is written in tests/faults/test_hostile_gate.py. Gate 0 asks for what a gate may ask, in ways it must not; every
 * other gate breaks the rules of each of its channels once, because a channel ends with that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/message.h"
#include "proc/table.h"

enum { SUPERVISOR = 3, KEEPERS_MAX = 8, ANSWER_MS = 10000 };

struct hostile {
    struct msg_start start;
    int folder, vault, keeper[KEEPERS_MAX], null, pipe[2];
    uint64_t next_id;
    char user[320], password[320], other[320];
    unsigned first; /* number of the rule that gate 1 breaks */
    char ticket[32];
    struct account_id account, other_account;
    unsigned slot, other_slot;
};

static void say(const char *goal, const char *came)
{
    log_event(LOG_INFO, "goal", LOG_STR("goal", goal), LOG_STR("came", came));
}

/* -------------------------------------------------------------------------------------------------- frames, bare */
static bool send_octets(int fd, struct slice frame, const int *fds, unsigned fd_count)
{
    struct iovec iov = {.iov_base = (void *)frame.p, .iov_len = frame.n};
    union {
        char space[CMSG_SPACE(sizeof(int) * 16)];
        struct cmsghdr align;
    } control = {0};
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
    return sendmsg(fd, &msg, MSG_NOSIGNAL) >= 0;
}

static bool send_message(int fd, struct ipc_msg *m)
{
    struct buf frame = BUF_INIT(LIMIT_IPC_MESSAGE);
    bool sent = ipc_encode(m, &frame) == OK && send_octets(fd, buf_slice(&frame), m->fds, m->fd_count);
    buf_done(&frame);
    return sent;
}

/* 1: a message, 0: the end of the channel, -1: nothing within that time. Slices of m stand in a static frame. */
static int receive(int fd, struct ipc_msg *m, int within_ms)
{
    static char frame[LIMIT_IPC_MESSAGE];
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, within_ms) <= 0)
        return -1;
    union {
        char space[CMSG_SPACE(sizeof(int) * LIMIT_IPC_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = frame, .iov_len = sizeof frame};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = sizeof control.space};
    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    if (n <= 0 || ipc_decode(slice_of(frame, (size_t)n), m) != OK)
        return 0;
    m->fd_count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        m->fd_count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(m->fds, CMSG_DATA(c), m->fd_count * sizeof(int));
    }
    return 1;
}

/* The answer to this request: `m` becomes it. Items are passed to `item`, which may be NULL. */
static int
ask(struct hostile *h, int fd, struct ipc_msg *m, void (*item)(struct hostile *h, const struct ipc_msg *m))
{
    m->id = ++h->next_id;
    uint64_t id = m->id;
    const struct ipc_shape *shape = ipc_shape_of(m->type);
    if (!send_message(fd, m))
        return 0;
    for (;;) {
        int got = receive(fd, m, ANSWER_MS);
        if (got <= 0)
            return got;
        if (m->id != id)
            continue;
        if (m->type == shape->answer)
            return 1;
        if (item)
            item(h, m);
    }
}

/* ---------------------------------------------------------------------------------- what a gate may ask, misused */
static struct ipc_msg signin(const char *mechanism, const char *user, const char *password, char blob[1000])
{
    int n = snprintf(blob, 1000, "%c%s%c%s", 0, user, 0, password);
    struct ipc_msg m = {.type = MSG_SIGNIN_START};
    m.u.signin_start = (struct msg_signin_start){
        .session = 77,
        .service = SERVICE_IMAP,
        .mechanism = slice_str(mechanism),
        .has_initial = true,
        .initial = slice_of(blob, (size_t)n),
        .tls = S("TLSv1.3"),
    };
    return m;
}

static void try_signin(struct hostile *h, const char *goal, struct ipc_msg *m)
{
    int got = ask(h, h->vault, m, NULL);
    say(goal, got == 1 ? ipc_signin_outcome_name(m->u.signin_result.outcome) : got ? "silence" : "closed");
    if (got == 1 && m->u.signin_result.outcome == SIGNIN_OUTCOME_OK &&
        m->u.signin_result.ticket.n == sizeof h->ticket) {
        memcpy(h->ticket, m->u.signin_result.ticket.p, sizeof h->ticket);
        h->account = m->u.signin_result.account;
        h->slot = m->u.signin_result.slot;
    }
}

static void vault_goals(struct hostile *h)
{
    char blob[1000];
    struct ipc_msg m = signin("PLAIN", h->other, h->password, blob);
    try_signin(h, "another account with this password", &m);
    m = signin("PLAIN", h->user, "wrong", blob);
    try_signin(h, "a wrong password", &m);
    m = signin("PLAIN", "", "", blob);
    try_signin(h, "no name and no password", &m);
    static const char *const mechanisms[] = {"ANONYMOUS", "EXTERNAL", "GSSAPI", "", "plain\nPLAIN"};
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++) {
        m = signin(mechanisms[i], h->user, h->password, blob);
        char goal[64];
        snprintf(goal, sizeof goal, "mechanism %zu", i);
        try_signin(h, goal, &m);
    }
    m = signin("PLAIN", h->user, h->password, blob);
    m.u.signin_start.tls = SLICE_EMPTY;
    try_signin(h, "a password that came in the clear", &m);
    m = signin("PLAIN", h->user, h->password, blob);
    m.u.signin_start.service = SERVICE_MX;
    try_signin(h, "a sign-in to a service without one", &m);
    m = signin("PLAIN", h->user, h->password, blob);
    int n = snprintf(blob, sizeof blob, "%s%c%s%c%s", h->other, 0, h->user, 0, h->password);
    m.u.signin_start.initial = slice_of(blob, (size_t)n);
    try_signin(h, "the identity of another account", &m);
    m = (struct ipc_msg){
        .type = MSG_SIGNIN_STEP, .u.signin_step = {.session = 4711, .response = S("\0a\0b")}};
    try_signin(h, "a step of no exchange", &m);
    m = (struct ipc_msg){.type = MSG_OWNS};
    memset(&m.u.owns.account, 0xff, sizeof m.u.owns.account);
    m.u.owns.address = slice_str(h->user);
    int got = ask(h, h->vault, &m, NULL);
    say("an address for an account that is not",
        got == 1 ? ipc_owns_outcome_name(m.u.owns_result.outcome) : "closed");
}

static void keep_target(struct hostile *h, const struct ipc_msg *m)
{
    h->other_account = m->u.resolve_target.account;
    h->other_slot = m->u.resolve_target.slot;
}

static bool owns_slot(const struct hostile *h, unsigned index, unsigned slot)
{
    unsigned first, count;
    slots_of_keeper(index, h->start.keepers, &first, &count);
    return slot >= first && slot < first + count;
}

static unsigned keeper_of(const struct hostile *h, unsigned slot)
{
    unsigned index = 0;
    while (!owns_slot(h, index, slot))
        index++;
    return index;
}

/* Takes a fresh ticket of the account whose password is known; false when even that fails. */
static bool fresh_ticket(struct hostile *h)
{
    char blob[1000];
    struct ipc_msg m = signin("PLAIN", h->user, h->password, blob);
    memset(h->ticket, 0, sizeof h->ticket);
    try_signin(h, "the known password", &m);
    return h->ticket[0] || h->ticket[1];
}

static void attach(
    struct hostile *h, const char *goal, unsigned keeper, struct slice ticket, enum ipc_service service,
    int stream)
{
    struct ipc_msg m = {.type = MSG_ATTACH, .fd_count = 1, .fds = {stream}};
    m.u.attach = (struct msg_attach){.ticket = ticket, .session = 77, .service = service, .tag = S("a")};
    int got = ask(h, h->keeper[keeper], &m, NULL);
    say(goal, got == 1 ? ipc_attach_outcome_name(m.u.attach_result.outcome) : got ? "silence" : "closed");
}

static void ticket_goals(struct hostile *h)
{
    unsigned own = keeper_of(h, h->slot), wrong = (own + 1) % h->start.keepers;
    char made_up[32] = {0};
    attach(h, "a ticket of zeros", own, slice_of(made_up, 32), SERVICE_IMAP, h->pipe[0]);
    memset(made_up, 0xa5, sizeof made_up);
    attach(h, "a made-up ticket", own, slice_of(made_up, 32), SERVICE_IMAP, h->pipe[0]);
    attach(h, "a short ticket", own, slice_of(made_up, 31), SERVICE_IMAP, h->pipe[0]);
    attach(h, "no ticket", own, SLICE_EMPTY, SERVICE_IMAP, h->pipe[0]);
    if (!fresh_ticket(h))
        return;
    attach(h, "a ticket at another keeper", wrong, slice_of(h->ticket, 32), SERVICE_IMAP, h->pipe[0]);
    memcpy(made_up, h->ticket, sizeof made_up);
    made_up[31] ^= 1;
    attach(h, "a ticket with one bit changed", own, slice_of(made_up, 32), SERVICE_IMAP, h->pipe[0]);
    attach(h, "a ticket for another service", own, slice_of(h->ticket, 32), SERVICE_SUBMISSION, h->pipe[0]);
    attach(h, "a ticket that was misused before", own, slice_of(h->ticket, 32), SERVICE_IMAP, h->pipe[0]);
    int pair[2];
    if (!fresh_ticket(h) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) /* it waits, if allowed to */
        return;
    attach(h, "the session the vault opened", own, slice_of(h->ticket, 32), SERVICE_IMAP, pair[0]);
    for (int i = 0; i < 20000 && send(pair[1], "a NOOP\r\n", 8, MSG_DONTWAIT | MSG_NOSIGNAL) == 8; i++)
        ; /* and nobody reads the answers */
    attach(h, "a ticket used twice", own, slice_of(h->ticket, 32), SERVICE_IMAP, pair[0]);
    if (fresh_ticket(h))
        attach(h, "a session on /dev/null", own, slice_of(h->ticket, 32), SERVICE_IMAP, h->null);
    if (fresh_ticket(h))
        attach(h, "a session on a pipe", own, slice_of(h->ticket, 32), SERVICE_POP3, h->pipe[1]);
}

/* An arrival with these octets behind its descriptor, for that account. */
struct arrival {
    const char *goal;
    enum ipc_service service;
    uint64_t session;
    const char *sender;
    bool unknown_account;
    unsigned rcpts_said, rcpts_sent;
    struct slice octets;
    int kind; /* of the descriptor: 0 a socket, 1 /dev/null, 2 the writing end of a pipe */
};

static void arrive(struct hostile *h, const struct arrival *a)
{
    unsigned at = keeper_of(h, h->other_slot);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return;
    uint64_t id = ++h->next_id;
    struct ipc_msg m = {
        .type = MSG_ARRIVE_BEGIN,
        .fd_count = 1,
        .fds = {
            a->kind == 1   ? h->null
            : a->kind == 2 ? h->pipe[1]
                           : pair[0]}};
    m.u.arrive_begin = (struct msg_arrive_begin){
        .arrival = id,
        .session = a->session,
        .service = a->service,
        .reverse_path = slice_str(a->sender),
        .recipients = (uint16_t)a->rcpts_said,
        .trace = S("Received: from hostile; Sun, 22 Nov 2026 12:00:00 +0000\r\n"),
    };
    (void)send_message(h->keeper[at], &m);
    close(pair[0]);
    for (unsigned i = 0; i < a->rcpts_sent; i++) {
        m = (struct ipc_msg){.type = MSG_ARRIVE_RCPT};
        m.u.arrive_rcpt = (struct msg_arrive_rcpt){
            .arrival = id,
            .account = h->other_account,
            .slot = (uint8_t)h->other_slot,
            .address = slice_str(h->other),
            .recipient = slice_str(h->other),
            .quota_bytes = 1u << 30,
        };
        if (a->unknown_account)
            m.u.arrive_rcpt.account.b[3] ^= 0x55;
        (void)send_message(h->keeper[at], &m);
    }
    (void)!send(pair[1], a->octets.p, a->octets.n, MSG_NOSIGNAL); /* refused octets are an answer, too */
    shutdown(pair[1], SHUT_WR);
    m = (struct ipc_msg){.type = MSG_ARRIVE_END, .u.arrive_end = {.arrival = id}};
    int got = ask(h, h->keeper[at], &m, NULL);
    say(a->goal, got == 1 ? ipc_arrive_outcome_name(m.u.arrive_result.outcome) : got ? "silence" : "closed");
    close(pair[1]);
}

#define WHOLE S("\x18\0\0\0Subject: hostile\r\n\r\n12\r\n\0\0\0\0")

static void arrival_goals(struct hostile *h)
{
    struct ipc_msg m = {.type = MSG_RESOLVE, .u.resolve = {.session = 1, .service = SERVICE_MX}};
    m.u.resolve.recipient = slice_str(h->other);
    int got = ask(h, h->vault, &m, keep_target);
    say("where mail goes", got == 1 ? ipc_resolve_outcome_name(m.u.resolve_result.outcome) : "closed");
    const struct arrival all[] = {
        {"mail as a gate may bring it", SERVICE_MX, 0, "x@their.test", false, 1, 1, WHOLE, 0},
        {"a submission of no session", SERVICE_SUBMISSION, 4711, h->user, false, 1, 1, WHOLE, 0},
        {"a submission of session 0", SERVICE_SUBMISSION, 0, h->other, false, 1, 1, WHOLE, 0},
        {"a submission of an IMAP session", SERVICE_SUBMISSION, 77, h->user, false, 1, 1, WHOLE, 0},
        {"mail to an account that is not", SERVICE_MX, 0, "x@their.test", true, 1, 1, WHOLE, 0},
        {"fewer recipients than said", SERVICE_MX, 0, "x@their.test", false, 3, 1, WHOLE, 0},
        {"mail without its end", SERVICE_MX, 0, "x@their.test", false, 1, 1,
         S("\x18\0\0\0Subject: hostile\r\n\r\n12\r\n"), 0},
        {"a length of 4 GiB", SERVICE_MX, 0, "x@their.test", false, 1, 1, S("\xff\xff\xff\xffSubject: x\r\n"),
         0},
        {"half a length", SERVICE_MX, 0, "x@their.test", false, 1, 1, S("\x01\0"), 0},
        {"mail out of /dev/null", SERVICE_MX, 0, "x@their.test", false, 1, 1, WHOLE, 1},
        {"mail out of a pipe's wrong end", SERVICE_MX, 0, "x@their.test", false, 1, 1, WHOLE, 2},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        arrive(h, &all[i]);
    unsigned wrong = (keeper_of(h, h->other_slot) + 1) % h->start.keepers;
    m = (struct ipc_msg){.type = MSG_RECIPIENT_CHECK};
    m.u.recipient_check.account = h->other_account;
    m.u.recipient_check.slot = (uint8_t)h->other_slot;
    got = ask(h, h->keeper[wrong], &m, NULL);
    say("room asked of another keeper", got == 1
                                            ? ipc_recipient_outcome_name(m.u.recipient_check_result.outcome)
                                        : got ? "silence"
                                              : "closed");
    m = (struct ipc_msg){.type = MSG_RECIPIENT_CHECK};
    memset(&m.u.recipient_check.account, 0x77, sizeof m.u.recipient_check.account);
    m.u.recipient_check.slot = (uint8_t)h->other_slot;
    got = ask(h, h->keeper[keeper_of(h, h->other_slot)], &m, NULL);
    say("room in an account that is not", got == 1
                                              ? ipc_recipient_outcome_name(m.u.recipient_check_result.outcome)
                                          : got ? "silence"
                                                : "closed");
}

static void path_goals(void)
{
    static const char *const paths[] = {
        "/etc/passwd",       "/proc/self/environ", "/proc/self/mem",  "/proc/1/root",
        "../vault/vault.db", "../letterlock.conf", "../accounts",     "../tls",
        "/dev/mem",          "/tmp/hostile",       "/proc/self/fd/3", "/proc/self/root/etc/shadow"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char goal[100];
        snprintf(goal, sizeof goal, "open %s", paths[i]);
        say(goal, open(paths[i], O_RDONLY) < 0 ? "refused" : "opened");
    }
}

/* ------------------------------------------------------------------------------ every message it may not send, once */
/* A good frame, broken in one way: `n` octets from `at` on become `octet`, only `keep` octets leave (0: all, and one more
 * when that is asked for), with so many descriptors. */
static const struct broken {
    const char *name;
    unsigned at, n, octet, keep, fds;
    bool more;
} broken[] = {
    {.name = "type 0", .at = 0, .n = 2, .octet = 0},
    {.name = "type 65535", .at = 0, .n = 2, .octet = 0xff},
    {.name = "another length", .at = 4, .n = 1, .octet = 0xee},
    {.name = "length of 4 GiB", .at = 4, .n = 4, .octet = 0xff},
    {.name = "half a frame", .keep = 30},
    {.name = "an octet too many", .more = true},
    {.name = "a head alone", .keep = 16},
    {.name = "4 octets", .keep = 4},
    {.name = "1 descriptor", .fds = 1},
    {.name = "8 descriptors", .fds = 8},
    {.name = "an answer", .at = 0, .n = 1, .octet = MSG_OWNS_RESULT},
    {.name = "a request without id", .at = 8, .n = 8, .octet = 0},
};
enum { BROKEN = sizeof broken / sizeof *broken };

static void break_frame(const struct broken *b, struct buf *frame)
{
    struct ipc_msg m = {.type = MSG_RESOLVE, .id = 9, .u.resolve = {.recipient = S("bob@ours.test")}};
    IGNORE(ipc_encode(&m, frame), "the frame is broken on purpose");
    memset(frame->p + b->at, (int)b->octet, b->n);
    if (b->keep)
        frame->n = b->keep;
    if (b->more)
        buf_put_char(frame, 'x');
}

/* The n-th message that a gate may not send to that role; MSG_N when there are fewer. */
static unsigned forbidden(enum ipc_role to, unsigned n)
{
    for (unsigned type = MSG_NONE + 1; type < MSG_N; type++)
        if (!ipc_may_send((enum ipc_type)type, ROLE_GATE, to) && n-- == 0)
            return type;
    return MSG_N;
}

static void break_rules(const char *who, int fd, enum ipc_role to, unsigned number)
{
    struct buf frame = BUF_INIT(LIMIT_IPC_MESSAGE);
    char goal[100];
    int fds[LIMIT_IPC_DESCRIPTORS * 2 + 8];
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        fds[i] = fd;
    unsigned fd_count, type = number < BROKEN ? MSG_RESOLVE : forbidden(to, number - BROKEN);
    if (type == MSG_N)
        return;
    if (number < BROKEN) {
        fd_count = broken[number].fds;
        break_frame(&broken[number], &frame);
    } else {
        fd_count = ipc_shape_of(type)->descriptors;
        struct ipc_msg m = {.type = (enum ipc_type)type, .id = 9, .fd_count = fd_count};
        IGNORE(ipc_encode(&m, &frame), "all its fields are empty");
    }
    snprintf(
        goal, sizeof goal, "%s: %s", who, number < BROKEN ? broken[number].name : ipc_shape_of(type)->name);
    bool sent = send_octets(fd, buf_slice(&frame), fds, fd_count);
    struct ipc_msg answer;
    int got = sent ? receive(fd, &answer, ANSWER_MS) : 0;
    while (got == 1 && answer.type == MSG_RECIPIENTS_CHANGED) /* said to every gate that comes */
        got = receive(fd, &answer, ANSWER_MS);
    say(goal, got == 1 ? ipc_shape_of(answer.type)->name : got ? "silence" : "closed");
    buf_done(&frame);
}

/* --------------------------------------------------------------------------------------------------------- life */
static void read_goals(struct hostile *h, const char *program)
{
    char path[4096];
    snprintf(path, sizeof path, "%.*s/goals", (int)(strrchr(program, '/') - program), program);
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%319s %319s %319s %u", h->user, h->password, h->other, &h->first) != 4)
        log_fatal("no goals");
    fclose(f);
}

static void take_peer(struct hostile *h, const struct ipc_msg *m)
{
    int fd = m->fds[MSG_PEER_FD_SOCKET];
    (void)fcntl(fd, F_SETFL, 0);
    if (m->u.peer.role == ROLE_VAULT)
        h->vault = fd;
    else if (m->u.peer.role == ROLE_KEEPER && m->u.peer.index < KEEPERS_MAX)
        h->keeper[m->u.peer.index] = fd;
}

static void jail(struct hostile *h)
{
    static struct role_jail jail;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    role_jail_init(
        &jail, ROLE_GATE, h->start.index, h->start.keepers, h->folder, h->start.as_root, (uid_t)h->start.uid,
        (gid_t)h->start.gid, true);
    if (jail_enter(&jail.jail, &state, &failure) != OK || jail_seal(&jail.jail, &state, &failure) != OK)
        log_fatal(failure.step);
}

static uint64_t open_gate(struct hostile *h)
{
    for (;;) {
        struct ipc_msg m;
        if (receive(SUPERVISOR, &m, ANSWER_MS) != 1)
            log_fatal("no start");
        if (m.type == MSG_START) {
            h->start = m.u.start;
            h->folder = m.fds[MSG_START_FD_FOLDER];
        } else if (m.type == MSG_PEER) {
            take_peer(h, &m);
        } else if (m.type == MSG_GO) {
            return m.id;
        }
    }
}

int main(void)
{
    static struct hostile h;
    signal(SIGPIPE, SIG_IGN);
    static char name[PROC_NAME_MAX];
    char self[4096] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        log_fatal("no path");
    read_goals(&h, self);
    uint64_t go = open_gate(&h);
    role_process_name(ROLE_GATE, h.start.index, name);
    log_init(name, 2, LOG_FORM_JSON, LOG_INFO);
    h.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (pipe2(h.pipe, O_CLOEXEC) != 0)
        log_fatal_errno("pipe");
    jail(&h);
    struct ipc_msg ready = {.type = MSG_READY, .id = go, .u.ready.sandbox = S("hostile")};
    (void)send_message(SUPERVISOR, &ready);
    if (h.start.index == 0) {
        if (fresh_ticket(&h)) /* first: failures make the vault careful */
            ticket_goals(&h);
        arrival_goals(&h);
        vault_goals(&h);
        path_goals();
    } else {
        break_rules("vault", h.vault, ROLE_VAULT, h.first + h.start.index - 1u);
        break_rules(
            "keeper", h.keeper[h.start.index % h.start.keepers], ROLE_KEEPER, h.first + h.start.index - 1u);
    }
    say("all", "done");
    for (struct ipc_msg m; receive(SUPERVISOR, &m, -1) == 1 && m.type != MSG_STOP;)
        ;
    return 0;
}
