/* jail_witness.c - enters the jail of a role, as the process table describes it, and tries what it must not.
 *
 *   jail_witness table                                one JSON object a role: what the table says of it
 *   jail_witness try ROLE FOLDER INDEX KEEPERS UID    reads attempts from standard input, one a line, and prints what came
 *                                                     of each: "ok", "killed", an errno's name, or "signal N"
 *
 * Attempts: "call NAME" (calls[] below), "read P", "write P", "append P", "create P", "cut P", "list P", "unlink P",
 * "mkdir P", "rename P Q", "link P Q", "symlink P Q". Each runs in a jailed process of its own. FOLDER is the role's
 * folder ("-": an empty one without a name); UID 0 means: without root.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/table.h"

/* Calls with arguments that do no harm where they are let through: the filter decides before the kernel looks at them. */
static const struct {
    const char *name;
    long number;
    long a, b, c, d;
} calls[] = {
    {"execve", SYS_execve, 0, 0, 0, 0},
    {"execveat", SYS_execveat, -1, 0, 0, 0},
    {"fork", SYS_fork, 0, 0, 0, 0},
    {"clone", SYS_clone, SIGCHLD, 0, 0, 0},
    {"clone-new-user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0},
    {"clone3", SYS_clone3, 0, 0, 0, 0},
    {"ptrace", SYS_ptrace, 0, 0, 0, 0},
    {"process_vm_readv", SYS_process_vm_readv, 1, 0, 0, 0},
    {"process_vm_writev", SYS_process_vm_writev, 1, 0, 0, 0},
    {"kill", SYS_kill, 1, 0, 0, 0},
    {"tkill", SYS_tkill, 1, 0, 0, 0},
    {"tgkill", SYS_tgkill, 1, 1, 0, 0},
    {"pidfd_open", SYS_pidfd_open, 1, 0, 0, 0},
    {"pidfd_send_signal", SYS_pidfd_send_signal, -1, 0, 0, 0},
    {"pidfd_getfd", SYS_pidfd_getfd, -1, 0, 0, 0},
    {"mount", SYS_mount, 0, 0, 0, 0},
    {"umount2", SYS_umount2, 0, 0, 0, 0},
    {"pivot_root", SYS_pivot_root, 0, 0, 0, 0},
    {"chroot", SYS_chroot, 0, 0, 0, 0},
    {"unshare", SYS_unshare, CLONE_NEWUSER, 0, 0, 0},
    {"setns", SYS_setns, -1, 0, 0, 0},
    {"setuid", SYS_setuid, 0, 0, 0, 0},
    {"setgid", SYS_setgid, 0, 0, 0, 0},
    {"setreuid", SYS_setreuid, 0, 0, 0, 0},
    {"bpf", SYS_bpf, 0, 0, 0, 0},
    {"perf_event_open", SYS_perf_event_open, 0, 0, 0, 0},
    {"userfaultfd", SYS_userfaultfd, 0, 0, 0, 0},
    {"io_uring_setup", SYS_io_uring_setup, 0, 0, 0, 0},
    {"io_uring_enter", SYS_io_uring_enter, -1, 0, 0, 0},
    {"io_uring_register", SYS_io_uring_register, -1, 0, 0, 0},
    {"keyctl", SYS_keyctl, -1, 0, 0, 0},
    {"add_key", SYS_add_key, 0, 0, 0, 0},
    {"request_key", SYS_request_key, 0, 0, 0, 0},
    {"memfd_secret", SYS_memfd_secret, 0, 0, 0, 0},
    {"personality", SYS_personality, 0, 0, 0, 0},
    {"socket-inet", SYS_socket, AF_INET, SOCK_STREAM, 0, 0},
    {"socket-inet6", SYS_socket, AF_INET6, SOCK_DGRAM, 0, 0},
    {"socket-netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0},
    {"socket-packet", SYS_socket, AF_PACKET, SOCK_RAW, 0, 0},
    {"socket-alg", SYS_socket, AF_ALG, SOCK_SEQPACKET, 0, 0},
    {"socket-unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0},
    {"socketpair-inet", SYS_socketpair, AF_INET, SOCK_STREAM, 0, 0},
    {"connect", SYS_connect, -1, 0, 0, 0},
    {"bind", SYS_bind, -1, 0, 0, 0},
    {"listen", SYS_listen, -1, 0, 0, 0},
    {"init_module", SYS_init_module, 0, 0, 0, 0},
    {"finit_module", SYS_finit_module, -1, 0, 0, 0},
    {"delete_module", SYS_delete_module, 0, 0, 0, 0},
    {"kexec_load", SYS_kexec_load, 0, -1, 0, 0},
    {"reboot", SYS_reboot, 0, 0, 0, 0},
    {"swapon", SYS_swapon, 0, 0, 0, 0},
    {"swapoff", SYS_swapoff, 0, 0, 0, 0},
    {"sethostname", SYS_sethostname, 0, -1, 0, 0},
    {"settimeofday", SYS_settimeofday, 1, 1, 0, 0},
    {"clock_settime", SYS_clock_settime, -1, 0, 0, 0},
    {"adjtimex", SYS_adjtimex, 0, 0, 0, 0},
    {"iopl", SYS_iopl, 0, 0, 0, 0},
    {"ioperm", SYS_ioperm, 0, 0, 0, 0},
    {"modify_ldt", SYS_modify_ldt, -1, 0, 0, 0},
    {"acct", SYS_acct, 1, 0, 0, 0},
    {"quotactl", SYS_quotactl, -1, 0, 0, 0},
    {"mknodat", SYS_mknodat, -1, 0, S_IFCHR, 0},
    {"symlinkat", SYS_symlinkat, 0, -1, 0, 0},
    {"open_by_handle_at", SYS_open_by_handle_at, -1, 0, 0, 0},
    {"inotify_init1", SYS_inotify_init1, 0, 0, 0, 0},
    {"fanotify_init", SYS_fanotify_init, 0, 0, 0, 0},
    {"prctl-dumpable", SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0},
    {"prctl-keepcaps", SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0},
    {"shmget", SYS_shmget, 0, 4096, 0, 0},
    {"msgget", SYS_msgget, 0, 0, 0, 0},
    {"semget", SYS_semget, 0, 1, 0, 0},
    {"mq_open", SYS_mq_open, 0, 0, 0, 0},
    {"vmsplice", SYS_vmsplice, -1, 0, 0, 0},
    {"process_madvise", SYS_process_madvise, -1, 0, 0, 0},
    {"kcmp", SYS_kcmp, 1, 1, 0, 0},
    {"syslog", SYS_syslog, 0, 0, 0, 0},
    {"setxattr", SYS_setxattr, 0, 0, 0, 0},
    {"pkey_mprotect", SYS_pkey_mprotect, 0, 0, PROT_EXEC, -1},
    {"remap_file_pages", SYS_remap_file_pages, 0, 0, 0, 0},
    {"map-executable", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS},
    {"protect-executable", SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC, 0},
    {"setrlimit", SYS_setrlimit, -1, 0, 0, 0},
    {"prlimit-other", SYS_prlimit64, 1, RLIMIT_NOFILE, 1, 0},
    {"other-architecture", 0x40000000 | SYS_getpid, 0, 0, 0, 0},
    {"open", SYS_open, 0, O_RDONLY, 0, 0},
    {"creat", SYS_creat, 0, 0, 0, 0},
    {"openat2", SYS_openat2, -1, 0, 0, 0},
    {"fcntl-owner", SYS_fcntl, 2, F_SETOWN, 1, 0},
    {"ioctl-tiocsti", SYS_ioctl, 2, 0x5412, 0, 0},
    {"truncate", SYS_truncate, 0, 0, 0, 0},
    {"ftruncate", SYS_ftruncate, -1, 0, 0, 0},
    {"accept4", SYS_accept4, -1, 0, 0, 0},
    {"unlinkat", SYS_unlinkat, -1, 0, 0, 0},
    {"renameat2", SYS_renameat2, -1, 0, -1, 0},
    {"pwrite64", SYS_pwrite64, -1, 0, 0, 0},
    {"fallocate", SYS_fallocate, -1, 0, 0, 0},
};

static int result_of(long rc)
{
    return rc >= 0 ? 0 : errno;
}

static int attempt_call(const char *name)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].name, name) != 0)
            continue;
        long rc = syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, calls[i].d, -1, 0);
        if (rc == 0 && (calls[i].number == SYS_fork || calls[i].number == SYS_clone))
            _exit(0); /* the child of one that went through; its parent reports */
        return result_of(rc);
    }
    fprintf(stderr, "jail_witness: no call %s\n", name);
    _exit(125);
}

