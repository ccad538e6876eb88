#include "fixture.h"

static struct fixture *f;
static struct vault_account alice, bob;

static int setup(void **state)
{
    f = fixture_new();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    assert_int_equal(vault_domain_add(f->v, S("second.test")), OK);
    alice = fixture_account(f, "alice@example.test");
    bob = fixture_account(f, "bob@example.test");
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static void expect(const char *recipient, const char *accounts)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(4 << 20);
    struct buf found CLEANUP_BUF = BUF_INIT(100000);
    const struct vault_target *t;
    size_t n;
    enum err e = vault_resolve(f->v, slice_str(recipient), &arena, &t, &n);
    if (e != OK) {
        assert_string_equal(err_name(e), accounts);
        return;
    }
    for (size_t i = 0; i < n; i++)
        buf_printf(&found, "%s%s", i ? " " : "", t[i].address);
    assert_string_equal(buf_cstr(&found), accounts);
}

static enum err alias(const char *address, const char *target)
{
    return vault_alias_add(f->v, slice_str(address), slice_str(target));
}

static void plain_tagged_and_unknown(void **state)
{
    expect("alice@example.test", "alice@example.test");
    expect("ALICE@Example.Test", "alice@example.test");
    expect("alice+shop@example.test", "alice@example.test");
    expect("alice+a+b@example.test", "alice@example.test");
    expect("alice+@example.test", "alice@example.test");
    expect("+alice@example.test", "not-found");
    expect("nobody@example.test", "not-found");
    expect("nobody+x@example.test", "not-found");
    expect("alice@other.test", "unsupported");
    expect("alice@second.test", "not-found");
    expect("alice@[192.0.2.1]", "syntax");
    expect("", "syntax");
    expect("alice", "syntax");
    f->options.settings.plus_separator = '-';
    vault_set(f->v, &f->options.settings);
    expect("alice-shop@example.test", "alice@example.test");
    expect("alice+shop@example.test", "not-found");
    f->options.settings.plus_separator = 0;
    vault_set(f->v, &f->options.settings);
    expect("alice-shop@example.test", "not-found");
}

static void aliases_of_aliases(void **state)
{
    assert_int_equal(alias("team@example.test", "alice@example.test"), OK);
    assert_int_equal(alias("team@example.test", "bob@example.test"), OK);
    assert_int_equal(alias("all@second.test", "team@example.test"), OK);
    assert_int_equal(alias("all@second.test", "alice+all@example.test"), OK);
    expect("team+x@example.test", "bob@example.test alice@example.test");
    struct arena arena CLEANUP_ARENA = ARENA_INIT(4 << 20);
    const struct vault_target *t;
    size_t n;
    assert_int_equal(vault_resolve(f->v, S("all@second.test"), &arena, &t, &n), OK);
    assert_int_equal(n, 2); /* alice once */
    assert_int_equal(alias("team@example.test", "bob@example.test"), ERR_EXISTS);
    assert_int_equal(alias("alice@example.test", "bob@example.test"), ERR_EXISTS);
    assert_int_equal(alias("x@example.test", "nobody@example.test"), ERR_NOT_FOUND);
    assert_int_equal(alias("x@example.test", "me@elsewhere.test"), ERR_UNSUPPORTED);
    assert_int_equal(alias("x@elsewhere.test", "alice@example.test"), ERR_NOT_FOUND);
    assert_int_equal(alias("x@example.test", "x@example.test"), ERR_BUSY);
    expect("x@example.test", "not-found");
    struct vault_account_new n2 = {.address = S("team@example.test")};
    assert_int_equal(vault_account_add(f->v, &n2, &bob), ERR_EXISTS);
    assert_int_equal(vault_alias_remove(f->v, S("team@example.test"), S("alice@example.test")), OK);
    assert_int_equal(
        vault_alias_remove(f->v, S("team@example.test"), S("alice@example.test")), ERR_NOT_FOUND);
    expect("team@example.test", "bob@example.test");
    assert_int_equal(vault_alias_remove(f->v, S("team@example.test"), SLICE_EMPTY), OK);
    expect("team@example.test", "not-found");
    assert_int_equal(vault_alias_remove(f->v, S("team@example.test"), SLICE_EMPTY), ERR_NOT_FOUND);
}

