/* world.h - a keeper in small: a real store in a scratch folder, and sessions over socket pairs. Dialogues are scripts:
 * "C: " lines are sent with CRLF, "S: " lines must come exactly so, where @ stands for any octets of a line. A digit
 * behind the letter names the connection: "C2: NOOP". Whatever is left unread when a script ends is a failure.
 */
#ifndef UNIT_IMAP_SESSION_WORLD_H
#define UNIT_IMAP_SESSION_WORLD_H

#include "store/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "imap/session/session.h"
#include "imap/wire/reader.h"
#include "keeper/poisoned.h"
#include "mail/charset.h"

enum { CLIENTS = 4 };

struct client {
    int fd;
    struct buf in;
    bool closed;
};

struct world {
    struct store store;
    struct keeper_env env;
    struct charsets *charsets;
    struct poisoned_set *poisoned;
    struct account_id account;
    struct client clients[CLIENTS];
    uint64_t ids;
    struct slice line, said; /* of the script, for failures */
};

static inline void world_log(enum log_level level, struct slice line, void *arg)
{
    if (getenv("TEST_LOG"))
        print_message("%.*s", SLICE_ARG(line));
}

static inline void world_start(struct world *w)
{
    const char *missing;
    memset(w, 0, sizeof *w);
    w->store.dir = scratch_new();
    store_start(&w->store);
    log_set_sink(world_log, NULL);
    assert_ok(charsets_new(&w->charsets, &missing));
    w->poisoned = poisoned_new();
    w->env = (struct keeper_env){
        .poisoned = w->poisoned,
        .loop = w->store.loop,
        .accounts = w->store.all,
        .sessions = sessions_new(w->store.loop),
        .keepers = 1,
        .charsets = w->charsets};
    memset(&w->account, 7, sizeof w->account);
    for (size_t i = 0; i < CLIENTS; i++)
        w->clients[i] = (struct client){.fd = -1, .in = BUF_INIT(64 << 20)};
}

static inline void turn(struct world *w)
{
    loop_turn(w->store.loop, 2);
}

static inline void client_read(struct client *c)
{
    for (;;) {
        char *at = buf_reserve(&c->in, 65536);
        assert_non_null(at);
        ssize_t n = c->fd < 0 ? -1 : read(c->fd, at, 65536);
        if (n == 0)
            c->closed = true;
        if (n <= 0)
            return;
        buf_added(&c->in, (size_t)n);
    }
}

static inline void client_close(struct world *w, struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    buf_done(&c->in);
    *c = (struct client){.fd = -1, .in = BUF_INIT(64 << 20)};
    for (int i = 0; i < 5; i++)
        turn(w);
}

static inline void world_stop(struct world *w)
{
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(w, &w->clients[i]);
    STEP_UNTIL(sessions_count(w->env.sessions) == 0, turn(w));
    struct account *a = account_ref(w->store.all, &w->account);
    store_check_now(&w->store, a);
    account_unref(&a);
    sessions_free(&w->env.sessions);
    store_stop(&w->store);
    charsets_free(&w->charsets);
    poisoned_free(&w->poisoned);
    scratch_free(&w->store.dir);
}

/* A line of the server, without CRLF; fails when none comes. */
static inline struct slice next_line(struct world *w, struct client *c)
{
    for (int64_t until = turning_now_s() + TURNING_SECONDS; turning_now_s() <= until;) {
        size_t lf = slice_find(buf_slice(&c->in), '\n');
        if (lf != SLICE_NPOS) {
            static char line[1 << 20];
            size_t n = lf && c->in.p[lf - 1] == '\r' ? lf - 1 : lf;
            assert_true(n < sizeof line);
            memcpy(line, c->in.p, n);
            buf_drop_front(&c->in, lf + 1);
            return slice_of(line, n);
        }
        turn(w);
        client_read(c);
    }
    fail_msg(
        "after \"%.*s\" no line came for \"%.*s\"; there is \"%.*s\"", SLICE_ARG(w->said), SLICE_ARG(w->line),
        SLICE_ARG(buf_slice(&c->in)));
    return SLICE_EMPTY;
}

static inline void send_octets(struct world *w, struct client *c, struct slice s)
{
    while (s.n) {
        ssize_t n = write(c->fd, s.p, s.n);
        if (n < 0 && errno != EAGAIN)
            fail_msg("the session is gone");
        s = slice_from(s, n > 0 ? (size_t)n : 0);
        if (s.n)
            turn(w);
    }
}

