#include "fixture.h"

#include "vault/devices.h"
#include "vault/policy.h"

enum { NOW = 1700000000, DAY = 86400 };

static struct fixture *f;
static struct vault_account alice;

static int setup(void **state)
{
    f = fixture_new();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account(f, "alice@example.test");
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

struct given {
    char text[DEVICE_TOKEN];
    uint64_t id;
};
static struct given remember(struct slice label, int64_t now)
{
    struct given t;
    assert_int_equal(device_remember(f->v, &alice.id, label, now, t.text, &t.id), OK);
    return t;
}
static enum err check(const struct account_id *account, const struct given *t, int64_t now)
{
    uint64_t id = 0;
    enum err e = device_check(f->v, account, slice_of(t->text, DEVICE_TOKEN), now, &id);
    assert_true(e != OK || id == t->id);
    return e;
}

struct listed {
    struct device devices[LIMIT_DEVICES_PER_ACCOUNT + 1];
    unsigned n;
};
static void take(void *owner, const struct device *device)
{
    struct listed *l = owner;
    l->devices[l->n++] = *device;
}
static struct listed list(int64_t now)
{
    struct listed l = {.n = 0};
    assert_int_equal(device_list(f->v, &alice.id, now, take, &l), OK);
    return l;
}

static void a_token_is_good_for_its_account_and_its_time(void **state)
{
    struct vault_account bob = fixture_account(f, "bob@example.test");
    struct given t = remember(S("Firefox on Linux"), NOW), other = remember(S("phone"), NOW);
    assert_string_equal(f->told.last_kind, "device.remembered");
    assert_memory_not_equal(t.text, other.text, DEVICE_TOKEN);
    assert_int_equal(check(&alice.id, &t, NOW), OK);
    assert_int_equal(check(&alice.id, &t, NOW + 30 * DAY - 1), OK);
    assert_int_equal(check(&alice.id, &t, NOW + 30 * DAY), ERR_DENIED);
    assert_int_equal(check(&bob.id, &t, NOW), ERR_DENIED);
    fixture_reopen(f);
    assert_int_equal(check(&alice.id, &t, NOW), OK);
    struct listed l = list(NOW);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.devices[0].label, "Firefox on Linux");
    assert_int_equal(l.devices[0].expires_s, NOW + 30 * DAY);
    assert_int_equal(l.devices[0].last_used_s, NOW);
    assert_int_equal(l.devices[1].last_used_s, 0);
    assert_int_equal(list(NOW + 30 * DAY).n, 0);
}

static void other_texts_are_no_tokens(void **state)
{
    struct given t = remember(S("x"), NOW);
    uint64_t id = 7;
    for (size_t n = 0; n < DEVICE_TOKEN; n++)
        assert_int_equal(device_check(f->v, &alice.id, slice_of(t.text, n), NOW, &id), ERR_DENIED);
    for (size_t i = 0; i < DEVICE_TOKEN; i++) {
        struct given wrong = t;
        wrong.text[i] = wrong.text[i] == '0' ? '1' : '0';
        assert_int_equal(check(&alice.id, &wrong, NOW), ERR_DENIED);
    }
    static const char *const texts[] = {
        "", "%", "' OR 1=1 --", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(device_check(f->v, &alice.id, slice_str(texts[i]), NOW, &id), ERR_DENIED);
    assert_int_equal(id, 7);
    struct account_id nobody = {{1}};
    assert_int_equal(check(&nobody, &t, NOW), ERR_DENIED);
}

static void forgetting(void **state)
{
    struct vault_account bob = fixture_account(f, "bob@example.test");
    struct given a = remember(S("a"), NOW), b = remember(S("b"), NOW), c = remember(S("c"), NOW);
    assert_int_equal(device_forget(f->v, &bob.id, a.id), ERR_NOT_FOUND);
    assert_int_equal(device_forget(f->v, &alice.id, a.id), OK);
    assert_string_equal(f->told.last_kind, "device.forgotten");
    assert_int_equal(device_forget(f->v, &alice.id, a.id), ERR_NOT_FOUND);
    assert_int_equal(check(&alice.id, &a, NOW), ERR_DENIED);
    assert_int_equal(check(&alice.id, &b, NOW), OK);
    assert_int_equal(device_forget_all(f->v, &bob.id), OK);
    assert_int_equal(check(&alice.id, &b, NOW), OK);
    assert_int_equal(device_forget_all(f->v, &alice.id), OK);
    assert_int_equal(check(&alice.id, &b, NOW), ERR_DENIED);
    assert_int_equal(check(&alice.id, &c, NOW), ERR_DENIED);
    struct given d = remember(S("d"), NOW);
    assert_int_equal(vault_account_remove(f->v, S("alice@example.test")), OK);
    assert_int_equal(check(&alice.id, &d, NOW), ERR_DENIED);
    assert_int_equal(list(NOW).n, 0);
}

static void the_oldest_makes_room(void **state)
{
    struct given first = remember(S("first"), NOW), last = first;
    for (int i = 0; i < LIMIT_DEVICES_PER_ACCOUNT; i++)
        last = remember(S("more"), NOW + i);
    assert_int_equal(list(NOW).n, LIMIT_DEVICES_PER_ACCOUNT);
    assert_int_equal(check(&alice.id, &first, NOW), ERR_DENIED);
    assert_int_equal(check(&alice.id, &last, NOW), OK);
}

static void labels_are_made_good(void **state)
{
    remember(S("a\nb\x1b[31m\xff\xe2\x80\xae!"), NOW);
    remember(S(""), NOW);
    char longer[300];
    memset(longer, 'x', sizeof longer);
    remember(slice_of(longer, sizeof longer), NOW);
    struct listed l = list(NOW);
    assert_string_equal(l.devices[0].label, "ab[31m!");
    assert_string_equal(l.devices[1].label, "?");
    assert_int_equal(strlen(l.devices[2].label), LIMIT_FACTOR_LABEL);
}

static void policy_says_how_long(void **state)
{
    struct given t = remember(S("x"), NOW);
    assert_int_equal(vault_policy_set(f->v, SLICE_EMPTY, S("remembered_devices"), S("2 d")), OK);
    assert_int_equal(check(&alice.id, &t, NOW + 2 * DAY - 1), OK);
    assert_int_equal(check(&alice.id, &t, NOW + 2 * DAY), ERR_DENIED);
    struct given shorter = remember(S("y"), NOW);
    assert_int_equal(vault_policy_set(f->v, SLICE_EMPTY, S("remembered_devices"), S("never")), OK);
    assert_int_equal(check(&alice.id, &t, NOW), ERR_DENIED);
    assert_int_equal(device_remember(f->v, &alice.id, S("z"), NOW, t.text, &t.id), ERR_STATE);
    assert_int_equal(vault_policy_set(f->v, SLICE_EMPTY, S("remembered_devices"), S("")), OK);
    assert_int_equal(check(&alice.id, &shorter, NOW + 2 * DAY), ERR_DENIED); /* as it was made */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_good_for_its_account_and_its_time),
        TEST(other_texts_are_no_tokens),
        TEST(forgetting),
        TEST(the_oldest_makes_room),
        TEST(labels_are_made_good),
        TEST(policy_says_how_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
