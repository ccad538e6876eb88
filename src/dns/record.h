/* record.h - names and records of the domain name system, out of their octets.          room: dns   runs in: cli
 *
 * Private to the room, pure. Everything read here was sent by strangers: a name that is none, a record that is too short or
 * too long is an error, never a guess. Fails: ERR_SYNTAX, ERR_LIMIT (the arena).
 */
#ifndef DNS_RECORD_H
#define DNS_RECORD_H

#include "dns/dns.h"

/* A name as people type it, with or without the dot at its end: 1 to 253 octets, labels of 1 to 63 letters, digits, hyphens and
 * underscores (RFC 1035 2.3.1, RFC 2782), in lower case. */
fallible dns_name_of(struct slice text, struct arena *arena, struct slice *ret_name);
/* The data of one record. */
fallible
dns_record_read(enum dns_type type, struct slice data, struct arena *arena, struct dns_record *ret_record);
/* The number of a type on the wire. */
int dns_type_number(enum dns_type type);

/* The servers of a text in the form of resolv.conf(5), or of one "ADDRESS[@PORT]". */
struct dns_server {
    struct ip ip;
    uint16_t port;
};
enum { DNS_SERVERS = 3 }; /* MAXNS of resolv.conf(5) */
fallible dns_server_read(struct slice text, struct dns_server *ret_server);
/* How many there are, in their order; those that are no addresses are passed over. */
size_t dns_servers_read(struct slice resolv_conf, struct dns_server servers[DNS_SERVERS]);

/* The addresses of a name in a hosts file, as hosts(5) describes it; lines that are none are passed over, as mail programs do.
 * False: the name is not in it. True with *ret_count 0: it is, with addresses of the other family only. `type`: A or AAAA. */
bool dns_hosts_find(
    struct slice hosts, struct slice name, enum dns_type type, struct ip *ips, size_t room,
    size_t *ret_count);

#endif
