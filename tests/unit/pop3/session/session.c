/* POP3 sessions over the real store: the client is the other end of a socket pair. */
#include "store/harness.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "cases.h"
#include "keeper/env.h"
#include "keeper/grants.h"
#include "keeper/session.h"
#include "pop3/session/session.h"
#include "pop3/session/top.h"
#include "store/body.h"
#include "store/message.h"

struct fixture {
    struct store store;
    struct keeper_env env;
    struct account *account;
    struct mailbox_id inbox;
    int client;
    struct buf got; /* all that the client has read and not yet looked at */
    bool closed;
};

static struct fixture *fixture_new(void)
{
    struct fixture *f = NEW(struct fixture);
    f->store.dir = scratch_new();
    store_start(&f->store);
    f->env = (struct keeper_env){
        .loop = f->store.loop,
        .accounts = f->store.all,
        .sessions = sessions_new(f->store.loop),
        .keepers = 1};
    f->account = store_account(&f->store, 7);
    f->inbox = store_box(f->account, "INBOX");
    f->client = -1;
    f->got = BUF_INIT(64 << 20);
    return f;
}

static void turn(struct fixture *f)
{
    char piece[65536];
    loop_turn(f->store.loop, 1);
    ssize_t n = f->client < 0 ? -1 : read(f->client, piece, sizeof piece);
    f->closed = f->closed || n == 0 || (n < 0 && f->client >= 0 && errno == ECONNRESET);
    if (n > 0)
        buf_put(&f->got, slice_of(piece, (size_t)n));
}

static void hang_up(struct fixture *f)
{
    if (f->client >= 0)
        close(f->client);
    f->client = -1;
    STEP_UNTIL(sessions_count(f->env.sessions) == 0, turn(f));
}

static void fixture_free(struct fixture *f)
{
    hang_up(f);
    store_check_now(&f->store, f->account);
    account_unref(&f->account);
    sessions_free(&f->env.sessions);
    store_stop(&f->store);
    scratch_free(&f->store.dir);
    buf_done(&f->got);
    mem_free(&f);
}

static void add(struct fixture *f, struct slice message)
{
    struct uid uid;
    assert_ok(store_append(&f->store, f->account, f->inbox, message, 0, &uid));
}

static enum err sign_in_with(struct fixture *f, struct grant_limits *limits)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    struct session_start start = {
        .id = 1,
        .grant =
            {.account = *account_id(f->account),
             .service = SERVICE_POP3,
             .can_receive = true,
             .credential = 5,
             .limits = limits},
        .fd = pair[0]};
    enum err e = pop3_session_start(&f->env, &start);
    if (e != OK) {
        close(pair[1]);
        return e;
    }
    f->client = pair[1];
    f->closed = false;
    buf_clear(&f->got);
    return OK;
}

static enum err sign_in(struct fixture *f)
{
    return sign_in_with(f, NULL);
}

/* With a credential that has these limits, lines "name=value". */
static void sign_in_limited(struct fixture *f, const char *limits)
{
    static char ticket[TICKET_OCTETS];
    struct grants *grants = grants_new(f->store.loop);
    struct grant grant;
    struct msg_grant m = {
        .ticket = slice_of(ticket, sizeof ticket),
        .account = *account_id(f->account),
        .service = SERVICE_POP3,
        .can_receive = true,
        .limits = slice_str(limits)};
    ticket[0]++;
    hang_up(f);
    assert_ok(grants_add(grants, &m));
    assert_ok(grants_take(grants, m.ticket, SERVICE_POP3, &grant));
    grants_free(&grants);
    assert_ok(sign_in_with(f, grant.limits));
    grant_done(&grant);
}

static void say(struct fixture *f, const char *text)
{
    assert_int_equal(write(f->client, text, strlen(text)), strlen(text));
}

/* The next reply: a line, or a whole multi-line reply. Good until the next call. */
static struct slice reply(struct fixture *f, bool many)
{
    static struct buf last = {.limit = 64 << 20};
    for (int64_t until = turning_now_s() + TURNING_SECONDS; turning_now_s() <= until;) {
        struct slice got = buf_slice(&f->got);
        bool lines = many && !slice_starts(got, S("-ERR"));
        size_t end = slice_search(got, lines ? S("\r\n.\r\n") : S("\r\n"));
        if (end != SLICE_NPOS) {
            size_t n = end + (lines ? 5 : 2);
            buf_clear(&last);
            buf_put(&last, slice_sub(got, 0, n));
            buf_drop_front(&f->got, n);
            return buf_slice(&last);
        }
        turn(f);
    }
    fail_msg("no reply; got: %.*s", SLICE_ARG(slice_sub(buf_slice(&f->got), 0, 200)));
    return SLICE_EMPTY;
}

