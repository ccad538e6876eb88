/* The sandbox on this kernel, in child processes: what is dropped is gone, and what is refused is refused. Which parts run as
 * root is decided at run time; the file is run both ways. */
#include "jail/child.h"

#include <linux/capability.h>
#include <sys/resource.h>

#include "jail/kernel.h"

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
        cmocka_unit_test(test_enter_drops_everything),
        cmocka_unit_test(test_the_supervisor_keeps_only_what_is_listed),
        cmocka_unit_test(test_trees_hold),
        cmocka_unit_test(test_a_missing_tree_is_named),
        cmocka_unit_test(test_close_others),
        cmocka_unit_test(test_state_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
