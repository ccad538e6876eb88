/* The sandbox on this kernel, in child processes: what is dropped is gone, what is refused is refused, what is forbidden
 * kills; and every failing or lying privilege call ends the entry (T-335). Which parts run as root is decided at run
 * time; the file is run both ways. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/jail.h"
#include "jail/kernel.h"

#define TEST_UID 65123

/* Enough to run a test's child and to leave. */
#define BASE_CALLS                                                                                           \
    "read", "write", "close", "exit", "exit_group", "rt_sigprocmask", "rt_sigreturn", "brk", "munmap",       \
        "mmap", "mprotect", "futex", "newfstatat:fd", "fstat", "clock_nanosleep", "madvise"
static const char *const base_calls[] = {BASE_CALLS, NULL};

static struct jail plain_jail(void)
{
    return (struct jail){
        .folder_fd = -1,
        .descriptors = 64,
        .memory = JAIL_UNLIMITED,
        .file_size = JAIL_UNLIMITED,
        .calls = base_calls,
    };
}

enum { DIED = 1000 };
/* Runs `body` in a child: its exit status, or DIED plus the signal. */
static int in_child(int (*body)(void *), void *arg)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body(arg));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : DIED + WTERMSIG(status);
}

/* ------------------------------------------------------------------------------------------------ injected failures */

static struct jail_kernel fake;
static int fake_fail(void)
{
    errno = EPERM;
    return -1;
}
static int fail_int_u64(int a, uint64_t b)
{
    return fake_fail();
}
static int fail_file_ids(uid_t uid, gid_t gid)
{
    return fake_fail();
}
static int fail_int(int a)
{
    return fake_fail();
}
static int fail_path(const char *a)
{
    return fake_fail();
}
static int fail_gids(gid_t a, gid_t b, gid_t c)
{
    return fake_fail();
}
static int fail_get_gids(gid_t *a, gid_t *b, gid_t *c)
{
    return fake_fail();
}
static int fail_capset(const struct jail_caps *c)
{
    return fake_fail();
}
static int fail_capget(struct jail_caps *c)
{
    return fake_fail();
}

/* A world in which all works, so that one thing at a time can go wrong. */
static struct {
    uid_t uid;
    gid_t gid;
    struct jail_caps caps;
    uint64_t bounding;
    int groups, dumpable, no_new_privs;
    bool give_back; /* setresuid(0) works afterwards */
} world;

static int world_set_nnp(void)
{
    world.no_new_privs = 1;
    return 0;
}
static int world_nnp(void)
{
    return world.no_new_privs;
}
static int world_rlimit(int what, uint64_t value)
{
    return 0;
}
static int world_file_ids(uid_t uid, gid_t gid)
{
    return 0;
}
static int world_int(int a)
{
    return 0;
}
static int world_path(const char *a)
{
    return 0;
}
static int world_clear_groups(void)
{
    world.groups = 0;
    return 0;
}
static int world_groups(void)
{
    return world.groups;
}
static int world_setgid(gid_t r, gid_t e, gid_t s)
{
    if (world.uid != 0 && !world.give_back)
        return fake_fail();
    world.gid = r;
    return 0;
}
static int world_getgid(gid_t *r, gid_t *e, gid_t *s)
{
    *r = *e = *s = world.gid;
    return 0;
}
static int world_setuid(uid_t r, uid_t e, uid_t s)
{
    if (world.uid != 0 && !world.give_back)
        return fake_fail();
    world.uid = r;
    return 0;
}
static int world_getuid(uid_t *r, uid_t *e, uid_t *s)
{
    *r = *e = *s = world.uid;
    return 0;
}
static int world_drop(int c)
{
    world.bounding &= ~(UINT64_C(1) << c);
    return 0;
}
static int world_has(int c)
{
    return c > CAP_LAST_CAP ? -1 : (int)(world.bounding >> c & 1);
}
static int world_zero(void)
{
    return 0;
}
static int world_capset(const struct jail_caps *c)
{
    world.caps = *c;
    return 0;
}
static int world_capget(struct jail_caps *c)
{
    *c = world.caps;
    return 0;
}
static int world_undump(void)
{
    world.dumpable = 0;
    return 0;
}
static int world_dumpable(void)
{
    return world.dumpable;
}
/* Liars: say yes and do nothing. */
static int lie_set(void)
{
    return 0;
}
static int lie_ids(uid_t a, uid_t b, uid_t c)
{
    return 0;
}
static int lie_capset(const struct jail_caps *c)
{
    return 0;
}
static int lie_drop(int c)
{
    return 0;
}