static void expect(struct fixture *f, const char *command, const char *want)
{
    say(f, command);
    struct slice got = reply(f, slice_search(slice_str(want), S("\r\n.\r\n")) != SLICE_NPOS);
    if (!slice_eq(got, slice_str(want)))
        fail_msg("%s: %.*s instead of %s", command, SLICE_ARG(got), want);
}

static void expect_start(struct fixture *f, const char *command, const char *want)
{
    say(f, command);
    struct slice got = reply(f, false);
    if (!slice_starts(got, slice_str(want)))
        fail_msg("%s: %.*s instead of %s", command, SLICE_ARG(got), want);
}

static unsigned messages(struct fixture *f)
{
    const struct mailbox *box = NULL;
    assert_ok(store_enter(&f->store, f->account));
    assert_ok(mailbox_by_id(f->account, f->inbox, &box));
    return box->messages;
}

static void the_example_of_rfc_1939(void **state)
{
    struct fixture *f = fixture_new();
    add(f, S("Subject: one\r\n\r\n.dot\r\nlast\r\n"));
    add(f, S("Subject: two\r\nX: y\r\n\r\n1\r\n2\r\n3\r\n"));
    assert_ok(sign_in(f));
    assert_true(slice_starts(reply(f, false), S("+OK signed in, 2 messages, ")));
    expect(f, "STAT\r\n", "+OK 2 59\r\n");
    expect(f, "LIST\r\n", "+OK 2 messages\r\n1 28\r\n2 31\r\n.\r\n");
    expect(f, "LIST 2\r\n", "+OK 2 31\r\n");
    expect(f, "RETR 1\r\n", "+OK 28 octets\r\nSubject: one\r\n\r\n..dot\r\nlast\r\n.\r\n");
    expect(f, "TOP 2 0\r\n", "+OK top of message follows\r\nSubject: two\r\nX: y\r\n\r\n.\r\n");
    expect(f, "TOP 2 2\r\n", "+OK top of message follows\r\nSubject: two\r\nX: y\r\n\r\n1\r\n2\r\n.\r\n");
    expect(
        f, "TOP 2 99\r\n", "+OK top of message follows\r\nSubject: two\r\nX: y\r\n\r\n1\r\n2\r\n3\r\n.\r\n");
    expect_start(f, "DELE 1\r\n", "+OK");
    expect_start(f, "DELE 1\r\n", "-ERR");
    expect_start(f, "RETR 1\r\n", "-ERR");
    expect_start(f, "LIST 1\r\n", "-ERR");
    expect(f, "STAT\r\n", "+OK 1 31\r\n");
    expect(f, "LIST\r\n", "+OK 1 messages\r\n2 31\r\n.\r\n");
    expect_start(f, "RSET\r\n", "+OK 2");
    expect(f, "STAT\r\n", "+OK 2 59\r\n");
    expect_start(f, "NOOP\r\n", "+OK");
    expect_start(f, "USER x\r\n", "-ERR");
    expect_start(f, "FOO\r\n", "-ERR");
    expect_start(f, "RETR 3\r\n", "-ERR");
    expect_start(f, "STAT\n", "-ERR");
    expect_start(f, "QUIT\r\n", "+OK");
    STEP_UNTIL(f->closed, turn(f));
    assert_int_equal(messages(f), 2);
    fixture_free(f);
}

static void pipelined_commands_are_answered_in_order(void **state)
{
    struct fixture *f = fixture_new();
    add(f, S("a: b\r\n\r\nx\r\n"));
    assert_ok(sign_in(f));
    say(f, "STAT\r\nRETR 1\r\nDELE 1\r\nSTAT\r\nQUIT\r\nNOOP\r\n");
    reply(f, false);
    assert_true(slice_eq(reply(f, false), S("+OK 1 11\r\n")));
    assert_true(slice_eq(reply(f, true), S("+OK 11 octets\r\na: b\r\n\r\nx\r\n.\r\n")));
    reply(f, false);
    assert_true(slice_eq(reply(f, false), S("+OK 0 0\r\n")));
    assert_true(slice_eq(reply(f, false), S("+OK 1 messages deleted, goodbye\r\n")));
    STEP_UNTIL(f->closed, turn(f));
    assert_int_equal(f->got.n, 0);
    assert_int_equal(messages(f), 0);
    fixture_free(f);
}

