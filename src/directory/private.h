/* private.h - what the files of directory/ share.                        room: directory   runs in: directory */
#ifndef DIRECTORY_PRIVATE_H
#define DIRECTORY_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "base/map.h"
#include "directory/link.h"

enum { ATTRIBUTES_MAX = 5 * LIMIT_DIRECTORY_ATTRIBUTES + 1 };

struct group_rule {
    const char *theirs; /* a DN, normal form, or the first name in one */
    const char *dn;     /* as the setting says, NULL: theirs is a name alone */
    struct slice ours;
};

struct directory {
    struct arena arena; /* of what follows */
    struct config_directory place;
    bool clear; /* no TLS: loopback, by the word of the administrator */
    const char *url, *host, *base, *bind_dn;
    struct slice filter;
    struct secret secret;
    const char *address, *id;
    const char *names_of[LIMIT_DIRECTORY_ATTRIBUTES];
    size_t name_count;
    const char *quota, *groups, *members; /* NULL: none */
    struct group_rule *rules;
    size_t rule_count;
    char *attributes[ATTRIBUTES_MAX]; /* of a person, NULL-ended */
    struct names names;
    atomic_bool ending;   /* who waits gives up */
    pthread_mutex_t lock; /* of what follows */
    struct list idle;     /* links bound for searching */
    size_t idle_count;
    struct directory_health health;
};

/* ---- person.c ---- */

/* One entry; texts go to the arena. False: it has no address or no id. `member_of` (may be NULL): DNs in normal form to
 * group rules, from the groups' side. */
bool person_read(
    const struct directory *d, LDAP *ld, LDAPMessage *entry, const struct map *member_of, struct arena *arena,
    struct directory_person *ret_person);
/* "1000000", "500M", "5 G": octets; 0: nothing to be understood. */
uint64_t person_quota(struct slice text);
/* An id as text: itself when it is printable, else its octets in hex. Empty: too long. */
struct slice person_id(struct slice value, struct arena *arena);

/* ---- groups.c ---- */

/* Lower case, one spelling (RFC 4514); NULL: no DN. In the arena. */
const char *groups_normal_dn(struct slice dn, struct arena *arena);
/* The rules of the settings, once. */
void groups_read_rules(struct directory *d, const struct config *config);
/* The first rule that one of these values (memberOf) fits; empty: none. */
struct slice groups_of_values(const struct directory *d, struct berval **values);
/* The members of all groups of the rules, for a whole list: normal DN to rule. */
bool groups_load_members(
    const struct directory *d, struct link *l, struct directory_answer *a, struct arena *arena,
    struct map *ret_member_of);
/* The same question for one person; ret_group in the settings' memory. */
bool groups_of_member(
    const struct directory *d, struct link *l, const char *dn, struct directory_answer *a,
    struct slice *ret_group);

#endif