static void circles_end(void **state)
{
    assert_int_equal(alias("a@example.test", "alice@example.test"), OK);
    assert_int_equal(alias("b@example.test", "a@example.test"), OK);
    assert_int_equal(alias("c@example.test", "b@example.test"), OK);
    assert_int_equal(alias("a@example.test", "c@example.test"), OK); /* a circle, with a way out */
    expect("a@example.test", "alice@example.test");
    expect("b@example.test", "alice@example.test");
    assert_int_equal(vault_alias_remove(f->v, S("a@example.test"), S("alice@example.test")), OK);
    expect("a@example.test", "not-found"); /* a circle alone leads nowhere */
}

static void depth_and_breadth_have_limits(void **state)
{
    char name[64], before[64] = "alice@example.test";
    for (int i = 0; i < LIMIT_ALIAS_DEPTH; i++) {
        snprintf(name, sizeof name, "deep%d@example.test", i);
        assert_int_equal(alias(name, before), OK);
        memcpy(before, name, sizeof before);
    }
    expect(before, "alice@example.test");
    assert_int_equal(alias("toodeep@example.test", before), ERR_LIMIT);
    expect("toodeep@example.test", "not-found");
}

/* Every domain has postmaster. */
static void duties_always_have_somebody(void **state)
{
    expect("postmaster@example.test", "alice@example.test");
    expect("Postmaster@example.test", "alice@example.test");
    expect("ABUSE@second.test", "alice@example.test"); /* no account there: the oldest of all */
    expect("postmaster", "alice@example.test");
    expect("POSTMASTER", "alice@example.test");
    expect("postmaster@other.test", "unsupported");
    fixture_account(f, "carol@second.test");
    expect("abuse@second.test", "carol@second.test");
    assert_int_equal(alias("postmaster@example.test", "bob@example.test"), OK);
    expect("postmaster@example.test", "bob@example.test");
}

/* T-080: whose address is it? */
static void owners(void **state)
{
    static const struct {
        const char *address;
        bool alice, bob;
    } rows[] = {
        {"alice@example.test", true, false},
        {"Alice@EXAMPLE.test", true, false},
        {"alice+tag@example.test", true, false},
        {"bob@example.test", false, true},
        {"sales@example.test", true, false},
        {"team@example.test", false, false},
        {"nobody@example.test", false, false},
        {"alice@other.test", false, false},
        {"", false, false},
        {"alice@example.test.evil.test", false, false},
        {"postmaster@example.test", true, false},
        {"\xd0\xb0lice@example.test", false, false}, /* U+0430 */
        {"alice@second.test", false, false},
        {"\"alice@example.test\"@other.test", false, false},
    };
    assert_int_equal(alias("sales@example.test", "alice@example.test"), OK);
    assert_int_equal(alias("team@example.test", "alice@example.test"), OK);
    assert_int_equal(alias("team@example.test", "bob@example.test"), OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(
            vault_owns(f->v, &alice.id, slice_str(rows[i].address)), rows[i].alice ? OK : ERR_DENIED);
        assert_int_equal(
            vault_owns(f->v, &bob.id, slice_str(rows[i].address)), rows[i].bob ? OK : ERR_DENIED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_tagged_and_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(aliases_of_aliases, setup, teardown),
        cmocka_unit_test_setup_teardown(circles_end, setup, teardown),
        cmocka_unit_test_setup_teardown(depth_and_breadth_have_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(duties_always_have_somebody, setup, teardown),
        cmocka_unit_test_setup_teardown(owners, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
