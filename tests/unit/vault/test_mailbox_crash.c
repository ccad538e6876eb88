/* Changes of a mailbox password that are cut short, made twice at once, or hashed anew. Row T-256. */
#include "crash_vault.h"

#include "mailbox_world.h"

enum { CHANGES = 8 };

static void present(int i, char out[64])
{
    snprintf(out, 64, "%s", i ? nth(i) : FIRST);
}

/* A sign-in at another cost: the hash is made anew. */
static void rehash_now(struct vault *v, int i)
{
    char hash[PASSHASH_TEXT_MAX], password[64];
    struct secret stored CLEANUP_SECRET = SECRET_NONE;
    const struct passhash_cost dearer = {.memory_kib = 128, .passes = 1};
    present(i, password);
    assert_ok(vault_account_password(v, &alice.id, &stored));
    assert_ok(passhash_make(slice_str(password), dearer, hash));
    assert_ok(vault_password_rehash(v, &alice.id, secret_reveal(&stored), slice_str(hash)));
}

/* After the cut: exactly one of them opens, not an older one than was promised, and the version is that one's. */
static bool holds_after(const struct crash_image *left, int mark, uint32_t first_version)
{
    struct fixture *g = fixture_folder();
    struct vault *v = NULL;
    struct vault_options options = g->options;
    struct vault_account a;
    int fits = 0, which = -1;
    crash_image_write(left, g->dirfd);
    assert_ok(vault_open(&options, &v, NULL));
    for (int i = 0; i <= CHANGES; i++) {
        char password[64];
        present(i, password);
        if (opens_in(v, &alice.id, slice_str(password))) {
            fits++;
            which = i;
        }
    }
    assert_ok(vault_account_get(v, &alice.id, &a));
    assert_ok(vault_close(&v));
    fixture_free(g);
    return fits == 1 && which >= mark && which <= mark + 1 && a.version == first_version + (uint32_t)which;
}

static void cuts(struct cases *cases)
{
    uint64_t seed = 256;
    uint32_t version = alice_now().version;
    assert_ok(vault_close(&f->v));
    struct crash_image base = crash_vault_image(f);
    struct crash_disk *disk = crash_start(&base);
    assert_ok(vault_open(&f->options, &f->v, NULL));
    crash_mark(disk, 0);
    for (int i = 0; i < CHANGES; i++) {
        char old[64];
        present(i, old);
        rehash_now(f->v, i);
        assert_ok(change(old, nth(i + 1)));
        crash_mark(disk, i + 1);
    }
    crash_stop();
    for (int i = 0; i < (test_in_full() ? 500 : 60); i++) {
        int mark = -1;
        struct crash_image left = crash_make(disk, crash_cut_random(disk, &seed), &mark);
        cases_check(cases, holds_after(&left, mark < 0 ? 0 : mark, version), "a cut");
        crash_image_done(&left);
    }
    crash_image_done(&base);
    crash_free(&disk);
}

static void two_at_once(struct cases *cases)
{
    struct password_work a, b;
    uint32_t version = alice_now().version;
    char old[64];
    present(CHANGES, old);
    assert_ok(
        begin(PASSWORD_BY_OWNER, "alice@example.test", slice_str(old), S("Silver bridge 4 moons"), NOW, &a));
    assert_ok(
        begin(PASSWORD_BY_OWNER, "alice@example.test", slice_str(old), S("Copper tunnel 5 suns"), NOW, &b));
    password_work_run(&a);
    password_work_run(&b);
    cases_check(cases, vault_password_finish(f->v, &a, NOW) == OK, "one wins");
    cases_check(cases, vault_password_finish(f->v, &b, NOW) == ERR_BUSY, "the other is refused");
    cases_check(
        cases, opens("Silver bridge 4 moons") && !opens("Copper tunnel 5 suns"), "the winner's is in force");
    cases_check(cases, alice_now().version == version + 1, "once");
    password_work_done(&a);
    password_work_done(&b);
}

static void rehashing(struct cases *cases)
{
    char hash[PASSHASH_TEXT_MAX];
    struct secret stored CLEANUP_SECRET = SECRET_NONE, text CLEANUP_SECRET = SECRET_NONE;
    const struct passhash_cost dearer = {.memory_kib = 256, .passes = 2};
    struct vault_account before = alice_now();
    assert_ok(vault_account_password(f->v, &alice.id, &stored));
    cases_check(cases, !vault_password_is_stale(f->v, secret_reveal(&stored)), "made at the present cost");
    struct vault_settings settings = f->options.settings;
    settings.cost = dearer;
    vault_set(f->v, &settings);
    cases_check(cases, vault_password_is_stale(f->v, secret_reveal(&stored)), "stale at another");
    assert_ok(passhash_make(S("Silver bridge 4 moons"), dearer, hash));
    cases_check(
        cases, vault_password_rehash(f->v, &alice.id, secret_reveal(&stored), slice_str(hash)) == OK,
        "made anew");
    cases_check(cases, opens("Silver bridge 4 moons"), "still opens");
    struct vault_account after = alice_now();
    cases_check(
        cases, after.version == before.version && after.password_s == before.password_s, "ends nothing");
    assert_ok(vault_account_password(f->v, &alice.id, &text));
    cases_check(cases, !vault_password_is_stale(f->v, secret_reveal(&text)), "at the present cost");
    /* What was compared is not there any more: it must not come back. */
    assert_ok(
        change_as(PASSWORD_BY_ENTRY, "alice@example.test", SLICE_EMPTY, S("Copper tunnel 6 suns"), NOW));
    unsigned told = f->told.audits;
    cases_check(
        cases, vault_password_rehash(f->v, &alice.id, secret_reveal(&text), slice_str(hash)) == OK,
        "too late");
    cases_check(cases, f->told.audits == told, "and the journal hears of no new hash");
    cases_check(
        cases, opens("Copper tunnel 6 suns") && !opens("Silver bridge 4 moons"),
        "a late one changes nothing");
}

static void changes_hold_through_crashes(void **state)
{
    struct cases cases = {.id = "T-256"};
    policy("", "password_history", "10");
    cuts(&cases);
    two_at_once(&cases);
    rehashing(&cases);
    cases_end(&cases, 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAILBOX_TEST(changes_hold_through_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
