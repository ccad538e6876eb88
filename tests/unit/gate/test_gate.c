/* The gate itself, with a front of three words: limits, deadlines, listeners, stopping, certificates. */
#include "gate_world.h"
#include "turning.h"

#include <netinet/in.h>

#include "loop/incoming.h"

/* ---- a front: greets, echoes lines, "TLS" starts TLS, "END" ends ---- */

struct echo {
    struct connection *c;
};

static void *echo_open(struct connection *c)
{
    struct echo *e = NEW(struct echo);
    e->c = c;
    buf_put(connection_out(c), S("hello\n"));
    connection_flush(c);
    return e;
}

static void echo_input(struct connection *c, void *state)
{
    (void)state;
    while (c->state == CONNECTION_TALKING && !connection_owes(c)) {
        struct slice in = connection_input(c);
        size_t end = slice_find(in, '\n');
        if (end == SLICE_NPOS)
            return;
        struct slice line = slice_sub(in, 0, end);
        if (slice_eq(line, S("END"))) {
            connection_end(c, GATE_END_DONE);
            return;
        }
        if (slice_eq(line, S("TLS"))) {
            bool can = connection_can_start_tls(c);
            buf_put(connection_out(c), can ? S("go\n") : S("no\n"));
            connection_flush(c);
            if (can) {
                connection_start_tls(c);
                return;
            }
        } else {
            buf_put(connection_out(c), slice_sub(in, 0, end + 1));
            connection_flush(c);
        }
        connection_take(c, end + 1);
    }
}

static void echo_tls_on(struct connection *c, void *state)
{
    (void)state;
    buf_put(connection_out(c), S("secure\n"));
    connection_flush(c);
}

static void echo_farewell(const struct gate *g, enum gate_end why, struct buf *out)
{
    buf_printf(out, SLICE_FMT " ends: %s\n", SLICE_ARG(g->hostname), gate_end_name(why));
}

static void echo_close(struct connection *c, void *state)
{
    (void)c;
    free(state);
}

static const char *echo_waits(const struct connection *c, const void *state)
{
    (void)c, (void)state;
    return "input";
}

static const struct front echo_front = {
    .name = "echo",
    .limits = {.input = 16384, .output_high = 65536, .output_max = 131072},
    .open = echo_open,
    .input = echo_input,
    .tls_on = echo_tls_on,
    .farewell = echo_farewell,
    .close = echo_close,
    .waits = echo_waits,
};

static int setup(void **state)
{
    *state = world_new(&echo_front);
    return 0;
}

static void configure(struct world *w, const char *key, const char *value)
{
    assert_ok(config_set_text(w->config, slice_str(key), slice_str(value)));
    gate_reload(&w->gate, w->config);
}

/* ---- T-036 ---- */

static void test_t036_one_network(void **state)
{
    struct world *w = *state;
    configure(w, "connections_per_network", "3");
    configure(w, "connections_exempt", "198.51.100.0/24");
    struct client *c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = client_open(w, DOOR_IMAP, "192.0.2.1");
        client_expect(c[i], "hello\n");
    }
    struct client *more = client_open(w, DOOR_IMAP, "192.0.2.1");
    client_expect(more, "mx.test ends: crowded\n");
    client_expect_end(more);
    client_free(more);
    more = client_open(w, DOOR_IMAPS, "192.0.2.1"); /* no clear words where TLS is expected */
    assert_true(more->ended);
    client_free(more);
    more = client_open(w, DOOR_IMAP, "192.0.2.2");
    client_expect(more, "hello\n");
    client_free(more);
    for (int i = 0; i < 5; i++) { /* an exempt network */
        more = client_open(w, DOOR_IMAP, "198.51.100.7");
        client_expect(more, "hello\n");
        if (i < 4)
            client_free(more);
    }
    client_free(more);
    client_free(c[0]);
    c[0] = client_open(w, DOOR_IMAP, "192.0.2.1");
    client_expect(c[0], "hello\n");
    for (int i = 0; i < 3; i++)
        client_free(c[i]);
    assert_int_equal(w->gate.nets.count, 0);
    report_threat("T-036", 12);
}

/* All addresses of a /64 are one network, and cost one entry. */
static void test_t036_ipv6(void **state)
{
    struct world *w = *state;
    configure(w, "connections_per_network", "20");
    struct client *held[20];
    for (int i = 0; i < 500; i++) {
        char from[64];
        snprintf(from, sizeof from, "2001:db8:1:2::%x:%x", i + 1, i * 7);
        struct client *c = client_open(w, DOOR_IMAP, from);
        client_expect(c, i < 20 ? "hello\n" : "mx.test ends: crowded\n");
        if (i < 20)
            held[i] = c;
        else
            client_free(c);
    }
    assert_int_equal(w->gate.nets.count, 1);
    struct client *fresh = client_open(w, DOOR_IMAP, "2001:db8:1:3::1");
    client_expect(fresh, "hello\n");
    client_free(fresh);
    for (int i = 0; i < 20; i++)
        client_free(held[i]);
    report_threat("T-036", 501);
}

