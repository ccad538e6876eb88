/* landlock.c - which paths, ports and signals stay open, by the kernel's Landlock. Raw calls: the C library
 * has none. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "jail/jail.h"
#include "jail/kernel.h"

/* The kernel's interface, spelled out: the header of the build machine may be older than the kernel it runs
 * on. */
enum {
    CALL_CREATE_RULESET = 444,
    CALL_ADD_RULE = 445,
    CALL_RESTRICT_SELF = 446,
    ASK_VERSION = 1,
    RULE_PATH_BENEATH = 1,
};
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_CHAR = 1 << 6,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_MAKE_FIFO = 1 << 10,
    FS_MAKE_BLOCK = 1 << 11,
    FS_MAKE_SYM = 1 << 12,
    FS_REFER = 1 << 13,     /* ABI 2 */
    FS_TRUNCATE = 1 << 14,  /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
    FS_ALL_ABI_1 = (1 << 13) - 1,
    FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
};
enum { NET_BIND_TCP = 1, NET_CONNECT_TCP = 2 };       /* ABI 4 */
enum { SCOPE_ABSTRACT_SOCKET = 1, SCOPE_SIGNAL = 2 }; /* ABI 6 */

struct ruleset {
    uint64_t fs, net, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

int jail_landlock_abi(void)
{
    long abi = syscall(CALL_CREATE_RULESET, NULL, 0, ASK_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static uint64_t fs_handled(int abi)
{
    return (uint64_t)FS_ALL_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
           (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static uint64_t fs_of_rights(unsigned rights)
{
    static const struct {
        unsigned right;
        uint64_t fs;
    } table[] = {
        {JAIL_READ, FS_READ_FILE | FS_READ_DIR},
        {JAIL_WRITE, FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_MAKE_DIR |
                         FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER},
        {JAIL_APPEND, FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_MAKE_REG},
        {JAIL_RUN, FS_READ_FILE | FS_READ_DIR | FS_EXECUTE},
        {JAIL_SOCKET, FS_MAKE_SOCK | FS_REMOVE_FILE},
    };
    uint64_t fs = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (rights & table[i].right)
            fs |= table[i].fs;
    return fs;
}

static enum err path_failed(struct jail_failure *failure, const char *path)
{
    int error = errno;
    snprintf(failure->text, sizeof failure->text, "landlock path %s", path);
    return jail_failed(failure, error, failure->text);
}

static fallible
add_tree(int ruleset, uint64_t handled, const struct jail_tree *tree, struct jail_failure *failure)
{
    int fd CLEANUP_FD = open(tree->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return tree->optional && errno == ENOENT ? OK : path_failed(failure, tree->path);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return path_failed(failure, tree->path);
    struct path_rule rule = {.allowed = fs_of_rights(tree->rights) & handled, .fd = fd};
    if (!S_ISDIR(st.st_mode))
        rule.allowed &= FS_OF_FILES;
    if (syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0)
        return path_failed(failure, tree->path);
    return OK;
}

enum err jail_landlock(const struct jail *j, struct jail_state *state, struct jail_failure *failure)
{
    int abi = jail_landlock_abi();
    if (abi == 0)
        return j->require_landlock ? jail_failed(failure, errno, "landlock: the kernel has none") : OK;
    struct ruleset want = {
        .fs = fs_handled(abi),
        .net =
            (j->net & JAIL_NET_BIND ? 0 : NET_BIND_TCP) | (j->net & JAIL_NET_CONNECT ? 0 : NET_CONNECT_TCP),
        .scoped = j->free_signals ? 0 : SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL,
    };
    size_t size = abi >= 6   ? sizeof want
                  : abi >= 4 ? offsetof(struct ruleset, scoped)
                             : offsetof(struct ruleset, net);
    int ruleset CLEANUP_FD = (int)syscall(CALL_CREATE_RULESET, &want, size, 0);
    if (ruleset < 0)
        return jail_failed(failure, errno, "landlock rules");
    for (size_t i = 0; i < j->tree_count; i++)
        TRY(add_tree(ruleset, want.fs, &j->trees[i], failure));
    if (syscall(CALL_RESTRICT_SELF, ruleset, 0) != 0)
        return jail_failed(failure, errno, "landlock");
    state->landlock = abi;
    return OK;
}
