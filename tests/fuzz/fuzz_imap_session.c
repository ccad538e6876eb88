/* Whole IMAP sessions over a real store in memory's file system. The input is what two clients send: octet 1 and 2 choose
 * who speaks; the second one signed in with limits, which the length of the input chooses. Each client keeps count as a mail program does: lines end with CRLF, literals are as long as they say, and no
 * sequence number lies beyond what EXISTS and EXPUNGE allow (T-169). */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "crypto/random.h"
#include "imap/session/session.h"
#include "keeper/grants.h"
#include "mail/charset.h"
#include "store/accounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 2, TURNS = 400 };

struct client {
    int fd;
    struct buf in;
    uint64_t literal; /* octets of a literal still to come */
    uint64_t exists;
    bool closed;
};

static struct {
    char path[64];
    struct loop *loop;
    struct pool *pool;
    struct keeper_env env;
    uint64_t runs;
    struct client clients[CLIENTS];
} world;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    return remove(path);
}

static void remove_folder(void)
{
    nftw(world.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void no_log(enum log_level level, struct slice line, void *arg)
{
}

static void start_world(void)
{
    static struct accounts_options options;
    static struct charsets *charsets;
    const char *missing;
    strcpy(world.path, "/dev/shm/letterlock-fuzz-XXXXXX");
    if (!mkdtemp(world.path))
        abort();
    atexit(remove_folder);
    crypto_init();
    store_init();
    log_set_sink(no_log, NULL);
    world.loop = loop_new();
    world.pool = pool_new(world.loop, 1, 64);
    options.root = open(world.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (charsets_new(&charsets, &missing) != OK)
        abort();
    world.env = (struct keeper_env){
        .loop = world.loop,
        .accounts = accounts_new(world.loop, world.pool, &options),
        .sessions = sessions_new(world.loop),
        .keepers = 1,
        .message_limit = 65536,
        .charsets = charsets};
}

static uint64_t number_at(struct slice *line)
{
    uint64_t n = 0;
    while (line->n && ascii_is_digit(line->p[0])) {
        n = n * 10 + (uint64_t)(line->p[0] - '0');
        *line = slice_from(*line, 1);
    }
    return n;
}

/* What a client believes after a line. */
static void hear_line(struct client *c, struct slice line)
{
    struct slice rest = line;
    if (slice_starts(line, S("* OK [CLOSED]")) || slice_starts(line, S("* FLAGS ")))
        return;
    if (!slice_starts(line, S("* ")) || line.n < 3 || !ascii_is_digit(line.p[2]))
        return;
    rest = slice_from(rest, 2);
    uint64_t n = number_at(&rest);
    if (slice_eq(rest, S(" EXISTS"))) {
        c->exists = n;
    } else if (slice_eq(rest, S(" EXPUNGE"))) {
        assert(n >= 1 && n <= c->exists);
        c->exists--;
    } else if (slice_starts(rest, S(" FETCH "))) {
        assert(n >= 1 && n <= c->exists);
    }
}

static void note_literal(struct client *c, struct slice line)
{
    size_t open = slice_rfind(line, '{');
    if (!slice_ends(line, S("}")) || open == SLICE_NPOS)
        return;
    struct slice digits = slice_sub(line, open + 1, line.n - open - 2);
    struct slice rest = digits;
    uint64_t n = number_at(&rest);
    if (digits.n && !rest.n)
        c->literal = n;
}

static void hear(struct client *c)
{
    for (;;) {
        if (c->literal) {
            size_t n = c->in.n < c->literal ? c->in.n : (size_t)c->literal;
            buf_drop_front(&c->in, n);
            c->literal -= n;
            if (c->literal)
                return;
        }
        size_t lf = slice_find(buf_slice(&c->in), '\n');
        if (lf == SLICE_NPOS)
            return;
        assert(lf > 0 && c->in.p[lf - 1] == '\r');
        struct slice line = slice_of(c->in.p, lf - 1);
        hear_line(c, line);
        note_literal(c, line);
        buf_drop_front(&c->in, lf + 1);
    }
}

static bool read_all(struct client *c)
{
    bool any = false;
    while (c->fd >= 0 && !c->closed) {
        char *at = buf_reserve(&c->in, 65536);
        ssize_t n = at ? read(c->fd, at, 65536) : -1;
        c->closed = n == 0;
        if (n <= 0)
            break;
        buf_added(&c->in, (size_t)n);
        any = true;
        hear(c);
    }
    return any;
}

/* Until nobody has anything to say for some turns. */
static void settle(unsigned patience)
{
    unsigned idle = 0;
    for (unsigned i = 0; i < TURNS && idle < patience; i++) {
        bool any = false;
        loop_turn(world.loop, idle > 2 ? 1 : 0);
        for (size_t k = 0; k < CLIENTS; k++)
            any |= read_all(&world.clients[k]);
        idle = any ? 0 : idle + 1;
    }
}

static struct grant grant_with(const struct account_id *account, const char *limits)
{
    char ticket[TICKET_OCTETS] = {0};
    struct grants *grants = grants_new(world.loop);
    struct grant grant;
    struct msg_grant m = {
        .ticket = slice_of(ticket, sizeof ticket),
        .account = *account,
        .service = SERVICE_IMAP,
        .can_receive = true,
        .limits = slice_str(limits)};
    if (grants_add(grants, &m) != OK || grants_take(grants, m.ticket, SERVICE_IMAP, &grant) != OK)
        abort();
    grants_free(&grants);
    return grant;
}

static void connect_client(struct client *c, const struct account_id *account, const char *limits)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        abort();
    struct session_start start = {
        .id = world.runs, .grant = grant_with(account, limits), .tag = S("x0"), .fd = fds[1]};
    *c = (struct client){.fd = fds[0], .in = BUF_INIT(16 << 20)};
    if (imap_session_start(&world.env, &start) != OK)
        abort();
    grant_done(&start.grant);
    for (unsigned i = 0; i < 2000 && !read_all(c); i++)
        loop_turn(world.loop, 1);
}

static void say(struct client *c, struct slice s)
{
    for (unsigned i = 0; s.n && !c->closed && i < TURNS; i++) {
        ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return;
        s = slice_from(s, n > 0 ? (size_t)n : 0);
        loop_turn(world.loop, 0);
        read_all(c);
    }
}

static void close_client(struct client *c)
{
    close(c->fd);
    buf_done(&c->in);
    *c = (struct client){.fd = -1};
}

static const char *const limits[] = {
    "",
    "access=no-delete\nattachments=none",
    "days=30\nattachment-size=10",
    "folder=INBOX\nfolder=Work/*\ndays=30\nattachment-type=image/*",
    "access=read-only\nbytes-day=1000",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct account_id account = {0};
    size_t who = 0;
    if (!world.loop)
        start_world();
    world.runs++;
    memcpy(account.b, &world.runs, sizeof world.runs);
    for (size_t i = 0; i < CLIENTS; i++)
        world.clients[i].fd = -1;
    for (size_t i = 0; i < CLIENTS; i++)
        connect_client(&world.clients[i], &account, i ? limits[size % (sizeof limits / sizeof *limits)] : "");
    while (input.n) {
        size_t n = 0;
        while (n < input.n && input.p[n] != 1 && input.p[n] != 2)
            n++;
        say(&world.clients[who], slice_sub(input, 0, n));
        settle(2);
        if (n < input.n)
            who = (size_t)input.p[n] - 1;
        input = slice_from(input, n + 1);
    }
    settle(4);
    for (size_t i = 0; i < CLIENTS; i++)
        close_client(&world.clients[i]);
    for (unsigned i = 0; i < 2000 && sessions_count(world.env.sessions); i++)
        loop_turn(world.loop, 1);
    assert(sessions_count(world.env.sessions) == 0);
    struct account *a = account_ref(world.env.accounts, &account);
    account_remove(a);
    account_unref(&a);
    return 0;
}
