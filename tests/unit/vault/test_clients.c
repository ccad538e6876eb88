#include "fixture.h"

#include "crypto/sha256.h"

static struct fixture *f;
static struct vault_account alice, bob;

static int setup(void **state)
{
    f = fixture_new();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account(f, "alice@example.test");
    bob = fixture_account(f, "bob@example.test");
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static void found_by_its_account_alone(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    vault_set_actor(f->v, S("uid 0"));
    uint64_t id = fixture_client(f, &alice.id, "192.0.2.0/24, 2001:db8::/32", true, false, &pw);
    assert_string_equal(f->told.last_kind, "client.added");
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_int_equal(c.id, id);
    assert_int_equal(c.version, 1);
    assert_string_equal(c.label, "phone");
    assert_true(c.scopes.can_receive && !c.scopes.can_send && !c.is_revoked);
    assert_int_equal(c.scopes.doors, VAULT_DOORS_ALL);
    assert_int_equal(c.scopes.network_count, 2);
    assert_ptr_equal(c.scopes.networks, c.networks);
    assert_false(c.scopes.has_unknown_limit);
    assert_int_equal(vault_client_find(f->v, &bob.id, &pw, &c), ERR_NOT_FOUND);
    assert_int_equal(vault_client_get(f->v, &bob.id, id, &c), ERR_NOT_FOUND);
    pw.symbols[0] = pw.symbols[0] == 'a' ? 'b' : 'a';
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), ERR_NOT_FOUND);
}

static void revoking_is_told_and_stays(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    uint64_t id = fixture_client(f, &alice.id, "", true, true, &pw);
    int64_t now = clock_unix_s();
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now), OK);
    assert_int_equal(vault_client_revoke(f->v, &bob.id, id), ERR_NOT_FOUND);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(f->told.revokes, 1);
    assert_int_equal(f->told.credential, id);
    assert_int_equal(f->told.version, 2);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(f->told.revokes, 1);
    fixture_reopen(f);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_true(c.is_revoked);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 2, now), ERR_DENIED);
    assert_int_equal(vault_client_remove(f->v, &alice.id, id), OK);
    assert_int_equal(f->told.version, UINT32_MAX);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), ERR_NOT_FOUND);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 2, now), ERR_DENIED);
    /* A number is never used again. */
    assert_true(fixture_client(f, &alice.id, "", true, true, &pw) > id);
}

static void liveness_follows_account_version_and_expiry(void **state)
{
    struct clientpw pw;
    uint64_t id;
    int64_t now = clock_unix_s();
    struct vault_client_new n = {.label = S("x"), .can_send = true, .expires_s = now + 100};
    assert_int_equal(vault_client_add(f->v, &alice.id, &n, &pw, &id), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now + 99), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now + 100), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 2, now), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &bob.id, id, 1, now), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, VAULT_MAILBOX_CREDENTIAL, 1, now), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, VAULT_MAILBOX_CREDENTIAL, 2, now), ERR_DENIED);
    assert_int_equal(vault_account_set_status(f->v, S("alice@example.test"), ACCOUNT_LOCKED), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now), ERR_DENIED);
}

