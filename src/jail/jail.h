/* jail.h - a process gives up what it does not need, before its first foreign byte.     room: jail   runs in:
 * all
 *
 * Two steps, because Landlock covers only the thread that asks for it, and pool threads must exist before the
 * filter: jail_enter (root folder, user, capabilities, limits, Landlock), then the process starts its pools,
 * then jail_seal (the system-call filter, for all threads at once). What to give up is data of the process
 * table (proc/table.h); this room knows no role. Works without root: then the root folder and user are kept,
 * and jail_state says so.
 *
 * Owns:    nothing; the descriptor of the folder stays the caller's.
 * Fails:   with ERR_DENIED or ERR_UNSUPPORTED, and `failure` says which step; the caller logs it and exits. A
 * process must never run on after a failed step. Never logs. Limits:  Linux. Landlock from ABI 1 on; what an
 * older kernel lacks is stated in jail_state, or refused when the jail requires it. stat() and readlink() are
 * not covered by Landlock, only by an own root and by the filter.
 */
#ifndef JAIL_JAIL_H
#define JAIL_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* What may be done below a folder. Nothing may be executed, no device, socket or symbolic link made. */
enum jail_right {
    JAIL_READ = 1,   /* open files for reading, list folders */
    JAIL_WRITE = 2,  /* make, write, cut, rename, link and remove files and folders inside the tree */
    JAIL_APPEND = 4, /* make files and write to them; never cut, rename or remove */
    JAIL_RUN = 8,    /* read and execute programs: the supervisor's */
    JAIL_SOCKET = 16 /* make and remove Unix sockets and files directly: the supervisor's */
};
struct jail_tree {
    const char *path; /* relative to the folder ("." is all of it), or absolute for what lies outside */
    unsigned rights;  /* of enum jail_right */
    bool optional;    /* may be missing; else a missing path fails the step */
};

/* Capabilities that may be kept; only the supervisor of a root start keeps any. */
enum jail_capability {
    JAIL_CAP_BIND = 1,
    JAIL_CAP_CHROOT = 2,
    JAIL_CAP_SETUID = 4,
    JAIL_CAP_SETGID = 8,
    JAIL_CAP_KILL = 16
};

/* Network rights beyond descriptors one was given. */
enum jail_net { JAIL_NET_NONE = 0, JAIL_NET_BIND = 1, JAIL_NET_CONNECT = 2 };

#define JAIL_UNLIMITED UINT64_MAX

struct jail {
    int folder_fd;    /* the role's folder (O_PATH will do): root as root, working directory else; -1: stay */
    bool change_user; /* started as root: own root, own user */
    uid_t uid;        /* not 0 when change_user */
    gid_t gid;
    const struct jail_tree *trees; /* what Landlock leaves open; none: no path at all */
    size_t tree_count;
    unsigned net;             /* of enum jail_net */
    bool free_signals;        /* may signal processes outside its own Landlock domain: the supervisor */
    unsigned capabilities;    /* kept; 0 for everyone but the supervisor of a root start */
    bool require_landlock;    /* a kernel without it is refused, instead of stated */
    uint64_t descriptors;     /* RLIMIT_NOFILE */
    uint64_t memory;          /* RLIMIT_AS in octets, or JAIL_UNLIMITED */
    uint64_t file_size;       /* RLIMIT_FSIZE in octets, or JAIL_UNLIMITED */
    bool may_start_processes; /* else RLIMIT_NPROC becomes 0 when the filter is set */
    /* The last act before the paths close: as the own user, in the own folder, after the change of user and
     * before Landlock. May be NULL. An error fails the step. */
    enum err (*last_act)(void *owner);
    void *last_act_owner;
    const char *const
        *calls; /* allowed system calls, ends with NULL: "read", or with a condition "openat:append" */
};

/* What holds now. Zeroed by the caller before the first step. */
struct jail_state {
    bool own_root; /* the folder is this process's root */
    bool own_user;
    bool no_capabilities; /* all five sets are empty */
    int landlock;         /* ABI in use, 0: the kernel has none */
    bool filter;          /* the system-call filter is set */
    bool filter_widened;  /* a sanitizer build: more calls are open than in a release */
};

struct jail_failure {
    const char *step; /* "setresuid", "landlock path accounts/3f" ... */
    int error;        /* errno, or 0 when a value read back was not the one set */
    char text[200];   /* memory for `step` when it names a detail */
};

/* Step one: no_new_privs, limits, no core files, root and user when change_user, capabilities, not dumpable,
 * Landlock. To be called before any other thread exists. */
fallible jail_enter(const struct jail *j, struct jail_state *state, struct jail_failure *failure);
/* Step two: the filter, on all threads. A call outside the list kills the process; open, openat, openat2 and
 * creat outside the list get EACCES, as do mmap and mprotect that ask for PROT_EXEC; clone3 gets ENOSYS, so
 * that the C library uses clone, whose flags can be seen. */
fallible jail_seal(const struct jail *j, struct jail_state *state, struct jail_failure *failure);

/* True when the name (with its condition) is known on this machine: tests hold every list against it. */
bool jail_call_is_known(const char *call);
/* The ABI of Landlock that the kernel offers, 0 for none. */
int jail_landlock_abi(void);
/* One word per state for people: "full", or what is missing ("no-own-user no-own-root"). Into out, at most n
 * octets. */
const char *jail_state_text(const struct jail_state *state, char *out, size_t n);

/* Closes every descriptor from `first` on that is not in `keep` (ascending), and sets close-on-exec on those
 * kept when asked: a process has exactly the descriptors of its list (T-336). */
fallible jail_close_others(int first, const int *keep, size_t count);

#endif