/* Full: the one that was silent longest makes room; one that the vault is asked about does not. */
static void test_t036_the_oldest_silent_one_makes_room(void **state)
{
    struct world *w = *state;
    configure(w, "connections_waiting", "10");
    struct client *c[12];
    char from[32];
    for (int i = 0; i < 10; i++) {
        snprintf(from, sizeof from, "192.0.2.%d", i + 1);
        c[i] = client_open(w, DOOR_IMAP, from);
        client_expect(c[i], "hello\n");
    }
    client_send(c[0], "still here\n"); /* so 1 is the one silent longest */
    client_expect(c[0], "still here\n");
    c[10] = client_open(w, DOOR_IMAP, "192.0.2.50");
    client_expect(c[10], "hello\n");
    client_expect(c[1], "mx.test ends: crowded\n");
    client_expect_end(c[1]);
    /* 2 and 3 are being asked about */
    int n = 0;
    LIST_EACH (&w->gate.waiting[GATE_IMAP], struct connection, link, x) {
        if (n++ < 2)
            x->asking = true;
    }
    c[11] = client_open(w, DOOR_IMAP, "192.0.2.51");
    client_expect(c[11], "hello\n");
    client_expect(c[4], "mx.test ends: crowded\n");
    client_send(c[2], "a\n");
    client_expect(c[2], "a\n");
    /* another protocol has a table of its own */
    struct client *pop = client_open(w, DOOR_POP3, "192.0.2.60");
    client_expect(pop, "hello\n");
    client_free(pop);
    /* nobody may be dropped: the newest is turned away */
    LIST_EACH (&w->gate.waiting[GATE_IMAP], struct connection, link, x)
        x->asking = true;
    struct client *last = client_open(w, DOOR_IMAP, "192.0.2.52");
    client_expect(last, "mx.test ends: crowded\n");
    client_free(last);
    for (int i = 0; i < 12; i++)
        client_free(c[i]);
    assert_int_equal(w->gate.count, 0);
    report_threat("T-036", 4);
}

/* ---- deadlines ---- */

static void test_t009_slow_handshakes(void **state)
{
    struct world *w = *state;
    static const char hello[] = "\x16\x03\x01\x02\x00\x01";
    for (int octets = 0; octets < 6; octets++) {
        int fd[2];
        struct ip peer;
        assert_ok(ip_parse(S("192.0.2.1"), &peer));
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
        connection_open(&w->gate, door_row(DOOR_IMAPS), fd[0], &peer);
        for (int i = 0; i < octets; i++) {
            assert_int_equal(write(fd[1], hello + i, 1), 1);
            world_pass(w, 1500);
        }
        assert_int_equal(w->gate.count, 1);
        world_pass(w, LIMIT_TLS_HANDSHAKE - 1500 * octets + 100);
        assert_int_equal(w->gate.count, 0);
        char out[10];
        assert_int_equal(read(fd[1], out, sizeof out), 0); /* no clear words */
        close(fd[1]);
    }
    report_threat("T-009", 6);
}

static void test_deadlines(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, DOOR_IMAP, "192.0.2.1"), *mx = client_open(w, DOOR_SMTP, "192.0.2.1");
    client_expect(c, "hello\n");
    client_expect(mx, "hello\n");
    for (int i = 0; i < 5; i++) { /* talking does not put it off */
        world_pass(w, 11000);
        client_send(c, "x\n");
        client_expect(c, "x\n");
    }
    world_pass(w, 6000);
    client_expect(c, "mx.test ends: timeout\n");
    client_expect_end(c);
    client_send(mx, "x\n");
    client_expect(mx, "x\n"); /* no sign-in is expected there */
    client_free(c);
    world_pass(w, 300000);
    client_expect(mx, "mx.test ends: timeout\n");
    client_free(mx);
    /* STARTTLS that never shakes hands */
    c = client_open(w, DOOR_IMAP, "192.0.2.1");
    client_send(c, "TLS\n");
    client_expect(c, "hello\ngo\n");
    world_pass(w, LIMIT_TLS_HANDSHAKE + 100);
    client_expect_end(c);
    client_free(c);
}

/* ---- STARTTLS ---- */

