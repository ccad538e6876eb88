/* fetch.h - one file from the web.                                               room: doctor/steps   runs in: cli
 *
 * The only user of libcurl. Asks as a mail program does for what a domain publishes: without cookies, without any credentials,
 * never with the secret; the certificate must be for the host. Names are looked up by our own room (dns.h), so that the name
 * server that was wished counts; behind a SOCKS5 proxy the proxy looks them up. Redirects are followed a few times, never from
 * https to http, only to the web's own ports, and never from the internet into a private network, where a published redirect
 * could press buttons. May be called by several threads. Owns: nothing. Limits: LIMIT_DOCTOR_FETCH, LIMIT_DOCTOR_REDIRECTS.
 */
#ifndef DOCTOR_STEPS_FETCH_H
#define DOCTOR_STEPS_FETCH_H

#include "doctor/steps/visit.h"

struct fetch {
    const struct wishes *wishes; /* authorities and proxy */
    struct dns *dns;
    struct slice url;   /* http:// or https://, a host name in A-labels, the web's own port */
    struct slice post;  /* XML to be posted; empty: GET. Nothing is posted twice: no redirects then */
    uint64_t within_ms; /* for all of it */
    bool stay;          /* redirects are told and not followed */
};
struct fetched {
    unsigned status;    /* of the last answer */
    struct slice body;  /* of the last answer; in the arena */
    struct slice url;   /* that gave it */
    struct slice next;  /* where a redirect leads that was not followed; empty: none */
    bool authenticated; /* each of the answers came by https, from the host that was asked */
    int64_t date_s;     /* the server's own time (Date), UTC; 0: not said */
};
/* OK also for a status that is no success. ERR_NOT_FOUND: the host has no address; ERR_DENIED: its certificate is not good;
 * ERR_TIMEOUT; ERR_LIMIT: too much, or too many redirects; ERR_SYNTAX: no such URL, or no HTTP; ERR_CLOSED: nobody answers
 * there; ERR_IO. *ret_why (may be NULL): in words, in the arena, for the evidence. */
fallible
fetch_url(const struct fetch *f, struct arena *arena, struct fetched *ret_fetched, struct slice *ret_why);

/* ---- for tests ---- */

struct fetch_place {
    bool https;
    struct slice host; /* lower case */
};
/* ERR_SYNTAX: not the web, another port, a user name in it, an address in place of a name. */
fallible fetch_place_of(struct slice url, struct arena *arena, struct fetch_place *ret_place);
/* Of a private network, or of this machine. */
bool fetch_is_inner(const struct ip *ip);

#endif