/* T-176: every way to end but QUIT deletes nothing. */
static void t176_only_quit_deletes(void **state)
{
    struct cases t = {"T-176"};
    struct fixture *f = fixture_new();
    char command[32];
    for (int i = 0; i < 100; i++)
        add(f, S("a: b\r\n\r\nx\r\n"));
    for (int how = 0; how < 6; how++) {
        assert_ok(sign_in(f));
        reply(f, false);
        for (int i = 1; i <= 100; i++) {
            snprintf(command, sizeof command, "DELE %d\r\n", i);
            expect_start(f, command, "+OK");
        }
        if (how == 1)
            say(f, "QUIT"); /* half a command */
        if (how == 2)
            say(f, "QUIT\r");
        if (how == 3)
            sessions_end_all(f->env.sessions, END_REVOKED);
        if (how == 4)
            sessions_end_all(f->env.sessions, END_STOPPING);
        if (how == 5)
            expect_start(f, "QUIT x\r\n", "-ERR");
        for (int i = 0; i < 5; i++)
            turn(f);
        hang_up(f);
        cases_check(&t, messages(f) == 100, "no QUIT");
    }
    /* with it: all of them, in one commit, and +OK only when that is synced */
    assert_ok(sign_in(f));
    reply(f, false);
    for (int i = 1; i <= 100; i++) {
        snprintf(command, sizeof command, "DELE %d\r\n", i);
        expect_start(f, command, "+OK");
    }
    uint64_t before = account_committed(f->account);
    say(f, "QUIT\r\n");
    STEP_UNTIL(f->got.n > 0, turn(f));
    bool early = account_synced(f->account) <= before;
    STEP_UNTIL(slice_starts(buf_slice(&f->got), S("+OK 100")), turn(f));
    cases_check(&t, account_committed(f->account) == before + 1, "one commit");
    cases_check(
        &t, !early && slice_starts(buf_slice(&f->got), S("+OK 100 messages deleted")), "synced first");
    cases_check(&t, messages(f) == 0, "all gone");
    cases_end(&t, 9);
    fixture_free(f);
}

static void the_drop_is_a_snapshot(void **state)
{
    struct fixture *f = fixture_new();
    add(f, S("a: 1\r\n\r\n"));
    add(f, S("a: 2\r\n\r\n"));
    add(f, S("a: 3\r\n\r\n"));
    assert_ok(sign_in(f));
    reply(f, false);
    add(f, S("a: 4\r\n\r\n"));
    assert_ok(store_enter(&f->store, f->account));
    assert_ok(message_expunge(f->account, f->inbox, &(struct uid_range){2, 2}, 1, false, NULL, NULL));
    expect(f, "STAT\r\n", "+OK 3 24\r\n");
    expect(f, "RETR 2\r\n", "-ERR another session has removed this message\r\n");
    expect(f, "RETR 3\r\n", "+OK 8 octets\r\na: 3\r\n\r\n.\r\n");
    expect_start(f, "DELE 2\r\n", "+OK");
    expect_start(f, "DELE 3\r\n", "+OK");
    expect_start(f, "QUIT\r\n", "+OK");
    assert_int_equal(messages(f), 2);
    fixture_free(f);
}

/* RFC 1939 4: one session has the drop. The next waits for its turn, in the order of coming, and not forever. */
static void one_session_an_account(void **state)
{
    struct fixture *f = fixture_new();
    add(f, S("a: 1\r\n\r\n"));
    clock_stand_still(true); /* nobody's time is over because the machine is slow */
    assert_ok(sign_in(f));
    reply(f, false);
    int first = f->client;
    assert_ok(sign_in(f));
    int second = f->client;
    assert_ok(sign_in(f));
    int third = f->client;
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(f->got.n, 0);

    f->client = first;
    expect_start(f, "DELE 1\r\n", "+OK");
    expect_start(f, "QUIT\r\n", "+OK");
    close(first);
    f->client = second;
    assert_slice("+OK signed in, 0 messages, 0 octets\r\n", reply(f, false));

    f->client = third;
    clock_set_offset(LIMIT_POP3_TURN - 1);
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(f->got.n, 0);
    clock_set_offset(LIMIT_POP3_TURN);
    assert_slice("-ERR [IN-USE] the maildrop is in use by another session\r\n", reply(f, false));
    STEP_UNTIL(f->closed, turn(f));
    close(third);
    clock_set_offset(0);
    clock_stand_still(false);

    f->client = second;
    f->closed = false;
    expect_start(f, "NOOP\r\n", "+OK");
    hang_up(f);
    assert_ok(sign_in(f));
    assert_true(slice_starts(reply(f, false), S("+OK")));
    fixture_free(f);
}

