/* private.h - what the files of this room share.                                   room: tls   runs in: gate cli */
#ifndef TLS_PRIVATE_H
#define TLS_PRIVATE_H

#include "base/arena.h"
#include "loop/stream.h"
#include "tls/certificates.h"
#include "tls/openssl.h"
#include "tls/outgoing.h"
#include "tls/tickets.h"

/* A session's part that the callbacks of the library look at. */
struct tls_hello {
    struct tls_set *set;
    unsigned kind;
    struct slice name;            /* in the set's memory: the configured name that the client asked for */
    unsigned char fingerprint[8]; /* of what the client says it knows */
    bool shows_certificate;       /* the client; such a session gets no ticket (INV-33) */
};

/* The context that a session of this kind begins with. */
SSL_CTX *tls_set_context(struct tls_set *set, unsigned kind);
/* The certificate for a lower-case server name; NULL when no one serves it. *ret_name is the configured spelling. */
SSL_CTX *tls_set_find(const struct tls_set *set, struct slice name, struct slice *ret_name);
const struct tls_kind *tls_set_kind(const struct tls_set *set, unsigned kind);
struct tls_tickets *tls_set_tickets(struct tls_set *set, unsigned kind);
/* Who may vouch for clients; NULL: nobody, and clients are not asked. */
X509_STORE *tls_set_clients(const struct tls_set *set);
/* While the client's hello is looked at (fingerprint.c). */
void tls_hello_keep_fingerprint(SSL *ssl, struct tls_hello *hello);
/* Makes the session ask, where its set and kind want it (client.c). False: memory is out. */
bool tls_client_ask(SSL *ssl, const struct tls_hello *hello);
/* For every context: takes note of what the client shows, and lets the handshake go on. */
void tls_client_install(SSL_CTX *ctx);
/* All certificates of a PEM text, in order; NULL and a fault when it is damaged or has none. */
STACK_OF(X509) * tls_read_certificates(struct slice pem, enum tls_fault *ret_fault);
SSL *tls_session_ssl(const struct transport *t);
struct tls_set *tls_session_set(const struct transport *t);
/* Sets what a ticket of this session is bound to. */
bool tls_hello_bind(SSL *ssl, const struct tls_hello *hello);

/* How sessions reach their sockets, without SIGPIPE (session.c): the transport's descriptor, never waited for. */
const BIO_METHOD *tls_set_socket_method(const struct tls_set *set);
BIO_METHOD *tls_socket_method_new(void);
int tls_socket_read(BIO *bio, char *into, int n);
/* NULL when memory is out. */
BIO *tls_socket_new(const BIO_METHOD *method, struct transport *t);
/* Channel bindings of either side; the certificate is the server's (NULL: ERR_UNSUPPORTED). */
fallible tls_ssl_exporter(SSL *ssl, uint8_t out[32]);
fallible tls_certificate_end_point(const X509 *certificate, struct buf *out);

/* Parameters and callbacks that all contexts have. NULL when memory is out. */
SSL_CTX *tls_parameters_new(bool only_tls13);

/* Unix seconds of a certificate's time; 0 when it is malformed. */
int64_t tls_unix_time(const ASN1_TIME *time);
/* A DNS name or an address as text, in the arena; empty for other kinds. */
struct slice tls_name_text(const GENERAL_NAME *name, struct arena *arena);

/* -- the client's side: outgoing.c makes it, outgoing_seen.c reads it -- */

struct tls_outgoing {
    struct transport t;
    SSL *ssl;
    bool ready;
    bool starved;           /* the last read found no whole record */
    bool asked;             /* for a certificate of ours */
    int code[TLS_VERDICTS]; /* the library's number of the first trouble of each kind; 0: none */
    bool no_issuer;         /* a chain that ends early: kept apart until the verdict */
    unsigned char first[64];
    size_t first_n;
    size_t handshake_n; /* octets of the server before it was ready */
    size_t turn_n;      /* octets of the server in this call of ours */
    enum tls_break broken;
    const char *text; /* of the break */
    int alert;        /* that was received; -1: none */
};
struct tls_outgoing *tls_outgoing_of(const struct transport *t);
/* Whatever stands in a certificate: the texts are foreign, and in the arena. */
void tls_read_certificate(X509 *x, struct arena *arena, struct tls_certificate *c);
/* What was stapled (staple.c). `path`: the certificate and its issuers, as verification found them; `store`: the authorities. */
void tls_staple_read(
    struct slice der, STACK_OF(X509) * path, X509_STORE *store, int64_t now_s,
    struct tls_stapled *ret_stapled);
/* Does the certificate want a staple (RFC 7633)? */
bool tls_staple_is_demanded(const X509 *x);

#endif
