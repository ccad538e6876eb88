/* Client certificates: what T-017 lists, over whole handshakes with the library's own client, TLS 1.2 and 1.3. */
#include "tls_peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "tls/client.h"
#include "tls/session.h"

static const struct tls_kind kinds[] = {{"imaps", NULL, true}, {"smtp", NULL, false}};

static int t017; /* handshakes whose certificate gives nobody an identity or an address */
static struct test_issuer authority, stranger;
static struct buf authority_pem;
static const struct test_spec ca = {.from_days = -1, .to_days = 30, .is_ca = true};

static int setup(void **state)
{
    authority = test_issue(NULL, &ca);
    stranger = test_issue(NULL, &ca);
    authority_pem = BUF_INIT(100000);
    test_issuer_put(&authority, &authority_pem);
    return 0;
}

static int teardown(void **state)
{
    report_threat("T-017", t017);
    test_issuer_free(&authority);
    test_issuer_free(&stranger);
    buf_done(&authority_pem);
    return 0;
}

/* ---- one connection ---- */

struct world {
    struct loop *loop;
    struct tls_set *set;
    struct stream *s;
    struct test_client c;
};

static void on_input(struct stream *s, void *owner)
{
    (void)owner;
    stream_take(s, stream_input(s).n);
}

static void on_closed(struct stream *s, enum err why, void *owner)
{
    (void)s, (void)why;
    *(bool *)owner = true;
}

static const struct stream_events events = {on_input, NULL, on_closed};
static const struct stream_limits limits = {.input = 16384, .output_high = 65536, .output_max = 1000000};

static void open_world(struct world *w, unsigned kind, bool with_authority, bool *closed)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    w->loop = loop_new();
    w->set = tls_set_new(kinds, 2, false);
    struct test_pair p = test_pair_new("DNS:mx.test", -1, 30);
    assert_int_equal(
        tls_set_add(w->set, buf_slice(&p.chain), buf_slice(&p.key), SLICE_EMPTY, false), TLS_FINE);
    test_pair_free(&p);
    if (with_authority)
        assert_int_equal(tls_set_add_clients(w->set, buf_slice(&authority_pem)), TLS_FINE);
    w->s = stream_new(w->loop, fd[0], &limits, &events, closed);
    struct transport *t = tls_server_new(w->set, kind, fd[0], w->loop, NULL);
    assert_non_null(t);
    stream_set_transport(w->s, t);
    test_client_init(&w->c, fd[1], "mx.test");
}

static void close_world(struct world *w)
{
    stream_close(&w->s);
    int fd = w->c.fd;
    test_client_free(&w->c);
    close(fd);
    tls_set_unref(&w->set);
    loop_free(&w->loop);
}

static bool handshake(struct world *w)
{
    char octets[16];
    bool done = false;
    for (int i = 0; i < 30; i++) {
        ERR_clear_error();
        int r = SSL_do_handshake(w->c.ssl);
        int e = SSL_get_error(w->c.ssl, r);
        loop_turn(w->loop, 0);
        loop_turn(w->loop, 0);
        done |= r == 1;
        if (done)
            (void)test_client_read(&w->c, octets, sizeof octets); /* its tickets */
        else if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return false;
    }
    return done;
}