static void what_may_not_be_made(void **state)
{
    struct clientpw pw;
    uint64_t id;
    const struct vault_client_new bad[] = {
        {.label = S("x")},
        {.label = SLICE_EMPTY, .can_send = true},
        {.label = S("a\nb"), .can_send = true},
        {.label = S("\xff"), .can_send = true},
        {.label = S("x"), .can_send = true, .expires_s = 1000},
        {.label = S("x"), .can_send = true, .expires_s = -1},
        {.label = S("x"), .can_send = true, .networks = S("192.0.2.1/24")},
        {.label = S("x"), .can_send = true, .networks = S("nonsense")},
        {.label = S("x"), .can_send = true, .doors = 1u << 31},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(vault_client_add(f->v, &alice.id, &bad[i], &pw, &id), ERR_SYNTAX);
    for (int i = 0; i < LIMIT_CLIENTS_PER_ACCOUNT; i++)
        id = fixture_client(f, &alice.id, "", true, true, &pw);
    const struct vault_client_new one_more = {.label = S("x"), .can_send = true};
    assert_int_equal(vault_client_add(f->v, &alice.id, &one_more, &pw, &id), ERR_LIMIT);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(vault_client_add(f->v, &alice.id, &one_more, &pw, &id), OK);
}

static void take_last(void *owner, const struct vault_client *c)
{
    *(struct vault_client *)owner = *c;
}

static void last_use_is_written_later(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    struct ip from;
    assert_int_equal(ip_parse(S("198.51.100.4"), &from), OK);
    uint64_t id = fixture_client(f, &alice.id, "", true, true, &pw);
    vault_client_used(f->v, id, 1000, &from, S("Thunderbird"));
    vault_client_used(f->v, id, 2000, &from, S("K-9 \xe2\x9c\x89"));
    assert_int_equal(vault_client_list(f->v, &alice.id, take_last, &c), OK);
    assert_int_equal(c.last_used_s, 2000);
    assert_string_equal(c.last_program, "K-9 \xe2\x9c\x89");
    assert_memory_equal(&c.last_from, &from, sizeof from);
    vault_client_used(f->v, id, 3000, &from, S("bad\nname"));
    fixture_reopen(f);
    assert_int_equal(vault_client_get(f->v, &alice.id, id, &c), OK);
    assert_int_equal(c.last_used_s, 3000);
    assert_string_equal(c.last_program, "");
}

/* INV-V3: a limit that another release has written. */
static void an_unknown_limit_opens_nothing(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    fixture_client(f, &alice.id, "", true, true, &pw);
    assert_int_equal(
        db_exec(
            vault_container_db(f->v, VAULT_CLIENTS),
            "INSERT INTO credential_limit SELECT id, 99, 'x' FROM credential"),
        OK);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_true(c.scopes.has_unknown_limit);
}

/* ---- SCRAM ---- */

/* RFC 5802 section 3: does this proof show knowledge of the secret? And the server's signature. */
static bool proves(
    const struct scram_keys *keys, struct slice message, const uint8_t proof[32], uint8_t ret_signature[32])
{
    uint8_t signature[32], client_key[32], stored[32];
    hmac_sha256(slice_of(keys->stored_key, 32), message, signature);
    for (int i = 0; i < 32; i++)
        client_key[i] = signature[i] ^ proof[i];
    sha256_of(slice_of(client_key, 32), stored);
    hmac_sha256(slice_of(keys->server_key, 32), message, ret_signature);
    return memcmp(stored, keys->stored_key, 32) == 0;
}

static void unbase64(const char *text, void *out, size_t n)
{
    struct buf b CLEANUP_BUF = BUF_INIT(100);
    assert_int_equal(base64_get(slice_str(text), &b), OK);
    assert_int_equal(b.n, n);
    memcpy(out, b.p, n);
}

static void scram_rfc7677_example(void **state)
{
    uint8_t salt[16], proof[32], expected[32], signature[32];
    unbase64("W22ZaJ0SNY7soEsUEjb6gQ==", salt, 16);
    unbase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", proof, 32);
    unbase64("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", expected, 32);
    struct slice message =
        S("n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    struct scram_keys keys = scram_make(S("pencil"), slice_of(salt, 16), 4096);
    assert_true(proves(&keys, message, proof, signature));
    assert_memory_equal(signature, expected, 32);
    keys = scram_make(S("Pencil"), slice_of(salt, 16), 4096);
    assert_false(proves(&keys, message, proof, signature));
}

struct verifiers {
    unsigned count;
    struct scram_keys shown, bare;
};
static void take_verifier(void *owner, bool as_shown, const struct scram_keys *keys)
{
    struct verifiers *all = owner;
    all->count++;
    *(as_shown ? &all->shown : &all->bare) = *keys;
}

static void verifiers_are_made_with_the_password(void **state)
{
    struct clientpw pw, second;
    struct verifiers got = {0}, other = {0};
    uint8_t salt[SCRAM_SALT_LEN], salt_before[SCRAM_SALT_LEN], salt_bob[SCRAM_SALT_LEN];
    uint32_t rounds, rounds_before;
    char shown[CLIENTPW_SHOWN];
    assert_int_equal(vault_scram_salt(f->v, S("alice@example.test"), salt_before, &rounds_before), OK);
    uint64_t id = fixture_client(f, &alice.id, "", true, true, &pw);
    uint64_t id2 = fixture_client(f, &alice.id, "", true, true, &second);
    fixture_reopen(f);
    assert_int_equal(vault_scram_salt(f->v, S("ALICE@example.test"), salt, &rounds), OK);
    /* The first client password changes nothing that a stranger can see. */
    assert_memory_equal(salt, salt_before, sizeof salt);
    assert_int_equal(rounds, rounds_before);
    assert_true(rounds >= 4096);
    assert_int_equal(vault_scram_list(f->v, id, take_verifier, &got), OK);
    assert_int_equal(vault_scram_list(f->v, id2, take_verifier, &other), OK);
    assert_int_equal(got.count, 2);
    clientpw_show(&pw, shown);
    struct scram_keys as_shown =
        scram_make(slice_of(shown, sizeof shown), slice_of(salt, sizeof salt), rounds);
    struct scram_keys bare = scram_make(clientpw_slice(&pw), slice_of(salt, sizeof salt), rounds);
    assert_memory_equal(&got.shown, &as_shown, sizeof as_shown);
    assert_memory_equal(&got.bare, &bare, sizeof bare);
    assert_memory_not_equal(&got.bare, &other.bare, sizeof bare);
    assert_int_equal(vault_scram_salt(f->v, S("bob@example.test"), salt_bob, &rounds), OK);
    assert_memory_not_equal(salt, salt_bob, sizeof salt);
}

/* T-252: unknown users get a stable invented salt, and so do names that are no addresses. */
static void unknown_names_have_stable_salts(void **state)
{
    static const struct slice names[] = {
        {"nobody@example.test", 19}, {"x@y.test", 8}, {"not an address", 14}, {"\xff", 1}};
    uint8_t first[SCRAM_SALT_LEN], again[SCRAM_SALT_LEN], last[SCRAM_SALT_LEN] = {0};
    uint32_t rounds;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(vault_scram_salt(f->v, names[i], first, &rounds), OK);
        fixture_reopen(f);
        assert_int_equal(vault_scram_salt(f->v, names[i], again, &rounds), OK);
        assert_memory_equal(first, again, sizeof first);
        assert_memory_not_equal(first, last, sizeof first);
        memcpy(last, first, sizeof last);
        assert_int_equal(rounds, 4096);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(found_by_its_account_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(revoking_is_told_and_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(liveness_follows_account_version_and_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(what_may_not_be_made, setup, teardown),
        cmocka_unit_test_setup_teardown(last_use_is_written_later, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_limit_opens_nothing, setup, teardown),
        cmocka_unit_test(scram_rfc7677_example),
        cmocka_unit_test_setup_teardown(verifiers_are_made_with_the_password, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_names_have_stable_salts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