/* A waiting session that hangs up is no one's turn; one whose password is revoked says nothing more. */
static void those_who_wait_may_go(void **state)
{
    struct fixture *f = fixture_new();
    int clients[4];
    for (int i = 0; i < 4; i++) {
        assert_ok(sign_in(f));
        clients[i] = f->client;
        if (i == 0)
            reply(f, false);
    }
    assert_int_equal(sessions_count(f->env.sessions), 4);
    close(clients[1]);
    f->client = -1;
    STEP_UNTIL(sessions_count(f->env.sessions) == 3, turn(f));
    close(clients[0]);
    f->client = clients[2];
    assert_true(slice_starts(reply(f, false), S("+OK")));
    assert_int_equal(sessions_revoke(f->env.sessions, account_id(f->account), 5, 1, END_REVOKED), 2);
    close(clients[3]);
    fixture_free(f);
}

/* T-178: unique-ids are stable and unique, sizes are those of the octets before stuffing. */
static void t178_ids_and_sizes(void **state)
{
    struct cases t = {"T-178"};
    static const struct {
        const char *p;
        size_t n;
    } bodies[] = {
#define B(s) {s, sizeof(s) - 1}
        B("a: b\r\n\r\nno end"),
        B("a: b\r\n\r\n.\r\n"),
        B("a: b\r\n\r\n..x\r\n.\r\n"),
        B("a: b\r\n\r\n\xe9\xff\r\n"),
        B("a: b\r\n\r\nx\0y\r\n"),
        B("."),
        B("\r\n"),
        B("a: b\r\n\r\n.x"),
        B("a: b\r\n\r\n\r\n\r\n"),
        B("a: b")};
    struct fixture *f = fixture_new();
    unsigned n = sizeof bodies / sizeof *bodies;
    for (unsigned i = 0; i < n; i++)
        add(f, slice_of(bodies[i].p, bodies[i].n));
    struct buf ids[2] = {BUF_INIT(65536), BUF_INIT(65536)};
    for (int round = 0; round < 2; round++) {
        assert_ok(sign_in(f));
        reply(f, false);
        say(f, "UIDL\r\n");
        buf_put(&ids[round], reply(f, true));
        for (unsigned i = 0; i < n; i++) {
            char command[32];
            snprintf(command, sizeof command, "RETR %u\r\n", i + 1);
            say(f, command);
            struct slice got = reply(f, true);
            struct slice content = slice_from(got, slice_search(got, S("\r\n")) + 2);
            struct buf plain CLEANUP_BUF = BUF_INIT(4096);
            content.n -= 3;
            for (size_t k = 0; k < content.n; k++)
                if (content.p[k] != '.' || (k > 0 && content.p[k - 1] != '\n'))
                    buf_put_char(&plain, content.p[k]);
                else if (k + 1 < content.n && content.p[k + 1] == '.')
                    buf_put_char(&plain, content.p[k++]);
            bool same =
                slice_eq(slice_sub(buf_slice(&plain), 0, bodies[i].n), slice_of(bodies[i].p, bodies[i].n)) &&
                plain.n - bodies[i].n <= 2;
            char size[48];
            snprintf(size, sizeof size, "+OK %zu octets\r\n", bodies[i].n);
            cases_check(&t, same, "octets");
            cases_check(&t, slice_starts(got, slice_str(size)), "size");
        }
        hang_up(f);
    }
    cases_check(&t, slice_eq(buf_slice(&ids[0]), buf_slice(&ids[1])), "the same ids");
    struct slice rest = buf_slice(&ids[0]), one, seen[16];
    unsigned count = 0;
    while (slice_cut(&rest, '\n', &one) && count < 16)
        if (one.n > 10 && ascii_is_digit(one.p[0]))
            seen[count++] = slice_from(one, slice_find(one, ' ') + 1);
    cases_check(&t, count == n, "one for each");
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < i; k++)
            if (slice_eq(seen[i], seen[k]))
                cases_check(&t, false, "unique");
    buf_done(&ids[0]);
    buf_done(&ids[1]);
    cases_end(&t, 30);
    fixture_free(f);
}

