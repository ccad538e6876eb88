/* TLS sessions over socket pairs against the library's own client. */
#include "tls_peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tls/session.h"

enum { KIND_IMAPS, KIND_POP3S, KIND_MX };
static const char *const imap_protocols[] = {"imap", NULL};
static const char *const pop3_protocols[] = {"pop3", NULL};
static const struct tls_kind kinds[] = {
    {"imaps", imap_protocols},
    {"pop3s", pop3_protocols},
    {"smtp", NULL},
};

struct world {
    struct loop *loop;
    struct tls_set *set;
    struct stream *s;
    struct test_client c;
    struct task done;
    int handshakes, closes;
    enum err why;
    struct buf got;
    bool leave;
    int reason; /* of the client's failure */
};

static void on_input(struct stream *s, void *owner)
{
    struct world *w = owner;
    struct slice in = stream_input(s);
    if (w->leave)
        return;
    buf_put(&w->got, in);
    stream_take(s, in.n);
}

static void on_closed(struct stream *s, enum err why, void *owner)
{
    struct world *w = owner;
    (void)s;
    w->closes++;
    w->why = why;
}

static void on_handshake(struct task *t)
{
    ((struct world *)t->owner)->handshakes++;
}

static const struct stream_events events = {on_input, NULL, on_closed};
static const struct stream_limits limits = {.input = 16384, .output_high = 65536, .output_max = 1000000};

static void add(struct tls_set *set, const char *san, const char *names)
{
    struct test_pair p = test_pair_new(san, -1, 30);
    assert_int_equal(
        tls_set_add(set, buf_slice(&p.chain), buf_slice(&p.key), slice_str(names), false), TLS_FINE);
    test_pair_free(&p);
}

static struct tls_set *new_set(void)
{
    struct tls_set *set = tls_set_new(kinds, 3, false);
    assert_true(tls_set_is_empty(set));
    add(set, "DNS:mx.test,DNS:*.wild.test", NULL);
    add(set, "DNS:other.test", "Imap.Other.test pop.other.test");
    return set;
}

static void turns(struct world *w, int n)
{
    while (n--)
        loop_turn(w->loop, 0);
}

static void open_plain(struct world *w)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    w->s = stream_new(w->loop, fd[0], &limits, &events, w);
    w->c = (struct test_client){.fd = fd[1]};
    w->handshakes = w->closes = 0;
    w->why = OK;
    w->got.n = 0;
}

static void start_tls(struct world *w, unsigned kind)
{
    struct transport *t = tls_server_new(w->set, kind, stream_fd(w->s), w->loop, &w->done);
    assert_non_null(t);
    assert_true(transport_is_tls(t));
    stream_set_transport(w->s, t);
}

static void open_tls(struct world *w, unsigned kind, const char *name)
{
    open_plain(w);
    start_tls(w, kind);
    test_client_init(&w->c, w->c.fd, name);
}

static bool handshake(struct world *w)
{
    for (int i = 0; i < 20; i++) {
        ERR_clear_error();
        int r = SSL_do_handshake(w->c.ssl);
        int e = SSL_get_error(w->c.ssl, r);
        w->reason = ERR_GET_REASON(ERR_peek_last_error());
        turns(w, 2);
        if (r == 1)
            return true;
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return false;
    }
    return false;
}

static void end(struct world *w)
{
    stream_close(&w->s);
    test_client_free(&w->c);
    close(w->c.fd);
}

