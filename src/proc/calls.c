#include "proc/calls.h"

#include <stddef.h>

/* The loop, channels, memory, time, logging, threads that were started before, and the way out. */
#define BASE                                                                                                 \
    "read", "write", "readv", "writev", "recvmsg", "sendmsg", "close", "epoll_ctl", "epoll_wait",            \
        "epoll_pwait", "poll", "ppoll", "clock_gettime", "clock_nanosleep", "nanosleep", "getrandom", "brk", \
        "mmap", "mremap", "munmap", "mprotect", "madvise", "futex", "rt_sigaction", "rt_sigprocmask",        \
        "rt_sigreturn", "fstat", "newfstatat:fd", "fcntl:flags", "getpid", "gettid", "tgkill:self", "alarm", \
        "exit", "exit_group", "restart_syscall", "set_robust_list", "rseq", "sched_yield"

/* Octets of clients, over sockets one was given. */
#define TALK                                                                                                 \
    "recvfrom", "sendto", "shutdown", "getsockopt", "setsockopt", "getpeername", "getsockname", "ioctl:socket"

/* Files in the own tree. */
#define FILES                                                                                                \
    "openat", "pread64", "pwrite64", "lseek", "fsync", "fdatasync", "ftruncate", "fallocate", "newfstatat",  \
        "stat", "lstat", "unlink", "unlinkat", "link", "linkat", "rename", "renameat", "renameat2", "mkdir", \
        "mkdirat", "rmdir", "getdents64", "access", "faccessat", "faccessat2", "fcntl:locks", "fstatfs",     \
        "statfs", "fchmod", "fchmodat", "geteuid", "getcwd", "readlink", "fadvise64", "copy_file_range",     \
        "sendfile"

/* pread64: certificates of a reload, on descriptors that come with them. */
const char *const calls_gate[] = {BASE, TALK, "accept4", "socketpair:unix", "pread64", NULL};

/* getsockopt: who is at the other end of a control connection. */
const char *const calls_vault[] = {BASE, FILES, TALK, "mlock", "munlock", NULL};

const char *const calls_keeper[] = {BASE, FILES, TALK, "socketpair:unix", NULL};

/* One message by descriptor; nothing to open. */
const char *const calls_scan[] = {BASE, "pread64", NULL};

const char *const calls_relay[] = {BASE, FILES, NULL};

/* Existing octets cannot be changed with these: files are opened for reading or for appending, and nothing cuts,
 * renames or removes. */
const char *const calls_scribe[] = {
    "read",
    "write",
    "readv",
    "writev",
    "recvmsg",
    "sendmsg",
    "close",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "poll",
    "ppoll",
    "clock_gettime",
    "nanosleep",
    "getrandom",
    "clock_nanosleep",
    "brk",
    "mmap",
    "mremap",
    "munmap",
    "mprotect",
    "madvise",
    "futex",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "fstat",
    "newfstatat:fd",
    "fcntl:append",
    "getpid",
    "gettid",
    "tgkill:self",
    "alarm",
    "exit",
    "exit_group",
    "restart_syscall",
    "sched_yield",
    "openat:append",
    "pread64",
    "lseek",
    "fsync",
    "fdatasync",
    "getdents64",
    "newfstatat",
    "set_robust_list",
    "rseq",
    NULL};

/* Connections of its own to the LDAP server and to name servers, and no file at all. */
const char *const calls_directory[] = {BASE, TALK, "socket:inet", "connect", NULL};

const char *const calls_supervisor[] = {
    /* a program's start, and its way into its jail */
    "execve", "mmap:any", "mprotect:any", "arch_prctl", "set_tid_address", "prctl", "prlimit64", "access",
    "faccessat", "faccessat2", "pread64", "readlink", "readlinkat", "uname", "sysinfo", "getuid", "geteuid",
    "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getppid", "setgroups", "setresuid",
    "setresgid", "setfsuid", "setfsgid", "capget", "capset", "chdir", "fchdir", "chroot",
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp", "setrlimit",
    "getrlimit", "sigaltstack", "sched_getaffinity", "epoll_create1", "eventfd2", "pipe2", "close_range",
    "dup", "dup2", "dup3", "clone:plain", "fcntl", "tgkill", "mlock", "munlock", "mlock2", "getrusage",
    "tkill", "get_robust_list", "membarrier", "rt_sigpending", "rt_sigtimedwait", "ioctl:tty",
    /* starting, watching, connecting and stopping them */
    "vfork", "wait4", "waitid", "pidfd_open", "pidfd_send_signal", "kill", "socket:unix", "socketpair:unix",
    "bind", "listen", "accept4", "connect", "memfd_create", "umask", "chown", "fchown", "fchownat", "flock",
    "setsid", "socket:inet",
    /* what any role may do */
    BASE, TALK, FILES, NULL};
