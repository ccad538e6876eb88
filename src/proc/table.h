/* table.h - the process table: what each role is, may touch, may call and talks to.       room: proc   runs
 * in: all
 *
 * One row a role. The supervisor starts and connects processes by it, child_main jails them by it, and the
 * witness tests hold the executables and the kernel against it, so none of them can drift from another. It is
 * data: nothing here acts.
 */
#ifndef PROC_TABLE_H
#define PROC_TABLE_H

#include "config/config.h"
#include "ipc/messages.h"
#include "jail/jail.h"

enum { ROLES = ROLE_CLI /* the processes; the command is none of them */ };

/* How many processes a role has. */
enum role_number {
    NUMBER_ONE,
    NUMBER_GATES,
    NUMBER_KEEPERS,
    NUMBER_SCANS,
    NUMBER_DIRECTORY /* one, when there is an LDAP server to ask; else none */
};

struct role_row {
    const char *name;    /* "gate"; processes are called "gate-0", and "vault" where there is one */
    const char *program; /* "letterlock-gate", beside the supervisor's executable */
    enum role_number number;
    unsigned user; /* added to uid_base when started as root */
    const char
        *folder; /* under DIR, root or working directory of the role; NULL: an empty one without a name */
    const struct jail_tree *trees; /* below that folder */
    size_t tree_count;
    bool closed;              /* nothing in it may be open to others: looked at before each start */
    bool slot_trees;          /* instead: the folders of its slots ("00" to "ff"), read and write */
    unsigned net;             /* of enum jail_net */
    const char *const *calls; /* system calls after start, see calls.h */
    uint64_t descriptors;     /* RLIMIT_NOFILE */
    uint64_t memory;          /* RLIMIT_AS, or JAIL_UNLIMITED */
    unsigned threads;         /* of its pool, 0: none */
    size_t pool_queue;
    unsigned talks;    /* bits by role: channels to each process of these, beside the supervisor's */
    unsigned settings; /* CONFIG_FOR_...: its share of letterlock.conf */
    /* What its executable must not contain, checked at link time: symbols it must not refer to (a "*" at
     * the end: any with that beginning), and rooms of which it must not link anything. NULL-ended. */
    const char *const *no_symbols;
    const char *const *no_rooms;
};

const struct role_row *role_row(enum ipc_role role);
/* The processes of a role under this configuration. */
unsigned role_count(enum ipc_role role, const struct config *config, unsigned cores);
/* Two roles have a channel between each pair of their processes. */
bool role_talks(enum ipc_role a, enum ipc_role b);
/* The run of slots of keeper `index` among `keepers`: from *ret_first, *ret_count of them. */
void slots_of_keeper(unsigned index, unsigned keepers, unsigned *ret_first, unsigned *ret_count);
/* "3f": two lower-case hex digits, kept for ever. */
const char *slot_name(unsigned slot);
/* "gate-0", or "vault" for a role of one; at most PROC_NAME_MAX octets with the NUL. */
#define PROC_NAME_MAX 16
void role_process_name(enum ipc_role role, unsigned index, char out[PROC_NAME_MAX]);

/* The jail of one process, from its row: the trees for its slots stand beside it, and it points to them. */
struct role_jail {
    struct jail jail;
    struct jail_tree slot_trees[SLOTS];
};
void role_jail_init(
    struct role_jail *out, enum ipc_role role, unsigned index, unsigned keepers, int folder_fd, bool as_root,
    uid_t uid, gid_t gid, bool require_landlock);

#endif
