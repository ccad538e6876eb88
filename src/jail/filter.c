/* filter.c - the list of allowed system calls becomes a seccomp filter.
 *
 * A list entry is a call's name, or a name with a condition on its arguments ("openat:append"). Conditions
 * are a table; one condition may stand for several rules, any of which opens the call.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>

#include "base/file.h"
#include "base/slice.h"
#include "jail/jail.h"
#include "jail/kernel.h"

enum { RULES_PER_CONDITION = 8 };
#define SELF UINT64_MAX /* stands for the process's own id */

/* Argument `arg` must equal `value` in the bits of `mask`. */
struct test {
    unsigned arg;
    uint64_t mask, value;
};
struct condition {
    const char *name; /* "openat:append" */
    size_t rule_count;
    struct test rules[RULES_PER_CONDITION][2]; /* both tests of a rule must hold; a zero mask always does */
};

#define NAMESPACES                                                                                           \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |               \
     CLONE_NEWCGROUP)
#define ALL_BITS UINT64_C(0xffffffff)
#define ONE_OF(arg_, value_)                                                                                 \
    {                                                                                                        \
        {                                                                                                    \
            (arg_), ALL_BITS, (value_)                                                                       \
        }                                                                                                    \
    }

static const struct condition conditions[] = {
    {"mmap", 1, {{{2, PROT_EXEC, 0}}}},
    {"mmap:any", 1, {{{0}}}},
    {"mprotect", 1, {{{2, PROT_EXEC, 0}}}},
    {"mprotect:any", 1, {{{0}}}},
    {"openat:read", 1, {{{2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}}},
    /* Reading, or appending: such a descriptor can never change what is written. */
    {"openat:append",
     2,
     {{{2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}},
      {{2, O_ACCMODE | O_APPEND | O_TRUNC, O_WRONLY | O_APPEND}}}},
    {"newfstatat:fd", 1, {{{3, AT_EMPTY_PATH, AT_EMPTY_PATH}}}},
    {"fcntl:flags",
     5,
     {ONE_OF(1, F_GETFD), ONE_OF(1, F_SETFD), ONE_OF(1, F_GETFL), ONE_OF(1, F_SETFL),
      ONE_OF(1, F_DUPFD_CLOEXEC)}},
    /* As above, but append-only descriptors stay so: F_SETFL must carry O_APPEND or is for sockets'
       O_NONBLOCK alone. */
    {"fcntl:append",
     5,
     {ONE_OF(1, F_GETFD),
      ONE_OF(1, F_SETFD),
      ONE_OF(1, F_GETFL),
      {{1, ALL_BITS, F_SETFL}, {2, O_APPEND, O_APPEND}},
      ONE_OF(1, F_DUPFD_CLOEXEC)}},
    {"fcntl:locks",
     6,
     {ONE_OF(1, F_GETLK), ONE_OF(1, F_SETLK), ONE_OF(1, F_SETLKW), ONE_OF(1, F_OFD_GETLK),
      ONE_OF(1, F_OFD_SETLK), ONE_OF(1, F_OFD_SETLKW)}},
    {"ioctl:socket", 2, {ONE_OF(1, FIONBIO), ONE_OF(1, FIONREAD)}},
    {"ioctl:tty", 2, {ONE_OF(1, TCGETS), ONE_OF(1, TIOCGWINSZ)}},
    {"socket:unix", 1, {ONE_OF(0, AF_UNIX)}},
    {"socket:inet", 2, {ONE_OF(0, AF_INET), ONE_OF(0, AF_INET6)}},
    {"socketpair:unix", 1, {ONE_OF(0, AF_UNIX)}},
    {"clone:thread",
     1,
     {{{0, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}}}},
    /* Processes and threads, but no namespaces of their own. */
    {"clone:plain", 1, {{{0, NAMESPACES, 0}}}},
    {"prctl:name", 1, {ONE_OF(0, PR_SET_NAME)}},
    {"prctl:timerslack", 1, {ONE_OF(0, PR_SET_TIMERSLACK)}},
    {"prlimit64:read", 1, {{{2, UINT64_MAX, 0}}}},
    {"tgkill:self", 1, {ONE_OF(0, SELF)}},
    {"kill:self", 1, {ONE_OF(0, SELF)}},
    {"madvise", 1, {{{0}}}},
};

#ifdef SANITIZED
/* Wider, for sanitizer builds only: their runtime maps shadow memory, reads its own maps, and symbolises. */
static const char *const sanitizer_calls[] = {
    "mmap:any",
    "mprotect:any",
    "openat:read",
    "readlink",
    "readlinkat",
    "newfstatat",
    "sigaltstack",
    "getrusage",
    "rt_sigaction",
    "prctl",
    "sched_yield",
    "sched_getaffinity",
    "getpid",
    "gettid",
    "write",
    "munmap",
    "clock_gettime",
    "nanosleep",
    "clock_nanosleep",
    "futex",
    "tgkill",
    "getppid",
    "sysinfo",
    "rt_sigprocmask",
    "process_vm_readv",
    "pipe2",
    "pipe",
    "mremap",
    "madvise",
    "membarrier",
    "lseek",
    "fstat",
    "ioctl:tty",
    "getuid",
    "geteuid",
    NULL,
};
#endif

/* What a process may try out of habit, and shall be told "no" instead of dying. */
static const char *const refused_calls[] = {"open", "openat", "openat2", "creat", "mmap", "mprotect"};

static const struct condition *condition_find(const char *call)
{
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (strcmp(conditions[i].name, call) == 0)
            return &conditions[i];
    return NULL;
}

/* The call's number, or __NR_SCMP_ERROR. What stands behind the colon is the condition's. */
static int call_number(const char *call)
{
    struct slice name, rest = slice_str(call);
    char text[64];
    if (!slice_cut(&rest, ':', &name) || name.n >= sizeof text)
        return __NR_SCMP_ERROR;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return seccomp_syscall_resolve_name(text);
}

bool jail_call_is_known(const char *call)
{
    if (call_number(call) == __NR_SCMP_ERROR)
        return false;
    return !strchr(call, ':') || condition_find(call);
}

static int add_rule(scmp_filter_ctx filter, int number, const struct test tests[2])
{
    struct scmp_arg_cmp compare[2];
    unsigned n = 0;
    for (size_t i = 0; i < 2; i++) {
        if (tests[i].mask == 0)
            continue;
        uint64_t value = tests[i].value == SELF ? (uint64_t)getpid() : tests[i].value;
        compare[n++] = SCMP_CMP(tests[i].arg, SCMP_CMP_MASKED_EQ, tests[i].mask, value);
    }
    int rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, n, compare);
    return rc == -EEXIST ? 0 : rc;
}