static int setup(void **state)
{
    struct world *w = NEW(struct world);
    w->loop = loop_new();
    w->set = new_set();
    w->got = BUF_INIT(10000000);
    task_init(&w->done, on_handshake, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    task_stop(&w->done);
    tls_set_unref(&w->set);
    buf_done(&w->got);
    loop_free(&w->loop);
    free(w);
    clock_set_offset(0);
    return 0;
}

static void client_put(struct world *w, const char *text)
{
    assert_int_equal(SSL_write(w->c.ssl, text, (int)strlen(text)), strlen(text));
    turns(w, 2);
}

static void expect(struct world *w, const char *wanted)
{
    char out[1000];
    turns(w, 2);
    int n = test_client_read(&w->c, out, sizeof out);
    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(out, wanted, n);
}

static void test_both_versions_carry_octets(void **state)
{
    struct world *w = *state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        open_tls(w, KIND_IMAPS, "mx.test");
        SSL_set_max_proto_version(w->c.ssl, version);
        struct tls_facts facts;
        assert_err(ERR_STATE, tls_facts(stream_transport(w->s), &facts));
        assert_false(tls_is_ready(stream_transport(w->s)));
        assert_true(handshake(w));
        turns(w, 3);
        assert_int_equal(w->handshakes, 1);
        assert_true(tls_is_ready(stream_transport(w->s)));
        client_put(w, "a NOOP\r\n");
        assert_slice("a NOOP\r\n", buf_slice(&w->got));
        stream_put(w->s, S("a OK\r\n"));
        expect(w, "a OK\r\n");
        assert_ok(tls_facts(stream_transport(w->s), &facts));
        assert_string_equal(facts.version, version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
        assert_true(facts.bits >= 128);
        assert_slice("mx.test", facts.name);
        assert_false(facts.resumed);
        struct buf text CLEANUP_BUF = BUF_INIT(100);
        tls_put_description(stream_transport(w->s), &text);
        assert_true(slice_starts(buf_slice(&text), slice_str(facts.version)));
        assert_true(slice_ends(buf_slice(&text), slice_str(facts.cipher)));
        end(w);
    }
}

static void put_fingerprint(struct world *w, const char *name, const char *groups, struct buf *out)
{
    open_tls(w, KIND_IMAPS, name);
    if (groups)
        assert_int_equal(SSL_set1_groups_list(w->c.ssl, groups), 1);
    tls_put_fingerprint(stream_transport(w->s), out);
    assert_int_equal(out->n, 0);
    assert_true(handshake(w));
    turns(w, 3);
    tls_put_fingerprint(stream_transport(w->s), out);
    assert_int_equal(out->n, 16);
    end(w);
}

/* The same program looks the same each time, at whatever name, also when we ask for another key share; another does not. */
static void test_fingerprints(void **state)
{
    struct world *w = *state;
    struct buf one CLEANUP_BUF = BUF_INIT(100), again CLEANUP_BUF = BUF_INIT(100),
                   retried CLEANUP_BUF = BUF_INIT(100), retried_again CLEANUP_BUF = BUF_INIT(100);
    put_fingerprint(w, "mx.test", NULL, &one);
    put_fingerprint(w, NULL, NULL, &again);
    assert_true(slice_eq(buf_slice(&one), buf_slice(&again)));
    put_fingerprint(w, "mx.test", "P-521:P-256", &retried); /* its first key share is none of ours */
    put_fingerprint(w, "pop.other.test", "P-521:P-256", &retried_again);
    assert_true(slice_eq(buf_slice(&retried), buf_slice(&retried_again)));
    assert_false(slice_eq(buf_slice(&one), buf_slice(&retried)));
}

/* Many times what one record holds, with a client that reads late. */
static void test_much_data_both_ways(void **state)
{
    struct world *w = *state;
    enum { N = 900000 };
    open_tls(w, KIND_IMAPS, NULL);
    assert_true(handshake(w));
    char *data = mem_alloc(N), *back = mem_alloc(N);
    for (size_t i = 0; i < N; i++)
        data[i] = (char)(i * 13 + i / 253);
    stream_put(w->s, slice_of(data, N));
    turns(w, 20);
    size_t got = 0, sent = 0;
    for (int i = 0; i < 100000 && (got < N || w->got.n < N); i++) {
        int n = test_client_read(&w->c, back + got, (int)(N - got < 7777 ? N - got : 7777));
        assert_true(n >= 0);
        got += (size_t)n;
        if (got == N && sent < N) { /* while it owes, the server does not read */
            int put = SSL_write(w->c.ssl, data + sent, (int)(N - sent < 30000 ? N - sent : 30000));
            sent += put > 0 ? (size_t)put : 0;
        }
        turns(w, 1);
    }
    assert_int_equal(got, N);
    assert_memory_equal(data, back, N);
    assert_int_equal(w->got.n, N);
    assert_memory_equal(data, w->got.p, N);
    free(data);
    free(back);
    end(w);
}

/* A record that the input limit cuts is read on when there is room, though the socket is silent by then. */
static void test_decrypted_rest_is_read_without_readiness(void **state)
{
    struct world *w = *state;
    open_tls(w, KIND_IMAPS, NULL);
    assert_true(handshake(w));
    stream_set_input_limit(w->s, 10);
    w->leave = true;
    client_put(w, "0123456789abcdefghijKLMNO");
    turns(w, 3);
    assert_slice("0123456789", stream_input(w->s));
    stream_take(w->s, 10);
    turns(w, 3);
    assert_slice("abcdefghij", stream_input(w->s));
    stream_take(w->s, 10);
    turns(w, 3);
    assert_slice("KLMNO", stream_input(w->s));
    end(w);
}

/* Records that arrive octet by octet; half a record is no reason to spin. */
static void test_records_in_pieces(void **state)
{
    struct world *w = *state;
    open_plain(w);
    start_tls(w, KIND_IMAPS);
    int mine[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, mine), 0);
    int real = w->c.fd;
    test_client_init(&w->c, mine[0], "mx.test");
    bool up = false;
    for (int i = 0; i < 20000 && !(up && w->got.n == 11); i++) {
        char octet, reply[8192];
        if (!up && SSL_do_handshake(w->c.ssl) == 1) {
            up = true;
            assert_int_equal(SSL_write(w->c.ssl, "hello world", 11), 11);
        }
        if (read(mine[1], &octet, 1) == 1)
            assert_int_equal(write(real, &octet, 1), 1);
        turns(w, 1);
        ssize_t n = read(real, reply, sizeof reply);
        if (n > 0)
            assert_int_equal(write(mine[1], reply, (size_t)n), n);
    }
    assert_slice("hello world", buf_slice(&w->got));
    assert_int_equal(w->closes, 0);
    test_client_free(&w->c);
    close(mine[0]);
    close(mine[1]);
    w->c.fd = real;
    stream_close(&w->s);
    close(real);
}

