/* Accounts from a directory: what each word of the server changes, and what none of them may. */
#include "fixture.h"

#include "test.h"
#include "vault/directory.h"
#include "vault/policy.h"

struct heard {
    char text[4096]; /* "action address detail\n" */
};

static void hear(void *owner, const char *action, struct slice address, struct slice detail)
{
    struct heard *h = owner;
    size_t n = strlen(h->text);
    snprintf(
        h->text + n, sizeof h->text - n, "%s " SLICE_FMT " " SLICE_FMT "\n", action, SLICE_ARG(address),
        SLICE_ARG(slice_sub(detail, 0, 40)));
}

static struct vault_directory_person person(const char *id, const char *address)
{
    return (struct vault_directory_person){.id = slice_str(id), .address = slice_str(address)};
}

/* One run over these people; what was told comes back in a buffer that the next run reuses. */
static enum err run_with(
    struct fixture *f, const struct vault_directory_person *people, size_t count, bool dry_run, bool force,
    struct heard *heard)
{
    struct vault_directory_run run = {.v = f->v, .dry_run = dry_run, .tell = hear, .owner = heard};
    enum err e = OK;
    heard->text[0] = '\0';
    vault_directory_begin(&run);
    for (size_t i = 0; e == OK && i < count; i++)
        e = vault_directory_take(&run, &people[i]);
    if (e == OK)
        e = vault_directory_finish(&run, force);
    vault_directory_end(&run);
    return e;
}

static const char *run_people(struct fixture *f, const struct vault_directory_person *people, size_t count)
{
    static struct heard heard;
    assert_ok(run_with(f, people, count, false, false, &heard));
    return heard.text;
}

static struct vault_account find(struct fixture *f, const char *address)
{
    struct vault_account a;
    assert_ok(vault_account_find(f->v, slice_str(address), &a));
    return a;
}

static struct fixture *begin(void)
{
    struct fixture *f = fixture_new();
    assert_ok(vault_domain_add(f->v, S("ours.test")));
    return f;
}

static void test_made(void **state)
{
    struct fixture *f = begin();
    struct heard heard;
    struct vault_directory_person p[] = {person("id-1", "Alice@Ours.test"), person("id-2", "bob@ours.test")};
    p[0].name = S("Alice 李");
    p[0].quota_bytes = 5000000;
    assert_ok(run_with(f, p, 2, true, false, &heard));
    assert_string_equal(heard.text, "made Alice@ours.test Alice 李\nmade bob@ours.test \n");
    struct vault_account a;
    assert_err(ERR_NOT_FOUND, vault_account_find(f->v, S("alice@ours.test"), &a));
    assert_string_equal(run_people(f, p, 2), "made Alice@ours.test Alice 李\nmade bob@ours.test \n");
    a = find(f, "alice@ours.test");
    assert_string_equal(a.name, "Alice 李");
    assert_int_equal(a.quota_bytes, 5000000);
    assert_false(a.has_password);
    char id[LIMIT_DIRECTORY_ID + 1];
    assert_ok(vault_directory_id(f->v, &a.id, id));
    assert_string_equal(id, "id-1");
    assert_string_equal(run_people(f, p, 2), "");
    fixture_free(f);
}

/* What stands in for the password names the person and the address; a real hash is no such thing. */
static void test_stored(void **state)
{
    struct fixture *f = begin();
    struct vault_directory_person p[] = {person("id-1", "alice@ours.test")};
    struct slice id, address;
    run_people(f, p, 1);
    struct vault_account a = find(f, "alice@ours.test");
    struct secret text = SECRET_NONE;
    assert_ok(vault_account_password(f->v, &a.id, &text));
    assert_true(vault_directory_read_stored(secret_reveal(&text), &id, &address));
    assert_true(slice_eq(id, S("id-1")) && slice_eq(address, S("alice@ours.test")));
    assert_false(vault_directory_read_stored(S("$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA"), &id, &address));
    assert_false(vault_directory_read_stored(S("$directory$"), &id, &address));
    assert_false(vault_directory_read_stored(SLICE_EMPTY, &id, &address));
    assert_err(ERR_UNSUPPORTED, vault_directory_refuse(f->v, &a.id));
    assert_true(slice_search(vault_problem(f->v), S("LDAP")) != SLICE_NPOS);
    secret_free(&text);
    fixture_free(f);
}

static void test_changed(void **state)
{
    struct fixture *f = begin();
    struct vault_directory_person p[] = {person("id-1", "alice@ours.test")};
    run_people(f, p, 1);
    assert_ok(vault_account_set_group(f->v, S("alice@ours.test"), S("board")));
    assert_string_equal(run_people(f, p, 1), "");
    assert_string_equal(find(f, "alice@ours.test").group, "board"); /* an administrator's word stays */
    p[0].name = S("Alice");
    p[0].group = S("staff");
    p[0].quota_bytes = 7000000;
    assert_string_equal(
        run_people(f, p, 1),
        "renamed alice@ours.test Alice\nquota alice@ours.test 7000000\ngroup alice@ours.test staff\n");
    struct vault_account a = find(f, "alice@ours.test");
    assert_string_equal(a.group, "staff");
    assert_string_equal(a.name, "Alice");
    assert_int_equal(a.quota_bytes, 7000000);
    p[0].group = SLICE_EMPTY;
    p[0].quota_bytes = 0;
    assert_string_equal(run_people(f, p, 1), "group alice@ours.test none\n");
    assert_string_equal(find(f, "alice@ours.test").group, "");
    p[0].name = S("bad\nname");
    assert_string_equal(run_people(f, p, 1), "");
    fixture_free(f);
}

