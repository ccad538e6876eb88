/* certificates.h - what TLS sessions are made from: certificates by name, and the house's parameters.
 *                                                                              room: tls   runs in: gate
 *
 * A set is built whole and then only read: reloading builds a new set, and when one of its pairs is bad the old set stays
 * in use (T-016). Sessions hold the set they began with.
 *
 * Parameters (T-008, T-014, T-015): TLS 1.2 (ECDHE with AES-GCM or ChaCha20 only) and 1.3; X25519, P-256, P-384; no
 * compression, renegotiation or early data; nothing below security level 2 (RSA 2048, SHA-256).
 *
 * A *kind* is a sort of listener (imaps, submission, ...). Session tickets are good only for the kind and the server name
 * that issued them (T-012): each kind has its own keys, which change every 12 hours, live in this process only, and are
 * wiped. A client that names application protocols (ALPN) must name one of its kind's, or is refused with alert 120
 * (T-011); a client that names none is served.
 *
 * Client certificates: a set that was given authorities (tls_set_add_clients) asks the clients of kinds that want it for a
 * certificate, and demands none. Whatever they show, the handshake goes on; who they are is asked of client.h.
 *
 * Owns: keys and certificates until the last session ends. Never logs.
 */
#ifndef TLS_CERTIFICATES_H
#define TLS_CERTIFICATES_H

#include "base/slice.h"

/* Once per process, before the sandbox: afterwards the library opens nothing. */
void tls_library_start(void);

struct tls_kind {
    const char *name;             /* "imaps"; part of what a ticket is bound to */
    const char *const *protocols; /* ALPN names, NULL-ended; NULL: none is acceptable */
    bool asks_clients;            /* for a certificate, when the set has authorities for them */
};

struct tls_set;
/* `kinds` is borrowed and must outlive the set and its sessions (a static table). */
struct tls_set *tls_set_new(const struct tls_kind *kinds, unsigned kind_count, bool only_tls13);
struct tls_set *tls_set_ref(struct tls_set *set);
void tls_set_unref(struct tls_set **set);

enum tls_fault {
    TLS_FINE,
    TLS_UNREADABLE,      /* the descriptor could not be read */
    TLS_TOO_LARGE,       /* LIMIT_PEM_FILE */
    TLS_NO_CERTIFICATE,  /* no PEM certificate in the chain's file */
    TLS_BAD_CERTIFICATE, /* one of them can't be parsed, or is too weak */
    TLS_NO_KEY,          /* no PEM private key, or a broken one */
    TLS_ENCRYPTED_KEY,   /* the key wants a pass phrase */
    TLS_MISMATCH,        /* the key is not that of the first certificate */
    TLS_EXPIRED,
    TLS_NOT_YET,  /* its time has not come */
    TLS_NO_NAMES, /* neither the configuration nor the certificate has a name */
    TLS_TOO_MANY, /* LIMIT_CERTIFICATES, LIMIT_CERTIFICATE_NAMES */
    TLS_FAULTS
};
/* "the private key does not belong to the first certificate of the chain": what and what to do. */
const char *tls_fault_text(enum tls_fault fault);

/* Adds one chain (leaf first) and its key, for the blank-separated names, or those of the leaf's subjectAltName when
 * `names` is empty. "*.example.test" serves one label more. The first pair also serves clients that name nothing or
 * something unknown; of two pairs with one name the first serves it. With `even_expired` the dates are not looked at (a
 * start without any other certificate; the caller warns). The caller wipes its PEM text. */
enum tls_fault tls_set_add(
    struct tls_set *set, struct slice chain_pem, struct slice key_pem, struct slice names, bool even_expired);
/* The same from two open files, read from their beginnings; what was read of the key is wiped. */
enum tls_fault
tls_set_add_files(struct tls_set *set, int chain_fd, int key_fd, struct slice names, bool even_expired);
/* The authorities (PEM, LIMIT_CLIENT_AUTHORITIES at most) that may vouch for clients: trusted as they stand in this file, for
 * nothing else. Once a set. The file variant reads from its beginning. TLS_NO_CERTIFICATE, TLS_BAD_CERTIFICATE, TLS_TOO_MANY,
 * TLS_TOO_LARGE, TLS_UNREADABLE. */
enum tls_fault tls_set_add_clients(struct tls_set *set, struct slice pem);
enum tls_fault tls_set_add_clients_file(struct tls_set *set, int fd);
bool tls_set_is_empty(const struct tls_set *set);

#endif