static void test_t001_start_tls_forgets(void **state)
{
    struct world *w = *state;
    static const char *const lines[] = {
        "TLS\nEND\n", "TLS\ninjected\n", "TLS\npart", "before\nTLS\ninjected\nTLS\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct client *c = client_open(w, DOOR_SUBMISSION, "192.0.2.1");
        client_expect(c, "hello\n");
        client_send(c, lines[i]);
        client_expect(c, i == 3 ? "before\ngo\n" : "go\n");
        assert_true(client_handshake(c));
        client_expect(c, "secure\n");
        client_send(c, "ed\n");
        client_expect(c, "ed\n");
        client_send(c, "TLS\n");
        client_expect(c, "no\n");
        client_free(c);
    }
    report_threat("T-001", sizeof lines / sizeof *lines);
}

/* The reply to STARTTLS waits in front of a slow reader: TLS begins only when it has left. */
static void test_start_tls_waits_for_the_reply(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, DOOR_IMAP, "192.0.2.1");
    int small = 1;
    setsockopt(
        stream_fd(LIST_FIRST(&w->gate.waiting[GATE_IMAP], struct connection, link)->stream), SOL_SOCKET,
        SO_SNDBUF, &small, sizeof small);
    char line[10001];
    memset(line, 'z', 10000);
    line[9999] = '\n';
    line[10000] = '\0';
    client_send(c, line);
    client_send(c, "TLS\nEND\n");
    world_turns(w, 10);
    size_t got = 0;
    char out[1000];
    ssize_t n;
    while ((n = read(c->fd, out, sizeof out)) > 0) {
        got += (size_t)n;
        world_turns(w, 3);
    }
    assert_int_equal(got, strlen("hello\n") + 10000 + strlen("go\n"));
    assert_true(client_handshake(c));
    client_expect(c, "secure\n");
    client_free(c);
}

static void test_no_certificate_no_starttls(void **state)
{
    struct world *w = *state;
    tls_set_unref(&w->gate.tls);
    struct client *c = client_open(w, DOOR_IMAP, "192.0.2.1");
    client_send(c, "TLS\n");
    client_expect(c, "hello\nno\n");
    client_free(c);
    c = client_open(w, DOOR_IMAPS, "192.0.2.1");
    assert_true(c->ended);
    client_free(c);
}

/* T-016: a session of the old set lives on when the new one is there. */
static void test_certificates_change_under_sessions(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, DOOR_IMAPS, "192.0.2.1");
    client_expect(c, "hello\n");
    unsigned kinds_n;
    const struct tls_kind *kinds = door_tls_kinds(&kinds_n);
    struct tls_set *set = tls_set_new(kinds, kinds_n, false);
    struct test_pair p = test_pair_new("DNS:new.test", -1, 30);
    assert_int_equal(tls_set_add(set, buf_slice(&p.chain), buf_slice(&p.key), SLICE_EMPTY, false), TLS_FINE);
    test_pair_free(&p);
    gate_set_certificates(&w->gate, set);
    tls_set_unref(&set);
    client_send(c, "x\n");
    client_expect(c, "x\n");
    struct client *later = client_open(w, DOOR_IMAPS, "192.0.2.1");
    X509 *leaf = SSL_get1_peer_certificate(later->t.ssl);
    assert_int_equal(X509_check_host(leaf, "new.test", 0, 0, NULL), 1);
    X509_free(leaf);
    client_free(later);
    client_free(c);
}

/* ---- listeners ---- */

static int listen_loopback(struct sockaddr_in *ret_at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 64), 0);
    socklen_t n = sizeof *ret_at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret_at, &n), 0);
    return fd;
}

static int connect_to(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)at, sizeof *at), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static bool hears(struct world *w, int fd, const char *wanted)
{
    char out[200];
    ssize_t n;
    STEP_UNTIL((n = recv(fd, out, sizeof out, 0)) > 0, loop_turn(w->loop, 5));
    return slice_eq(slice_of(out, (size_t)n), slice_str(wanted));
}

static bool hears_nothing(struct world *w, int fd)
{
    char c;
    for (int i = 0; i < 20; i++)
        loop_turn(w->loop, 5);
    return recv(fd, &c, 1, MSG_PEEK) <= 0;
}

static void count_line(const struct gate_line *line, void *arg)
{
    struct buf *out = arg;
    buf_printf(out, "%s %s " SLICE_FMT "\n", line->subject, line->state, SLICE_ARG(line->detail));
}

