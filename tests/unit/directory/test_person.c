/* What an entry's values mean: quotas, ids, groups. */
#include "directory/private.h"
#include "test.h"

static void test_quota(void **state)
{
    static const struct {
        const char *text;
        uint64_t wanted;
    } cases[] = {
        {"1000000", 1000000},
        {"500M", 500ull << 20},
        {"5 G", 5ull << 30},
        {"5GiB", 5ull << 30},
        {"5gb", 5ull << 30},
        {"2T", 2ull << 40},
        {"7k", 7 << 10},
        {" 12 ", 12},
        {"12B", 12},
        {"", 0},
        {"0", 0},
        {"G", 0},
        {"-5", 0},
        {"5X", 0},
        {"5 parsecs", 0},
        {"0x10", 0},
        {"1.5G", 0},
        {"99999999999999999999", 0},
        {"9999999999999T", 0},
        {"iB", 0},
        {"B", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (person_quota(slice_str(cases[i].text)) != cases[i].wanted)
            fail_msg(
                "\"%s\": %llu", cases[i].text, (unsigned long long)person_quota(slice_str(cases[i].text)));
}

static void test_id(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
    assert_true(slice_eq(
        person_id(S("b1f2d7a0-5c1e-103e-9b0a-0242ac120002"), &arena),
        S("b1f2d7a0-5c1e-103e-9b0a-0242ac120002")));
    assert_true(slice_eq(person_id(slice_of("\x00\xff\x10", 3), &arena), S("00ff10")));
    assert_true(slice_eq(person_id(S("with blank"), &arena), S("7769746820626c616e6b")));
    char text[LIMIT_DIRECTORY_ID + 2];
    memset(text, 'a', sizeof text);
    assert_int_equal(person_id(slice_of(text, LIMIT_DIRECTORY_ID), &arena).n, LIMIT_DIRECTORY_ID);
    assert_int_equal(person_id(slice_of(text, LIMIT_DIRECTORY_ID + 1), &arena).n, 0);
    memset(text, 1, sizeof text);
    assert_int_equal(person_id(slice_of(text, LIMIT_DIRECTORY_ID / 2), &arena).n, LIMIT_DIRECTORY_ID);
    assert_int_equal(person_id(slice_of(text, LIMIT_DIRECTORY_ID / 2 + 1), &arena).n, 0);
    assert_int_equal(person_id(SLICE_EMPTY, &arena).n, 0);
}

static void test_dn(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
    const char *one = groups_normal_dn(S("CN=Staff, OU=Groups,DC=ours"), &arena);
    const char *two = groups_normal_dn(S("cn=staff,ou=groups,dc=OURS"), &arena);
    assert_non_null(one);
    assert_string_equal(one, two);
    assert_string_not_equal(one, groups_normal_dn(S("cn=staff\\,ou=groups,dc=ours"), &arena));
    assert_null(groups_normal_dn(S("staff"), &arena));
    assert_null(groups_normal_dn(SLICE_EMPTY, &arena));
}

static struct config *settings(void)
{
    static const char *const lines[][2] = {
        {"directory", "ldaps://192.0.2.1"},
        {"directory_base", "dc=ours"},
        {"directory_group", "\"cn=Board,ou=groups,dc=ours\" board"},
        {"directory_group", "staff staff"},
        {"directory_group", "\"cn=pupils,ou=groups,dc=ours\" pupil"},
    };
    struct config *c = config_new();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_ok(config_set_text(c, slice_str(lines[i][0]), slice_str(lines[i][1])));
    return c;
}

static struct slice group_of(const struct directory *d, const char *const *texts)
{
    struct berval values[8], *list[9] = {NULL};
    for (size_t i = 0; texts[i]; i++) {
        values[i] = (struct berval){.bv_len = strlen(texts[i]), .bv_val = (char *)texts[i]};
        list[i] = &values[i];
    }
    return groups_of_values(d, list);
}

/* The order of the settings decides, whatever the server's is. */
static void test_groups(void **state)
{
    struct names names = {.server_count = 0};
    struct secret none = SECRET_NONE;
    struct config *c = settings();
    struct directory *d = directory_new(c, &names, &none);
    static const struct {
        const char *const values[4];
        const char *wanted;
    } cases[] = {
        {{"cn=pupils,ou=groups,dc=ours"}, "pupil"},
        {{"CN=Pupils, ou=groups, dc=ours"}, "pupil"},
        {{"cn=pupils,ou=other,dc=ours"}, ""}, /* a rule with a DN is that DN alone */
        {{"cn=staff,ou=anywhere,dc=ours"}, "staff"},
        {{"staff"}, "staff"},
        {{"cn=pupils,ou=groups,dc=ours", "cn=staff,dc=ours", "cn=board,ou=groups,dc=ours"}, "board"},
        {{"cn=pupils,ou=groups,dc=ours", "staff"}, "staff"},
        {{"cn=stafff,dc=ours"}, ""},
        {{"ou=staff\\,cn=staff,dc=ours"}, ""},
        {{""}, ""},
        {{NULL}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!slice_eq(group_of(d, cases[i].values), slice_str(cases[i].wanted)))
            fail_msg("case %zu", i);
    assert_int_equal(groups_of_values(d, NULL).n, 0);
    directory_free(&d);
    assert_null(d);
    directory_free(&d);
    config_free(&c);
}

/* INV-D1: what is refused before anybody is asked. */
static void test_empty_password(void **state)
{
    struct names names = {.server_count = 0};
    struct secret none = SECRET_NONE;
    struct config *c = settings();
    struct directory *d = directory_new(c, &names, &none);
    struct directory_answer a = {.step_count = 0};
    assert_int_equal(directory_check(d, S("a@ours.test"), S("id"), SLICE_EMPTY, 0, &a), DIRECTORY_NO);
    assert_string_equal(a.reason, "empty");
    assert_int_equal(directory_check(d, S("nobody"), S("id"), S("secret"), 0, &a), DIRECTORY_NO);
    assert_string_equal(a.reason, "not-found");
    /* The time is over before it began. */
    assert_int_equal(directory_check(d, S("a@ours.test"), S("id"), S("secret"), 0, &a), DIRECTORY_LATER);
    struct directory_health h;
    directory_health(d, &h);
    assert_true(h.bad_s > 0);
    directory_free(&d);
    config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_dn),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_empty_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
