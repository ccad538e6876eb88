#include "tls/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/encode.h"
#include "base/mem.h"
#include "tls/private.h"

struct session {
    struct transport t;
    struct tls_hello hello;
    SSL *ssl;
    struct loop *loop;
    struct task *done;
    bool ready;
    bool starved; /* the last read found no whole record */
    bool broken;  /* no goodbye is possible any more */
    const char *failure;
};

static struct session *session_of(const struct transport *t);

/* -- octets below the records: the socket, without SIGPIPE -- */

int tls_socket_read(BIO *bio, char *into, int n)
{
    const struct transport *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(t->fd, into, (size_t)n, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static int socket_write(BIO *bio, const char *from, int n)
{
    const struct transport *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t put = send(t->fd, from, (size_t)n, MSG_NOSIGNAL);
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS))
        BIO_set_retry_write(bio);
    return (int)put;
}

static long socket_control(BIO *bio, int what, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return what == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_socket_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 127, "socket");
    assert(method);
    BIO_meth_set_read(method, tls_socket_read);
    BIO_meth_set_write(method, socket_write);
    BIO_meth_set_ctrl(method, socket_control);
    return method;
}

BIO *tls_socket_new(const BIO_METHOD *method, struct transport *t)
{
    BIO *bio = BIO_new(method);
    if (bio) {
        BIO_set_data(bio, t);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* -- the transport -- */

static void note_ready(struct session *s)
{
    if (s->ready || !SSL_is_init_finished(s->ssl))
        return;
    s->ready = true;
    if (s->done)
        loop_defer(s->loop, s->done);
}

/* What a failed read or write means: 0 with *want, or the end. */
static ssize_t outcome(struct session *s, int result, unsigned *want)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *want = WATCH_READ;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        *want = WATCH_WRITE;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return ERR_CLOSED;
    case SSL_ERROR_SYSCALL:
        s->broken = true;
        return errno == 0 || errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED : ERR_IO;
    default:
        s->broken = true;
        s->failure = ERR_reason_error_string(ERR_peek_error());
        ERR_clear_error();
        return ERR_SYNTAX;
    }
}

static ssize_t tls_read(struct transport *t, void *into, size_t n, unsigned *want)
{
    struct session *s = session_of(t);
    size_t got;
    ERR_clear_error();
    errno = 0;
    int result = SSL_read_ex(s->ssl, into, n, &got);
    note_ready(s);
    s->starved = result != 1;
    return result == 1 ? (ssize_t)got : outcome(s, result, want);
}

static ssize_t tls_write(struct transport *t, const void *from, size_t n, unsigned *want)
{
    struct session *s = session_of(t);
    size_t put;
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(s->ssl, from, n, &put);
    note_ready(s);
    return result == 1 ? (ssize_t)put : outcome(s, result, want);
}

static bool tls_pending(struct transport *t)
{
    struct session *s = session_of(t);
    /* Half a record inside is not readable before more comes from the socket. */
    return !s->starved && SSL_has_pending(s->ssl);
}

static void tls_shutdown(struct transport *t)
{
    struct session *s = session_of(t);
    if (!s->ready || s->broken)
        return;
    ERR_clear_error();
    SSL_shutdown(s->ssl);
    ERR_clear_error();
}

static void tls_free(struct transport *t)
{
    struct session *s = session_of(t);
    SSL_free(s->ssl);
    tls_set_unref(&s->hello.set);
    free(s);
}

static const struct transport_ops tls_ops = {
    .name = "tls",
    .read = tls_read,
    .write = tls_write,
    .pending = tls_pending,
    .shutdown = tls_shutdown,
    .free = tls_free,
};

static struct session *session_of(const struct transport *t)
{
    assert(t->ops == &tls_ops);
    return CONTAINER_OF((struct transport *)t, struct session, t);
}

bool transport_is_tls(const struct transport *t)
{
    return t->ops == &tls_ops;
}

