/* kernel.h - the privilege calls of the kernel as a table, so that a test can make each of them fail or lie.
 *                                                                                      room: jail   runs in:
 * all
 */
#ifndef JAIL_KERNEL_H
#define JAIL_KERNEL_H

#include <stdint.h>
#include <sys/types.h>

struct jail_caps {
    uint64_t effective, permitted, inheritable;
};
struct jail_kernel {
    int (*set_no_new_privs)(void);
    int (*no_new_privs)(void); /* 1 when set */
    int (*setrlimit)(int what, uint64_t value);
    int (*set_file_ids)(uid_t uid, gid_t gid); /* whose rights count for files, other rights untouched */
    int (*fchdir)(int fd);
    int (*chroot)(const char *path);
    int (*chdir)(const char *path);
    int (*clear_groups)(void);
    int (*group_count)(void);
    int (*setresgid)(gid_t r, gid_t e, gid_t s);
    int (*getresgid)(gid_t *r, gid_t *e, gid_t *s);
    int (*setresuid)(uid_t r, uid_t e, uid_t s);
    int (*getresuid)(uid_t *r, uid_t *e, uid_t *s);
    int (*drop_bounding)(int capability);
    int (*bounding_has)(int capability); /* 1, 0, or -1 when there is no such capability */
    int (*clear_ambient)(void);
    int (*capset)(const struct jail_caps *caps);
    int (*capget)(struct jail_caps *ret_caps);
    int (*set_undumpable)(void);
    int (*dumpable)(void);
};
extern const struct jail_kernel jail_kernel_real;

struct jail;
struct jail_state;
struct jail_failure;
/* jail_enter up to, and without, Landlock. */
__attribute__((warn_unused_result)) enum err jail_drop_privileges(
    const struct jail_kernel *k, const struct jail *j, struct jail_state *state,
    struct jail_failure *failure);
__attribute__((warn_unused_result)) enum err
jail_landlock(const struct jail *j, struct jail_state *state, struct jail_failure *failure);
/* Fills in the step and errno; returns ERR_DENIED. */
__attribute__((warn_unused_result)) enum err
jail_failed(struct jail_failure *failure, int error, const char *step);

#endif