/* Which certificate a name gets: exact, wildcard, another case, one too many labels, none. */
static void test_certificate_by_name(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *asked, *leaf, *served;
    } rows[] = {
        {"mx.test", "mx.test", "mx.test"},
        {"MX.Test", "mx.test", "mx.test"},
        {"a.wild.test", "mx.test", "*.wild.test"},
        {"imap.other.test", "other.test", "imap.other.test"},
        {"POP.other.TEST", "other.test", "pop.other.test"},
        {"a.b.wild.test", "mx.test", ""},
        {".wild.test", "mx.test", ""},
        {"other.test", "mx.test", ""}, /* the configuration's names replace those of the certificate */
        {"nobody.test", "mx.test", ""},
        {"x\\", "mx.test", ""},
        {NULL, "mx.test", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_tls(w, KIND_POP3S, rows[i].asked);
        assert_true(handshake(w));
        X509 *leaf = SSL_get1_peer_certificate(w->c.ssl);
        assert_int_equal(X509_check_host(leaf, rows[i].leaf, 0, 0, NULL), 1);
        X509_free(leaf);
        struct tls_facts facts;
        assert_ok(tls_facts(stream_transport(w->s), &facts));
        assert_int_equal(facts.name.n, strlen(rows[i].served));
        assert_memory_equal(facts.name.p ? facts.name.p : "", rows[i].served, facts.name.n);
        end(w);
    }
}