static inline bool line_fits(struct slice wanted, struct slice line)
{
    while (wanted.n) {
        if (wanted.p[0] == '@') {
            wanted = slice_from(wanted, 1);
            if (!wanted.n)
                return true;
            for (; line.n; line = slice_from(line, 1))
                if (line_fits(wanted, line))
                    return true;
            return line_fits(wanted, line);
        }
        if (!line.n || line.p[0] != wanted.p[0])
            return false;
        wanted = slice_from(wanted, 1);
        line = slice_from(line, 1);
    }
    return line.n == 0;
}

/* Nothing more is on its way. */
static inline void quiet(struct world *w)
{
    for (int i = 0; i < 5; i++)
        turn(w);
    for (size_t i = 0; i < CLIENTS; i++) {
        client_read(&w->clients[i]);
        if (w->clients[i].in.n)
            fail_msg("connection %zu also got \"%.*s\"", i + 1, SLICE_ARG(buf_slice(&w->clients[i].in)));
    }
}

static inline void chat_line(struct world *w, struct slice line)
{
    bool numbered = line.n > 1 && ascii_is_digit(line.p[1]);
    struct client *c = &w->clients[numbered ? line.p[1] - '1' : 0];
    struct slice text = slice_from(line, numbered ? 4 : 3);
    if (line.p[0] == 'C') {
        send_octets(w, c, text);
        send_octets(w, c, S("\r\n"));
    } else {
        struct slice got = next_line(w, c);
        if (!line_fits(text, got))
            fail_msg(
                "after \"%.*s\" wanted \"%.*s\", got \"%.*s\"", SLICE_ARG(w->said), SLICE_ARG(text),
                SLICE_ARG(got));
    }
}

static inline void chat(struct world *w, const char *script)
{
    struct slice rest = slice_str(script), line;
    while (slice_cut(&rest, '\n', &line)) {
        w->line = line;
        if (line.n)
            chat_line(w, line);
        if (line.n && line.p[0] == 'C')
            w->said = line;
    }
    quiet(w);
}

static inline void connect_with(struct world *w, size_t which, const struct grant *grant)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    struct session_start start = {.id = ++w->ids, .grant = *grant, .tag = S("x0"), .fd = fds[1]};
    w->clients[which - 1].fd = fds[0];
    assert_ok(imap_session_start(&w->env, &start));
}

static inline void
connect_as(struct world *w, size_t which, const struct account_id *account, bool can_receive)
{
    struct grant grant = {
        .account = *account,
        .service = SERVICE_IMAP,
        .can_receive = can_receive,
        .address = "alice@example.test"};
    connect_with(w, which, &grant);
}

static inline void sign_in(struct world *w, size_t which)
{
    connect_as(w, which, &w->account, true);
    struct slice greeting = next_line(w, &w->clients[which - 1]);
    assert_true(line_fits(S("x0 OK [CAPABILITY IMAP4rev1 @] signed in"), greeting));
}

/* Signs in with a credential that has these limits, lines "name=value". */
static inline void
sign_in_limited(struct world *w, size_t which, const struct account_id *account, const char *limits)
{
    static char ticket[TICKET_OCTETS];
    struct grants *grants = grants_new(w->store.loop);
    struct grant grant;
    struct msg_grant m = {
        .ticket = slice_of(ticket, sizeof ticket),
        .account = *account,
        .service = SERVICE_IMAP,
        .can_receive = true,
        .address = S("alice@example.test"),
        .language = S("en"),
        .limits = slice_str(limits)};
    ticket[0]++;
    assert_ok(grants_add(grants, &m));
    assert_ok(grants_take(grants, m.ticket, SERVICE_IMAP, &grant));
    grants_free(&grants);
    connect_with(w, which, &grant);
    grant_done(&grant);
    struct slice greeting = next_line(w, &w->clients[which - 1]);
    assert_true(line_fits(S("x0 OK [CAPABILITY IMAP4rev1 @] signed in"), greeting));
}

/* APPEND; `options` are flags in parentheses, a date in quotes, both or nothing. */
static inline void
put_message(struct world *w, size_t which, const char *mailbox, const char *options, struct slice message)
{
    struct client *c = &w->clients[which - 1];
    char line[500];
    struct slice got;
    snprintf(
        line, sizeof line, "p APPEND %s%s%s {%zu+}\r\n", mailbox, *options ? " " : "", options, message.n);
    send_octets(w, c, slice_str(line));
    send_octets(w, c, message);
    send_octets(w, c, S("\r\n"));
    do
        got = next_line(w, c);
    while (slice_starts(got, S("* ")));
    if (!slice_starts(got, S("p OK [APPENDUID ")))
        fail_msg("APPEND: %.*s", SLICE_ARG(got));
}

#endif
