/* The certificates of a TLS server: which one a name gets, and what is none. */
#include "tls/session_world.h"

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

int main(void)
{
    tls_library_start();
    const struct CMUnitTest tests[] = {
        TLS_TEST(test_certificate_by_name),
        cmocka_unit_test(test_bad_pairs),
        cmocka_unit_test(test_encrypted_and_weak_keys),
        TLS_TEST(test_pairs_from_descriptors),
        TLS_TEST(test_sessions_outlive_their_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
