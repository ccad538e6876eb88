/* inspect.h - what a certificate file and a key file say, for `letterlock check`.           room: tls   runs in: cli
 *
 * Reads PEM texts and tells the facts; judges nothing but whether they fit together. Not: the loading of certificates
 * into a running gate, nor whether strangers will trust the chain.
 */
#ifndef TLS_INSPECT_H
#define TLS_INSPECT_H

#include "base/arena.h"

enum inspect_trouble {
    INSPECT_FINE,
    INSPECT_CHAIN_UNREADABLE, /* no PEM certificate in it */
    INSPECT_CHAIN_BROKEN,     /* a certificate is not the issuer of the one before it */
    INSPECT_KEY_UNREADABLE,   /* no PEM private key in it */
    INSPECT_KEY_ENCRYPTED,    /* under a passphrase, which nobody could type */
    INSPECT_KEY_MISMATCH,     /* the key of another certificate */
    INSPECT_KEY_WEAK,         /* RSA below 2048 bits, EC below 224 */
    INSPECT_TROUBLES
};

struct inspect_facts {
    size_t certificates;               /* in the chain */
    int64_t not_before_s, not_after_s; /* unix time, of the first */
    const struct slice *names;         /* DNS names and addresses of the first, as text, in the arena */
    size_t name_count;
    bool self_signed; /* the first vouches for itself */
};

/* Facts are given as far as they are known: always unless the chain is unreadable. */
enum inspect_trouble inspect_pair(
    struct slice chain_pem, struct slice key_pem, struct arena *arena, struct inspect_facts *ret_facts);
/* True when the certificate is good for the name: equal but for ASCII case, or "*." and all but its first label. */
bool inspect_covers(const struct inspect_facts *facts, struct slice name);
/* May this file say who vouches for clients (client_certificates)? As a gate reads it. */
bool inspect_authorities(struct slice pem);

#endif
