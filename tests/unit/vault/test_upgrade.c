/* Containers as version 1 wrote them: opened, brought to the present version, and of use as before. */
#include "fixture.h"

#include "crypto/aead.h"
#include "vault/keys.h"
#include "vault/rotate.h"
#include "vault/schema.h"

static struct fixture *f;
static struct account_id alice;
static struct clientpw pw;
static uint8_t salt_of_nobody[32];

static const char *const names[VAULT_CONTAINERS] = {"accounts", "clients"};
static const struct db_schema *const schemas[VAULT_CONTAINERS] = {
    &vault_accounts_schema, &vault_clients_schema};

struct old {
    struct db *db;
    struct secret key, seal;
};

/* The container as the first migration makes it, with its mark. */
static void make_old(enum vault_container c, struct old *o)
{
    char file[64];
    struct db_schema first = *schemas[c];
    first.versions = 1;
    struct db_options options = {.schema = &first, .sync = DB_SYNC_COMMIT, .create = true};
    snprintf(file, sizeof file, "%s.db", names[c]);
    int keys CLEANUP_FD = openat(f->dirfd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(vault_key_make(keys, names[c], KEY_PRESENT, f->slab, &o->key), OK);
    assert_int_equal(hash_derive_key(f->slab, &o->key, "seal", &o->seal), OK);
    assert_int_equal(db_open(f->dirfd, file, &options, &o->db), OK);
    struct buf mark CLEANUP_BUF = BUF_INIT(128);
    aead_seal(
        &o->seal,
        S("container\0"
          "1\0"
          "mark"),
        slice_str(names[c]), &mark);
    struct stmt *st = db_prepare(o->db, "INSERT INTO container(id, mark, created_s) VALUES(1, ?, 1000)");
    stmt_bind(st, "b", buf_slice(&mark));
    assert_int_equal(stmt_run(st), OK);
    stmt_free(&st);
}

static void close_old(struct old *o)
{
    assert_int_equal(db_close(&o->db), OK);
    secret_free(&o->key);
    secret_free(&o->seal);
}

static void run_with(struct db *db, const char *sql, struct slice blob)
{
    struct stmt *st = db_prepare(db, sql);
    stmt_bind(st, "b", blob);
    assert_int_equal(stmt_run(st), OK);
    stmt_free(&st);
}

static struct slice alice_slice(void)
{
    return slice_of(alice.b, sizeof alice.b);
}

static void fill_accounts(void)
{
    struct old o;
    struct secret salts;
    make_old(VAULT_ACCOUNTS, &o);
    assert_int_equal(db_exec(o.db, "INSERT INTO domain(name, created_s) VALUES('example.test', 1000)"), OK);
    run_with(
        o.db,
        "INSERT INTO account(id, domain, address, name, language, quota_bytes, status, version, created_s)"
        " VALUES(?, 1, 'alice@example.test', 'Alice', 'en', 0, 0, 1, 1000)",
        alice_slice());
    run_with(
        o.db,
        "INSERT INTO address(key, shown, domain, account, created_s) VALUES('alice@example.test',"
        " 'alice@example.test', 1, ?, 1000)",
        alice_slice());
    char hash[PASSHASH_TEXT_MAX];
    struct buf sealed CLEANUP_BUF = BUF_INIT(1000), place CLEANUP_BUF = BUF_INIT(100);
    assert_int_equal(passhash_make(S("correct horse"), f->options.settings.cost, hash), OK);
    buf_put(&place, S("account\0"));
    buf_put(&place, alice_slice());
    buf_put(&place, S("\0password"));
    aead_seal(&o.seal, buf_slice(&place), slice_str(hash), &sealed);
    run_with(o.db, "UPDATE account SET password = ?, password_s = 1000", buf_slice(&sealed));
    assert_int_equal(hash_derive_key(f->slab, &o.key, "salts", &salts), OK);
    struct hash h = hash_of(&salts, S("nobody@example.test"));
    memcpy(salt_of_nobody, h.b, sizeof salt_of_nobody);
    secret_free(&salts);
    close_old(&o);
}

static void fill_clients(void)
{
    struct old o;
    struct secret lookup;
    struct hash_state s;
    make_old(VAULT_CLIENTS, &o);
    clientpw_make(&pw);
    assert_int_equal(hash_derive_key(f->slab, &o.key, "lookup", &lookup), OK);
    hash_start(&s, &lookup);
    hash_add_piece(&s, alice_slice());
    hash_add_piece(&s, clientpw_slice(&pw));
    struct hash h = hash_end(&s);
    run_with(
        o.db,
        "INSERT INTO credential(account, kind, version, label, lookup, doors, can_receive, can_send, "
        "expires_s,"
        " status, created_s, created_by, last_used_s, last_program) VALUES(?, 1, 3, 'phone', x'00', 15, 1, "
        "0, 0,"
        " 0, 1000, 'uid 0', 2000, 'K-9')",
        alice_slice());
    run_with(o.db, "UPDATE credential SET lookup = ?", hash_slice(&h));
    assert_int_equal(
        db_exec(o.db, "INSERT INTO credential_limit(credential, kind, value) VALUES(1, 1, '192.0.2.0/24')"),
        OK);
    secret_free(&lookup);
    close_old(&o);
}

static int setup(void **state)
{
    f = fixture_folder();
    alice = random_account_id();
    assert_int_equal(mkdirat(f->dirfd, "keys", 0700), 0);
    fill_accounts();
    fill_clients();
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static void expect_of_use(void)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    struct secret text;
    uint8_t salt[SCRAM_SALT_LEN];
    uint32_t rounds;
    assert_int_equal(vault_client_find(f->v, &alice, &pw, &c), OK);
    assert_true(c.id == 1 && c.version == 3 && c.kind == CLIENT_PASSWORD && !c.is_revoked);
    assert_string_equal(c.label, "phone");
    assert_string_equal(c.last_program, "K-9");
    assert_string_equal(c.last_tls, "");
    assert_int_equal(c.scopes.doors, VAULT_DOORS_ALL & ~VAULT_DOOR_BIT(VAULT_API)); /* it never was one */
    assert_true(c.scopes.can_receive && !c.scopes.can_send);
    assert_false(c.scopes.has_unknown_limit || c.scopes.is_frozen);
    assert_int_equal(c.scopes.limits.network_count, 1);
    assert_int_equal(c.scopes.limits.networks[0].bits, 96 + 24);
    assert_int_equal(c.scopes.limits.rights, SCOPE_ALL);
    assert_int_equal(vault_account_password(f->v, &alice, &text), OK);
    assert_int_equal(passhash_check(secret_reveal(&text), S("correct horse")), OK);
    secret_free(&text);
    assert_int_equal(vault_scram_salt(f->v, S("nobody@example.test"), salt, &rounds), OK);
    assert_memory_equal(salt, salt_of_nobody, sizeof salt);
}

static void what_version_1_wrote_is_of_use(void **state)
{
    expect_of_use();
    fixture_reopen(f);
    expect_of_use();
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        int64_t version;
        assert_int_equal(
            db_query_int(vault_container_db(f->v, (enum vault_container)c), "PRAGMA user_version", &version),
            OK);
        assert_int_equal(version, schemas[c]->versions);
    }
}

