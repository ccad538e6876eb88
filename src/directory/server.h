/* server.h - what is asked of an LDAP server.                            room: directory   runs in: directory
 *
 * Every function with a deadline waits and belongs on a pool thread; several threads may ask at once. A question that finds
 * the server away, slow, odd or ambiguous ends with "later" and a reason, never with yes.
 *
 * INV-D1  A yes is a simple bind, answered with success, as exactly the one entry that the search found, whose id is the one
 *         that the account was made from, with a password that is not empty, over TLS that was verified (or the loopback
 *         that the administrator named).
 * INV-D2  A person's password is sent to the server of the setting, once, and is neither kept nor logged.
 *
 * Owns: connections for searching (one a thread at most), the copies of settings, the secret that was handed in. Limits:
 * LIMIT_DIRECTORY_WAIT, LIMIT_DIRECTORY_ENTRIES, LIMIT_DIRECTORY_MEMORY, LIMIT_DIRECTORY_PDU. Never logs.
 */
#ifndef DIRECTORY_SERVER_H
#define DIRECTORY_SERVER_H

#include "base/arena.h"
#include "config/config.h"
#include "crypto/secret.h"
#include "directory/names.h"

struct directory;

/* Before the jail, once in a process: libldap reads its own files never, the CA now. `ca_fd` -1: no TLS. ERR_CORRUPT: that
 * is no file of certificates. */
fallible directory_library_init(int ca_fd);

/* `secret` becomes the directory's. */
struct directory *
directory_new(const struct config *config, const struct names *names, struct secret *secret);
/* Questions end soon, with "later": before the threads are waited for. */
void directory_hurry(struct directory *d);
void directory_free(struct directory **d);

enum directory_verdict { DIRECTORY_YES, DIRECTORY_NO, DIRECTORY_AMBIGUOUS, DIRECTORY_LATER };

enum { DIRECTORY_REASON = 64, DIRECTORY_DETAIL = 256, DIRECTORY_STEPS = 8 };
struct directory_step {
    const char *name;
    bool good;
    char detail[DIRECTORY_DETAIL];
};
struct directory_answer {
    char reason
        [DIRECTORY_REASON]; /* stable words: ok wrong-password not-found other-person several unreachable timeout tls bind ... */
    char detail[DIRECTORY_DETAIL]; /* for the log */
    bool wants_steps;
    struct directory_step steps[DIRECTORY_STEPS];
    size_t step_count;
};

struct directory_person {
    struct slice id, address, others, name, group;
    uint64_t quota_bytes;
};
struct directory_people {
    struct arena arena;
    struct directory_person *list;
    size_t count, room;
    size_t skipped; /* entries without an address or an id */
};
void directory_people_done(struct directory_people *p);

/* Is this the password of the person with this address and id? An empty id: whoever the address belongs to, for a test. */
enum directory_verdict directory_check(
    struct directory *d, struct slice address, struct slice id, struct slice password, uint64_t until_ms,
    struct directory_answer *a);
/* Everybody. Anything but YES: the list is not whole and must not be used. */
enum directory_verdict directory_list(
    struct directory *d, uint64_t until_ms, struct directory_people *people, struct directory_answer *a);

/* How the last question went, for status: 0: none was asked; unix time. */
struct directory_health {
    int64_t good_s, bad_s;
    char reason[DIRECTORY_REASON];
    char detail[DIRECTORY_DETAIL];
};
void directory_health(struct directory *d, struct directory_health *ret_health);

#endif
