/* tls_peer.h - the other side of TLS for tests: certificates made on the spot, and a client on a socket.
 *
 * Uses the library directly: it stands for somebody else's program. Header-only, because each test is one file.
 */
#ifndef UNIT_TLS_PEER_H
#define UNIT_TLS_PEER_H

#include "test.h"

#include <errno.h>
#include <unistd.h>

#define ERR_STATE OPENSSL_ERR_STATE /* a type of the library; ours is an error */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "base/buf.h"
#include "base/mem.h"

struct test_pair {
    struct buf chain, key;
};

static inline void test_pem_take(BIO *bio, struct buf *out)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    buf_put(out, slice_of(p, (size_t)n));
    BIO_free(bio);
}

/* A self-signed P-256 certificate. `san` as in "DNS:a.test,DNS:b.test"; from and to in days from now. */
static inline struct test_pair test_pair_new(const char *san, int from_days, int to_days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from_days * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(x), to_days * 86400L);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    if (san) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
        assert_non_null(e);
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    struct test_pair p = {BUF_INIT(100000), BUF_INIT(100000)};
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    test_pem_take(bio, &p.chain);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    test_pem_take(bio, &p.key);
    X509_free(x);
    EVP_PKEY_free(key);
    return p;
}

static inline void test_pair_free(struct test_pair *p)
{
    buf_done(&p->chain);
    buf_wipe(&p->key);
}

/* Certificates of an authority, for clients. */
struct test_issuer {
    X509 *certificate;
    EVP_PKEY *key;
};

struct test_spec {
    const char *san;   /* as in OpenSSL's configuration; NULL: none */
    const char *usage; /* extended key usage; NULL: none */
    int from_days, to_days;
    bool is_ca;
    int weak_bits;            /* an RSA key of so many bits, in place of P-256 */
    const char *organisation; /* of the subject; NULL: none */
    const char *issuer_at;    /* authority information access, as in OpenSSL's configuration; NULL: none */
    bool sha1;                /* signed so */
    const char *feature;      /* TLS feature (RFC 7633): "status_request"; NULL: none */
};

static const char test_common_name[] = "alice@ours.test\0.evil.test";

static inline void test_add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;
    assert_true(!value || e);
    if (e)
        X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

/* The common name holds what a careless reader would take for an address. */
static inline struct test_issuer test_issue(const struct test_issuer *by, const struct test_spec *spec)
{
    static long serial;
    struct test_issuer made = {
        X509_new(), spec->weak_bits ? EVP_RSA_gen((unsigned)spec->weak_bits) : EVP_EC_gen("P-256")};
    X509 *x = made.certificate;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), spec->from_days * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(x), spec->to_days * 86400L);
    X509_set_pubkey(x, made.key);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(x), "CN", MBSTRING_ASC,
        (const unsigned char *)(spec->is_ca ? "authority" : test_common_name),
        spec->is_ca ? -1 : (int)sizeof test_common_name - 1, -1, 0);
    if (spec->is_ca) /* several of them must not have one name */
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(x), "OU", MBSTRING_ASC, (const unsigned char *)(by ? "middle" : "root"), -1,
            -1, 0);
    if (spec->organisation)
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(x), "O", MBSTRING_ASC, (const unsigned char *)spec->organisation, -1, -1,
            0);
    X509_set_issuer_name(x, X509_get_subject_name(by ? by->certificate : x));
    test_add_extension(x, NID_basic_constraints, spec->is_ca ? "critical,CA:TRUE" : NULL);
    test_add_extension(x, NID_ext_key_usage, spec->usage);
    test_add_extension(x, NID_subject_alt_name, spec->san);
    test_add_extension(x, NID_info_access, spec->issuer_at);
    test_add_extension(x, NID_tlsfeature, spec->feature);
    assert_true(X509_sign(x, by ? by->key : made.key, spec->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
    return made;
}

static inline void test_issuer_free(struct test_issuer *i)
{
    X509_free(i->certificate);
    EVP_PKEY_free(i->key);
}

static inline void test_issuer_put(const struct test_issuer *i, struct buf *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, i->certificate);
    test_pem_take(bio, pem);
}

/* What an authority says of a certificate, for a server to staple (RFC 6960). */
struct test_statement {
    const struct test_issuer *signer; /* NULL: the issuer itself */
    int status, reason;               /* V_OCSP_CERTSTATUS_, OCSP_REVOKED_STATUS_ */
    int from_hours, until_hours;      /* from now */
    bool endless;                     /* without an end */
    bool sha256;                      /* the certificate is named by this hash; else by SHA-1 */
};

static inline struct buf
test_staple(const struct test_issuer *about, const struct test_issuer *issuer, const struct test_statement *s)
{
    const struct test_issuer *signer = s->signer ? s->signer : issuer;
    struct buf out = BUF_INIT(100000);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id =
        OCSP_cert_to_id(s->sha256 ? EVP_sha256() : EVP_sha1(), about->certificate, issuer->certificate);
    ASN1_TIME *from = X509_gmtime_adj(NULL, s->from_hours * 3600L);
    ASN1_TIME *until = s->endless ? NULL : X509_gmtime_adj(NULL, s->until_hours * 3600L);
    ASN1_TIME *revoked = s->status == V_OCSP_CERTSTATUS_REVOKED ? X509_gmtime_adj(NULL, -86400) : NULL;
    assert_non_null(OCSP_basic_add1_status(basic, id, s->status, s->reason, revoked, from, until));
    assert_int_equal(OCSP_basic_sign(basic, signer->certificate, signer->key, EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *der = NULL;
    int n = i2d_OCSP_RESPONSE(response, &der);
    assert_true(n > 0);
    buf_put(&out, slice_of(der, (size_t)n));
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(revoked);
    return out;
}

/* A client on one end of a socket pair; non-blocking, driven by turns of the server's loop. */
struct test_client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
    SSL_SESSION *ticket;             /* the last one received */
    const struct test_issuer *shows; /* set before the handshake: its certificate */
};

static inline int test_client_keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct test_client *c = SSL_get_app_data(ssl);
    SSL_SESSION_free(c->ticket);
    c->ticket = session;
    return 1;
}

static inline void test_client_init(struct test_client *c, int fd, const char *name)
{
    c->fd = fd;
    c->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c->ctx, test_client_keep_ticket);
    c->ssl = SSL_new(c->ctx);
    SSL_set_fd(c->ssl, fd);
    SSL_set_connect_state(c->ssl);
    SSL_set_app_data(c->ssl, c);
    c->ticket = NULL;
    if (c->shows) {
        assert_int_equal(SSL_use_certificate(c->ssl, c->shows->certificate), 1);
        assert_int_equal(SSL_use_PrivateKey(c->ssl, c->shows->key), 1);
    }
    if (name)
        SSL_set_tlsext_host_name(c->ssl, name);
}

static inline void test_client_free(struct test_client *c)
{
    if (c->ssl)
        SSL_set_shutdown(
            c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* or its ticket would be spoiled */
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    SSL_SESSION_free(c->ticket);
    *c = (struct test_client){.fd = c->fd};
    ERR_clear_error();
}

/* What a read says: octets, 0 for "later", -1 for an end or failure. */
static inline int test_client_read(struct test_client *c, char *out, int n)
{
    ERR_clear_error();
    int got = SSL_read(c->ssl, out, n);
    if (got > 0)
        return got;
    int e = SSL_get_error(c->ssl, got);
    return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

#endif