/* A handshake with this certificate (and what stands between it and its authority); it must succeed always. */
static enum err show(
    const struct test_issuer *who, X509 *between, int version, struct tls_client *ret_client,
    bool *ret_ticket)
{
    struct world w = {.loop = NULL};
    bool closed = false;
    open_world(&w, 0, true, &closed);
    SSL_set_security_level(w.c.ssl, 0);
    SSL_set_max_proto_version(w.c.ssl, version);
    if (who) {
        assert_int_equal(SSL_use_certificate(w.c.ssl, who->certificate), 1);
        assert_int_equal(SSL_use_PrivateKey(w.c.ssl, who->key), 1);
    }
    if (between)
        assert_int_equal(SSL_add1_chain_cert(w.c.ssl, between), 1);
    assert_true(handshake(&w));
    assert_false(closed);
    const char *why = "";
    enum err e = tls_client(stream_transport(w.s), ret_client, &why);
    assert_int_equal(e == ERR_DENIED, why[0] != '\0');
    if (ret_ticket)
        *ret_ticket = w.c.ticket && SSL_SESSION_has_ticket(w.c.ticket) == 1;
    close_world(&w);
    return e;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void expect(const struct test_issuer *by, const struct test_spec *spec, enum err e, const char *name)
{
    struct test_issuer who = test_issue(by, spec);
    for (int v = 0; v < 2; v++) {
        struct tls_client client = {.name_n = 0};
        enum err got = show(&who, NULL, versions[v], &client, NULL);
        if (got != e)
            print_message("%s: %s\n", spec->san ? spec->san : "(no names)", err_name(got));
        assert_int_equal(got, e);
        assert_true(slice_eq(slice_of(client.name, client.name_n), slice_str(name)));
        t017 += !client.name_n;
        unsigned char hash[32];
        unsigned n;
        X509_digest(who.certificate, EVP_sha256(), hash, &n);
        if (e == OK)
            assert_memory_equal(client.hash, hash, sizeof hash);
    }
    test_issuer_free(&who);
}

static void one_address_is_taken(void **state)
{
    struct test_spec s = {.san = "email:alice@ours.test", .from_days = -1, .to_days = 30};
    expect(&authority, &s, OK, "alice@ours.test");
    s.usage = "clientAuth,emailProtection";
    s.san = "email:alice@ours.test,DNS:laptop.ours.test,URI:https://ours.test/";
    expect(&authority, &s, OK, "alice@ours.test");
}

/* T-017: nobody's chain, or the wrong time or purpose: no identity at all, and the connection goes on. */
static void what_does_not_hold_is_nobody(void **state)
{
    struct test_spec good = {.san = "email:alice@ours.test", .from_days = -1, .to_days = 30};
    expect(&stranger, &good, ERR_DENIED, "");
    expect(NULL, &good, ERR_DENIED, ""); /* vouches for itself */
    struct test_spec s = good;
    s.to_days = -1, s.from_days = -9;
    expect(&authority, &s, ERR_DENIED, "");
    s.to_days = 30, s.from_days = 9;
    expect(&authority, &s, ERR_DENIED, "");
    s = good;
    s.usage = "serverAuth";
    expect(&authority, &s, ERR_DENIED, "");
    s = good;
    s.weak_bits = 1024;
    expect(&authority, &s, ERR_DENIED, "");
    /* Signed by a certificate that may not sign. */
    struct test_issuer leaf = test_issue(&authority, &good);
    struct test_issuer below = test_issue(&leaf, &good);
    struct tls_client client = {.name_n = 0};
    assert_int_equal(show(&below, leaf.certificate, TLS1_3_VERSION, &client, NULL), ERR_DENIED);
    test_issuer_free(&leaf);
    test_issuer_free(&below);
}

/* T-017: whose it is stays open: the certificate may be known by its hash, but has no address. */
static void names_that_are_no_address(void **state)
{
    static const char *const names[] = {
        NULL, /* the common name says alice@ours.test, and a NUL */
        "DNS:ours.test",
        "email:alice@ours.test,email:bob@ours.test",
        "email:alice@ours.test,email:alice@ours.test",
        "email:ALICE@OURS.TEST",
        "email:alice@Ours.test",
        "email:alice",
        "email:alice @ours.test",
        "otherName:1.3.6.1.5.5.7.8.9;UTF8:alice@ours.test",
        "email:alice@ours.test,otherName:1.3.6.1.5.5.7.8.9;UTF8:bob@ours.test",
        "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@ours.test",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct test_spec s = {.san = names[i], .from_days = -1, .to_days = 30};
        expect(&authority, &s, OK, "");
    }
}

/* An rfc822Name with octets that the configuration language can't write. */
static struct test_issuer with_octets(struct slice octets, int times)
{
    struct test_spec s = {.from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&authority, &s);
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, octets.p, (int)octets.n);
    GENERAL_NAME_set0_value(name, GEN_EMAIL, text);
    sk_GENERAL_NAME_push(names, name);
    X509_EXTENSION *e = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
    while (times--)
        X509_add_ext(who.certificate, e, -1);
    X509_EXTENSION_free(e);
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    assert_true(X509_sign(who.certificate, authority.key, EVP_sha256()) > 0);
    return who;
}

static void expect_octets(struct slice octets, int times, struct slice name)
{
    struct test_issuer who = with_octets(octets, times);
    struct tls_client client = {.name_n = 0};
    enum err e = show(&who, NULL, TLS1_3_VERSION, &client, NULL);
    assert_true(e == OK || (times > 1 && e == ERR_DENIED));
    assert_true(slice_eq(slice_of(client.name, client.name_n), name));
    t017 += !client.name_n;
    test_issuer_free(&who);
}

static void octets_that_no_address_has(void **state)
{
    char longest[LIMIT_ADDRESS + 1];
    memset(longest, 'a', sizeof longest);
    longest[100] = '@';
    expect_octets(S("alice@ours.test"), 1, S("alice@ours.test"));
    expect_octets(slice_of(longest, LIMIT_ADDRESS), 1, slice_of(longest, LIMIT_ADDRESS));
    expect_octets(slice_of(longest, LIMIT_ADDRESS + 1), 1, SLICE_EMPTY);
    expect_octets(S("alice@ours.test\0.evil.test"), 1, SLICE_EMPTY);
    expect_octets(S("alice@ours.test\0"), 1, SLICE_EMPTY);
    expect_octets(S("\0"), 1, SLICE_EMPTY);
    expect_octets(S(""), 1, SLICE_EMPTY);
    expect_octets(S("alice@ours.test\r\n"), 1, SLICE_EMPTY);
    expect_octets(S("\xd0\xb0lice@ours.test"), 1, SLICE_EMPTY); /* IDN: a Cyrillic a */
    expect_octets(S("alice@ours.test"), 2, SLICE_EMPTY);        /* the extension twice */
}