/* A message far above every buffer arrives whole at a client that reads slowly. */
static void big_messages_stream(void **state)
{
    struct fixture *f = fixture_new();
    struct buf big CLEANUP_BUF = BUF_INIT(8 << 20);
    buf_put(&big, S("a: b\r\n\r\n"));
    for (int i = 0; i < 60000; i++)
        buf_printf(&big, ".line %d of a message that is not small\r\n", i);
    add(f, buf_slice(&big));
    assert_ok(sign_in(f));
    reply(f, false);
    say(f, "RETR 1\r\nNOOP\r\n");
    for (int i = 0; i < 50; i++)
        loop_turn(f->store.loop, 1); /* the client does not read */
    struct slice got = reply(f, true);
    assert_true(got.n > big.n + 60000);
    assert_true(slice_starts(reply(f, false), S("+OK nothing")));
    fixture_free(f);
}

/* T-179, a part: long listings stream, and memory is eight octets a message. */
static void long_listings_stream(void **state)
{
    struct fixture *f = fixture_new();
    assert_ok(account_begin(f->account));
    assert_ok(account_commit(f->account));
    for (int i = 0; i < 3000; i++)
        add(f, S("a: b\r\n\r\n"));
    assert_ok(sign_in(f));
    assert_true(slice_starts(reply(f, false), S("+OK signed in, 3000 messages, 24000 octets")));
    say(f, "LIST\r\nUIDL\r\n");
    for (int i = 0; i < 20; i++)
        loop_turn(f->store.loop, 1);
    assert_true(slice_ends(reply(f, true), S("\r\n3000 8\r\n.\r\n")));
    struct slice uidl = reply(f, true);
    assert_true(slice_search(uidl, S("\r\n3000 ")) != SLICE_NPOS && uidl.n > 3000 * 20);
    fixture_free(f);
}

static void top_counts_lines_wherever_it_is_cut(void **state)
{
    static const struct {
        const char *in;
        uint32_t lines;
        size_t shown;
    } rows[] = {
        {"a: b\r\n\r\n1\r\n2\r\n", 0, 8},
        {"a: b\r\n\r\n1\r\n2\r\n", 1, 11},
        {"a: b\r\n\r\n1\r\n2\r\n", 9, 14},
        {"a: b\r\nc: d", 0, 10},
        {"\r\n1\r\n", 0, 2},
        {"a: b\n\n1\n2\n", 1, 8},
        {"", 3, 0},
        {"a\r\n\r\r\n\r\n1\r\n", 0, 8}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 16; step++) {
            struct pop3_top top = {.lines = rows[i].lines};
            struct slice in = slice_str(rows[i].in);
            size_t shown = 0;
            for (size_t at = 0; at < in.n; at += step)
                shown += pop3_top_feed(&top, slice_sub(in, at, step)).n;
            assert_int_equal(shown, rows[i].shown);
        }
}

/* ---- limits of the credential ---- */

static void add_arrived(struct fixture *f, int64_t when, struct slice message)
{
    struct body_writer *w = NULL;
    struct uid uid;
    assert_ok(store_enter(&f->store, f->account));
    assert_ok(body_writer_new(f->account, message.n, &w));
    assert_ok(body_feed(w, message));
    assert_ok(body_finish(w, NULL, NULL));
    struct append what = {.body = w, .internal_date = when};
    assert_ok(message_append(f->account, f->inbox, &what, &uid));
    body_writer_free(&w);
}

static void add_old(struct fixture *f, struct slice message)
{
    add_arrived(f, 1577836800, message);
}

static void add_now(struct fixture *f, struct slice message)
{
    add_arrived(f, clock_unix_s(), message);
}

static void who_may_not_delete(void **state)
{
    static const char *const limits[] = {"access=read-only", "access=no-delete"};
    struct fixture *f = fixture_new();
    add_now(f, S("Subject: one\r\n\r\n1\r\n"));
    for (size_t i = 0; i < 2; i++) {
        sign_in_limited(f, limits[i]);
        assert_true(slice_starts(reply(f, false), S("+OK signed in, 1 messages, ")));
        expect(f, "DELE 1\r\n", "-ERR this password may not do that\r\n");
        expect(f, "RETR 1\r\n", "+OK 19 octets\r\nSubject: one\r\n\r\n1\r\n.\r\n");
        expect(f, "QUIT\r\n", "+OK 0 messages deleted, goodbye\r\n");
    }
    hang_up(f);
    assert_int_equal(messages(f), 1);
    fixture_free(f);
}

