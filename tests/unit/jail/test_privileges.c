/* Entering the sandbox where the system fails or lies: every such call ends the entry (T-335). The system is made up. */
#include "jail/child.h"

#include <linux/capability.h>

#include "jail/kernel.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_failing_ends_the_entry),
        cmocka_unit_test(test_ids_that_come_back_end_the_entry),
        cmocka_unit_test(test_user_zero_is_no_own_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
