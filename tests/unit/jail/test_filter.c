/* The call filter on this kernel, in child processes: what is forbidden is refused or kills. */
#include "jail/child.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_threads_started_before_are_covered),
        cmocka_unit_test(test_an_unknown_call_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
