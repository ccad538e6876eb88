/* client.h - who the client says it is, by certificate.                                   room: tls   runs in: gate
 *
 * The certificate that a client showed in its handshake, looked at when somebody wants to know (SASL's EXTERNAL): its chain
 * must lead to one of the set's authorities, it must be made for clients, and be valid today. A handshake with a bad
 * certificate went on without it, and a session that had one gets no ticket (INV-33). Certificates that were revoked before
 * their end are not known to be: the vault's register decides who may still come in.
 *
 * An identity is two things: the SHA-256 of the certificate, and its address, which is the one rfc822Name of the subject's
 * alternative names (RFC 5280 4.2.1.6). Two of them, one with a NUL, with anything but printable ASCII, or with capitals (an
 * address is compared as it stands) are no address; the common name never is (T-017).
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include "base/limits.h"
#include "loop/stream.h"

enum { TLS_CLIENT_HASH_LEN = 32 };

struct tls_client {
    uint8_t hash[TLS_CLIENT_HASH_LEN]; /* SHA-256 of its DER */
    size_t name_n;                     /* 0: it has no address */
    char name[LIMIT_ADDRESS];
};

/* Was the client asked, when the session began? */
bool tls_client_was_asked(const struct transport *t);
/* For transports of tls_server_new, after the handshake. ERR_NOT_FOUND: the client showed none, or was not asked.
 * ERR_DENIED: it does not hold; *ret_why (may be NULL) then says why, for logs. */
fallible tls_client(const struct transport *t, struct tls_client *ret_client, const char **ret_why);

#endif