static void and_after_its_keys_were_changed(void **state)
{
    for (int round = 0; round < 2; round++) {
        for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
            assert_int_equal(vault_rotate(f->v, (enum vault_container)c, NULL, NULL), OK);
        expect_of_use();
        fixture_reopen(f);
        expect_of_use();
    }
}

/* What a present release adds works on it. */
static void and_takes_what_is_new(void **state)
{
    struct token token;
    struct vault_client c;
    struct vault_client_change change = {.can_receive = true, .limits = S("access=read-only")};
    uint64_t id;
    const struct vault_client_new n = {.label = S("x"), .can_send = true, .limits = S("messages-day=5")};
    assert_int_equal(vault_token_add(f->v, &alice, &n, &token, &id), OK);
    assert_int_equal(vault_client_change(f->v, &alice, 1, &change), OK);
    fixture_reopen(f);
    assert_int_equal(vault_token_find(f->v, &token, &c), OK);
    vault_client_done(&c);
    assert_int_equal(vault_client_find(f->v, &alice, &pw, &c), OK);
    assert_int_equal(c.version, 4);
    assert_int_equal(c.scopes.limits.rights, SCOPE_READ);
    vault_client_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_version_1_wrote_is_of_use, setup, teardown),
        cmocka_unit_test_setup_teardown(and_after_its_keys_were_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(and_takes_what_is_new, setup, teardown),
    };
    return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