static void world_new(void)
{
    world =
        (__typeof__(world)){.groups = 3, .dumpable = 1, .bounding = ~UINT64_C(0), .caps = {~0ull, ~0ull, 0}};
    fake = (struct jail_kernel){
        .set_no_new_privs = world_set_nnp,
        .no_new_privs = world_nnp,
        .setrlimit = world_rlimit,
        .set_file_ids = world_file_ids,
        .fchdir = world_int,
        .chroot = world_path,
        .chdir = world_path,
        .clear_groups = world_clear_groups,
        .group_count = world_groups,
        .setresgid = world_setgid,
        .getresgid = world_getgid,
        .setresuid = world_setuid,
        .getresuid = world_getuid,
        .drop_bounding = world_drop,
        .bounding_has = world_has,
        .clear_ambient = world_zero,
        .capset = world_capset,
        .capget = world_capget,
        .set_undumpable = world_undump,
        .dumpable = world_dumpable,
    };
}

static enum err drop_in_world(struct jail_failure *failure)
{
    struct jail j = plain_jail();
    j.folder_fd = 0;
    j.change_user = true;
    j.uid = TEST_UID;
    j.gid = TEST_UID;
    struct jail_state state = {0};
    return jail_drop_privileges(&fake, &j, &state, failure);
}

static int injected;
/* One field of the table replaced: the entry must fail and name a step. */
#define INJECT(field, replacement)                                                                           \
    do {                                                                                                     \
        world_new();                                                                                         \
        fake.field = (replacement);                                                                          \
        struct jail_failure failure_ = {0};                                                                  \
        assert_err(ERR_DENIED, drop_in_world(&failure_));                                                    \
        assert_non_null(failure_.step);                                                                      \
        injected++;                                                                                          \
    } while (0)

static void test_each_call_failing_ends_the_entry(void **state)
{
    struct jail_failure failure = {0};
    world_new();
    assert_ok(drop_in_world(&failure));
    assert_int_equal(world.uid, TEST_UID);
    assert_int_equal(world.bounding >> CAP_LAST_CAP & 1, 0);
    INJECT(set_no_new_privs, fake_fail);
    INJECT(no_new_privs, fake_fail);
    INJECT(setrlimit, fail_int_u64);
    INJECT(set_file_ids, fail_file_ids);
    INJECT(fchdir, fail_int);
    INJECT(chroot, fail_path);
    INJECT(chdir, fail_path);
    INJECT(clear_groups, fake_fail);
    INJECT(group_count, fake_fail);
    INJECT(setresgid, fail_gids);
    INJECT(getresgid, fail_get_gids);
    INJECT(setresuid, fail_gids);
    INJECT(getresuid, fail_get_gids);
    INJECT(drop_bounding, fail_int);
    INJECT(clear_ambient, fake_fail);
    INJECT(capset, fail_capset);
    INJECT(capget, fail_capget);
    INJECT(set_undumpable, fake_fail);
    INJECT(dumpable, fake_fail);
    /* said yes, did nothing: found by reading back */
    INJECT(set_no_new_privs, lie_set);
    INJECT(clear_groups, lie_set);
    INJECT(setresgid, lie_ids);
    INJECT(setresuid, lie_ids);
    INJECT(capset, lie_capset);
    INJECT(drop_bounding, lie_drop);
    INJECT(set_undumpable, lie_set);
}

static void test_ids_that_come_back_end_the_entry(void **state)
{
    world_new();
    world.give_back = true;
    struct jail_failure failure = {0};
    assert_err(ERR_DENIED, drop_in_world(&failure));
    assert_string_equal(failure.step, "user 0 could be regained");
    injected++;
    report_threat("T-335", injected);
}

static void test_user_zero_is_no_own_user(void **state)
{
    world_new();
    struct jail j = plain_jail();
    j.change_user = true;
    struct jail_state s = {0};
    struct jail_failure failure = {0};
    assert_err(ERR_DENIED, jail_drop_privileges(&fake, &j, &s, &failure));
}

/* ---------------------------------------------------------------------------------------------------- the real thing */

