/* probe.h - what would a server agree to? A hand-made ClientHello, and what comes back.       room: tls   runs in: cli
 *
 * The library knows neither old versions nor new groups; a probe knows them by number alone. It says hello, reads the answer, and
 * completes nothing: no key is made, no octet is sent after the first record. Pure: octets in, octets out.
 *
 * With TLS 1.3 the list of key shares stays empty, which RFC 8446 4.2.8 allows: the server names the group that it chooses in a
 * HelloRetryRequest, or refuses.
 *
 * Owns: nothing. Fails: as each function says. Limits: LIMIT_PROBE_HELLO, LIMIT_PROBE_ANSWER.
 */
#ifndef TLS_PROBE_H
#define TLS_PROBE_H

#include "base/buf.h"

/* Versions as they are on the wire. */
enum {
    PROBE_SSL30 = 0x0300,
    PROBE_TLS10 = 0x0301,
    PROBE_TLS11 = 0x0302,
    PROBE_TLS12 = 0x0303,
    PROBE_TLS13 = 0x0304
};

/* What a cipher suite is; its properties are or-ed. */
enum {
    SUITE_FORWARD = 1,   /* ephemeral keys of a server that proves itself */
    SUITE_STATIC = 2,    /* RSA key exchange */
    SUITE_ANONYMOUS = 4, /* nobody proves to be the server */
    SUITE_FINITE = 8,    /* finite-field Diffie-Hellman */
    SUITE_ELLIPTIC = 16, /* elliptic-curve Diffie-Hellman */
    SUITE_NULL = 32,     /* no encryption */
    SUITE_EXPORT = 64,   /* 40 bits; and simple DES */
    SUITE_RC4 = 128,
    SUITE_TRIPLE_DES = 256,
    SUITE_CBC = 512,
    SUITE_AEAD = 1024,
    SUITE_TLS13 = 2048
};
struct probe_suite {
    uint16_t id;
    uint16_t kinds;
    const char *name; /* IANA */
};
const struct probe_suite *probe_suites(size_t *ret_n); /* by number */
const struct probe_suite *probe_suite(uint16_t id);    /* NULL when unknown */

enum {
    GROUP_P256 = 0x0017,
    GROUP_P384 = 0x0018,
    GROUP_P521 = 0x0019,
    GROUP_X25519 = 0x001d,
    GROUP_X448 = 0x001e,
    GROUP_FFDHE2048 = 0x0100,
    GROUP_FFDHE3072 = 0x0101,
    GROUP_FFDHE4096 = 0x0102,
    GROUP_X25519MLKEM768 = 0x11ec
};
const char *probe_group_name(uint16_t id); /* NULL when unknown */

struct probe_ask {
    uint16_t
        version; /* the highest that is offered; TLS 1.3 is offered alone, the others with all that are older */
    const uint16_t *suites, *groups;
    size_t suite_n, group_n;
    struct slice host; /* server_name; empty: an address, for which nobody asks */
    uint8_t random
        [64]; /* fresh ones: the hello's, and the session id that TLS 1.3 sends for old devices in between */
};
/* The whole record. `out` says by buf_check whether it fitted LIMIT_PROBE_HELLO (60 suites and a name do). */
void probe_put(const struct probe_ask *ask, struct buf *out);

struct probe_answer {
    enum {
        PROBE_HELLO, /* the server agrees */
        PROBE_RETRY, /* and names the group that it would take */
        PROBE_ALERT, /* it refuses */
        PROBE_PLAIN  /* it does not speak TLS */
    } kind;
    uint16_t version, suite; /* of hello and retry */
    uint16_t group;          /* where it was said: retry, hello of TLS 1.3, elliptic key exchange; 0: not */
    unsigned prime_bits;     /* of the finite-field key exchange, where it was read; 0: not */
    unsigned alert;          /* number, 0 is close_notify */
    bool compression;        /* the server would compress (CRIME) */
    bool secure_renegotiation;
};
/* Reads what came so far. ERR_AGAIN: no end yet. ERR_SYNTAX: it begins like TLS and breaks its rules. ERR_LIMIT: a message
 * above LIMIT_PROBE_ANSWER. With `exchange` it reads on, where version and suite have one, to the server's key exchange. More
 * octets never change an answer that is there. */
fallible probe_read(struct slice octets, bool exchange, struct probe_answer *ret_answer);

#endif