/* T-011 */
static void test_alpn_must_be_of_the_port(void **state)
{
    struct world *w = *state;
    static const struct {
        unsigned kind;
        const char *list;
        const char *chosen; /* NULL: refused */
    } rows[] = {
        {KIND_IMAPS, "\x04imap", "imap"},         {KIND_IMAPS, "\x02h2\x04imap", "imap"},
        {KIND_IMAPS, "\x02h2\x08http/1.1", NULL}, {KIND_IMAPS, "\x04pop3", NULL},
        {KIND_IMAPS, "\x05imaps", NULL},          {KIND_IMAPS, "\x03ima", NULL},
        {KIND_POP3S, "\x08http/1.1", NULL},       {KIND_POP3S, "\x04imap", NULL},
        {KIND_POP3S, "\x04pop3", "pop3"},         {KIND_MX, "\x02h2", NULL},
        {KIND_MX, "\x08http/1.1", NULL},          {KIND_MX, "\x04imap", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_tls(w, rows[i].kind, "mx.test");
        SSL_set_alpn_protos(w->c.ssl, (const unsigned char *)rows[i].list, (unsigned)strlen(rows[i].list));
        assert_int_equal(handshake(w), rows[i].chosen != NULL);
        turns(w, 2);
        if (rows[i].chosen) {
            struct tls_facts facts;
            assert_ok(tls_facts(stream_transport(w->s), &facts));
            assert_int_equal(facts.protocol.n, strlen(rows[i].chosen));
        } else {
            assert_int_equal(w->reason, SSL_AD_REASON_OFFSET + 120);
            assert_int_equal(w->why, ERR_SYNTAX);
            assert_string_equal(tls_failure(stream_transport(w->s)), "no application protocol");
        }
        end(w);
    }
    report_threat("T-011", sizeof rows / sizeof *rows);
}

static bool resumes(struct world *w, SSL_SESSION *ticket, unsigned kind, const char *name, int version)
{
    open_tls(w, kind, name);
    SSL_set_max_proto_version(w->c.ssl, version);
    SSL_set_session(w->c.ssl, ticket);
    assert_true(handshake(w));
    bool reused = SSL_session_reused(w->c.ssl) == 1;
    struct tls_facts facts;
    assert_ok(tls_facts(stream_transport(w->s), &facts));
    assert_int_equal(facts.resumed, reused);
    end(w);
    return reused;
}

static SSL_SESSION *ticket_of(struct world *w, unsigned kind, const char *name, int version)
{
    open_tls(w, kind, name);
    SSL_set_max_proto_version(w->c.ssl, version);
    assert_true(handshake(w));
    stream_put(w->s, S("x"));
    expect(w, "x");
    SSL_SESSION *ticket = TAKE(w->c.ticket, NULL);
    assert_non_null(ticket);
    end(w);
    return ticket;
}

/* T-012: a ticket is good for the kind and name that issued it, and for nothing else. */
static void test_tickets_are_bound(void **state)
{
    struct world *w = *state;
    int cases = 0;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL_SESSION *ticket = ticket_of(w, KIND_IMAPS, "mx.test", version);
        SSL_SESSION *nameless = ticket_of(w, KIND_IMAPS, NULL, version);
        assert_true(resumes(w, ticket, KIND_IMAPS, "mx.test", version));
        assert_false(resumes(w, ticket, KIND_POP3S, "mx.test", version));
        assert_false(resumes(w, ticket, KIND_MX, "mx.test", version));
        assert_false(resumes(w, ticket, KIND_IMAPS, "imap.other.test", version));
        assert_false(resumes(w, ticket, KIND_IMAPS, "a.wild.test", version));
        assert_false(resumes(w, ticket, KIND_IMAPS, NULL, version));
        assert_true(resumes(w, nameless, KIND_IMAPS, NULL, version));
        assert_false(resumes(w, nameless, KIND_IMAPS, "mx.test", version));
        cases += 8;
        SSL_SESSION_free(ticket);
        SSL_SESSION_free(nameless);
    }
    report_threat("T-012", cases);
}

/* The former key still reads, the one before is gone; a clock that jumps back does no harm. */
static void test_ticket_keys_change(void **state)
{
    struct world *w = *state;
    SSL_SESSION *ticket = ticket_of(w, KIND_IMAPS, "mx.test", TLS1_2_VERSION);
    SSL_SESSION_set_timeout(ticket, 10000000);
    int64_t life_ms = (int64_t)LIMIT_TICKET_KEY_LIFE * 1000;
    clock_set_offset(life_ms + 1000);
    assert_true(resumes(w, ticket, KIND_IMAPS, "mx.test", TLS1_2_VERSION));
    clock_set_offset(2 * life_ms + 2000);
    assert_false(resumes(w, ticket, KIND_IMAPS, "mx.test", TLS1_2_VERSION));
    clock_set_offset(-life_ms);
    assert_false(resumes(w, ticket, KIND_IMAPS, "mx.test", TLS1_2_VERSION));
    SSL_SESSION_free(ticket);
}