static void resolves(struct fixture *f, const char *address, const char *to)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
    const struct vault_target *targets;
    size_t count;
    assert_ok(vault_resolve(f->v, slice_str(address), &arena, &targets, &count));
    assert_int_equal(count, 1);
    assert_string_equal(targets[0].address, to);
}

static void test_moved(void **state)
{
    struct fixture *f = begin();
    struct vault_directory_person p[] = {person("id-1", "alice@ours.test"), person("id-2", "bob@ours.test")};
    run_people(f, p, 2);
    struct vault_account before = find(f, "alice@ours.test");
    f->told.revokes = 0;
    p[0].address = S("alice.smith@ours.test");
    assert_string_equal(run_people(f, p, 2), "moved alice@ours.test alice.smith@ours.test\n");
    struct vault_account a = find(f, "alice.smith@ours.test");
    assert_memory_equal(a.id.b, before.id.b, sizeof a.id.b);
    assert_true(f->told.revokes == 1 && a.version > before.version);
    resolves(f, "alice@ours.test", "alice.smith@ours.test");
    /* the old address is nobody else's now */
    p[1].address = S("alice@ours.test");
    assert_string_equal(run_people(f, p, 2), "conflict alice@ours.test the new address is in use already\n");
    p[1].address = S("bob@ours.test");
    /* and back */
    p[0].address = S("alice@ours.test");
    assert_string_equal(run_people(f, p, 2), "moved alice.smith@ours.test alice@ours.test\n");
    resolves(f, "alice.smith@ours.test", "alice@ours.test");
    resolves(f, "alice@ours.test", "alice@ours.test");
    /* a further address is no move, in whatever order they come */
    p[0].address = S("aaa@ours.test");
    p[0].others = S("else@their.test alice@ours.test");
    assert_string_equal(run_people(f, p, 2), "");
    /* one's own alias, made by hand, is not swept away: it may lead to others, too */
    assert_ok(vault_alias_add(f->v, S("team@ours.test"), S("alice@ours.test")));
    assert_ok(vault_alias_add(f->v, S("team@ours.test"), S("bob@ours.test")));
    p[0] = person("id-1", "team@ours.test");
    assert_string_equal(run_people(f, p, 2), "conflict team@ours.test the new address is in use already\n");
    fixture_free(f);
}

static void test_gone_and_back(void **state)
{
    struct fixture *f = begin();
    struct vault_directory_person p[] = {person("id-1", "alice@ours.test"), person("id-2", "bob@ours.test")};
    struct heard heard;
    run_people(f, p, 2);
    assert_ok(run_with(f, p, 1, true, false, &heard));
    assert_int_equal(find(f, "bob@ours.test").status, ACCOUNT_ACTIVE);
    f->told.revokes = 0;
    assert_string_equal(
        run_people(f, p, 1), "locked bob@ours.test the directory does not know this person \n");
    assert_int_equal(find(f, "bob@ours.test").status, ACCOUNT_LOCKED);
    assert_int_equal(f->told.revokes, 1);
    assert_string_equal(run_people(f, p, 1), "");
    assert_string_equal(run_people(f, p, 2), "unlocked bob@ours.test \n");
    assert_int_equal(find(f, "bob@ours.test").status, ACCOUNT_ACTIVE);
    /* an administrator's lock stays */
    assert_ok(vault_account_set_status(f->v, S("bob@ours.test"), ACCOUNT_LOCKED));
    assert_string_equal(run_people(f, p, 2), "");
    assert_string_equal(run_people(f, p, 1), "");
    assert_string_equal(run_people(f, p, 2), "");
    assert_int_equal(find(f, "bob@ours.test").status, ACCOUNT_LOCKED);
    fixture_free(f);
}

