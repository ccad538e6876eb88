/* visit.h - what every step is given: the person's wishes, and the server it looks at.     room: doctor/steps   runs in: cli
 *
 * A visit is one server's check; several go on side by side, each on a thread of its own, up to the sign-in. Signing in happens
 * one server after the other, because what one of them answers decides what may be tried at the next. Wishes are read-only.
 */
#ifndef DOCTOR_STEPS_VISIT_H
#define DOCTOR_STEPS_VISIT_H

#include "base/ip.h"
#include "crypto/secret.h"
#include "dns/dns.h"
#include "doctor/examination.h"
#include "loop/stop.h"
#include "sasl/mechanism.h"
#include "tls/outgoing.h"

struct proxy {
    struct slice host; /* empty: none. SOCKS5 (RFC 1928), names are resolved there */
    uint16_t port;
};
struct wishes {
    struct slice address;        /* alice@example.org; may be empty when servers are given */
    struct slice user;           /* --user; empty: find out */
    const struct secret *secret; /* NULL: no sign-in. Never in an arena, a note or a message */
    bool is_token;
    const struct sasl_mechanism *only; /* the one way that the person chose; NULL: all */
    bool only_own;                     /* or the protocol's own command alone */
    struct proxy proxy;
    struct slice ca_pem;
    uint64_t patience_ms;    /* for one step with one server */
    bool clear_allowed;      /* the person agreed to send the password without verified TLS */
    bool unverified_allowed; /* and to servers that were found in a way that can be forged */
    bool send_test;          /* mail oneself a message */
    bool find;               /* look for servers of the domain besides those given */
    const struct stop *stop; /* when it comes, nothing is waited for any more; NULL: never */
    /* NULL: nobody to ask. May ask the person a question from the main thread; true is yes. */
    bool (*agrees)(void *owner, const struct checked *server, const struct diagnosis *about);
    void *owner;
};

struct talk;
struct visit {
    const struct wishes *wishes;
    const struct examination *whole; /* address, domain, provider: read-only meanwhile */
    struct checked *server;
    struct notes *notes; /* of this server */
    struct dns *dns;
    const struct tls_trust *trust;
    struct ip addresses[LIMIT_DOCTOR_ADDRESSES]; /* that answered, the fastest first; none behind a proxy */
    size_t address_count;
    /* In the place of a connection: for tests and fuzzers (talk_over). NULL: the network. */
    fallible (*dial)(void *owner, struct talk **ret_talk);
    void *dial_owner;
};

/* The steps with one server, in this order; each notes what it sees and does nothing when the one before says it is no use. */
void network_look(struct visit *v);  /* network.h: standing.connected, addresses */
void tls_look(struct visit *v);      /* tls.h: endpoint.security, standing.encrypted, .private_ */
void greeting_look(struct visit *v); /* greeting.h: standing.greeted, .letterlock, the offer */

#endif
