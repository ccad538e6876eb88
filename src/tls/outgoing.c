/* The client's side: handshake, octets, and what the library's errors mean. What is seen of the server: outgoing_seen.c. */

#include "tls/outgoing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/mem.h"
#include "tls/private.h"

struct tls_trust {
    SSL_CTX *ctx;
    BIO_METHOD *socket;
};

/* ------------------------------------------------------------------------------------------------ verification */

static enum tls_verdict verdict_of(int code)
{
    static const struct {
        int code;
        enum tls_verdict verdict;
    } rows[] = {
        {X509_V_ERR_CERT_NOT_YET_VALID, TLS_VERDICT_NOT_YET},
        {X509_V_ERR_CERT_HAS_EXPIRED, TLS_VERDICT_EXPIRED},
        {X509_V_ERR_HOSTNAME_MISMATCH, TLS_VERDICT_NAME},
        {X509_V_ERR_IP_ADDRESS_MISMATCH, TLS_VERDICT_NAME},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TLS_VERDICT_SELF_SIGNED},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TLS_VERDICT_UNKNOWN_CA},
        {X509_V_ERR_CERT_UNTRUSTED, TLS_VERDICT_UNKNOWN_CA},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TLS_VERDICT_UNKNOWN_CA},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TLS_VERDICT_UNKNOWN_CA},
        {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TLS_VERDICT_UNKNOWN_CA},
        {X509_V_ERR_EE_KEY_TOO_SMALL, TLS_VERDICT_WEAK},
        {X509_V_ERR_CA_KEY_TOO_SMALL, TLS_VERDICT_WEAK},
        {X509_V_ERR_CA_MD_TOO_WEAK, TLS_VERDICT_WEAK},
        {X509_V_ERR_INVALID_PURPOSE, TLS_VERDICT_PURPOSE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return rows[i].verdict;
    return TLS_VERDICT_OTHER;
}

/* Takes note of each trouble and goes on to the next. */
static int on_trouble(int good, X509_STORE_CTX *ctx)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_outgoing *o = SSL_get_app_data(ssl);
    int code = X509_STORE_CTX_get_error(ctx);
    if (good || code == X509_V_OK)
        return 1;
    enum tls_verdict verdict = verdict_of(code);
    if (!o->code[verdict])
        o->code[verdict] = code;
    if (code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT)
        o->no_issuer = true;
    return 1;
}

/* In place of the library's own, which would end the handshake. */
static int on_verify(X509_STORE_CTX *ctx, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_outgoing *o = SSL_get_app_data(ssl);
    X509_VERIFY_PARAM *terms = X509_STORE_CTX_get0_param(ctx);
    (void)arg;
    X509_STORE_CTX_set_verify_cb(ctx, on_trouble);
    X509_VERIFY_PARAM_set_time(terms, clock_unix_s());
    X509_VERIFY_PARAM_set_auth_level(terms, 2); /* RSA 2048, SHA-256 */
    /* Who names an authority in between, or the server's own certificate, means just that. */
    X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_verify_cert(ctx) != 1 && !o->code[TLS_VERDICT_OTHER])
        o->code[TLS_VERDICT_OTHER] = X509_V_ERR_UNSPECIFIED;
    ERR_clear_error();
    return 1;
}

static int on_asked(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    struct tls_outgoing *o = SSL_get_app_data(ssl);
    (void)certificate, (void)key;
    o->asked = true;
    return 0; /* we have none */
}

/* ------------------------------------------------------------------------------------------------- authorities */

static fallible trust_add(X509_STORE *store, struct slice pem)
{
    enum tls_fault fault;
    if (!slice_trim(pem).n)
        return OK;
    STACK_OF(X509) *all = tls_read_certificates(pem, &fault);
    if (!all)
        return ERR_SYNTAX;
    enum err e = OK;
    for (int i = 0; i < sk_X509_num(all); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(all, i)) != 1)
            e = ERR_MEMORY;
    sk_X509_pop_free(all, X509_free);
    return e;
}

