/* private.h - what the files of this room share.                                       room: tls   runs in: gate */
#ifndef TLS_PRIVATE_H
#define TLS_PRIVATE_H

#include "loop/stream.h"
#include "tls/certificates.h"
#include "tls/openssl.h"
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
/* The whole file from its beginning. */
enum tls_fault tls_read_file(int fd, struct buf *out);
SSL *tls_session_ssl(const struct transport *t);
struct tls_set *tls_session_set(const struct transport *t);
/* Sets what a ticket of this session is bound to. */
bool tls_hello_bind(SSL *ssl, const struct tls_hello *hello);

/* How sessions of this set reach their sockets (session.c). */
const BIO_METHOD *tls_set_socket_method(const struct tls_set *set);
BIO_METHOD *tls_socket_method_new(void);

/* Parameters and callbacks that all contexts have. NULL when memory is out. */
SSL_CTX *tls_parameters_new(bool only_tls13);

#endif
