/* The client's side against the house's own server and against the library's: verdicts, facts, and how handshakes break. */
#include "tls_peer.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "tls/outgoing.h"
#include "tls/session.h"

static struct test_issuer authority, stranger, middle;
static struct tls_trust *trust;

static int setup(void **state)
{
    struct test_spec ca = {.from_days = -9, .to_days = 900, .is_ca = true, .organisation = "Known Ltd"};
    struct buf pem = BUF_INIT(100000);
    authority = test_issue(NULL, &ca);
    middle = test_issue(&authority, &ca);
    ca.organisation = "Nobody Ltd";
    stranger = test_issue(NULL, &ca);
    test_issuer_put(&authority, &pem);
    assert_int_equal(tls_trust_new(buf_slice(&pem), &trust), OK);
    buf_done(&pem);
    return 0;
}

static int teardown(void **state)
{
    tls_trust_free(&trust);
    tls_trust_free(&trust);
    test_issuer_free(&authority);
    test_issuer_free(&middle);
    test_issuer_free(&stranger);
    return 0;
}

/* ------------------------------------------------------------------------------- a server of the library's own */

struct far {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static void far_open(struct far *far, int fd, const struct test_issuer *who)
{
    far->fd = fd;
    far->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(far->ctx, 0);
    SSL_CTX_set_num_tickets(far->ctx, 0);
    if (who) {
        assert_int_equal(SSL_CTX_use_certificate(far->ctx, who->certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(far->ctx, who->key), 1);
    }
    far->ssl = SSL_new(far->ctx);
    SSL_set_fd(far->ssl, fd);
    SSL_set_accept_state(far->ssl);
}

static void far_close(struct far *far)
{
    SSL_free(far->ssl);
    SSL_CTX_free(far->ctx);
    ERR_clear_error();
}

static void pair_of_sockets(int fd[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
}

/* Both sides in turn; OK when ours is ready, its error when it failed, ERR_AGAIN when it waits for ever. */
static enum err shake(struct transport *t, SSL *far)
{
    for (int i = 0; i < 20; i++) {
        unsigned want = 0;
        ssize_t n = t->ops->write(t, "", 0, &want);
        if (n < 0)
            return (enum err)n;
        if (far) {
            ERR_clear_error();
            SSL_do_handshake(far);
            ERR_clear_error();
        }
        if (tls_outgoing_is_ready(t))
            return OK;
    }
    return ERR_AGAIN;
}

/* What is seen of a server that shows this certificate, and what stands between it and its authority. */
static void look(
    const struct test_issuer *who, X509 *between, const char *host, struct arena *arena,
    struct tls_seen *seen)
{
    int fd[2];
    struct far far;
    pair_of_sockets(fd);
    far_open(&far, fd[1], who);
    if (between)
        assert_int_equal(SSL_add1_chain_cert(far.ssl, between), 1);
    struct transport *t = tls_outgoing_new(trust, slice_str(host), fd[0]);
    assert_non_null(t);
    assert_int_equal(tls_outgoing_seen(t, arena, seen), ERR_STATE);
    assert_int_equal(shake(t, far.ssl), OK);
    assert_int_equal(tls_outgoing_seen(t, arena, seen), OK);
    assert_int_equal(tls_outgoing_break(t, NULL, NULL), TLS_BREAK_NONE);
    t->ops->free(t);
    far_close(&far);
    close(fd[0]);
    close(fd[1]);
}

/* ---------------------------------------------------------------------------------------------------- verdicts */

struct verdict_case {
    const struct test_issuer *by;
    struct test_spec spec;
    enum tls_verdict verdict;
    bool also_name;
    const char *host; /* NULL: mx.test */
};

static void every_trouble_has_its_verdict(void **state)
{
    const struct verdict_case cases[] = {
        {&authority, {.san = "DNS:mx.test", .from_days = -1, .to_days = 30}, TLS_VERDICT_GOOD, false, NULL},
        {&authority,
         {.san = "DNS:*.mx.test", .from_days = -1, .to_days = 30},
         TLS_VERDICT_GOOD,
         false,
         "a.mx.test"},
        {&authority, {.san = "DNS:*.test", .from_days = -1, .to_days = 30}, TLS_VERDICT_NAME, false, NULL},
        {&authority, {.san = "DNS:*.mx.test", .from_days = -1, .to_days = 30}, TLS_VERDICT_NAME, false, NULL},
        {&authority, {.san = "DNS:m*.test", .from_days = -1, .to_days = 30}, TLS_VERDICT_NAME, false, NULL},
        {&authority,
         {.san = "DNS:mx.test", .from_days = -9, .to_days = -1},
         TLS_VERDICT_EXPIRED,
         false,
         NULL},
        {&authority, {.san = "DNS:a.test", .from_days = -9, .to_days = -1}, TLS_VERDICT_EXPIRED, true, NULL},
        {&authority, {.san = "DNS:mx.test", .from_days = 2, .to_days = 9}, TLS_VERDICT_NOT_YET, false, NULL},
        {&authority,
         {.san = "DNS:other.test", .from_days = -1, .to_days = 30},
         TLS_VERDICT_NAME,
         false,
         NULL},
        {&authority,
         {.from_days = -1, .to_days = 30},
         TLS_VERDICT_NAME,
         false,
         "alice@ours.test"}, /* common name */
        {NULL, {.san = "DNS:mx.test", .from_days = -1, .to_days = 30}, TLS_VERDICT_SELF_SIGNED, false, NULL},
        {NULL, {.san = "DNS:a.test", .from_days = -1, .to_days = 30}, TLS_VERDICT_SELF_SIGNED, true, NULL},
        {NULL, {.san = "DNS:mx.test", .from_days = -9, .to_days = -1}, TLS_VERDICT_EXPIRED, false, NULL},
        {&stranger,
         {.san = "DNS:mx.test", .from_days = -1, .to_days = 30},
         TLS_VERDICT_UNKNOWN_CA,
         false,
         NULL},
        {&stranger,
         {.san = "DNS:mx.test",
          .from_days = -1,
          .to_days = 30,
          .issuer_at = "caIssuers;URI:http://ca.test/ca"},
         TLS_VERDICT_CHAIN,
         false,
         NULL},
        {&middle, {.san = "DNS:mx.test", .from_days = -1, .to_days = 30}, TLS_VERDICT_CHAIN, false, NULL},
        {&authority,
         {.san = "DNS:mx.test", .from_days = -1, .to_days = 30, .weak_bits = 1024},
         TLS_VERDICT_WEAK,
         false,
         NULL},
        {&authority,
         {.san = "DNS:mx.test", .from_days = -1, .to_days = 30, .sha1 = true},
         TLS_VERDICT_WEAK,
         false,
         NULL},
        {&authority,
         {.san = "DNS:mx.test", .usage = "clientAuth", .from_days = -1, .to_days = 30},
         TLS_VERDICT_PURPOSE,
         false,
         NULL},
        {&authority,
         {.san = "IP:192.0.2.1", .from_days = -1, .to_days = 30},
         TLS_VERDICT_GOOD,
         false,
         "192.0.2.1"},
        {&authority,
         {.san = "IP:2001:db8::1", .from_days = -1, .to_days = 30},
         TLS_VERDICT_GOOD,
         false,
         "2001:db8::1"},
        {&authority,
         {.san = "IP:192.0.2.1", .from_days = -1, .to_days = 30},
         TLS_VERDICT_NAME,
         false,
         "192.0.2.2"},
        {&authority,
         {.san = "DNS:192.0.2.1", .from_days = -1, .to_days = 30},
         TLS_VERDICT_NAME,
         false,
         "192.0.2.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct verdict_case *c = &cases[i];
        struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
        struct test_issuer who = test_issue(c->by, &c->spec);
        struct tls_seen seen;
        look(&who, NULL, c->host ? c->host : "mx.test", &arena, &seen);
        if (seen.verdict != c->verdict || seen.also_name != c->also_name)
            fail_msg("case %zu: %d (%s)", i, (int)seen.verdict, seen.verdict_text);
        assert_int_equal(strcmp(seen.verdict_text, "ok") == 0, seen.verdict == TLS_VERDICT_GOOD);
        test_issuer_free(&who);
    }
}

static void a_whole_chain_is_good_and_told(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct test_spec s = {
        .san = "DNS:mx.test,DNS:*.b.test,IP:127.0.0.1,email:a@b.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&middle, &s);
    struct tls_seen seen;
    look(&who, middle.certificate, "mx.test", &arena, &seen);
    assert_int_equal(seen.verdict, TLS_VERDICT_GOOD);
    assert_string_equal(seen.version, "TLSv1.3");
    assert_string_equal(seen.cipher, "TLS_AES_256_GCM_SHA384");
    assert_true(slice_eq(seen.group, S("X25519")));
    assert_true(seen.forward_secret && !seen.asks_certificate);
    assert_int_equal(seen.chain_n, 3); /* the authority comes from our side */
    const struct tls_certificate *c = &seen.chain[0];
    assert_true(slice_eq(c->names, S("mx.test, *.b.test, 127.0.0.1")));
    assert_true(slice_eq(c->issuer, S("authority")));
    assert_true(slice_eq(c->organisation, S("Known Ltd")));
    assert_true(slice_eq(c->key, S("ECDSA P-256")));
    assert_true(slice_eq(c->signature, S("SHA-256")));
    assert_int_equal(c->key_strength, 128);
    assert_false(c->self_signed);
    assert_int_equal(c->not_after_s - c->not_before_s, 31 * 86400);
    /* the subject bears a NUL, and is told as it stands */
    assert_true(slice_eq(c->subject, slice_of(test_common_name, sizeof test_common_name - 1)));
    assert_true(slice_eq(seen.chain[1].subject, S("authority")));
    unsigned char hash[32];
    unsigned n;
    X509_digest(who.certificate, EVP_sha256(), hash, &n);
    assert_memory_equal(c->sha256, hash, 32);
    test_issuer_free(&who);
}

/* What a server sends besides proves nothing, and is not told: not an expired authority, and not another's name. */
static void only_the_chain_that_was_verified_is_told(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct test_spec s = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&authority, &s), alone = test_issue(NULL, &s);
    struct tls_seen seen;
    look(&who, stranger.certificate, "mx.test", &arena, &seen);
    assert_int_equal(seen.verdict, TLS_VERDICT_GOOD);
    assert_int_equal(seen.chain_n, 2);
    for (size_t i = 0; i < seen.chain_n; i++)
        assert_true(slice_eq(seen.chain[i].organisation, S("Known Ltd")));
    look(&alone, stranger.certificate, "mx.test", &arena, &seen);
    assert_int_equal(seen.verdict, TLS_VERDICT_SELF_SIGNED);
    assert_int_equal(seen.chain_n, 1);
    test_issuer_free(&who);
    test_issuer_free(&alone);
}

/* An arena that is too small is an error, no half of the facts. */
static void facts_have_a_ceiling(void **state)
{
    int fd[2];
    struct far far;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(64);
    struct test_spec s = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&authority, &s);
    struct tls_seen seen = {.version = "untouched"};
    pair_of_sockets(fd);
    far_open(&far, fd[1], &who);
    struct transport *t = tls_outgoing_new(trust, S("mx.test"), fd[0]);
    assert_int_equal(shake(t, far.ssl), OK);
    assert_int_equal(tls_outgoing_seen(t, &arena, &seen), ERR_LIMIT);
    assert_string_equal(seen.version, "untouched");
    t->ops->free(t);
    far_close(&far);
    test_issuer_free(&who);
    close(fd[0]);
    close(fd[1]);
}

/* ----------------------------------------------------------------------------------------------------- sessions */

static bool shake_with(
    const char *list, int max_version, struct arena *arena, struct tls_seen *seen, enum tls_break *ret_break)
{
    int fd[2], alert = 0;
    struct far far;
    struct test_spec s = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30, .weak_bits = 2048};
    struct test_issuer who = test_issue(&authority, &s);
    pair_of_sockets(fd);
    far_open(&far, fd[1], &who);
    SSL_set_max_proto_version(far.ssl, max_version);
    SSL_set_dh_auto(far.ssl, 1);
    assert_int_equal(SSL_set_cipher_list(far.ssl, list), 1);
    struct transport *t = tls_outgoing_new(trust, S("mx.test"), fd[0]);
    bool good = shake(t, far.ssl) == OK;
    if (good)
        assert_int_equal(tls_outgoing_seen(t, arena, seen), OK);
    *ret_break = tls_outgoing_break(t, NULL, &alert);
    t->ops->free(t);
    far_close(&far);
    test_issuer_free(&who);
    close(fd[0]);
    close(fd[1]);
    return good;
}

static void suites_and_versions_are_told(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct tls_seen seen;
    enum tls_break broken;
    assert_true(shake_with("AES128-GCM-SHA256", TLS1_2_VERSION, &arena, &seen, &broken));
    assert_false(seen.forward_secret);
    assert_string_equal(seen.cipher, "TLS_RSA_WITH_AES_128_GCM_SHA256");
    assert_string_equal(seen.version, "TLSv1.2");
    assert_int_equal(seen.group.n, 0);
    assert_true(shake_with("ECDHE-RSA-AES256-GCM-SHA384", TLS1_2_VERSION, &arena, &seen, &broken));
    assert_true(seen.forward_secret);
    assert_true(slice_eq(seen.chain[0].key, S("RSA 2048")));
    assert_true(shake_with("DHE-RSA-AES256-GCM-SHA384", TLS1_2_VERSION, &arena, &seen, &broken));
    assert_true(seen.forward_secret);
    assert_true(slice_starts(seen.group, S("DH ")));
    /* What this library does not do any more. */
    assert_false(shake_with("ALL:@SECLEVEL=0", TLS1_1_VERSION, &arena, &seen, &broken));
    assert_int_equal(broken, TLS_BREAK_VERSION);
    assert_false(shake_with("CAMELLIA128-SHA", TLS1_2_VERSION, &arena, &seen, &broken));
    assert_int_equal(broken, TLS_BREAK_CIPHER);
}

/* ------------------------------------------------------------------------------------------------------- breaks */

/* What our side makes of octets, or of their end. */
static enum tls_break
meets(struct slice octets, bool ends, enum err expected, int *ret_alert, struct buf *first)
{
    int fd[2];
    char hello[4096];
    pair_of_sockets(fd);
    struct transport *t = tls_outgoing_new(trust, S("mx.test"), fd[0]);
    unsigned want = 0;
    assert_int_equal(t->ops->write(t, "", 0, &want), 0);
    assert_int_equal(want, WATCH_READ);
    assert_true(read(fd[1], hello, sizeof hello) > 0);
    assert_int_equal(write(fd[1], octets.p, octets.n), octets.n);
    if (ends)
        shutdown(fd[1], SHUT_WR);
    assert_int_equal(shake(t, NULL), expected);
    const char *text = NULL;
    enum tls_break kind = tls_outgoing_break(t, &text, ret_alert);
    assert_int_equal(text[0] != '\0', kind != TLS_BREAK_NONE);
    buf_put(first, tls_outgoing_first(t));
    /* Nothing more happens on it. */
    if (expected != ERR_AGAIN) {
        assert_int_equal(t->ops->read(t, hello, 1, &want), ERR_CLOSED);
        assert_int_equal(t->ops->write(t, "x", 1, &want), ERR_CLOSED);
    }
    t->ops->shutdown(t);
    t->ops->free(t);
    close(fd[0]);
    close(fd[1]);
    return kind;
}

static void breaks_are_told_apart(void **state)
{
    static const struct {
        const char *octets;
        size_t n;
        bool ends;
        enum err e;
        enum tls_break kind;
        int alert;
    } cases[] = {
        {"* OK IMAP4rev1 ready\r\n", 22, false, ERR_SYNTAX, TLS_BREAK_PLAIN, -1},
        {"220 mx.test ESMTP\r\n", 19, false, ERR_SYNTAX, TLS_BREAK_PLAIN, -1},
        {"+OK POP3\r\n", 10, false, ERR_SYNTAX, TLS_BREAK_PLAIN, -1},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, true, ERR_SYNTAX, TLS_BREAK_PLAIN, -1},
        {"SSH-2.0-OpenSSH_9.2\r\n", 21, false, ERR_SYNTAX, TLS_BREAK_PLAIN, -1},
        {"+OK", 3, false, ERR_AGAIN, TLS_BREAK_PLAIN, -1},      /* and silence */
        {"+OK", 3, true, ERR_CLOSED, TLS_BREAK_PLAIN, -1},      /* and gone */
        {"\x16\x02", 2, false, ERR_AGAIN, TLS_BREAK_PLAIN, -1}, /* no TLS has such a number */
        {"", 0, true, ERR_CLOSED, TLS_BREAK_CLOSED, -1},
        {"\x16\x03\x03", 3, true, ERR_CLOSED, TLS_BREAK_CLOSED, -1},
        {"\x16\x03\x03\x00\x10\x02\x00", 7, true, ERR_CLOSED, TLS_BREAK_CLOSED, -1},
        {"\x16\x03\x03", 3, false, ERR_AGAIN, TLS_BREAK_NONE, -1},
        {"\x15\x03\x01\x00\x02\x02\x46", 7, false, ERR_SYNTAX, TLS_BREAK_VERSION, 70},
        {"\x15\x03\x00\x00\x02\x02\x28", 7, false, ERR_SYNTAX, TLS_BREAK_CIPHER, 40},
        {"\x15\x03\x03\x00\x02\x02\x28", 7, false, ERR_SYNTAX, TLS_BREAK_CIPHER, 40},
        {"\x15\x03\x03\x00\x02\x02\x47", 7, false, ERR_SYNTAX, TLS_BREAK_CIPHER, 71},
        {"\x15\x03\x03\x00\x02\x02\x50", 7, false, ERR_SYNTAX, TLS_BREAK_ALERT, 80},
        {"\x15\x03\x03\x00\x02\x02\x70", 7, false, ERR_SYNTAX, TLS_BREAK_ALERT, 112},
        {"\x15\x03\x03\x00\x02\x02\x74", 7, false, ERR_SYNTAX, TLS_BREAK_CLIENT_CERTIFICATE, 116},
        {"\x15\x03\x03\x00\x02\x01\x00", 7, false, ERR_CLOSED, TLS_BREAK_CLOSED, -1},
        /* a record that is one, and holds nonsense */
        {"\x16\x03\x03\x00\x04\x02\x00\x00\x00", 9, false, ERR_SYNTAX, TLS_BREAK_OTHER, -1},
        {"\x17\x03\x03\x00\x01x", 6, false, ERR_SYNTAX, TLS_BREAK_OTHER, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int alert = 0;
        struct buf first CLEANUP_BUF = BUF_INIT(64);
        enum tls_break kind =
            meets(slice_of(cases[i].octets, cases[i].n), cases[i].ends, cases[i].e, &alert, &first);
        if (kind != cases[i].kind || alert != cases[i].alert)
            fail_msg("case %zu: %d, alert %d", i, (int)kind, alert);
        assert_true(slice_starts(slice_of(cases[i].octets, cases[i].n), buf_slice(&first)));
    }
}

/* Sends what means nothing for ever, in records of 16 KiB: the library passes over it for as long as there is any. */
static void *flood(void *arg)
{
    int fd = *(int *)arg;
    static char record[5 + 16384];
    record[0] = 22, record[1] = 3, record[2] = 3, record[3] = 0x40,
    record[4] = 0; /* HelloRequests: type and length 0 */
    while (send(fd, record, sizeof record, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

static void a_flood_does_not_hold_us(void **state)
{
    int fd[2];
    pthread_t thread;
    unsigned want = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
    struct transport *t = tls_outgoing_new(trust, S("mx.test"), fd[0]);
    assert_int_equal(pthread_create(&thread, NULL, flood, &fd[1]), 0);
    ssize_t n = 0;
    while (n == 0) /* each call ends, and so do they */
        n = t->ops->write(t, "", 0, &want);
    assert_int_equal(n, ERR_LIMIT);
    const char *text;
    int alert;
    assert_int_equal(tls_outgoing_break(t, &text, &alert), TLS_BREAK_OTHER);
    assert_string_equal(text, "more than a handshake has");
    t->ops->free(t);
    close(fd[0]);
    pthread_join(thread, NULL);
    close(fd[1]);
}

static int take_any(X509_STORE_CTX *ctx, void *arg)
{
    return 1;
}

static enum tls_break wants_certificate(int version, enum err *ret_e, bool demands)
{
    int fd[2];
    struct far far;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct test_spec s = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&authority, &s);
    struct tls_seen seen;
    pair_of_sockets(fd);
    far_open(&far, fd[1], &who);
    SSL_CTX_set_cert_verify_callback(far.ctx, take_any, NULL);
    SSL_set_max_proto_version(far.ssl, version);
    SSL_set_verify(far.ssl, SSL_VERIFY_PEER | (demands ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    struct transport *t = tls_outgoing_new(trust, S("mx.test"), fd[0]);
    enum err e = shake(t, far.ssl);
    for (int i = 0; e == OK && i < 3; i++) { /* TLS 1.3 says it after our side is done */
        char c;
        unsigned want = 0;
        SSL_do_handshake(far.ssl);
        ERR_clear_error();
        ssize_t n = t->ops->read(t, &c, 1, &want);
        e = n < 0 ? (enum err)n : OK;
    }
    if (e == OK) {
        assert_int_equal(tls_outgoing_seen(t, &arena, &seen), OK);
        assert_true(seen.asks_certificate);
    }
    enum tls_break kind = tls_outgoing_break(t, NULL, NULL);
    t->ops->free(t);
    far_close(&far);
    test_issuer_free(&who);
    close(fd[0]);
    close(fd[1]);
    *ret_e = e;
    return kind;
}

static void a_certificate_of_ours_is_demanded(void **state)
{
    enum err e;
    assert_int_equal(wants_certificate(TLS1_2_VERSION, &e, true), TLS_BREAK_CLIENT_CERTIFICATE);
    assert_int_equal(e, ERR_SYNTAX);
    assert_int_equal(wants_certificate(TLS1_3_VERSION, &e, true), TLS_BREAK_CLIENT_CERTIFICATE);
    assert_int_equal(e, ERR_SYNTAX);
    assert_int_equal(wants_certificate(TLS1_2_VERSION, &e, false), TLS_BREAK_NONE);
    assert_int_equal(e, OK);
    assert_int_equal(wants_certificate(TLS1_3_VERSION, &e, false), TLS_BREAK_NONE);
    assert_int_equal(e, OK);
}

/* ------------------------------------------------------------------------------------------- the house's server */

static const struct tls_kind kinds[] = {{"imaps", NULL, false}};

static void on_input(struct stream *s, void *owner)
{
    stream_put(s, stream_input(s));
    stream_take(s, stream_input(s).n);
}

static void on_closed(struct stream *s, enum err why, void *owner)
{
    *(enum err *)owner = why;
}

static void put_pem(const struct test_issuer *who, struct buf *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, who->key, NULL, NULL, 0, NULL, NULL);
    test_pem_take(bio, key);
}

/* Octets there and back, channel bindings that agree, and a goodbye that the server hears. */
static void talks_with_the_house(void **state)
{
    static const struct stream_events events = {on_input, NULL, on_closed};
    static const struct stream_limits limits = {.input = 16384, .output_high = 65536, .output_max = 1000000};
    int fd[2];
    enum err ended = OK;
    struct buf chain = BUF_INIT(100000), key = BUF_INIT(100000), ours = BUF_INIT(64), theirs = BUF_INIT(64);
    struct test_spec spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&authority, &spec);
    test_issuer_put(&who, &chain);
    put_pem(&who, &key);
    pair_of_sockets(fd);
    struct loop *loop = loop_new();
    struct tls_set *set = tls_set_new(kinds, 1, false);
    assert_int_equal(tls_set_add(set, buf_slice(&chain), buf_slice(&key), SLICE_EMPTY, false), TLS_FINE);
    struct stream *s = stream_new(loop, fd[1], &limits, &events, &ended);
    struct transport *server = tls_server_new(set, 0, fd[1], loop, NULL);
    stream_set_transport(s, server);
    struct transport *t = tls_outgoing_new(trust, S("mx.test"), fd[0]);
    uint8_t a[32], b[32];
    assert_int_equal(tls_outgoing_exporter(t, a), ERR_STATE);
    unsigned want;
    for (int i = 0; i < 20; i++) {
        assert_true(t->ops->write(t, "", 0, &want) >= 0);
        loop_turn(loop, 0);
    }
    assert_true(tls_outgoing_is_ready(t));
    assert_int_equal(tls_outgoing_exporter(t, a), OK);
    assert_int_equal(tls_exporter(server, b), OK);
    assert_memory_equal(a, b, 32);
    assert_int_equal(tls_outgoing_end_point(t, &ours), OK);
    assert_int_equal(tls_end_point(server, &theirs), OK);
    assert_true(slice_eq(buf_slice(&ours), buf_slice(&theirs)));
    char back[16];
    ssize_t n = 0;
    assert_int_equal(t->ops->write(t, "hello", 5, &want), 5);
    for (int i = 0; i < 20 && n == 0; i++) {
        loop_turn(loop, 0);
        n = t->ops->read(t, back, sizeof back, &want);
    }
    assert_int_equal(n, 5);
    assert_memory_equal(back, "hello", 5);
    t->ops->shutdown(t);
    for (int i = 0; i < 20; i++)
        loop_turn(loop, 0);
    assert_int_equal(ended, ERR_CLOSED);
    t->ops->free(t);
    stream_close(&s);
    tls_set_unref(&set);
    loop_free(&loop);
    test_issuer_free(&who);
    close(fd[0]);
    buf_done(&chain);
    buf_done(&key);
    buf_done(&ours);
    buf_done(&theirs);
}

/* --------------------------------------------------------------------------------------------------- authorities */

static void authorities_that_are_none(void **state)
{
    struct tls_trust *none = NULL;
    assert_int_equal(tls_trust_new(S("no certificate"), &none), ERR_SYNTAX);
    assert_int_equal(
        tls_trust_new(S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), &none),
        ERR_SYNTAX);
    assert_null(none);
    assert_int_equal(tls_trust_new(SLICE_EMPTY, &none), OK);
    /* A host that can't be asked for. */
    char long_name[400];
    memset(long_name, 'a', sizeof long_name);
    assert_null(tls_outgoing_new(none, slice_of(long_name, sizeof long_name), 0));
    assert_null(tls_outgoing_new(none, slice_of("a\0b", 3), 0));
    tls_trust_free(&none);
}

/* What the person trusts by name need not be a root. */
static void what_is_named_is_trusted(void **state)
{
    static const struct test_spec spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    static const struct test_spec other = {.san = "DNS:other.test", .from_days = -1, .to_days = 30};
    struct tls_trust *usual = trust;
    struct test_issuer alone = test_issue(NULL, &spec), below = test_issue(&middle, &spec);
    struct test_issuer elsewhere = test_issue(&middle, &other);
    struct test_issuer *const servers[] = {&alone, &below, &elsewhere};
    const struct test_issuer *const named[] = {&alone, &middle, &elsewhere};
    static const enum tls_verdict verdicts[] = {TLS_VERDICT_GOOD, TLS_VERDICT_GOOD, TLS_VERDICT_NAME};
    for (int i = 0; i < 3; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
        struct buf pem CLEANUP_BUF = BUF_INIT(100000);
        struct tls_seen seen;
        test_issuer_put(named[i], &pem);
        assert_int_equal(tls_trust_new(buf_slice(&pem), &trust), OK);
        look(servers[i], NULL, "mx.test", &arena, &seen);
        assert_int_equal(seen.verdict, verdicts[i]);
        look(i ? &alone : &below, NULL, "mx.test", &arena, &seen);
        assert_int_not_equal(seen.verdict, TLS_VERDICT_GOOD);
        tls_trust_free(&trust);
    }
    trust = usual;
    test_issuer_free(&alone);
    test_issuer_free(&below);
    test_issuer_free(&elsewhere);
}

static void *many_looks(void *arg)
{
    struct test_issuer *who = arg;
    for (int i = 0; i < 10; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
        struct tls_seen seen;
        look(who, NULL, "mx.test", &arena, &seen);
        assert_int_equal(seen.verdict, TLS_VERDICT_CHAIN);
    }
    return NULL;
}

static void one_set_serves_threads(void **state)
{
    pthread_t threads[4];
    struct test_spec spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&middle, &spec);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_looks, &who), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    test_issuer_free(&who);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trouble_has_its_verdict),
        cmocka_unit_test(a_whole_chain_is_good_and_told),
        cmocka_unit_test(only_the_chain_that_was_verified_is_told),
        cmocka_unit_test(a_flood_does_not_hold_us),
        cmocka_unit_test(facts_have_a_ceiling),
        cmocka_unit_test(suites_and_versions_are_told),
        cmocka_unit_test(breaks_are_told_apart),
        cmocka_unit_test(a_certificate_of_ours_is_demanded),
        cmocka_unit_test(talks_with_the_house),
        cmocka_unit_test(authorities_that_are_none),
        cmocka_unit_test(what_is_named_is_trusted),
        cmocka_unit_test(one_set_serves_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