static void who_may_not_read_inbox(void **state)
{
    static const char *const limits[] = {"access=append-only", "folder=Work/*"};
    struct fixture *f = fixture_new();
    add_now(f, S("Subject: one\r\n\r\n1\r\n"));
    for (size_t i = 0; i < 2; i++) {
        sign_in_limited(f, limits[i]);
        assert_true(slice_eq(reply(f, false), S("-ERR [AUTH] this password does not open INBOX\r\n")));
        STEP_UNTIL(f->closed, turn(f));
    }
    sign_in_limited(f, "folder=inbox");
    assert_true(slice_starts(reply(f, false), S("+OK signed in, 1 messages, ")));
    fixture_free(f);
}

/* Old mail between new is neither listed nor deleted with its neighbours. */
static void a_window_of_days(void **state)
{
    struct fixture *f = fixture_new();
    add_now(f, S("A: b\r\n\r\nnew 1\r\n"));
    add_old(f, S("A: b\r\n\r\nold\r\n"));
    add_now(f, S("A: b\r\n\r\nnew 2\r\n"));
    add_old(f, S("A: b\r\n\r\nold\r\n"));
    sign_in_limited(f, "days=30");
    assert_true(slice_starts(reply(f, false), S("+OK signed in, 2 messages, 30 octets")));
    expect(f, "STAT\r\n", "+OK 2 30\r\n");
    expect(f, "LIST\r\n", "+OK 2 messages\r\n1 15\r\n2 15\r\n.\r\n");
    expect(f, "RETR 2\r\n", "+OK 15 octets\r\nA: b\r\n\r\nnew 2\r\n.\r\n");
    expect_start(f, "RETR 3\r\n", "-ERR no such message");
    expect_start(f, "DELE 1\r\n", "+OK");
    expect_start(f, "DELE 2\r\n", "+OK");
    expect(f, "QUIT\r\n", "+OK 2 messages deleted, goodbye\r\n");
    hang_up(f);
    assert_int_equal(messages(f), 2);
    fixture_free(f);
}

/* One message everywhere: what LIST says is what RETR sends. */
static void attachments_are_notes(void **state)
{
    static const char *const message =
        "Subject: file\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhello\r\n--m\r\n"
        "Content-Type: application/pdf; name=a.pdf\r\n\r\nSECRET\r\n--m--\r\n";
    static const char *const seen =
        "Subject: file\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhello\r\n--m\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
        "Content-Disposition: inline\r\n\r\n"
        "[The attachment \"a.pdf\" (application/pdf, 6 B) is left out: this password does not open "
        "attachments.]"
        "\r\n--m--\r\n";
    char want[1000];
    struct fixture *f = fixture_new();
    add_now(f, slice_str(message));
    add_now(f, S("Subject: plain\r\n\r\nx\r\n"));
    sign_in_limited(f, "attachments=none\nbytes-day=1000000");
    reply(f, false);
    snprintf(want, sizeof want, "+OK 2 messages\r\n1 %zu\r\n2 21\r\n.\r\n", strlen(seen));
    expect(f, "LIST\r\n", want);
    snprintf(want, sizeof want, "+OK %zu octets\r\n%s.\r\n", strlen(seen), seen);
    expect(f, "RETR 1\r\n", want);
    snprintf(want, sizeof want, "+OK top of message follows\r\n%s.\r\n", seen);
    expect(f, "TOP 1 100\r\n", want);
    expect(f, "RETR 2\r\n", "+OK 21 octets\r\nSubject: plain\r\n\r\nx\r\n.\r\n");
    /* what was sent counts against the budget of the day */
    assert_int_equal(sessions_find(f->env.sessions, 1)->unspent, 2 * strlen(seen) + 21);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_1939), cmocka_unit_test(pipelined_commands_are_answered_in_order),
        cmocka_unit_test(t176_only_quit_deletes),  cmocka_unit_test(the_drop_is_a_snapshot),
        cmocka_unit_test(one_session_an_account),  cmocka_unit_test(those_who_wait_may_go),
        cmocka_unit_test(t178_ids_and_sizes),      cmocka_unit_test(big_messages_stream),
        cmocka_unit_test(long_listings_stream),    cmocka_unit_test(top_counts_lines_wherever_it_is_cut),
        cmocka_unit_test(who_may_not_delete),      cmocka_unit_test(who_may_not_read_inbox),
        cmocka_unit_test(a_window_of_days),        cmocka_unit_test(attachments_are_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