/* T-226, T-261: who has the address is not who had it. */
static void test_another_person(void **state)
{
    struct fixture *f = begin();
    struct vault_directory_person p[] = {
        person("id-1", "alice@ours.test"), person("id-9", "alice@ours.test")};
    run_people(f, p, 1);
    struct vault_account before = find(f, "alice@ours.test");
    const char *told = run_people(f, p + 1, 1);
    assert_non_null(strstr(told, "conflict alice@ours.test"));
    assert_non_null(strstr(told, "locked alice@ours.test"));
    assert_int_equal(find(f, "alice@ours.test").status, ACCOUNT_LOCKED);
    assert_ok(vault_account_remove(f->v, S("alice@ours.test")));
    assert_string_equal(
        run_people(f, p + 1, 1), "conflict alice@ours.test alice@ours.test was somebody's until 202\n");
    assert_ok(vault_resting_release(f->v, S("alice@ours.test")));
    assert_string_equal(run_people(f, p + 1, 1), "made alice@ours.test \n");
    struct vault_account after = find(f, "alice@ours.test");
    assert_true(memcmp(after.id.b, before.id.b, sizeof after.id.b) != 0);
    char id[LIMIT_DIRECTORY_ID + 1];
    assert_err(ERR_NOT_FOUND, vault_directory_id(f->v, &before.id, id));
    /* both at once: the first that comes has it, the other is a conflict */
    assert_non_null(strstr(run_people(f, p, 2), "conflict alice@ours.test"));
    /* a local account is not taken over */
    struct vault_account local;
    assert_ok(vault_account_add(f->v, &(struct vault_account_new){.address = S("local@ours.test")}, &local));
    struct vault_directory_person taker[] = {p[1], person("id-5", "local@ours.test")};
    assert_non_null(strstr(run_people(f, taker, 2), "conflict local@ours.test"));
    assert_err(ERR_NOT_FOUND, vault_directory_id(f->v, &local.id, id));
    fixture_free(f);
}

static void test_odd_people(void **state)
{
    struct fixture *f = begin();
    static const char *const addresses[] = {
        "x@their.test",      "nobody",         "@ours.test", "a b@ours.test",
        "tag+ged@ours.test", "\xff@ours.test", "",           "x@ours.test\n"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct vault_directory_person p[] = {person("id-odd", addresses[i])};
        const char *told = run_people(f, p, 1);
        if (strncmp(told, "skipped ", 8) != 0)
            fail_msg("\"%s\": %s", addresses[i], told);
    }
    char long_id[LIMIT_DIRECTORY_ID + 2];
    memset(long_id, 'a', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    struct vault_directory_person bad[] = {
        person("", "a@ours.test"), person(long_id, "b@ours.test"), person("id-1", "c@ours.test"),
        person("id-1", "d@ours.test")};
    const char *told = run_people(f, bad, 4);
    assert_non_null(strstr(told, "conflict a@ours.test"));
    assert_non_null(strstr(told, "conflict b@ours.test"));
    assert_non_null(strstr(told, "made c@ours.test"));
    assert_non_null(strstr(told, "conflict d@ours.test"));
    fixture_free(f);
}

static void test_domains(void **state)
{
    struct fixture *f = begin();
    assert_ok(vault_domain_add(f->v, S("two.test")));
    struct heard heard = {""};
    struct vault_directory_run run = {
        .v = f->v, .tell = hear, .owner = &heard, .domains = {S("TWO.test")}, .domain_count = 1};
    struct vault_directory_person p[] = {person("id-1", "a@ours.test"), person("id-2", "b@ours.test")};
    p[1].others = S("b@two.test");
    vault_directory_begin(&run);
    assert_ok(vault_directory_take(&run, &p[0]));
    assert_ok(vault_directory_take(&run, &p[1]));
    assert_ok(vault_directory_finish(&run, false));
    vault_directory_end(&run);
    assert_non_null(strstr(heard.text, "skipped a@ours.test"));
    assert_non_null(strstr(heard.text, "made b@two.test"));
    fixture_free(f);
}

/* More than half are missing: nobody is locked without being told to. */
static void test_wholesale(void **state)
{
    enum { MANY = LIMIT_DIRECTORY_LOCKS * 2 + 1 };
    struct fixture *f = begin();
    struct vault_directory_person p[MANY];
    char ids[MANY][8], addresses[MANY][20];
    struct heard heard;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "id-%zu", i);
        snprintf(addresses[i], sizeof addresses[i], "p%zu@ours.test", i);
        p[i] = person(ids[i], addresses[i]);
    }
    run_people(f, p, MANY);
    assert_err(ERR_DENIED, run_with(f, p, LIMIT_DIRECTORY_LOCKS, false, false, &heard));
    assert_string_equal(heard.text, "");
    assert_int_equal(find(f, "p20@ours.test").status, ACCOUNT_ACTIVE);
    assert_ok(run_with(f, p, LIMIT_DIRECTORY_LOCKS + 1, false, false, &heard)); /* not more than half */
    assert_int_equal(find(f, "p20@ours.test").status, ACCOUNT_LOCKED);
    assert_ok(run_with(f, p, MANY, false, false, &heard));
    assert_ok(run_with(f, NULL, 0, false, true, &heard));
    assert_int_equal(find(f, "p0@ours.test").status, ACCOUNT_LOCKED);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made),          cmocka_unit_test(test_stored),
        cmocka_unit_test(test_changed),       cmocka_unit_test(test_moved),
        cmocka_unit_test(test_gone_and_back), cmocka_unit_test(test_another_person),
        cmocka_unit_test(test_odd_people),    cmocka_unit_test(test_domains),
        cmocka_unit_test(test_wholesale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