static int attempt_open(const char *path, int flags)
{
    return result_of(open(path, flags | O_NONBLOCK | O_NOCTTY, 0600));
}

static int attempt(const char *verb, const char *p, const char *q)
{
    static const struct {
        const char *verb;
        int flags;
    } opens[] = {
        {"read", O_RDONLY},
        {"write", O_RDWR},
        {"append", O_WRONLY | O_APPEND},
        {"create", O_RDWR | O_CREAT},
        {"cut", O_WRONLY | O_TRUNC},
        {"list", O_RDONLY | O_DIRECTORY},
        {"start", O_WRONLY | O_APPEND | O_CREAT},
    };
    for (size_t i = 0; i < sizeof opens / sizeof *opens; i++)
        if (strcmp(verb, opens[i].verb) == 0)
            return attempt_open(p, opens[i].flags);
    if (strcmp(verb, "call") == 0)
        return attempt_call(p);
    if (strcmp(verb, "unlink") == 0)
        return result_of(unlink(p));
    if (strcmp(verb, "mkdir") == 0)
        return result_of(mkdir(p, 0700));
    if (strcmp(verb, "rename") == 0)
        return result_of(rename(p, q));
    if (strcmp(verb, "link") == 0)
        return result_of(link(p, q));
    if (strcmp(verb, "symlink") == 0)
        return result_of(symlink(p, q));
    fprintf(stderr, "jail_witness: no attempt %s\n", verb);
    _exit(125);
}