static int add_call(scmp_filter_ctx filter, const char *call)
{
    int number = call_number(call);
    if (number == __NR_SCMP_ERROR)
        return -ENOSYS;
    if (number < 0)
        return 0; /* known, but not on this architecture */
    const struct condition *c = condition_find(call);
    if (!c)
        return strchr(call, ':') ? -EINVAL : add_rule(filter, number, (const struct test[2]){{0}});
    for (size_t i = 0; i < c->rule_count; i++) {
        int rc = add_rule(filter, number, c->rules[i]);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static fallible add_list(scmp_filter_ctx filter, const char *const *calls, struct jail_failure *failure)
{
    for (; calls && *calls; calls++) {
        int rc = add_call(filter, *calls);
        if (rc == 0)
            continue;
        snprintf(failure->text, sizeof failure->text, "system call %s", *calls);
        return jail_failed(failure, -rc, failure->text);
    }
    return OK;
}

/* The entry of the list that opens `name`, with or without a condition; NULL when the list does not. */
static const char *list_entry_of(const char *const *calls, const char *name)
{
    size_t n = strlen(name);
    for (; calls && *calls; calls++)
        if (strncmp(*calls, name, n) == 0 && ((*calls)[n] == '\0' || (*calls)[n] == ':'))
            return *calls;
    return NULL;
}

static uint64_t condition_mask(const struct condition *c)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < c->rule_count; i++)
        mask |= c->rules[i][0].mask;
    return mask;
}

static bool condition_allows(const struct condition *c, uint64_t bits)
{
    for (size_t i = 0; i < c->rule_count; i++)
        if ((bits & c->rules[i][0].mask) == c->rules[i][0].value)
            return true;
    return false;
}

/* Every combination of the examined bits that the condition does not allow gets EACCES. Rules are never left
 * to overlap: among overlapping rules with different answers the library would choose. */
static int refuse_rest(scmp_filter_ctx filter, int number, const struct condition *c)
{
    uint64_t mask = condition_mask(c);
    for (uint64_t bits = mask;; bits = (bits - 1) & mask) {
        struct scmp_arg_cmp compare = SCMP_CMP(c->rules[0][0].arg, SCMP_CMP_MASKED_EQ, mask, bits);
        int rc = condition_allows(c, bits)
                     ? 0
                     : seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), number, 1, &compare);
        if (rc != 0 && rc != -EEXIST)
            return rc;
        if (bits == 0)
            return 0;
    }
}

/* The list that the build adds to every role's: empty in a release. */
#ifdef SANITIZED
static const char *const *const extra_calls = sanitizer_calls;
#else
static const char *const *const extra_calls = NULL;
#endif

static int refuse_call(scmp_filter_ctx filter, const char *const *calls, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number < 0 || list_entry_of(extra_calls, name))
        return 0;
    const char *entry = list_entry_of(calls, name);
    if (!entry)
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), number, 0);
    const struct condition *c = condition_find(entry);
    return c && condition_mask(c) ? refuse_rest(filter, number, c) : 0;
}

static fallible add_refusals(scmp_filter_ctx filter, const char *const *calls, struct jail_failure *failure)
{
    for (size_t i = 0; i < sizeof refused_calls / sizeof *refused_calls; i++)
        if (refuse_call(filter, calls, refused_calls[i]) != 0)
            return jail_failed(failure, EINVAL, "system call refusals");
    if (!list_entry_of(calls, "clone3") &&
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0)
        return jail_failed(failure, EINVAL, "system call clone3");
    return OK;
}

static void filter_done(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

/* Without CAP_SYS_RESOURCE only lowering is possible, so nothing can start processes or threads any more. The
 * filter says the same; this holds where a future list forgets it. */
static fallible forbid_processes(const struct jail *j, struct jail_failure *failure)
{
    struct rlimit none = {0, 0};
    if (!j->may_start_processes && setrlimit(RLIMIT_NPROC, &none) != 0)
        return jail_failed(failure, errno, "process limit");
    return OK;
}

enum err jail_seal(const struct jail *j, struct jail_state *state, struct jail_failure *failure)
{
    TRY(forbid_processes(j, failure));
    scmp_filter_ctx filter __attribute__((cleanup(filter_done))) = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return jail_failed(failure, ENOMEM, "system call filter");
    if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
        return jail_failed(failure, EINVAL, "system call filter attributes");
    TRY(add_refusals(filter, j->calls, failure));
    TRY(add_list(filter, extra_calls, failure));
    TRY(add_list(filter, j->calls, failure));
    int rc = seccomp_load(filter);
    if (rc != 0)
        return jail_failed(failure, -rc, "system call filter");
    state->filter = true;
    state->filter_widened = extra_calls != NULL;
    return OK;
}
