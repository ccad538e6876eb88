/* names.h - the addresses of the LDAP server's name.                     room: directory   runs in: directory
 *
 * In the jail there is no name service of the C library: it would open files. What the machine's own files say (hosts,
 * name servers) is read before the jail, and questions go out from within it, over UDP to those name servers. A forged
 * answer can only lead to a server that the certificate check refuses; so nothing more is asked of DNS than addresses.
 *
 * Owns: nothing outside the struct. Limits: NAMES_SERVERS, NAMES_FOUND. Blocks for at most the time given: pool threads.
 */
#ifndef DIRECTORY_NAMES_H
#define DIRECTORY_NAMES_H

#include "base/ip.h"

enum { NAMES_SERVERS = 3, NAMES_FOUND = 8, NAMES_PACKET = 1232 };

struct names {
    struct ip servers[NAMES_SERVERS];
    size_t server_count;
    struct ip fixed[NAMES_FOUND]; /* of the hosts file */
    size_t fixed_count;
};

/* What these two files say; `host` is the name we shall ask for. Both are the machine's own and are believed. */
void names_read_hosts(struct names *names, struct slice hosts, struct slice host);
void names_read_servers(struct names *names, struct slice resolv_conf);

/* Blocks. Up to NAMES_FOUND addresses; ERR_NOT_FOUND: the name has none; ERR_TIMEOUT; ERR_UNAVAILABLE: nobody to ask. */
fallible names_find(
    const struct names *names, const char *host, uint64_t until_ms, struct ip found[NAMES_FOUND],
    size_t *ret_count);

/* For tests: a question for the host's addresses of one family, and the addresses in an answer to it. Returns the question's
 * length, 0 when the name cannot be asked for. */
size_t names_question(const char *host, bool v6, uint16_t id, unsigned char out[NAMES_PACKET]);
/* ERR_PROTOCOL: no answer to this question; ERR_NOT_FOUND: the name does not exist; ERR_AGAIN: this server cannot tell. */
fallible
names_answer(struct slice question, struct slice answer, struct ip found[NAMES_FOUND], size_t *count);

#endif