static void a_chain_may_have_something_between(void **state)
{
    struct test_issuer middle = test_issue(&authority, &ca);
    struct test_spec s = {.san = "email:alice@ours.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&middle, &s);
    struct tls_client client = {.name_n = 0};
    for (int v = 0; v < 2; v++) {
        assert_int_equal(show(&who, middle.certificate, versions[v], &client, NULL), OK);
        assert_int_equal(client.name_n, 15);
        assert_int_equal(show(&who, NULL, versions[v], &client, NULL), ERR_DENIED);
    }
    test_issuer_free(&who);
    test_issuer_free(&middle);
}

/* Nobody is asked for a certificate that no setting asks for; who shows none is served as before, tickets included. */
static void asking_demands_nothing(void **state)
{
    struct tls_client client;
    struct test_spec s = {.san = "email:alice@ours.test", .from_days = -1, .to_days = 30};
    struct test_issuer who = test_issue(&authority, &s);
    for (int v = 0; v < 2; v++) {
        bool ticket = false;
        assert_int_equal(show(NULL, NULL, versions[v], &client, &ticket), ERR_NOT_FOUND);
        assert_true(ticket);
        assert_int_equal(show(&who, NULL, versions[v], &client, &ticket), OK);
        assert_false(ticket); /* it is looked at anew each time */
    }
    for (int i = 0; i < 2; i++) {
        struct world w = {.loop = NULL};
        bool closed = false;
        open_world(&w, i == 0 ? 1 : 0, i == 0, &closed); /* a door that does not ask; no authority */
        assert_int_equal(SSL_use_certificate(w.c.ssl, who.certificate), 1);
        assert_int_equal(SSL_use_PrivateKey(w.c.ssl, who.key), 1);
        assert_true(handshake(&w));
        assert_int_equal(tls_client(stream_transport(w.s), &client, NULL), ERR_NOT_FOUND);
        close_world(&w);
    }
    test_issuer_free(&who);
}

static void files_of_authorities(void **state)
{
    struct tls_set *set = tls_set_new(kinds, 2, false);
    struct test_pair p = test_pair_new("DNS:mx.test", -1, 30);
    assert_int_equal(tls_set_add_clients(set, SLICE_EMPTY), TLS_NO_CERTIFICATE);
    assert_int_equal(tls_set_add_clients(set, S("hello")), TLS_NO_CERTIFICATE);
    assert_int_equal(tls_set_add_clients(set, buf_slice(&p.key)), TLS_NO_CERTIFICATE);
    assert_int_equal(
        tls_set_add_clients(set, S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        TLS_BAD_CERTIFICATE);
    struct test_spec leaf = {.san = "DNS:mx.test", .usage = "clientAuth", .from_days = -1, .to_days = 30};
    struct test_issuer one = test_issue(&authority, &leaf);
    struct buf pem CLEANUP_BUF = BUF_INIT(100000), many CLEANUP_BUF = BUF_INIT(1000000);
    test_issuer_put(&one, &pem);
    assert_int_equal(
        tls_set_add_clients(set, buf_slice(&pem)), TLS_BAD_CERTIFICATE); /* may vouch for nobody */
    for (int i = 0; i <= LIMIT_CLIENT_AUTHORITIES; i++)
        buf_put(&many, buf_slice(&authority_pem));
    assert_int_equal(tls_set_add_clients(set, buf_slice(&many)), TLS_TOO_MANY);
    while (many.n <= LIMIT_PEM_FILE)
        buf_put(&many, buf_slice(&authority_pem));
    assert_int_equal(tls_set_add_clients(set, buf_slice(&many)), TLS_TOO_LARGE);
    assert_int_equal(tls_set_add_clients_file(set, -1), TLS_UNREADABLE);
    assert_int_equal(tls_set_add_clients(set, buf_slice(&authority_pem)), TLS_FINE);
    test_issuer_free(&one);
    test_pair_free(&p);
    tls_set_unref(&set);
}

int main(void)
{
    tls_library_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_is_taken),
        cmocka_unit_test(what_does_not_hold_is_nobody),
        cmocka_unit_test(names_that_are_no_address),
        cmocka_unit_test(octets_that_no_address_has),
        cmocka_unit_test(a_chain_may_have_something_between),
        cmocka_unit_test(asking_demands_nothing),
        cmocka_unit_test(files_of_authorities),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