static int enter_and_look(void *arg)
{
    struct jail j = plain_jail();
    char path[] = "/tmp/letterlock-jail-XXXXXX";
    if (!mkdtemp(path))
        return 1;
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (getuid() == 0 && chown(path, TEST_UID, TEST_UID) != 0)
        return 1;
    rmdir(path);
    j.folder_fd = folder;
    j.change_user = getuid() == 0;
    j.uid = j.gid = TEST_UID;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    if (jail_enter(&j, &state, &failure) != OK)
        return 2;
    struct jail_caps caps;
    if (jail_kernel_real.capget(&caps) != 0 || caps.effective || caps.permitted || caps.inheritable)
        return 3;
    if (!state.no_capabilities || jail_kernel_real.dumpable() != 0 || jail_kernel_real.no_new_privs() != 1)
        return 4;
    struct rlimit core;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
        return 5;
    if (j.change_user && (setuid(0) == 0 || getuid() != TEST_UID || getgid() != TEST_UID || !state.own_root))
        return 6;
    if (jail_landlock_abi() && (open("/etc/passwd", O_RDONLY) >= 0 || open("/", O_RDONLY) >= 0))
        return 7;
    return state.landlock == jail_landlock_abi() ? 0 : 8;
}

static void test_enter_drops_everything(void **state)
{
    assert_int_equal(in_child(enter_and_look, NULL), 0);
}

static int keep_some(void *arg)
{
    struct jail j = plain_jail();
    j.capabilities = JAIL_CAP_KILL | JAIL_CAP_SETUID;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    if (jail_enter(&j, &state, &failure) != OK)
        return 1;
    uint64_t wanted = UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_SETUID;
    struct jail_caps caps;
    if (jail_kernel_real.capget(&caps) != 0 || caps.effective != wanted || caps.permitted != wanted)
        return 2;
    return jail_kernel_real.bounding_has(CAP_KILL) == 0 && !state.no_capabilities ? 0 : 3;
}

static void test_the_supervisor_keeps_only_what_is_listed(void **state)
{
    if (getuid() == 0)
        assert_int_equal(in_child(keep_some, NULL), 0);
}

struct tree_case {
    const char *path;
    int flags;
    bool allowed;
};

static int open_in_trees(void *arg)
{
    const char *folder = arg;
    static const struct jail_tree trees[] = {{"own", JAIL_WRITE}, {"log", JAIL_APPEND}, {"ro", JAIL_READ}};
    static const struct tree_case cases[] = {
        {"own/a", O_RDWR | O_CREAT, true},
        {"own/a", O_RDWR | O_TRUNC, true},
        {"log/a", O_WRONLY | O_CREAT | O_APPEND, true},
        {"log/a", O_WRONLY | O_TRUNC, false},
        {"ro/a", O_RDONLY, true},
        {"ro/a", O_WRONLY, false},
        {"ro/new", O_WRONLY | O_CREAT, false},
        {"other/a", O_RDONLY, false},
        {"own/../other/a", O_RDONLY, false},
        {"own/link", O_RDONLY, false},
        {"/etc/passwd", O_RDONLY, false},
        {"/proc/self/root/etc/passwd", O_RDONLY, false},
        {"/proc/self/mem", O_RDWR, false},
    };
    struct jail j = plain_jail();
    j.folder_fd = open(folder, O_PATH | O_DIRECTORY);
    j.trees = trees;
    j.tree_count = 3;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    if (jail_enter(&j, &state, &failure) != OK)
        return 100;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if ((open(cases[i].path, cases[i].flags, 0600) >= 0) != cases[i].allowed)
            return 1 + (int)i;
    if (unlink("log/a") == 0 || rename("log/a", "log/b") == 0 || link("other/a", "own/b") == 0 ||
        truncate("log/a", 0) == 0 || mkfifo("own/f", 0600) == 0 || symlink("x", "own/s") == 0)
        return 101;
    return rename("own/a", "own/b") == 0 && unlink("own/b") == 0 && mkdir("own/d", 0700) == 0 ? 0 : 102;
}

