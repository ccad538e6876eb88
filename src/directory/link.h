/* link.h - one connection to the LDAP server: made, secured, bound, asked; every wait has the same deadline.
 *                                                             room: directory   runs in: directory, on pool threads
 *
 * The socket is ours (names.h, net/connect.h), because libldap would look names up and wait for connections by rules of its own.
 * TLS is libldap's: the certificate must lead to directory_ca, be valid today and name the host of the setting. Referrals
 * are not followed: a password goes to the server of the setting and to nobody else.
 *
 * Owns: the socket and libldap's handle. A link on which anything failed is closed, never used again. Not for several
 * threads at once.
 */
#ifndef DIRECTORY_LINK_H
#define DIRECTORY_LINK_H

#include <ldap.h>

#include "base/list.h"
#include "directory/server.h"

struct link {
    struct list list; /* of links that wait for their next search */
    LDAP *ld;
    struct directory *directory;
    uint64_t until_ms; /* of the question that uses it */
    uint64_t used_ms;  /* the last one ended then */
};

/* What a failed step was, in a stable word and in words for the log. */
void answer_fail(struct directory_answer *a, const char *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_step(struct directory_answer *a, const char *step, bool good, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Connected and, unless the setting says otherwise, secured. False: a->reason says why not. */
bool link_open(struct directory *d, uint64_t until_ms, struct directory_answer *a, struct link **ret_link);
void link_close(struct link **l);

enum link_bound { LINK_BOUND, LINK_REFUSED, LINK_UNKNOWN };
/* A simple bind as dn. LINK_BOUND: the server said success, in so many words. LINK_REFUSED: it said that the password is
 * wrong. An empty name or password is never sent: RFC 4513 5.1.2 makes that a success for anybody. */
enum link_bound link_bind(struct link *l, const char *dn, struct slice password, struct directory_answer *a);

struct link_search {
    const char *base;
    int scope;
    const char *filter;
    char **attributes;
    int most;               /* entries; 0: no limit of ours */
    LDAPControl **controls; /* may be NULL */
};
/* The whole result, with its last message parsed: success, or a->reason.
 * At `most` entries the rest is not asked for. *ret_controls (may be NULL) are those of the last message. */
bool link_search(
    struct link *l, const struct link_search *s, struct directory_answer *a, LDAPMessage **ret_result,
    LDAPControl ***ret_controls);

#endif
