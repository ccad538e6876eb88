/* TLS handshakes: what is agreed on, what is refused, and what a ticket is good for. */
#include "tls/session_world.h"

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

int main(void)
{
    tls_library_start();
    const struct CMUnitTest tests[] = {
        TLS_TEST(test_fingerprints),
        TLS_TEST(test_alpn_must_be_of_the_port),
        TLS_TEST(test_tickets_are_bound),
        TLS_TEST(test_ticket_keys_change),
        TLS_TEST(test_weak_parameters_are_refused),
        TLS_TEST(test_only_tls13),
        TLS_TEST(test_renegotiation_is_refused),
        TLS_TEST(test_channel_bindings_agree),
        TLS_TEST(test_slow_handshake_ends_at_the_deadline),
        TLS_TEST(test_hostile_hellos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