static bool is_flooded(const struct tls_outgoing *o)
{
    return !o->ready && o->handshake_n > LIMIT_TLS_HANDSHAKE_OCTETS;
}

/* Keeps what the server says first: a server that speaks no TLS is known by it. The library passes over records that mean
 * nothing for as long as there are any; who sends nothing else must not hold us there, so that after a turn's worth it looks as
 * if no more had come. */
static int first_read(BIO *bio, char *into, int n)
{
    struct tls_outgoing *o = tls_outgoing_of(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (is_flooded(o))
        return -1;
    if (o->turn_n >= LIMIT_TLS_TURN) {
        BIO_set_retry_read(bio);
        return -1;
    }
    int got = tls_socket_read(bio, into, n);
    for (int i = 0; i < got && o->first_n < sizeof o->first; i++)
        o->first[o->first_n++] = (unsigned char)into[i];
    o->turn_n += got > 0 ? (size_t)got : 0;
    o->handshake_n += got > 0 ? (size_t)got : 0;
    return got;
}

static bool set_up(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_mode(
        ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
    SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    SSL_CTX_set_client_cert_cb(ctx, on_asked);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1;
}

fallible tls_trust_new(struct slice pem, struct tls_trust **ret_trust)
{
    /* No openssl.cnf, which may forbid or allow what other programs on this machine use. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return ERR_MEMORY;
    struct tls_trust *trust = NEW(struct tls_trust);
    trust->ctx = SSL_CTX_new(TLS_client_method());
    trust->socket = tls_socket_method_new();
    enum err e = trust->ctx && set_up(trust->ctx) ? OK : ERR_MEMORY;
    if (e == OK) {
        BIO_meth_set_read(trust->socket, first_read);
        /* A system without a folder of authorities trusts nobody, and the verdicts say so. */
        (void)SSL_CTX_set_default_verify_paths(trust->ctx);
        e = trust_add(SSL_CTX_get_cert_store(trust->ctx), pem);
    }
    ERR_clear_error();
    if (e == OK)
        *ret_trust = trust;
    else
        tls_trust_free(&trust);
    return e;
}

void tls_trust_free(struct tls_trust **trust)
{
    if (!*trust)
        return;
    SSL_CTX_free((*trust)->ctx);
    BIO_meth_free((*trust)->socket);
    mem_free(trust);
}

/* ------------------------------------------------------------------------------------------------------ breaks */

static enum tls_break break_of_alert(const struct tls_outgoing *o, int alert)
{
    /* RFC 5246 7.2.2: who asked for a certificate and got none says handshake_failure, or what is wrong with it. */
    bool unsatisfied = alert == SSL_AD_HANDSHAKE_FAILURE ||
                       (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN);
    if (alert == SSL_AD_CERTIFICATE_REQUIRED || (o->asked && unsatisfied))
        return TLS_BREAK_CLIENT_CERTIFICATE;
    if (alert == SSL_AD_PROTOCOL_VERSION)
        return TLS_BREAK_VERSION;
    if (alert == SSL_AD_HANDSHAKE_FAILURE || alert == SSL_AD_INSUFFICIENT_SECURITY)
        return TLS_BREAK_CIPHER;
    return TLS_BREAK_ALERT;
}

static enum tls_break break_of_reason(int reason)
{
    static const struct {
        int reason;
        enum tls_break kind;
    } rows[] = {
        {SSL_R_UNSUPPORTED_PROTOCOL, TLS_BREAK_VERSION},
        {SSL_R_WRONG_SSL_VERSION, TLS_BREAK_VERSION},
        {SSL_R_WRONG_VERSION_NUMBER, TLS_BREAK_VERSION},
        {SSL_R_VERSION_TOO_LOW, TLS_BREAK_VERSION},
        {SSL_R_UNKNOWN_CIPHER_RETURNED, TLS_BREAK_CIPHER},
        {SSL_R_WRONG_CIPHER_RETURNED, TLS_BREAK_CIPHER},
        {SSL_R_WRONG_CURVE, TLS_BREAK_CIPHER},
        {SSL_R_DH_KEY_TOO_SMALL, TLS_BREAK_WEAK},
        {SSL_R_EE_KEY_TOO_SMALL, TLS_BREAK_WEAK},
        {SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, TLS_BREAK_WEAK},
        {SSL_R_WRONG_SIGNATURE_TYPE, TLS_BREAK_WEAK},
        /* RFC 5746: somebody could have spoken before us. */
        {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, TLS_BREAK_WEAK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].reason == reason)
            return rows[i].kind;
    return TLS_BREAK_OTHER;
}

/* RFC 8446 5.1: a type from 20 to 24, and 3 as the first half of the version. */
static bool is_record(const struct tls_outgoing *o)
{
    return o->first[0] >= 20 && o->first[0] <= 24 && (o->first_n < 2 || o->first[1] == 3);
}

static ssize_t broke(struct tls_outgoing *o, enum tls_break kind, const char *text, enum err e)
{
    if (o->broken == TLS_BREAK_NONE) {
        o->broken = kind;
        o->text = text ? text : "unknown failure";
    }
    ERR_clear_error();
    return e;
}

static ssize_t broke_by_library(struct tls_outgoing *o)
{
    unsigned long e = ERR_peek_error();
    int reason = ERR_GET_REASON(e);
    const char *text = ERR_reason_error_string(e);
    if (ERR_GET_LIB(e) != ERR_LIB_SSL)
        return broke(o, TLS_BREAK_OTHER, text, ERR_SYNTAX);
    if (reason < SSL_AD_REASON_OFFSET || reason > SSL_AD_REASON_OFFSET + 255)
        return broke(o, break_of_reason(reason), text, ERR_SYNTAX);
    o->alert = reason - SSL_AD_REASON_OFFSET;
    return broke(o, break_of_alert(o, o->alert), text, ERR_SYNTAX);
}

/* What a failed call means: 0 with *want, or the end. */
static ssize_t outcome(struct tls_outgoing *o, int result, unsigned *want)
{
    int problem = errno;
    if (is_flooded(o))
        return broke(o, TLS_BREAK_OTHER, "more than a handshake has", ERR_LIMIT);
    switch (SSL_get_error(o->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *want = WATCH_READ;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        *want = WATCH_WRITE;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return o->ready ? ERR_CLOSED : broke(o, TLS_BREAK_CLOSED, "closed in the handshake", ERR_CLOSED);
    case SSL_ERROR_SYSCALL:
        return broke(
            o, TLS_BREAK_CLOSED, problem ? "the connection broke" : "closed without a goodbye",
            problem == 0 || problem == EPIPE || problem == ECONNRESET ? ERR_CLOSED : ERR_IO);
    default:
        return broke_by_library(o);
    }
}

enum tls_break tls_outgoing_break(const struct transport *t, const char **ret_text, int *ret_alert)
{
    const struct tls_outgoing *o = tls_outgoing_of(t);
    /* Known by its first octets, whatever the library made of them, and even while it waits for more. */
    bool plain = !o->ready && o->first_n && !is_record(o);
    if (ret_text)
        *ret_text = plain ? "the answer is no TLS record" : o->text;
    if (ret_alert)
        *ret_alert = o->alert;
    return plain ? TLS_BREAK_PLAIN : o->broken;
}

struct slice tls_outgoing_first(const struct transport *t)
{
    const struct tls_outgoing *o = tls_outgoing_of(t);
    return slice_of(o->first, o->first_n);
}

/* --------------------------------------------------------------------------------------------------- transport */

/* Before each call of the library. */
static void begin_turn(struct tls_outgoing *o)
{
    o->turn_n = 0;
    ERR_clear_error();
    errno = 0;
}

/* After each call of the library. */
static void note_ready(struct tls_outgoing *o)
{
    o->ready = o->ready || SSL_is_init_finished(o->ssl);
}

static ssize_t outgoing_read(struct transport *t, void *into, size_t n, unsigned *want)
{
    struct tls_outgoing *o = tls_outgoing_of(t);
    size_t got;
    if (o->broken != TLS_BREAK_NONE)
        return ERR_CLOSED;
    begin_turn(o);
    int result = SSL_read_ex(o->ssl, into, n, &got);
    note_ready(o);
    o->starved = result != 1;
    return result == 1 ? (ssize_t)got : outcome(o, result, want);
}

static ssize_t outgoing_write(struct transport *t, const void *from, size_t n, unsigned *want)
{
    struct tls_outgoing *o = tls_outgoing_of(t);
    size_t put = 0;
    if (o->broken != TLS_BREAK_NONE)
        return ERR_CLOSED;
    begin_turn(o);
    int result = n ? SSL_write_ex(o->ssl, from, n, &put) : SSL_do_handshake(o->ssl);
    note_ready(o);
    return result == 1 ? (ssize_t)put : outcome(o, result, want);
}

static bool outgoing_pending(struct transport *t)
{
    struct tls_outgoing *o = tls_outgoing_of(t);
    return !o->starved && SSL_has_pending(o->ssl);
}

static void outgoing_shutdown(struct transport *t)
{
    struct tls_outgoing *o = tls_outgoing_of(t);
    if (!o->ready || o->broken != TLS_BREAK_NONE)
        return;
    ERR_clear_error();
    SSL_shutdown(o->ssl);
    ERR_clear_error();
}

static void outgoing_free(struct transport *t)
{
    struct tls_outgoing *o = tls_outgoing_of(t);
    SSL_free(o->ssl);
    free(o);
}

static const struct transport_ops outgoing_ops = {
    .name = "tls-outgoing",
    .read = outgoing_read,
    .write = outgoing_write,
    .pending = outgoing_pending,
    .shutdown = outgoing_shutdown,
    .free = outgoing_free,
};

struct tls_outgoing *tls_outgoing_of(const struct transport *t)
{
    assert(t->ops == &outgoing_ops);
    return CONTAINER_OF((struct transport *)t, struct tls_outgoing, t);
}

/* RFC 9525 6: the alternative names alone count, and a wildcard stands for one whole label. RFC 6066 3: an address is asked
 * for by nobody. */
static bool ask_for(SSL *ssl, struct slice host)
{
    struct ip ip;
    char name[LIMIT_DOMAIN + 1];
    X509_VERIFY_PARAM *terms = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(
        terms, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (ip_parse(host, &ip) == OK)
        return ip_is_v4(&ip) ? X509_VERIFY_PARAM_set1_ip(terms, ip.b + 12, 4) == 1
                             : X509_VERIFY_PARAM_set1_ip(terms, ip.b, 16) == 1;
    if (host.n >= sizeof name || memchr(host.p, 0, host.n))
        return false;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    return X509_VERIFY_PARAM_set1_host(terms, name, host.n) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct transport *tls_outgoing_new(const struct tls_trust *trust, struct slice host, int fd)
{
    assert(host.n); /* or any name would do */
    struct tls_outgoing *o = NEW(struct tls_outgoing);
    o->t = (struct transport){.ops = &outgoing_ops, .fd = fd};
    o->alert = -1;
    o->text = "";
    o->ssl = SSL_new(trust->ctx);
    BIO *bio = o->ssl ? tls_socket_new(trust->socket, &o->t) : NULL;
    if (bio)
        SSL_set_bio(o->ssl, bio, bio);
    if (!bio || !ask_for(o->ssl, host)) {
        ERR_clear_error();
        outgoing_free(&o->t);
        return NULL;
    }
    SSL_set_app_data(o->ssl, o);
    SSL_set_connect_state(o->ssl);
    return &o->t;
}

bool tls_outgoing_is_ready(const struct transport *t)
{
    return tls_outgoing_of(t)->ready;
}
