/* session.h - the server's side of one TLS connection, as a transport for a stream.             room: tls   runs in: gate
 *
 * The handshake happens inside the transport's read and write; the caller sets a deadline (LIMIT_TLS_HANDSHAKE) and is
 * told by its task when it is done. A handshake that fails, or a broken record, ends the stream with ERR_SYNTAX, and
 * tls_failure says why; an end with or without close_notify is ERR_CLOSED, after which nothing more is read (T-013).
 * Idle sessions hold no record buffers. Decrypted octets are wiped from the library's buffers.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include "base/buf.h"
#include "loop/stream.h"
#include "tls/certificates.h"

/* A transport over fd (not taken: it is the stream's), holding `set` (not empty). `done` (may be NULL) is deferred on the
 * loop once, when the handshake is complete; it must be stopped before it goes. NULL when memory is out. */
struct transport *
tls_server_new(struct tls_set *set, unsigned kind, int fd, struct loop *loop, struct task *done);

/* All of these are for transports made by tls_server_new; the answers are good until the transport is freed. */
struct tls_facts {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* IANA name: "TLS_AES_256_GCM_SHA384" */
    unsigned bits;       /* of the cipher's key */
    bool resumed;        /* by a ticket */
    struct slice name;   /* the server name that was asked for and is served; empty: none or an unknown one */
    struct slice protocol; /* by ALPN, or empty */
};
/* ERR_STATE before the handshake is complete. */
fallible tls_facts(const struct transport *t, struct tls_facts *ret_facts);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", for logs, Received and the vault. Nothing before the handshake is complete. */
void tls_put_description(const struct transport *t, struct buf *out);
/* 16 hex digits of what the client's hello says of its program: the same each time it comes. Nothing before the handshake is
 * complete. */
void tls_put_fingerprint(const struct transport *t, struct buf *out);
/* Channel binding tls-exporter (RFC 9266): 32 octets. ERR_UNSUPPORTED for TLS 1.2 without extended master secret. */
fallible tls_exporter(const struct transport *t, uint8_t out[32]);
/* tls-server-end-point (RFC 5929 4.1): the hash of our certificate. ERR_UNSUPPORTED for signatures without a hash. */
fallible tls_end_point(const struct transport *t, struct buf *out);
/* Why the session failed ("no application protocol"), or "" when it did not. */
const char *tls_failure(const struct transport *t);
bool transport_is_tls(const struct transport *t);

#endif
