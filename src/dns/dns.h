/* dns.h - asking the domain name system, and knowing whether the answer is proved (DNSSEC).        room: dns   runs in: cli
 *
 * The only room that knows libunbound. A question waits at most as long as it is told. One `struct dns` may be asked by several
 * threads at once. The hosts file counts, as it does for mail programs. Answers are foreign: names in them are checked to be
 * host names (lower-case A-labels without a dot at the end), others make the record be left out and counted.
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "base/arena.h"
#include "base/ip.h"
#include "loop/stop.h"

struct dns;
struct dns_options {
    struct slice server;     /* to ask, "192.0.2.1" or "192.0.2.1@5353"; empty: those of resolv.conf */
    struct slice anchor;     /* a file with trust anchors; empty: the system's, where there is one */
    const struct stop *stop; /* when it comes, no answer is waited for any more; NULL: never */
};
/* ERR_SYNTAX: options that make no sense; ERR_NOT_FOUND: a file that is not there; ERR_IO. */
fallible dns_new(const struct dns_options *options, struct dns **ret_dns);
void dns_free(struct dns **dns);

enum dns_type { DNS_A, DNS_AAAA, DNS_MX, DNS_SRV, DNS_TXT, DNS_CNAME };
enum dns_status {
    DNS_FOUND,
    DNS_NO_NAME,     /* NXDOMAIN */
    DNS_NO_RECORD,   /* the name is there, without records of this type */
    DNS_SERVER_FAIL, /* SERVFAIL and the like */
    DNS_REFUSED,
    DNS_SILENT, /* no answer in time */
    DNS_LOOP    /* CNAMEs that lead nowhere */
};
enum dns_proof { DNS_UNPROVED, DNS_PROVED, DNS_BOGUS };
struct dns_record {
    struct ip ip;                    /* A, AAAA */
    struct slice host;               /* MX, SRV, CNAME; empty for "." */
    uint16_t priority, weight, port; /* MX, SRV */
    struct slice text;               /* TXT */
};
struct dns_answer {
    enum dns_status status;
    enum dns_proof proof;
    struct slice why;       /* why it is bogus, or failed: for the evidence */
    struct slice canonical; /* where CNAMEs led; the name itself without */
    const struct dns_record *records;
    size_t count, left_out;
    uint64_t took_ms;
};
/* A bogus answer has no records. ERR_SYNTAX: not a name; ERR_LIMIT, ERR_IO. Texts are in the arena. */
fallible dns_ask(
    struct dns *dns, struct slice name, enum dns_type type, uint64_t within_ms, struct arena *arena,
    struct dns_answer *ret_answer);

#endif
