/* tls_facts.h - how well a server's encryption is set up: the raw facts that a grade is made of.   room: doctor   runs in: cli
 *
 * Filled in by the TLS step, judged elsewhere. Each set of bits has a companion that says what was asked at all: a bit that was
 * not asked says nothing, because probing stops when the patience ends or the server stops answering. Pure.
 */
#ifndef DOCTOR_TLS_FACTS_H
#define DOCTOR_TLS_FACTS_H

#include "base/buf.h"
#include "config/lang.h"

/* Versions of the protocol. */
enum {
    TLS_HAS_SSL30 = 1,
    TLS_HAS_TLS10 = 2,
    TLS_HAS_TLS11 = 4,
    TLS_HAS_TLS12 = 8,
    TLS_HAS_TLS13 = 16,
    TLS_HAS_OLD = TLS_HAS_SSL30 | TLS_HAS_TLS10 | TLS_HAS_TLS11 /* forbidden: RFC 7568, RFC 8996 */
};
/* Kinds of cipher suites that are accepted though nobody should offer them, worst first. */
enum {
    TLS_WEAK_NULL = 1,         /* no encryption at all */
    TLS_WEAK_ANONYMOUS = 2,    /* nobody is proved to be the server */
    TLS_WEAK_EXPORT = 4,       /* 40 and 56 bits; simple DES counts here, too */
    TLS_WEAK_RC4 = 8,          /* RFC 7465 */
    TLS_WEAK_TRIPLE_DES = 16,  /* blocks of 64 bits: SWEET32 */
    TLS_WEAK_STATIC = 32,      /* RSA key exchange: no forward secrecy */
    TLS_WEAK_CBC = 64,         /* of TLS 1.2 and older: no authenticated encryption */
    TLS_WEAK_SMALL_GROUP = 128 /* the server chose finite-field groups below 2048 bits */
};
/* Groups of the key exchange. */
enum {
    TLS_GROUP_HYBRID = 1, /* X25519MLKEM768: safe against what quantum computers may do later */
    TLS_GROUP_X25519 = 2,
    TLS_GROUP_P256 = 4,
    TLS_GROUP_P384 = 8,
    TLS_GROUP_P521 = 16,
    TLS_GROUP_FFDHE = 32 /* RFC 7919 */
};

struct tls_profile {
    bool shaken; /* a whole handshake was made: session and certificate below hold */
    bool probed; /* probes were sent: the bits below hold as far as they were asked */

    /* The session that was made with this library's own settings: what a mail program of today gets. */
    struct slice version, suite, group; /* "TLSv1.3", IANA name, "X25519" */
    bool forward_secret;

    /* The certificate. */
    bool verified;                       /* for this host, at this time, by a trusted issuer */
    struct slice key, signature, issuer; /* "RSA 2048", "SHA-256", "R11" */
    unsigned
        key_strength; /* bits of security by NIST SP 800-57: RSA 2048 and P-224 112, P-256 128; 0: unknown */
    bool weak_signature;               /* SHA-1, MD5 */
    int64_t not_before_s, not_after_s; /* unix time */
    int64_t days_left;                 /* negative: over */

    /* What probes found. */
    unsigned versions_asked, versions;         /* or-ed TLS_HAS_ */
    unsigned weak_asked, weak;                 /* or-ed TLS_WEAK_ */
    unsigned groups_asked, groups;             /* or-ed TLS_GROUP_ */
    bool starttls_stripped, starttls_injected; /* somebody in between, or a broken server */
};

/* The bits as people name them, parted by ", ": "TLS 1.3, TLS 1.2"; "X25519, P-256"; "RC4, 3DES". Most of
 * them are the same in all languages. */
void tls_put_versions(unsigned bits, enum lang lang, struct buf *out);
void tls_put_groups(unsigned bits, enum lang lang, struct buf *out);
void tls_put_weak(unsigned bits, enum lang lang, struct buf *out);

#endif
