/* Codes to reset a mailbox password with. Row T-238. */
#include "mailbox_world.h"

#include "vault/devices.h"
#include "vault/factors.h"
#include "vault/reset.h"
#include "vault/session.h"

struct code {
    char shown[CLIENTPW_SHOWN];
};

static struct slice code_slice(const struct code *c)
{
    return slice_of(c->shown, sizeof c->shown);
}

static struct code make_code(const char *address, uint32_t life_s, int64_t now, int64_t *ret_expires_s)
{
    struct clientpw pw;
    struct code c;
    assert_ok(vault_reset_make(f->v, slice_str(address), life_s, now, &pw, ret_expires_s));
    clientpw_show(&pw, c.shown);
    return c;
}

static int serial;

static enum err use(const char *address, struct slice code, int64_t now)
{
    char password[64];
    snprintf(password, sizeof password, "violet kettle Ohm no. %d!", 1000 + serial++);
    return change_as(PASSWORD_BY_RESET, address, code, slice_str(password), now);
}

static void wrong_codes(struct cases *cases, const struct code *good, int64_t now)
{
    static const char *const others[] = {
        "",
        "x",
        "0",
        "aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa",
        "' OR 1=1 --",
        "vp798ab-zstthuu-qbw7yau-m6292ns",
        "\xff\xff",
        "[\"a\",\"b\"]",
        "%00",
        FIRST};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cases_check(cases, use("alice@example.test", slice_str(others[i]), now) == ERR_DENIED, others[i]);
    for (size_t i = 0; i < sizeof good->shown; i += 3) { /* one symbol is another */
        struct code c = *good;
        if (c.shown[i] == '-')
            continue;
        c.shown[i] = c.shown[i] == 'a' ? 'b' : 'a';
        cases_check(cases, use("alice@example.test", code_slice(&c), now) == ERR_DENIED, "a typing slip");
    }
    static const char *const names[] = {
        "bob@example.test", "nobody@example.test", "m\xc4\xb1ke@example.test", "a@b@c",
        "alice@example.test,bob@example.test"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cases_check(cases, use(names[i], code_slice(good), now) != OK, names[i]);
}

static void codes_die(struct cases *cases)
{
    int64_t expires;
    struct code old = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(cases, expires == NOW + DAY, "lives as the policy says");
    cases_check(cases, use("alice@example.test", code_slice(&old), NOW + DAY) == ERR_DENIED, "too old");
    cases_check(
        cases, use("alice@example.test", code_slice(&old), NOW - 1) == ERR_DENIED, "before it was made");
    struct code now = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(cases, use("alice@example.test", code_slice(&old), NOW) == ERR_DENIED, "voided by a new one");
    cases_check(cases, use("alice@example.test", code_slice(&now), NOW) == OK, "the new one");
    cases_check(cases, use("alice@example.test", code_slice(&now), NOW) == ERR_DENIED, "used");
    struct code brief = make_code("alice@example.test", 600, NOW, &expires);
    cases_check(cases, expires == NOW + 600, "shorter on request");
    cases_check(
        cases, use("alice@example.test", code_slice(&brief), NOW + 600) == ERR_DENIED, "after its time");
    struct clientpw pw;
    cases_check(
        cases, vault_reset_make(f->v, S("alice@example.test"), DAY + 1, NOW, &pw, &expires) == ERR_SYNTAX,
        "never longer than the policy");
    policy("", "reset_life", "30 min");
    struct code half = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(
        cases, use("alice@example.test", code_slice(&half), NOW + 31 * 60) == ERR_DENIED, "after 31 minutes");
    policy("", "reset_life", "");
    struct code other = make_code("alice@example.test", 0, NOW, &expires);
    assert_ok(vault_account_set_status(f->v, S("alice@example.test"), ACCOUNT_LOCKED));
    cases_check(cases, use("alice@example.test", code_slice(&other), NOW) == ERR_DENIED, "a locked account");
    assert_ok(vault_account_set_status(f->v, S("alice@example.test"), ACCOUNT_ACTIVE));
    cases_check(cases, use("alice@example.test", code_slice(&other), NOW) == OK, "unlocked");
    other = make_code("alice@example.test", 0, NOW, &expires);
    assert_ok(
        change_as(PASSWORD_BY_ENTRY, "alice@example.test", SLICE_EMPTY, S("Quiet harbour 12 bells"), NOW));
    cases_check(
        cases, use("alice@example.test", code_slice(&other), NOW) == ERR_DENIED, "voided by a change");
}

static void typed_forms(struct cases *cases)
{
    int64_t expires;
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    char typed[2 * CLIENTPW_SHOWN];
    for (size_t i = 0; i < sizeof c.shown; i++)
        typed[i] = c.shown[i] == '-' ? ' ' : ascii_upper(c.shown[i]);
    cases_check(
        cases, use("Alice@EXAMPLE.test", slice_of(typed, sizeof c.shown), NOW) == OK, "capitals and blanks");
}

/* Two at the same time with one code: one is used. */
static void parallel(struct cases *cases)
{
    int64_t expires;
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    struct password_work a, b;
    assert_ok(
        begin(PASSWORD_BY_RESET, "alice@example.test", code_slice(&c), S("Silver bridge 4 moons"), NOW, &a));
    assert_ok(
        begin(PASSWORD_BY_RESET, "alice@example.test", code_slice(&c), S("Copper tunnel 5 suns"), NOW, &b));
    password_work_run(&a);
    password_work_run(&b);
    cases_check(cases, vault_password_finish(f->v, &b, NOW) == OK, "the first to finish");
    cases_check(cases, vault_password_finish(f->v, &a, NOW) == ERR_BUSY, "the second");
    cases_check(cases, opens("Copper tunnel 5 suns") && !opens("Silver bridge 4 moons"), "one is in force");
    password_work_done(&a);
    password_work_done(&b);
}

static void what_it_ends(struct cases *cases)
{
    struct factor_totp_new made;
    struct factors_have have;
    char device[DEVICE_TOKEN];
    uint8_t token[SESSION_TOKEN_LEN];
    uint64_t id;
    int64_t expires;
    struct vault_account a = alice_now();
    struct session s;
    assert_ok(factors_enrol_totp(f->v, &alice.id, S("phone"), S("x"), NOW, &made));
    secret_free(&made.secret);
    secret_free(&made.uri);
    assert_ok(db_exec(vault_container_db(f->v, VAULT_ACCOUNTS), "UPDATE factor SET status = 1"));
    assert_ok(device_remember(f->v, &alice.id, S("browser"), NOW, device, &id));
    assert_ok(session_begin(f->v, &a, &(struct ip){{0}}, S("browser"), NOW, token));
    assert_ok(session_find(f->v, slice_of(token, sizeof token), NOW, &s));
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(
        cases, session_find(f->v, slice_of(token, sizeof token), NOW, &s) == OK, "a code alone ends nothing");
    unsigned revokes = f->told.revokes;
    cases_check(cases, use("alice@example.test", code_slice(&c), NOW) == OK, "the code is used");
    cases_check(cases, f->told.revokes == revokes + 1 && f->told.version == a.version + 1, "sessions end");
    cases_check(
        cases, session_find(f->v, slice_of(token, sizeof token), NOW, &s) == ERR_DENIED, "the portal's, too");
    cases_check(
        cases, device_check(f->v, &alice.id, slice_of(device, sizeof device), NOW, &id) == ERR_DENIED,
        "no device is remembered");
    assert_ok(factors_count(f->v, &alice.id, &have));
    cases_check(cases, have.totp == 1, "the second factor stays");
}

/* INV-V1: the file holds no code, in no spelling. */
static void the_file_holds_none(struct cases *cases)
{
    int64_t expires;
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(cases, !fixture_stores(f, slice_of(c.shown, CLIENTPW_GROUP)), "a code in the files");
}

static void codes_to_reset(void **state)
{
    struct cases cases = {.id = "T-238"};
    int64_t expires;
    fixture_account_with(f, "bob@example.test", FIRST);
    struct code good = make_code("alice@example.test", 0, NOW, &expires);
    wrong_codes(&cases, &good, NOW);
    cases_check(&cases, opens(FIRST), "wrong ones change nothing");
    cases_check(&cases, use("alice@example.test", code_slice(&good), NOW) == OK, "wrong ones void nothing");
    cases_check(&cases, !opens(FIRST), "the old one opens nothing");
    codes_die(&cases);
    typed_forms(&cases);
    parallel(&cases);
    what_it_ends(&cases);
    the_file_holds_none(&cases);
    cases_end(&cases, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAILBOX_TEST(codes_to_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
