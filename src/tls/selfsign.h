/* selfsign.h - a private certificate authority and one server certificate from it.      room: tls   runs in: cli
 *
 * For `letterlock init` without a certificate of one's own: an EC P-256 authority that may vouch for nothing but the
 * given names (name constraints), and a server certificate with these names as its subject alternative names. People
 * import the authority once; the certificate can be made anew from it. Not: ACME, nor anything that runs in the server.
 *
 * Owns: `struct selfsign` owns its texts, wiped by selfsign_done. Fails: ERR_SYNTAX for a name that is neither a domain
 * name nor an address, ERR_LIMIT for too many, ERR_IO when the library refuses. Never logs.
 */
#ifndef TLS_SELFSIGN_H
#define TLS_SELFSIGN_H

#include "base/buf.h"

enum { SELFSIGN_NAMES_MAX = 32, SELFSIGN_FINGERPRINT_LEN = 32 };

struct selfsign_order {
    struct slice title;        /* of the authority, for people: "Letterlock mail.example.org" */
    const struct slice *names; /* DNS names (ASCII) and IP addresses, the first also as common name */
    size_t name_count;
    int64_t now_s;           /* unix time; both are valid from a day before, so that clocks may differ */
    unsigned authority_days; /* at most 7,300 */
    unsigned server_days;    /* Apple's programs take at most 825 */
};

struct selfsign {
    struct buf authority;     /* PEM certificate: what people import */
    struct buf authority_key; /* PEM, PKCS #8: whoever has it can vouch for these names */
    struct buf chain;         /* PEM: the server's certificate, then the authority's */
    struct buf key;           /* PEM, PKCS #8 */
    unsigned char fingerprint[SELFSIGN_FINGERPRINT_LEN]; /* SHA-256 of the authority's certificate */
};

fallible selfsign_make(const struct selfsign_order *order, struct selfsign *ret_made);
/* Wipes and frees; a zeroed one is left alone. */
void selfsign_done(struct selfsign *made);

#endif
