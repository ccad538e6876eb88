/* outgoing.h - the client's side of one TLS connection, and what it shows of the server.   room: tls   runs in: cli
 *
 * A transport as tls_server_new makes one, for who dials. The certificate is always verified against the authorities and the
 * name, and the result is told, but the handshake goes on: whoever wants to send a secret asks tls_outgoing_seen first. TLS 1.2
 * and 1.3 with the library's own settings (old versions are tls/probe.h's).
 *
 * A statement of the issuer about revocation is asked for (RFC 6066 8) and judged when the server brings one; nobody else is
 * ever asked. Limits: LIMIT_TLS_HANDSHAKE_OCTETS, LIMIT_TLS_TURN.
 */
#ifndef TLS_OUTGOING_H
#define TLS_OUTGOING_H

#include "base/arena.h"
#include "loop/stream.h"

/* The authorities: one set for many connections; read-only after it is made, and may be used by several threads. */
struct tls_trust;
/* The system's authorities, and those of the PEM text (may be empty), which need not be roots: an authority in between, or a
 * server's own certificate, is trusted as it stands. ERR_SYNTAX: a PEM text without a certificate. */
fallible tls_trust_new(struct slice pem, struct tls_trust **ret_trust);
void tls_trust_free(struct tls_trust **trust);

/* Over fd (not taken). `host`: the name that is asked for and verified, an A-label name or an address; not empty. Sessions are
 * not resumed: every handshake is a full one. A write of no octets goes on with the handshake. NULL when memory is out, or
 * the host is neither. */
struct transport *tls_outgoing_new(const struct tls_trust *trust, struct slice host, int fd);

/* What verification says. Of several troubles the first of this list, except that a wrong name comes behind an issuer whom
 * nobody knows, and behind a revocation (`also_name` then): another name would not help. A chain that ends early is told as TLS_VERDICT_CHAIN where
 * the issuer bears a known authority's organisation, or the server's own certificate says where its issuer's is to be had. */
enum tls_verdict {
    TLS_VERDICT_GOOD,
    TLS_VERDICT_NOT_YET,     /* the certificate begins in the future */
    TLS_VERDICT_EXPIRED,     /* or one of its issuers */
    TLS_VERDICT_NAME,        /* it is for other names */
    TLS_VERDICT_SELF_SIGNED, /* the server vouches for itself */
    TLS_VERDICT_UNKNOWN_CA,  /* the chain leads to somebody who is not trusted */
    TLS_VERDICT_REVOKED,     /* its issuer says so, in what the server itself brought along */
    TLS_VERDICT_CHAIN,       /* an issuer in between was not sent, and is not known */
    TLS_VERDICT_WEAK,        /* a key or signature too weak to be believed */
    TLS_VERDICT_PURPOSE,     /* not made for servers */
    TLS_VERDICT_OTHER,
    TLS_VERDICTS
};
struct tls_certificate {
    struct slice subject,
        issuer;                /* the common name, else the organisation, else the whole name in one line */
    struct slice organisation; /* of the issuer */
    struct slice names;        /* DNS names and addresses it is for, joined by ", " */
    int64_t not_before_s, not_after_s;
    struct slice key, signature; /* "RSA 2048", "ECDSA P-256", "Ed25519"; "SHA-256" */
    unsigned key_strength;       /* bits of security (NIST SP 800-57): 112 for RSA 2048 */
    bool self_signed;
    uint8_t sha256[32];
};
enum { TLS_CHAIN_MAX = 10 };
/* What the server brings along about its certificate (OCSP, RFC 6960). Only what the issuer, or whom it named for that, has signed
 * is told as its word. */
enum tls_staple {
    TLS_STAPLE_NONE,
    TLS_STAPLE_GOOD,
    TLS_STAPLE_REVOKED,
    TLS_STAPLE_OVER,    /* good, and its time is over */
    TLS_STAPLE_EARLY,   /* good, and its time has not come */
    TLS_STAPLE_UNKNOWN, /* the issuer does not know such a certificate */
    TLS_STAPLE_REFUSED, /* an error in the place of a statement; nobody signs those */
    TLS_STAPLE_BROKEN,  /* nothing about this certificate that its issuer signed */
    TLS_STAPLE_UNJUDGED /* the issuer's own certificate is not at hand */
};
struct tls_stapled {
    enum tls_staple kind;
    const char *text;                   /* the library's words on it, or ours; "" for NONE and GOOD */
    int64_t from_s, until_s, revoked_s; /* as it says; 0: it does not */
    bool demanded;                      /* the certificate wants one (RFC 7633) */
};
struct tls_seen {
    const char *version, *cipher; /* "TLSv1.3", IANA name */
    struct slice group;           /* of the key exchange: "X25519" */
    bool forward_secret;
    enum tls_verdict verdict;
    const char *verdict_text; /* the library's own words: for the evidence */
    bool also_name;           /* besides another trouble, the name is wrong too */
    bool asks_certificate;    /* of ours; we show none */
    /* The server's own, its issuer, and so on as far as verification came: whatever else was sent proves nothing. */
    struct tls_certificate chain[TLS_CHAIN_MAX];
    size_t chain_n;
    struct tls_stapled staple;
};
/* The first octets that the server sent, as they are on the wire, TLS or not: at most 64, good as long as the transport. */
struct slice tls_outgoing_first(const struct transport *t);
/* After the handshake (ERR_STATE before). Texts are in the arena. */
fallible tls_outgoing_seen(const struct transport *t, struct arena *arena, struct tls_seen *ret_seen);
bool tls_outgoing_is_ready(const struct transport *t);
/* Why it failed. The kinds that a doctor tells apart. */
enum tls_break {
    TLS_BREAK_NONE,
    TLS_BREAK_PLAIN,              /* the other side does not speak TLS: its octets are no record */
    TLS_BREAK_VERSION,            /* no common version (alert 70, or a ServerHello below TLS 1.2) */
    TLS_BREAK_CIPHER,             /* no common suite or group (alert 40, 71...) */
    TLS_BREAK_ALERT,              /* another alert */
    TLS_BREAK_CLIENT_CERTIFICATE, /* it wants one of ours (alert 116, or 42-46 after asking) */
    TLS_BREAK_WEAK,               /* the library refuses what is offered: small DH, short key */
    TLS_BREAK_CLOSED,             /* closed or reset in the middle */
    TLS_BREAK_OTHER
};
enum tls_break tls_outgoing_break(const struct transport *t, const char **ret_text, int *ret_alert);
/* Channel bindings for SCRAM-PLUS, as in session.h. */
fallible tls_outgoing_exporter(const struct transport *t, uint8_t out[32]);
fallible tls_outgoing_end_point(const struct transport *t, struct buf *out);

#endif