struct place {
    enum ipc_role role;
    const char *folder;
    unsigned index, keepers;
    uid_t uid;
};

static int open_folder(const struct place *at)
{
    if (strcmp(at->folder, "-") != 0)
        return open(at->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char empty[] = "/tmp/letterlock-witness-XXXXXX";
    if (!mkdtemp(empty))
        return -1;
    int fd = open(empty, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at->uid && fchown(fd, at->uid, at->uid) != 0)
        return -1;
    rmdir(empty);
    return fd;
}

static _Noreturn void jailed(const struct place *at, const char *verb, const char *p, const char *q)
{
    struct role_jail role_jail;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    int folder = open_folder(at);
    role_jail_init(
        &role_jail, at->role, at->index, at->keepers, folder, at->uid != 0, at->uid, at->uid, false);
    if (folder < 0 || jail_enter(&role_jail.jail, &state, &failure) != OK ||
        jail_seal(&role_jail.jail, &state, &failure) != OK) {
        fprintf(stderr, "jail_witness: %s: %s\n", failure.step ? failure.step : "folder", strerror(errno));
        _exit(126);
    }
    _exit(attempt(verb, p, q));
}

static void report(int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        puts("killed");
    else if (WIFSIGNALED(status))
        printf("signal %d\n", WTERMSIG(status));
    else if (WEXITSTATUS(status) == 0)
        puts("ok");
    else if (WEXITSTATUS(status) == 125 || WEXITSTATUS(status) == 126)
        puts("witness failed");
    else
        puts(strerrorname_np(WEXITSTATUS(status)));
}

static int try_all(const struct place *at)
{
    char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        char *save = NULL, *verb = strtok_r(line, " \n", &save), *p = strtok_r(NULL, " \n", &save),
             *q = strtok_r(NULL, " \n", &save);
        if (!verb || !p)
            return 2;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            jailed(at, verb, p, q);
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 2;
        report(status);
    }
    return 0;
}

static void print_list(const char *key, const char *const *list)
{
    printf(", \"%s\": [", key);
    for (size_t i = 0; list && list[i]; i++)
        printf("%s\"%s\"", i ? ", " : "", list[i]);
    putchar(']');
}

static int print_table(void)
{
    for (unsigned r = 0; r < ROLES; r++) {
        const struct role_row *row = role_row((enum ipc_role)r);
        printf("{\"role\": \"%s\", \"program\": \"%s\", \"user\": %u", row->name, row->program, row->user);
        printf(
            ", \"folder\": \"%s\", \"descriptors\": %llu", row->folder ? row->folder : "-",
            (unsigned long long)row->descriptors);
        print_list("calls", row->calls);
        print_list("no_symbols", row->no_symbols);
        print_list("no_rooms", row->no_rooms);
        printf(", \"talks\": [");
        for (unsigned q = 0, n = 0; q < ROLES; q++)
            if (role_talks((enum ipc_role)r, (enum ipc_role)q))
                printf("%s\"%s\"", n++ ? ", " : "", role_row((enum ipc_role)q)->name);
        printf("]}\n");
    }
    return 0;
}

static int find_role(const char *name)
{
    for (unsigned r = 0; r < ROLES; r++)
        if (strcmp(role_row((enum ipc_role)r)->name, name) == 0)
            return (int)r;
    return -1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "table") == 0)
        return print_table();
    if (argc == 2 && strcmp(argv[1], "calls") == 0) {
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            puts(calls[i].name);
        return 0;
    }
    int role = argc == 7 && strcmp(argv[1], "try") == 0 ? find_role(argv[2]) : -1;
    if (role < 0) {
        fputs("usage: jail_witness table | calls | try ROLE FOLDER INDEX KEEPERS UID\n", stderr);
        return 2;
    }
    const struct place at = {
        .role = (enum ipc_role)role,
        .folder = argv[3],
        .index = (unsigned)atoi(argv[4]),
        .keepers = (unsigned)atoi(argv[5]),
        .uid = (uid_t)atol(argv[6]),
    };
    return try_all(&at);
}
