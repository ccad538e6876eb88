/* privilege.c - root folder, user, capabilities, limits: each set, read back, and tried again.
 *
 * Promise: when jail_drop_privileges returns OK, every right it was asked to drop was seen to be gone
 * (T-335).
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail/jail.h"
#include "jail/kernel.h"

#define CAPABILITY_BIT(n) (UINT64_C(1) << (n))

enum err jail_failed(struct jail_failure *failure, int error, const char *step)
{
    failure->step = step;
    failure->error = error;
    return ERR_DENIED;
}

static int real_set_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int real_no_new_privs(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

/* A hard limit that is lower and may not be raised is kept: less is never a loss of safety. */
static int real_setrlimit(int what, uint64_t value)
{
    rlim_t want = value == JAIL_UNLIMITED ? RLIM_INFINITY : (rlim_t)value;
    struct rlimit limit = {want, want};
    if (setrlimit(what, &limit) == 0)
        return 0;
    struct rlimit now;
    if (errno != EPERM || getrlimit(what, &now) != 0 || now.rlim_max > want)
        return -1;
    now.rlim_cur = now.rlim_max;
    return setrlimit(what, &now);
}

/* The calls never say that they failed; asking again with an impossible id tells what is. */
static int real_set_file_ids(uid_t uid, gid_t gid)
{
    setfsgid(gid);
    setfsuid(uid);
    if ((gid_t)setfsgid((gid_t)-1) == gid && (uid_t)setfsuid((uid_t)-1) == uid)
        return 0;
    errno = EPERM;
    return -1;
}

static int real_clear_groups(void)
{
    return setgroups(0, NULL);
}

static int real_group_count(void)
{
    return getgroups(0, NULL);
}

static int real_drop_bounding(int capability)
{
    return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static int real_bounding_has(int capability)
{
    return prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
}

static int real_clear_ambient(void)
{
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int real_capset(const struct jail_caps *caps)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        data[i].effective = (uint32_t)(caps->effective >> (32 * i));
        data[i].permitted = (uint32_t)(caps->permitted >> (32 * i));
        data[i].inheritable = (uint32_t)(caps->inheritable >> (32 * i));
    }
    return (int)syscall(SYS_capset, &head, data);
}

static int real_capget(struct jail_caps *ret_caps)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (syscall(SYS_capget, &head, data) != 0)
        return -1;
    *ret_caps = (struct jail_caps){
        .effective = data[0].effective | (uint64_t)data[1].effective << 32,
        .permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
        .inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32,
    };
    return 0;
}