struct transport *
tls_server_new(struct tls_set *set, unsigned kind, int fd, struct loop *loop, struct task *done)
{
    struct session *s = NEW(struct session);
    s->t = (struct transport){.ops = &tls_ops, .fd = fd};
    s->hello = (struct tls_hello){.set = tls_set_ref(set), .kind = kind};
    s->loop = loop;
    s->done = done;
    s->failure = "";
    s->ssl = SSL_new(tls_set_context(set, kind));
    BIO *bio = s->ssl ? tls_socket_new(tls_set_socket_method(set), &s->t) : NULL;
    if (!bio) {
        tls_free(&s->t);
        return NULL;
    }
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_app_data(s->ssl, &s->hello);
    SSL_set_accept_state(s->ssl);
    if (!tls_hello_bind(s->ssl, &s->hello) || !tls_client_ask(s->ssl, &s->hello)) {
        tls_free(&s->t);
        return NULL;
    }
    return &s->t;
}

/* -- facts -- */

SSL *tls_session_ssl(const struct transport *t)
{
    return session_of(t)->ssl;
}

struct tls_set *tls_session_set(const struct transport *t)
{
    return session_of(t)->hello.set;
}

const char *tls_failure(const struct transport *t)
{
    const char *failure = session_of(t)->failure;
    return failure ? failure : "unknown failure";
}

fallible tls_facts(const struct transport *t, struct tls_facts *ret_facts)
{
    const struct session *s = session_of(t);
    if (!s->ready)
        return ERR_STATE;
    const SSL_CIPHER *cipher = SSL_get_current_cipher(s->ssl);
    const unsigned char *protocol;
    unsigned protocol_n;
    SSL_get0_alpn_selected(s->ssl, &protocol, &protocol_n);
    *ret_facts = (struct tls_facts){
        .version = SSL_get_version(s->ssl),
        .cipher = SSL_CIPHER_standard_name(cipher),
        .bits = (unsigned)SSL_CIPHER_get_bits(cipher, NULL),
        .resumed = SSL_session_reused(s->ssl) == 1,
        .name = s->hello.name,
        .protocol = slice_of(protocol, protocol_n),
    };
    return OK;
}

void tls_put_description(const struct transport *t, struct buf *out)
{
    struct tls_facts facts;
    if (tls_facts(t, &facts) == OK)
        buf_printf(out, "%s %s", facts.version, facts.cipher);
}

void tls_put_fingerprint(const struct transport *t, struct buf *out)
{
    const struct session *s = session_of(t);
    if (s->ready)
        hex_put(out, slice_of(s->hello.fingerprint, sizeof s->hello.fingerprint));
}

fallible tls_ssl_exporter(SSL *ssl, uint8_t out[32])
{
    /* RFC 9266 3: before TLS 1.3 only with the extended master secret. */
    if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
        return ERR_UNSUPPORTED;
    static const char label[] = "EXPORTER-Channel-Binding";
    static const unsigned char no_context[1];
    if (SSL_export_keying_material(ssl, out, 32, label, sizeof label - 1, no_context, 0, 1) != 1)
        return ERR_UNSUPPORTED;
    return OK;
}

fallible tls_certificate_end_point(const X509 *certificate, struct buf *out)
{
    int hash = NID_undef;
    if (!certificate || OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &hash, NULL) != 1 ||
        hash == NID_undef)
        return ERR_UNSUPPORTED;
    /* RFC 5929 4.1: in place of MD5 and SHA-1 stands SHA-256. */
    if (hash == NID_md5 || hash == NID_sha1)
        hash = NID_sha256;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (X509_digest(certificate, EVP_get_digestbynid(hash), digest, &n) != 1)
        return ERR_UNSUPPORTED;
    buf_put(out, slice_of(digest, n));
    return buf_check(out);
}

fallible tls_exporter(const struct transport *t, uint8_t out[32])
{
    const struct session *s = session_of(t);
    return s->ready ? tls_ssl_exporter(s->ssl, out) : ERR_STATE;
}

fallible tls_end_point(const struct transport *t, struct buf *out)
{
    return tls_certificate_end_point(SSL_get_certificate(session_of(t)->ssl), out);
}