/* T-015: what must not be agreed on. */
static void test_weak_parameters_are_refused(void **state)
{
    struct world *w = *state;
    static const struct {
        int version;
        const char *suites;
    } rows[] = {
        {TLS1_VERSION, "ALL:@SECLEVEL=0"},
        {TLS1_1_VERSION, "ALL:@SECLEVEL=0"},
        {TLS1_2_VERSION, "AES128-GCM-SHA256:@SECLEVEL=0"},
        {TLS1_2_VERSION, "AES256-SHA:@SECLEVEL=0"},
        {TLS1_2_VERSION, "ECDHE+SHA1:@SECLEVEL=0"},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"},
        {TLS1_2_VERSION, "DHE:@SECLEVEL=0"},
        {TLS1_2_VERSION, "aNULL:eNULL:@SECLEVEL=0"},
        {TLS1_2_VERSION, "PSK:SRP:CAMELLIA:ARIA:@SECLEVEL=0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_tls(w, KIND_IMAPS, "mx.test");
        SSL_set_min_proto_version(w->c.ssl, rows[i].version);
        SSL_set_max_proto_version(w->c.ssl, rows[i].version);
        assert_int_equal(SSL_set_cipher_list(w->c.ssl, rows[i].suites), 1);
        assert_false(handshake(w));
        turns(w, 2);
        assert_int_equal(w->closes, 1);
        end(w);
    }
    open_tls(w, KIND_IMAPS, "mx.test");
    SSL_set1_groups_list(w->c.ssl, "P-521");
    assert_false(handshake(w));
    end(w);
    report_threat("T-015", sizeof rows / sizeof *rows + 1);
}

/* T-008 */
static void test_renegotiation_is_refused(void **state)
{
    struct world *w = *state;
    open_tls(w, KIND_IMAPS, "mx.test");
    SSL_set_max_proto_version(w->c.ssl, TLS1_2_VERSION);
    assert_true(handshake(w));
    SSL_renegotiate(w->c.ssl);
    assert_false(handshake(w));
    assert_int_equal(w->reason, SSL_R_NO_RENEGOTIATION);
    assert_int_equal(w->handshakes, 1);
    assert_int_equal(w->got.n, 0);
    end(w);
    report_threat("T-008", 1);
}

/* T-013: after close_notify nothing is read, clear octets least of all. */
static void test_close_notify_and_then_clear_octets(void **state)
{
    struct world *w = *state;
    open_tls(w, KIND_IMAPS, "mx.test");
    assert_true(handshake(w));
    client_put(w, "BDAT 100000 LAST\r\npart");
    size_t before = w->got.n;
    SSL_shutdown(w->c.ssl);
    ssize_t n = write(w->c.fd, "A CLEAR COMMAND\r\n", 17);
    (void)n;
    turns(w, 4);
    assert_int_equal(w->got.n, before);
    assert_int_equal(w->closes, 1);
    assert_int_equal(w->why, ERR_CLOSED);
    n = write(w->c.fd, "B\r\n", 3);
    turns(w, 4);
    assert_int_equal(w->got.n, before);
    end(w);
    /* clear octets in the middle, without close_notify: a broken record */
    open_tls(w, KIND_IMAPS, "mx.test");
    assert_true(handshake(w));
    n = write(w->c.fd, "A CLEAR COMMAND\r\n", 17);
    turns(w, 4);
    assert_int_equal(w->why, ERR_SYNTAX);
    assert_int_equal(w->got.n, 0);
    end(w);
    /* the connection cut without a word */
    open_tls(w, KIND_IMAPS, "mx.test");
    assert_true(handshake(w));
    shutdown(w->c.fd, SHUT_RDWR);
    turns(w, 4);
    assert_int_equal(w->why, ERR_CLOSED);
    end(w);
    report_threat("T-013", 3);
}

static void test_finish_says_goodbye(void **state)
{
    struct world *w = *state;
    open_tls(w, KIND_IMAPS, "mx.test");
    assert_true(handshake(w));
    stream_put(w->s, S("* BYE\r\n"));
    stream_finish(&w->s, 1000);
    expect(w, "* BYE\r\n");
    char out[10];
    assert_int_equal(test_client_read(&w->c, out, sizeof out), -1);
    assert_int_equal(SSL_get_shutdown(w->c.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    end(w);
}

/* A handshake that never completes ends at the caller's deadline, however it dribbles (T-009). */
static void test_slow_handshake_ends_at_the_deadline(void **state)
{
    struct world *w = *state;
    for (int octets = 0; octets < 6; octets++) {
        open_tls(w, KIND_IMAPS, "mx.test");
        stream_set_deadline(w->s, LIMIT_TLS_HANDSHAKE);
        static const char hello[] = "\x16\x03\x01\x02\x00\x01";
        for (int i = 0; i < octets; i++) {
            assert_int_equal(write(w->c.fd, hello + i, 1), 1);
            turns(w, 2);
        }
        assert_int_equal(w->closes, 0);
        clock_set_offset(LIMIT_TLS_HANDSHAKE * (octets + 1) + 1000);
        turns(w, 2);
        assert_int_equal(w->why, ERR_TIMEOUT);
        end(w);
    }
    report_threat("T-009", 6);
}

/* T-010: hellos that are no hellos. */
static void test_hostile_hellos(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *p;
        size_t n;
    } rows[] = {
#define ROW(text) {text, sizeof text - 1}
        ROW("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ROW("EHLO a\r\nSTARTTLS\r\n"),
        ROW("\x16\x03\x01\x48\x01"),
        ROW("\x16\x03\x01\x00\x00"),
        ROW("\x16\x03\x01\x00\x05\x01\x00\xff\xff\xff"),
        ROW("\x16\x03\x01\x00\x04\x01\x00\x00\x00"),
        ROW("\x15\x03\x01\x00\x02\x02\x28"),
        ROW("\x17\x03\x03\x00\x03"
            "abc"),
        ROW("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x02\x00\x80\x03\x00\x80\x04\x00\x80"),
        ROW("\x14\x03\x03\x00\x01\x01"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_tls(w, KIND_IMAPS, "mx.test");
        assert_int_equal(write(w->c.fd, rows[i].p, rows[i].n), rows[i].n);
        shutdown(w->c.fd, SHUT_WR);
        turns(w, 5);
        assert_int_equal(w->closes, 1);
        assert_true(w->why == ERR_SYNTAX || w->why == ERR_CLOSED);
        assert_int_equal(w->got.n, 0);
        end(w);
    }
    /* hellos with names that are none: the library refuses, or the first certificate serves */
    const char *names[] = {"..", "-", "a..b", "\xff\xfe.test", "../x", "*.wild.test", "127.0.0.1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        open_tls(w, KIND_IMAPS, names[i]);
        bool up = handshake(w);
        assert_true(up || w->closes == 1);
        end(w);
    }
    report_threat("T-010", sizeof rows / sizeof *rows + sizeof names / sizeof *names);
}

/* STARTTLS: the transport of a live stream is replaced; what came in clear behind the command is gone. */
static void test_start_tls_on_a_live_stream(void **state)
{
    struct world *w = *state;
    open_plain(w);
    w->leave = true;
    static const char injected[] = "STARTTLS\r\nINJECTED\r\n";
    assert_int_equal(write(w->c.fd, injected, sizeof injected - 1), sizeof injected - 1);
    turns(w, 2);
    stream_take(w->s, 10);
    assert_slice("INJECTED\r\n", stream_input(w->s));
    stream_put(w->s, S("OK begin\r\n"));
    turns(w, 1);
    char clear[20];
    assert_int_equal(read(w->c.fd, clear, sizeof clear), 10);
    stream_forget_input(w->s);
    w->leave = false;
    start_tls(w, KIND_MX);
    test_client_init(&w->c, w->c.fd, "mx.test");
    assert_true(handshake(w));
    client_put(w, "EHLO\r\n");
    assert_slice("EHLO\r\n", buf_slice(&w->got));
    stream_put(w->s, S("250 hi\r\n"));
    expect(w, "250 hi\r\n");
    end(w);
}

static void test_channel_bindings_agree(void **state)
{
    struct world *w = *state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        open_tls(w, KIND_IMAPS, "imap.other.test");
        SSL_set_max_proto_version(w->c.ssl, version);
        assert_true(handshake(w));
        uint8_t ours[32], theirs[32];
        assert_ok(tls_exporter(stream_transport(w->s), ours));
        assert_int_equal(
            SSL_export_keying_material(
                w->c.ssl, theirs, 32, "EXPORTER-Channel-Binding", 24, (const unsigned char *)"", 0, 1),
            1);
        assert_memory_equal(ours, theirs, 32);
        struct buf point CLEANUP_BUF = BUF_INIT(64);
        assert_ok(tls_end_point(stream_transport(w->s), &point));
        X509 *leaf = SSL_get1_peer_certificate(w->c.ssl);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n;
        X509_digest(leaf, EVP_sha256(), digest, &n);
        X509_free(leaf);
        assert_int_equal(point.n, n);
        assert_memory_equal(point.p, digest, n);
        end(w);
    }
    /* without the extended master secret the exporter of TLS 1.2 is not unique (RFC 9266 3) */
    open_tls(w, KIND_IMAPS, "mx.test");
    SSL_set_max_proto_version(w->c.ssl, TLS1_2_VERSION);
    SSL_set_options(w->c.ssl, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    assert_true(handshake(w));
    uint8_t ours[32];
    assert_err(ERR_UNSUPPORTED, tls_exporter(stream_transport(w->s), ours));
    end(w);
}

/* T-016: bad pairs are refused and say why; the set is as before. */
static void test_bad_pairs(void **state)
{
    (void)state;
    struct test_pair good = test_pair_new("DNS:a.test", -1, 10), other = test_pair_new("DNS:b.test", -1, 10);
    struct test_pair old = test_pair_new("DNS:a.test", -10, -1), early = test_pair_new("DNS:a.test", 1, 10);
    struct test_pair nameless = test_pair_new(NULL, -1, 10);
    struct slice chain = buf_slice(&good.chain), key = buf_slice(&good.key);
    struct tls_set *set = tls_set_new(kinds, 3, false);
    const struct {
        struct slice chain, key;
        enum tls_fault fault;
    } rows[] = {
        {slice_sub(chain, 0, chain.n / 2), key, TLS_BAD_CERTIFICATE},
        {chain, slice_sub(key, 0, key.n / 2), TLS_NO_KEY},
        {chain, buf_slice(&other.key), TLS_MISMATCH},
        {buf_slice(&old.chain), buf_slice(&old.key), TLS_EXPIRED},
        {buf_slice(&early.chain), buf_slice(&early.key), TLS_NOT_YET},
        {SLICE_EMPTY, key, TLS_NO_CERTIFICATE},
        {chain, SLICE_EMPTY, TLS_NO_KEY},
        {key, key, TLS_NO_CERTIFICATE},
        {S("hello"), key, TLS_NO_CERTIFICATE},
        {buf_slice(&nameless.chain), buf_slice(&nameless.key), TLS_NO_NAMES},
        {S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), key, TLS_BAD_CERTIFICATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum tls_fault fault = tls_set_add(set, rows[i].chain, rows[i].key, SLICE_EMPTY, false);
        assert_string_equal(tls_fault_text(fault), tls_fault_text(rows[i].fault));
        assert_true(tls_set_is_empty(set));
    }
    assert_int_equal(tls_set_add(set, rows[3].chain, rows[3].key, SLICE_EMPTY, true), TLS_FINE);
    assert_true(tls_set_expires(set) < clock_unix_s());
    assert_int_equal(tls_set_add(set, rows[9].chain, rows[9].key, S("a.test b.test"), true), TLS_FINE);
    tls_set_unref(&set);
    test_pair_free(&good);
    test_pair_free(&other);
    test_pair_free(&old);
    test_pair_free(&early);
    test_pair_free(&nameless);
    report_threat("T-016", sizeof rows / sizeof *rows);
}

static void test_encrypted_and_weak_keys(void **state)
{
    (void)state;
    struct tls_set *set = tls_set_new(kinds, 3, false);
    struct test_pair p = test_pair_new("DNS:a.test", -1, 10);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL);
    struct buf pem CLEANUP_BUF = BUF_INIT(10000);
    test_pem_take(bio, &pem);
    EVP_PKEY_free(key);
    assert_int_equal(
        tls_set_add(set, buf_slice(&p.chain), buf_slice(&pem), SLICE_EMPTY, false), TLS_ENCRYPTED_KEY);
    test_pair_free(&p);
    key = EVP_RSA_gen(1024);
    X509 *x = X509_new();
    X509_set_version(x, 2);
    X509_gmtime_adj(X509_getm_notBefore(x), -100);
    X509_gmtime_adj(X509_getm_notAfter(x), 100000);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    struct buf chain CLEANUP_BUF = BUF_INIT(10000), weak CLEANUP_BUF = BUF_INIT(10000);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    test_pem_take(bio, &chain);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    test_pem_take(bio, &weak);
    X509_free(x);
    EVP_PKEY_free(key);
    assert_int_equal(
        tls_set_add(set, buf_slice(&chain), buf_slice(&weak), S("a.test"), false), TLS_BAD_CERTIFICATE);
    assert_true(tls_set_is_empty(set));
    tls_set_unref(&set);
}

static int file_with(struct slice text)
{
    char path[] = "/tmp/tls-test-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text.p, text.n), text.n);
    unlink(path);
    return fd;
}

static void test_pairs_from_descriptors(void **state)
{
    struct world *w = *state;
    struct test_pair p = test_pair_new("DNS:file.test", -1, 10);
    int chain = file_with(buf_slice(&p.chain)), key = file_with(buf_slice(&p.key)),
        folder = open("/tmp", O_RDONLY);
    for (int i = 0; i < 2; i++) /* read from the beginning each time */
        assert_int_equal(tls_set_add_files(w->set, chain, key, SLICE_EMPTY, false), TLS_FINE);
    assert_int_equal(tls_set_add_files(w->set, folder, key, SLICE_EMPTY, false), TLS_UNREADABLE);
    assert_int_equal(tls_set_add_files(w->set, chain, -1, SLICE_EMPTY, false), TLS_UNREADABLE);
    char *large = mem_alloc(LIMIT_PEM_FILE + 1);
    int big = file_with(slice_of(large, LIMIT_PEM_FILE + 1));
    free(large);
    assert_int_equal(tls_set_add_files(w->set, big, key, SLICE_EMPTY, false), TLS_TOO_LARGE);
    open_tls(w, KIND_IMAPS, "file.test");
    assert_true(handshake(w));
    X509 *leaf = SSL_get1_peer_certificate(w->c.ssl);
    assert_int_equal(X509_check_host(leaf, "file.test", 0, 0, NULL), 1);
    X509_free(leaf);
    end(w);
    close(chain);
    close(key);
    close(folder);
    close(big);
    test_pair_free(&p);
}

/* A reload builds a new set; a session of the old one lives on when everybody else has let go. */
static void test_sessions_outlive_their_set(void **state)
{
    struct world *w = *state;
    open_tls(w, KIND_IMAPS, "mx.test");
    assert_true(handshake(w));
    tls_set_unref(&w->set);
    w->set = new_set();
    client_put(w, "hello");
    assert_slice("hello", buf_slice(&w->got));
    end(w);
}

static void test_only_tls13(void **state)
{
    struct world *w = *state;
    tls_set_unref(&w->set);
    w->set = tls_set_new(kinds, 3, true);
    add(w->set, "DNS:mx.test", NULL);
    open_tls(w, KIND_IMAPS, "mx.test");
    SSL_set_max_proto_version(w->c.ssl, TLS1_2_VERSION);
    assert_false(handshake(w));
    end(w);
    open_tls(w, KIND_IMAPS, "mx.test");
    assert_true(handshake(w));
    end(w);
}

int main(void)
{
    tls_library_start();
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_both_versions_carry_octets),
        T(test_fingerprints),
        T(test_much_data_both_ways),
        T(test_decrypted_rest_is_read_without_readiness),
        T(test_records_in_pieces),
        T(test_certificate_by_name),
        T(test_alpn_must_be_of_the_port),
        T(test_tickets_are_bound),
        T(test_ticket_keys_change),
        T(test_weak_parameters_are_refused),
        T(test_renegotiation_is_refused),
        T(test_close_notify_and_then_clear_octets),
        T(test_finish_says_goodbye),
        T(test_slow_handshake_ends_at_the_deadline),
        T(test_hostile_hellos),
        T(test_start_tls_on_a_live_stream),
        T(test_channel_bindings_agree),
        T(test_sessions_outlive_their_set),
        T(test_only_tls13),
        T(test_pairs_from_descriptors),
        cmocka_unit_test(test_bad_pairs),
        cmocka_unit_test(test_encrypted_and_weak_keys),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