static int real_set_undumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int real_dumpable(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

const struct jail_kernel jail_kernel_real = {
    .set_no_new_privs = real_set_no_new_privs,
    .no_new_privs = real_no_new_privs,
    .setrlimit = real_setrlimit,
    .set_file_ids = real_set_file_ids,
    .fchdir = fchdir,
    .chroot = chroot,
    .chdir = chdir,
    .clear_groups = real_clear_groups,
    .group_count = real_group_count,
    .setresgid = setresgid,
    .getresgid = getresgid,
    .setresuid = setresuid,
    .getresuid = getresuid,
    .drop_bounding = real_drop_bounding,
    .bounding_has = real_bounding_has,
    .clear_ambient = real_clear_ambient,
    .capset = real_capset,
    .capget = real_capget,
    .set_undumpable = real_set_undumpable,
    .dumpable = real_dumpable,
};

static fallible step_no_new_privs(const struct jail_kernel *k, struct jail_failure *failure)
{
    if (k->set_no_new_privs() != 0)
        return jail_failed(failure, errno, "no_new_privs");
    if (k->no_new_privs() != 1)
        return jail_failed(failure, 0, "no_new_privs");
    return OK;
}

static fallible step_limits(const struct jail_kernel *k, const struct jail *j, struct jail_failure *failure)
{
    const struct {
        int what;
        uint64_t value;
        const char *step;
    } limits[] = {
        {RLIMIT_CORE, 0, "core file limit"},
        {RLIMIT_NOFILE, j->descriptors, "descriptor limit"},
        {RLIMIT_AS, j->memory, "memory limit"},
        {RLIMIT_FSIZE, j->file_size, "file size limit"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].value != JAIL_UNLIMITED && k->setrlimit(limits[i].what, limits[i].value) != 0)
            return jail_failed(failure, errno, limits[i].step);
    return OK;
}

static fallible step_root(
    const struct jail_kernel *k, const struct jail *j, struct jail_state *state, struct jail_failure *failure)
{
    if (j->folder_fd < 0)
        return OK;
    /* The folder is open to its user alone, and root without capabilities is nobody special; chroot needs both that
     * user's eyes and a capability of root's. */
    if (j->change_user && k->set_file_ids(j->uid, j->gid) != 0)
        return jail_failed(failure, errno, "setfsuid");
    if (k->fchdir(j->folder_fd) != 0)
        return jail_failed(failure, errno, "enter the folder");
    if (!j->change_user)
        return OK;
    if (k->chroot(".") != 0)
        return jail_failed(failure, errno, "chroot");
    if (k->chdir("/") != 0)
        return jail_failed(failure, errno, "chdir");
    state->own_root = true;
    return OK;
}

static fallible step_group(const struct jail_kernel *k, const struct jail *j, struct jail_failure *failure)
{
    if (k->clear_groups() != 0)
        return jail_failed(failure, errno, "setgroups");
    if (k->group_count() != 0)
        return jail_failed(failure, 0, "setgroups");
    if (k->setresgid(j->gid, j->gid, j->gid) != 0)
        return jail_failed(failure, errno, "setresgid");
    gid_t r, e, s;
    if (k->getresgid(&r, &e, &s) != 0 || r != j->gid || e != j->gid || s != j->gid)
        return jail_failed(failure, 0, "setresgid");
    return OK;
}

static fallible step_user(
    const struct jail_kernel *k, const struct jail *j, struct jail_state *state, struct jail_failure *failure)
{
    if (!j->change_user)
        return OK;
    if (j->uid == 0 || j->gid == 0)
        return jail_failed(failure, 0, "own user: id 0");
    TRY(step_group(k, j, failure));
    if (k->setresuid(j->uid, j->uid, j->uid) != 0)
        return jail_failed(failure, errno, "setresuid");
    uid_t r, e, s;
    if (k->getresuid(&r, &e, &s) != 0 || r != j->uid || e != j->uid || s != j->uid)
        return jail_failed(failure, 0, "setresuid");
    state->own_user = true;
    return OK;
}

static uint64_t kept_capabilities(const struct jail *j)
{
    static const struct {
        unsigned ours;
        int capability;
    } names[] = {
        {JAIL_CAP_BIND, CAP_NET_BIND_SERVICE},
        {JAIL_CAP_CHROOT, CAP_SYS_CHROOT},
        {JAIL_CAP_SETUID, CAP_SETUID},
        {JAIL_CAP_SETGID, CAP_SETGID},
        {JAIL_CAP_KILL, CAP_KILL},
    };
    uint64_t kept = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (j->capabilities & names[i].ours)
            kept |= CAPABILITY_BIT(names[i].capability);
    return kept;
}

/* The bounding set can only be emptied with CAP_SETPCAP. Without it no_new_privs makes it meaningless: no
 * program that is started can gain anything from it. The inheritable set goes first, because it may not
 * exceed the bounding set. */
static fallible step_bounding(const struct jail_kernel *k, const struct jail *j, struct jail_failure *failure)
{
    struct jail_caps caps;
    if (k->capget(&caps) != 0)
        return jail_failed(failure, errno, "capget");
    caps.inheritable = kept_capabilities(j) & caps.permitted;
    if (k->capset(&caps) != 0)
        return jail_failed(failure, errno, "inheritable capabilities");
    if (k->clear_ambient() != 0)
        return jail_failed(failure, errno, "ambient capabilities");
    if (!(caps.effective & CAPABILITY_BIT(CAP_SETPCAP)))
        return OK;
    for (int c = 0; k->bounding_has(c) >= 0; c++)
        if (k->drop_bounding(c) != 0 || k->bounding_has(c) != 0)
            return jail_failed(failure, errno, "capability bounding set");
    return OK;
}

/* After the change of user, so that nothing needs them any more. */
static fallible step_capabilities(
    const struct jail_kernel *k, const struct jail *j, struct jail_state *state, struct jail_failure *failure)
{
    struct jail_caps caps;
    if (k->capget(&caps) != 0)
        return jail_failed(failure, errno, "capget");
    uint64_t kept = kept_capabilities(j) & caps.permitted;
    caps = (struct jail_caps){.effective = kept, .permitted = kept, .inheritable = kept};
    if (k->capset(&caps) != 0)
        return jail_failed(failure, errno, "capset");
    if (k->capget(&caps) != 0 || caps.effective != kept || caps.permitted != kept || caps.inheritable != kept)
        return jail_failed(failure, 0, "capset");
    state->no_capabilities = kept == 0;
    return OK;
}

/* What was given up must not come back. */
static fallible
step_no_way_back(const struct jail_kernel *k, const struct jail *j, struct jail_failure *failure)
{
    if (!j->change_user)
        return OK;
    if (k->setresuid(0, 0, 0) == 0)
        return jail_failed(failure, 0, "user 0 could be regained");
    if (k->setresgid(0, 0, 0) == 0)
        return jail_failed(failure, 0, "group 0 could be regained");
    return OK;
}

static fallible step_undumpable(const struct jail_kernel *k, struct jail_failure *failure)
{
    if (k->set_undumpable() != 0)
        return jail_failed(failure, errno, "not dumpable");
    if (k->dumpable() != 0)
        return jail_failed(failure, 0, "not dumpable");
    return OK;
}

enum err jail_drop_privileges(
    const struct jail_kernel *k, const struct jail *j, struct jail_state *state, struct jail_failure *failure)
{
    TRY(step_no_new_privs(k, failure));
    TRY(step_limits(k, j, failure));
    TRY(step_bounding(k, j, failure));
    TRY(step_root(k, j, state, failure));
    TRY(step_user(k, j, state, failure));
    TRY(step_capabilities(k, j, state, failure));
    TRY(step_no_way_back(k, j, failure));
    /* Changing the user resets the dumpable flag, so this comes last. */
    return step_undumpable(k, failure);
}
