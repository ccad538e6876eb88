/* The process table says nothing that contradicts itself or the kernel. */
#include "test.h"

#include "proc/table.h"

static void test_every_slot_has_one_keeper(void **state)
{
    for (unsigned keepers = 1; keepers <= 128; keepers++) {
        unsigned next = 0;
        for (unsigned k = 0; k < keepers; k++) {
            unsigned first, count;
            slots_of_keeper(k, keepers, &first, &count);
            assert_int_equal(first, next);
            assert_true(count >= 1);
            for (unsigned s = first; s < first + count; s++)
                assert_int_equal(slot_owner((uint8_t)s, keepers), k);
            next = first + count;
        }
        assert_int_equal(next, SLOTS);
    }
}

static void test_slot_names(void **state)
{
    for (unsigned s = 0; s < SLOTS; s++) {
        char wanted[3];
        snprintf(wanted, sizeof wanted, "%02x", s);
        assert_string_equal(slot_name(s), wanted);
    }
}

static void test_every_call_is_known(void **state)
{
    for (unsigned r = 0; r < ROLES; r++)
        for (const char *const *call = role_row((enum ipc_role)r)->calls; *call; call++)
            if (!jail_call_is_known(*call))
                fail_msg("%s: %s", role_row((enum ipc_role)r)->name, *call);
}

static void test_talking_is_mutual_and_not_of_the_supervisor(void **state)
{
    for (unsigned a = 0; a < ROLES; a++) {
        assert_false(role_talks(ROLE_SUPERVISOR, (enum ipc_role)a));
        for (unsigned b = 0; b < ROLES; b++)
            assert_int_equal(
                role_talks((enum ipc_role)a, (enum ipc_role)b),
                role_talks((enum ipc_role)b, (enum ipc_role)a));
    }
    assert_false(role_talks(ROLE_SCAN, ROLE_VAULT));
    assert_false(role_talks(ROLE_RELAY, ROLE_KEEPER));
}

static void test_users_and_folders_are_nobody_elses(void **state)
{
    for (unsigned a = ROLE_GATE; a < ROLES; a++)
        for (unsigned b = a + 1; b < ROLES; b++) {
            const struct role_row *x = role_row((enum ipc_role)a), *y = role_row((enum ipc_role)b);
            assert_int_not_equal(x->user, y->user);
            assert_true(x->user > 0);
            assert_false(x->folder && y->folder && strcmp(x->folder, y->folder) == 0);
            assert_string_not_equal(x->program, y->program);
        }
}

static void test_jail_of_a_keeper_has_its_slots_alone(void **state)
{
    static struct role_jail j;
    role_jail_init(&j, ROLE_KEEPER, 1, 4, 7, true, 1003, 1004, false);
    assert_int_equal(j.jail.tree_count, 64);
    assert_string_equal(j.jail.trees[0].path, "40");
    assert_string_equal(j.jail.trees[63].path, "7f");
    assert_int_equal(j.jail.capabilities, 0);
    assert_int_equal(j.jail.uid, 1003);
    assert_int_equal(j.jail.gid, 1004);
    assert_true(j.jail.change_user);
    role_jail_init(&j, ROLE_GATE, 0, 4, 7, false, 1, 1, true);
    assert_int_equal(j.jail.tree_count, 0);
    assert_true(j.jail.require_landlock);
}

static void test_names(void **state)
{
    char name[PROC_NAME_MAX];
    role_process_name(ROLE_KEEPER, 12, name);
    assert_string_equal(name, "keeper-12");
    role_process_name(ROLE_VAULT, 0, name);
    assert_string_equal(name, "vault");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_slot_has_one_keeper),
        cmocka_unit_test(test_slot_names),
        cmocka_unit_test(test_every_call_is_known),
        cmocka_unit_test(test_talking_is_mutual_and_not_of_the_supervisor),
        cmocka_unit_test(test_users_and_folders_are_nobody_elses),
        cmocka_unit_test(test_jail_of_a_keeper_has_its_slots_alone),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
