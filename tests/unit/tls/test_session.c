/* TLS sessions carry octets: much, late, in pieces, from a live stream to a goodbye. */
#include "tls/session_world.h"

static void test_both_versions_carry_octets(void **state)
{
    struct world *w = *state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        open_tls(w, KIND_IMAPS, "mx.test");
        SSL_set_max_proto_version(w->c.ssl, version);
        struct tls_facts facts;
        assert_err(ERR_STATE, tls_facts(stream_transport(w->s), &facts));
        assert_true(handshake(w));
        turns(w, 3);
        assert_int_equal(w->handshakes, 1);
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
    static const struct stream_limits small = {.input = 10, .output_high = 65536, .output_max = 1000000};
    open_plain_within(w, &small);
    start_tls(w, KIND_IMAPS);
    test_client_init(&w->c, w->c.fd, NULL);
    assert_true(handshake(w));
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

int main(void)
{
    tls_library_start();
    const struct CMUnitTest tests[] = {
        TLS_TEST(test_both_versions_carry_octets),
        TLS_TEST(test_much_data_both_ways),
        TLS_TEST(test_decrypted_rest_is_read_without_readiness),
        TLS_TEST(test_records_in_pieces),
        TLS_TEST(test_start_tls_on_a_live_stream),
        TLS_TEST(test_close_notify_and_then_clear_octets),
        TLS_TEST(test_finish_says_goodbye),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