static void touch(const char *folder, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void test_trees_hold(void **state)
{
    if (jail_landlock_abi() < 3)
        skip();
    char folder[] = "/tmp/letterlock-trees-XXXXXX", path[300];
    assert_non_null(mkdtemp(folder));
    static const char *const dirs[] = {"own", "log", "ro", "other"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, dirs[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    touch(folder, "ro/a");
    touch(folder, "other/a");
    snprintf(path, sizeof path, "%s/own/link", folder);
    assert_int_equal(symlink("../other/a", path), 0);
    assert_int_equal(in_child(open_in_trees, folder), 0);
    snprintf(path, sizeof path, "rm -r %s", folder);
    assert_int_equal(system(path), 0);
}

static int missing_tree(void *arg)
{
    static const struct jail_tree needed = {"/nowhere/at/all", JAIL_READ, false};
    struct jail j = plain_jail();
    j.trees = &needed;
    j.tree_count = 1;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    if (jail_enter(&j, &state, &failure) != ERR_DENIED || failure.error != ENOENT)
        return 1;
    return strcmp(failure.step, "landlock path /nowhere/at/all") == 0 ? 0 : 2;
}

static void test_a_missing_tree_is_named(void **state)
{
    if (jail_landlock_abi())
        assert_int_equal(in_child(missing_tree, NULL), 0);
}

/* ---------------------------------------------------------------------------------------------------- the call filter */

struct filter_case {
    const char *const *calls;
    int (*act)(void); /* 0 when it went through, 1 when it was refused */
};

static int seal_in_jail(void *arg)
{
    const struct filter_case *c = arg;
    struct jail j = plain_jail();
    j.calls = c->calls;
    j.net = JAIL_NET_CONNECT | JAIL_NET_BIND;
    static const struct jail_tree all = {"/", JAIL_READ | JAIL_WRITE};
    j.trees = &all;
    j.tree_count = 1;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    if (jail_enter(&j, &state, &failure) != OK || jail_seal(&j, &state, &failure) != OK || !state.filter)
        return 92;
    return c->act();
}

static int act_open_read(void)
{
    return open("/etc/hostname", O_RDONLY) >= 0 ? 0 : errno == EACCES ? 1 : 2;
}
static int act_open_write(void)
{
    return open("/dev/null", O_WRONLY) >= 0 ? 0 : errno == EACCES ? 1 : 2;
}
static int act_open_append(void)
{
    return open("/dev/null", O_WRONLY | O_APPEND) >= 0 ? 0 : errno == EACCES ? 1 : 2;
}
static int act_open_append_cut(void)
{
    return open("/dev/null", O_WRONLY | O_APPEND | O_TRUNC) >= 0 ? 0 : errno == EACCES ? 1 : 2;
}
static int act_exec_map(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 0
           : errno == EACCES                                                                         ? 1
                                                                                                     : 2;
}
static int act_plain_map(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 0 : 2;
}
static int act_exec_protect(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno == EACCES ? 1 : 2;
}
static int act_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 2;
}
static int act_socket_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : 2;
}
static int act_execve(void)
{
    char name[] = "true", *argv[] = {name, NULL};
    execve("/bin/true", argv, argv + 1);
    return 2;
}
static int act_fork(void)
{
    return fork() >= 0 ? 0 : 2;
}
static int act_kill_parent(void)
{
    return kill(getppid(), 0) == 0 ? 0 : 2;
}
static int act_x32(void)
{
    return syscall(0x40000000 | SYS_getpid) > 0 ? 0 : 2;
}
static int act_clone3(void)
{
    return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS ? 1 : 2;
}
static int act_dup_flags(void)
{
    return fcntl(2, F_GETFL) >= 0 ? 0 : 2;
}
static int act_dup_owner(void)
{
    return fcntl(2, F_SETOWN, getppid()) == 0 ? 0 : 2;
}

static const char *const read_calls[] = {BASE_CALLS, "openat:read", NULL};
static const char *const append_calls[] = {BASE_CALLS, "openat:append", NULL};
static const char *const any_open_calls[] = {BASE_CALLS, "openat", NULL};
static const char *const unix_calls[] = {BASE_CALLS, "socket:unix", NULL};
static const char *const flag_calls[] = {BASE_CALLS, "fcntl:flags", "getppid", NULL};

static void test_filter(void **state)
{
    const int killed = DIED + SIGSYS;
    static const struct {
        const char *what;
        const char *const *calls;
        int (*act)(void);
        int want; /* 2: killed */
        bool sanitized_too;
    } cases[] = {
        {"open without the right", base_calls, act_open_read, 1, false},
        {"openat:read reads", read_calls, act_open_read, 0, true},
        {"openat:read does not write", read_calls, act_open_write, 1, false},
        {"openat:append reads", append_calls, act_open_read, 0, true},
        {"openat:append appends", append_calls, act_open_append, 0, true},
        {"openat:append does not write", append_calls, act_open_write, 1, false},
        {"openat:append does not cut", append_calls, act_open_append_cut, 1, false},
        {"openat writes", any_open_calls, act_open_write, 0, true},
        {"no executable map", base_calls, act_exec_map, 1, false},
        {"plain map", base_calls, act_plain_map, 0, true},
        {"no executable protection", base_calls, act_exec_protect, 1, false},
        {"no socket", base_calls, act_socket, 2, true},
        {"unix socket", unix_calls, act_socket_unix, 0, true},
        {"no inet socket", unix_calls, act_socket, 2, true},
        {"no exec", base_calls, act_execve, 2, true},
        {"no fork", base_calls, act_fork, 2, true},
        {"no kill", flag_calls, act_kill_parent, 2, true},
        {"no other architecture", base_calls, act_x32, 2, true},
        {"clone3 is unknown", base_calls, act_clone3, 1, true},
        {"flags of descriptors", flag_calls, act_dup_flags, 0, true},
        {"no other fcntl", flag_calls, act_dup_owner, 2, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
#ifdef SANITIZED
        if (!cases[i].sanitized_too)
            continue;
#endif
        struct filter_case c = {.calls = cases[i].calls, .act = cases[i].act};
        int got = in_child(seal_in_jail, &c);
        if (got != (cases[i].want == 2 ? killed : cases[i].want))
            fail_msg("%s: got %d", cases[i].what, got);
    }
}

static atomic_int thread_go;
static void *thread_breaks_out(void *arg)
{
    while (!atomic_load(&thread_go))
        ;
    socket(AF_INET, SOCK_STREAM, 0);
    return NULL;
}

static int thread_is_covered(void *arg)
{
    struct jail j = plain_jail();
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    pthread_t thread;
    if (jail_enter(&j, &state, &failure) != OK ||
        pthread_create(&thread, NULL, thread_breaks_out, NULL) != 0 || jail_seal(&j, &state, &failure) != OK)
        return 1;
    atomic_store(&thread_go, 1);
    pthread_join(thread, NULL);
    return 2;
}

static void test_threads_started_before_are_covered(void **state)
{
    assert_int_equal(in_child(thread_is_covered, NULL), DIED + SIGSYS);
}

static int bad_list(void *arg)
{
    static const char *const calls[] = {"read", "no_such_call", NULL};
    struct jail j = plain_jail();
    j.calls = calls;
    struct jail_state state = {0};
    struct jail_failure failure = {0};
    if (jail_enter(&j, &state, &failure) != OK)
        return 1;
    return jail_seal(&j, &state, &failure) == ERR_DENIED && strstr(failure.step, "no_such_call") &&
                   !state.filter
               ? 0
               : 2;
}

static void test_an_unknown_call_is_refused(void **state)
{
    assert_int_equal(in_child(bad_list, NULL), 0);
    assert_true(jail_call_is_known("read"));
    assert_true(jail_call_is_known("openat:append"));
    assert_false(jail_call_is_known("openat:never"));
    assert_false(jail_call_is_known("no_such_call"));
    assert_false(jail_call_is_known(""));
}

static int close_others(void *arg)
{
    for (int i = 0; i < 30; i++)
        if (dup(0) < 0)
            return 1;
    const int keep[] = {5, 9, 10, 27};
    if (jail_close_others(3, keep, 4) != OK)
        return 2;
    for (int fd = 0; fd < 64; fd++) {
        bool want = fd < 3 || fd == 5 || fd == 9 || fd == 10 || fd == 27;
        if ((fcntl(fd, F_GETFD) >= 0) != want)
            return 100 + fd;
    }
    return 0;
}

static void test_close_others(void **state)
{
    assert_int_equal(in_child(close_others, NULL), 0);
}

static void test_state_text(void **state)
{
    char out[128];
    struct jail_state s = {true, true, true, 7, true, false};
    assert_string_equal(jail_state_text(&s, out, sizeof out), "full");
    s.own_root = s.own_user = false;
    assert_string_equal(jail_state_text(&s, out, sizeof out), "no-own-user no-own-root");
    char small[8];
    assert_string_equal(jail_state_text(&(struct jail_state){0}, small, sizeof small), "no-own-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_failing_ends_the_entry),
        cmocka_unit_test(test_ids_that_come_back_end_the_entry),
        cmocka_unit_test(test_user_zero_is_no_own_user),
        cmocka_unit_test(test_enter_drops_everything),
        cmocka_unit_test(test_the_supervisor_keeps_only_what_is_listed),
        cmocka_unit_test(test_trees_hold),
        cmocka_unit_test(test_a_missing_tree_is_named),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_threads_started_before_are_covered),
        cmocka_unit_test(test_an_unknown_call_is_refused),
        cmocka_unit_test(test_close_others),
        cmocka_unit_test(test_state_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