static void test_listening(void **state)
{
    struct world *w = *state;
    struct sockaddr_in at;
    configure(w, "sessions", "100");
    configure(w, "connections_per_network", "1000");
    assert_err(ERR_UNSUPPORTED, gate_add_listener(&w->gate, SERVICE_API, TLS_MODE_NONE, S("x"), dup(0)));
    assert_ok(gate_add_listener(
        &w->gate, SERVICE_IMAP, TLS_MODE_STARTTLS, S("127.0.0.1:143"), listen_loopback(&at)));
    int fd[101];
    fd[0] = connect_to(&at);
    assert_true(hears_nothing(w, fd[0])); /* not started */
    gate_start(&w->gate);
    assert_true(hears(w, fd[0], "hello\n"));
    for (int i = 1; i < 100; i++) {
        fd[i] = connect_to(&at);
        assert_true(hears(w, fd[i], "hello\n"));
    }
    struct buf lines CLEANUP_BUF = BUF_INIT(100000);
    gate_each(&w->gate, count_line, &lines);
    assert_true(slice_starts(
        buf_slice(&lines), S("listener full imap 127.0.0.1:143\nsession input imap 127.0.0.1\n")));
    fd[100] = connect_to(&at); /* waits in the queue: sessions are full */
    assert_true(hears_nothing(w, fd[100]));
    close(fd[0]);
    assert_true(hears(w, fd[100], "hello\n"));
    for (int i = 1; i < 101; i++)
        close(fd[i]);
    TURN_UNTIL(w->loop, w->gate.count == 0);
}

/* Before the vault has said what may be offered nobody is let in: a program would think that it cannot sign in. */
static void test_waits_for_the_offers(void **state)
{
    (void)state;
    struct world *w = world_new(&echo_front);
    for (int s = 0; s < SERVICE_N; s++)
        w->gate.offers[s].known = false;
    struct sockaddr_in at;
    assert_ok(gate_add_listener(&w->gate, SERVICE_IMAP, TLS_MODE_STARTTLS, S("x"), listen_loopback(&at)));
    gate_start(&w->gate);
    int fd = connect_to(&at);
    assert_true(hears_nothing(w, fd));
    gate_vault_up(&w->gate, w->gate_vault);
    assert_true(hears(w, fd, "hello\n"));
    close(fd);
    world_free(w);
}

static void test_stop(void **state)
{
    struct world *w = *state;
    struct sockaddr_in at;
    assert_ok(gate_add_listener(&w->gate, SERVICE_IMAP, TLS_MODE_STARTTLS, S("x"), listen_loopback(&at)));
    gate_start(&w->gate);
    struct client *c = client_open(w, DOOR_IMAP, "192.0.2.1"), *in = client_open(w, DOOR_IMAPS, "192.0.2.2");
    client_expect(c, "hello\n");
    client_expect(in, "hello\n");
    struct connection *signed_in = NULL;
    LIST_EACH (&w->gate.waiting[GATE_IMAP], struct connection, link, x) {
        if (x->tls)
            signed_in = x;
    }
    int keeper[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, keeper), 0);
    static const struct stream_events none;
    struct stream *k = stream_new(w->loop, keeper[0], &echo_front.limits, &none, NULL);
    connection_signed_in(signed_in, S("alice@ours.test"), 3);
    connection_splice(signed_in, k);
    assert_int_equal(gate_signed_in(&w->gate), 1);
    gate_stop(&w->gate);
    client_expect(c, "mx.test ends: stopping\n");
    client_expect_end(c);
    int late = connect_to(&at);
    assert_true(hears_nothing(w, late));
    assert_int_equal(gate_signed_in(&w->gate), 1); /* its keeper says goodbye */
    assert_int_equal(write(keeper[1], "BYE\n", 4), 4);
    close(keeper[1]);
    client_expect(in, "BYE\n");
    client_expect_end(in);
    assert_int_equal(gate_signed_in(&w->gate), 0);
    close(late);
    client_free(c);
    client_free(in);
}

static void test_programs_are_cleaned(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, DOOR_IMAP, "192.0.2.1");
    struct connection *x = LIST_FIRST(&w->gate.waiting[GATE_IMAP], struct connection, link);
    connection_set_program(x, S("Mail\r\n\x1b[2J\x7f\xc2\x9b 9\xff"));
    assert_string_equal(x->program, "Mail???[2J?? 9\xef\xbf\xbd");
    char big[2000];
    memset(big, 0xe4, sizeof big);
    connection_set_program(x, slice_of(big, sizeof big));
    assert_true(strlen(x->program) <= CONNECTION_PROGRAM_MAX);
    client_free(c);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_end)
    const struct CMUnitTest tests[] = {
        T(test_t036_one_network),
        T(test_t036_ipv6),
        T(test_t036_the_oldest_silent_one_makes_room),
        T(test_t009_slow_handshakes),
        T(test_deadlines),
        T(test_t001_start_tls_forgets),
        T(test_start_tls_waits_for_the_reply),
        T(test_no_certificate_no_starttls),
        T(test_certificates_change_under_sessions),
        T(test_listening),
        T(test_stop),
        T(test_programs_are_cleaned),
        cmocka_unit_test(test_waits_for_the_offers),
    };
#undef T
    return cmocka_run_group_tests(tests, world_libraries, NULL);
}
