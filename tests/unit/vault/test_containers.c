#include "fixture.h"

#include "crypto/md5.h"
#include "crypto/sha256.h"

static struct fixture *f;
static struct vault_account alice;
static struct clientpw pw;
static uint64_t client;

static int setup(void **state)
{
    f = fixture_new();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account_with(f, "alice@example.test", "correct horse battery");
    client = fixture_client(f, &alice.id, "", true, true, &pw);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static void read_file(const char *name, struct buf *out)
{
    int fd CLEANUP_FD = openat(f->dirfd, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_read_all(fd, out), OK);
}

static void write_file(const char *name, struct slice contents, mode_t mode)
{
    unlinkat(f->dirfd, name, 0);
    int fd CLEANUP_FD = openat(f->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(file_write_all(fd, contents), OK);
}

static enum err try_open(void)
{
    struct vault *v = NULL;
    struct buf problem CLEANUP_BUF = BUF_INIT(1000);
    enum err e = vault_open(&f->options, &v, &problem);
    if (e == OK)
        assert_int_equal(vault_close(&v), OK);
    else
        assert_true(problem.n > 10); /* in words, for people */
    return e;
}

static void expect_absent(struct slice secret)
{
    assert_false(fixture_stores(f, secret));
}

static void expect_absent_in_any_form(struct slice octets)
{
    struct buf text CLEANUP_BUF = BUF_INIT(1000);
    expect_absent(octets);
    hex_put(&text, octets);
    expect_absent(buf_slice(&text));
    buf_clear(&text);
    base64_put(&text, octets);
    expect_absent(slice_sub(buf_slice(&text), 0, text.n - 2));
}

/* Everything that the code can make of a secret without a key, in octets, hex and base64, with what stands beside it in the clear:
 * the account, its address, its salt. */
static void expect_no_trace(struct slice secret)
{
    uint8_t out[SHA256_LEN], md5[MD5_LEN], salt[SCRAM_SALT_LEN];
    uint32_t rounds;
    struct slice whose[] = {
        S(""), slice_of(alice.id.b, sizeof alice.id.b), slice_str(alice.address), S("alice"),
        slice_of(salt, sizeof salt)};
    assert_int_equal(vault_scram_salt(f->v, slice_str(alice.address), salt, &rounds), OK);
    expect_absent(secret);
    for (size_t i = 0; i < sizeof whose / sizeof *whose; i++) {
        struct slice owner = whose[i];
        for (int order = 0; order < 3; order++) {
            struct buf both CLEANUP_BUF = BUF_INIT(1000);
            buf_put(&both, order ? owner : secret);
            if (order == 2)
                buf_put_char(&both, ':');
            buf_put(&both, order ? secret : owner);
            struct hash h = hash_of(NULL, buf_slice(&both));
            expect_absent_in_any_form(hash_slice(&h));
            sha256_of(buf_slice(&both), out);
            expect_absent_in_any_form(slice_of(out, sizeof out));
        }
        struct hash_state s;
        hash_start(&s, NULL);
        hash_add_piece(&s, owner);
        hash_add_piece(&s, secret);
        struct hash pieces = hash_end(&s);
        expect_absent_in_any_form(hash_slice(&pieces));
        hmac_sha256(owner, secret, out);
        expect_absent_in_any_form(slice_of(out, sizeof out));
        hmac_sha256(secret, owner, out);
        expect_absent_in_any_form(slice_of(out, sizeof out));
        hmac_md5(owner, secret, md5);
        expect_absent_in_any_form(slice_of(md5, sizeof md5));
        struct scram_keys keys = scram_make(secret, owner.n ? owner : S("x"), 4096);
        expect_absent_in_any_form(slice_of(keys.stored_key, SCRAM_KEY_LEN));
        expect_absent_in_any_form(slice_of(keys.server_key, SCRAM_KEY_LEN));
    }
}

/* INV-V1: the thief knows the secrets, and still finds nothing that they fit. */
static void known_secrets_fit_nothing_that_was_stolen(void **state)
{
    struct token token;
    struct clientpw cram;
    uint64_t id;
    char shown[CLIENTPW_SHOWN];
    uint8_t certificate[CLIENT_CERTIFICATE_HASH_LEN];
    const struct vault_client_new n = {.label = S("x"), .can_send = true, .cram_md5 = true};
    memset(certificate, 0x5a, sizeof certificate);
    assert_int_equal(vault_token_add(f->v, &alice.id, &n, &token, &id), OK);
    assert_int_equal(vault_client_add(f->v, &alice.id, &n, &cram, &id), OK);
    assert_int_equal(
        vault_certificate_add(f->v, &alice.id, &n, slice_of(certificate, sizeof certificate), &id), OK);
    clientpw_show(&cram, shown);
    for (int closed = 0; closed < 2; closed++) {
        expect_no_trace(clientpw_slice(&pw));
        expect_no_trace(clientpw_slice(&cram));
        expect_no_trace(slice_of(shown, sizeof shown));
        expect_no_trace(token_slice(&token));
        expect_no_trace(slice_of(certificate, sizeof certificate));
        expect_no_trace(S("correct horse battery"));
        if (!closed)
            fixture_reopen(f);
    }
}

/* INV-V1: a stolen database holds nothing that a guess could be checked against, not even the right one. */
static void a_stolen_database_is_useless(void **state)
{
    struct secret hash;
    struct fixture_verifiers verifiers;
    char shown[CLIENTPW_SHOWN];
    clientpw_show(&pw, shown);
    assert_int_equal(vault_account_password(f->v, &alice.id, &hash), OK);
    assert_int_equal(fixture_read_verifiers(f, &alice.id, client, &verifiers), OK);
    assert_int_equal(verifiers.count, 2);
    assert_int_equal(vault_flush(f->v), OK);
    struct hash unkeyed = hash_of(NULL, clientpw_slice(&pw));
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    for (int closed = 0; closed < 2; closed++) {
        expect_absent(S("correct horse"));
        expect_absent(S("$argon2id"));
        expect_absent(slice_of(secret_reveal(&hash).p, 60));
        expect_absent(slice_of(shown, sizeof shown));
        expect_absent(clientpw_slice(&pw));
        expect_absent(hash_slice(&unkeyed));
        for (int i = 0; i < 2; i++) {
            expect_absent(slice_of(verifiers.keys[i].stored_key, 32));
            expect_absent(slice_of(verifiers.keys[i].server_key, 32));
        }
        if (!closed)
            fixture_reopen(f);
    }
    secret_free(&hash);
    /* With fresh keys the files open nothing. */
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_int_equal(vault_close(&f->v), OK);
    static const char *const names[] = {"accounts", "clients"};
    for (int i = 0; i < 2; i++) {
        char path[64];
        struct buf kept CLEANUP_BUF = BUF_INIT(1000), other CLEANUP_BUF = BUF_INIT(1000);
        snprintf(path, sizeof path, "keys/%s.key", names[i]);
        read_file(path, &kept);
        buf_printf(&other, "letterlock-key 1 %s %064x\n", names[i], 1);
        write_file(path, buf_slice(&other), 0600);
        assert_int_equal(try_open(), ERR_CORRUPT);
        write_file(path, buf_slice(&kept), 0600);
    }
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
}

/* T-255: missing, broken, old, one bit off, wrong mode: refused, and nothing is changed. */
static void keys_must_be_right(void **state)
{
    struct buf key CLEANUP_BUF = BUF_INIT(1000), bad CLEANUP_BUF = BUF_INIT(1000);
    read_file("keys/clients.key", &key);
    assert_int_equal(vault_close(&f->v), OK);
    assert_int_equal(unlinkat(f->dirfd, "keys/clients.key", 0), 0);
    assert_int_equal(try_open(), ERR_NOT_FOUND);
    assert_int_equal(vault_create(&f->options, NULL), ERR_EXISTS);
    write_file("keys/clients.key", SLICE_EMPTY, 0600);
    assert_int_equal(try_open(), ERR_SYNTAX);
    buf_put(&bad, buf_slice(&key));
    bad.p[bad.n - 2] = bad.p[bad.n - 2] == '0' ? '1' : '0';
    write_file("keys/clients.key", buf_slice(&bad), 0600);
    assert_int_equal(try_open(), ERR_CORRUPT);
    buf_clear(&bad);
    read_file("keys/accounts.key", &bad);
    write_file("keys/clients.key", buf_slice(&bad), 0600);
    assert_int_equal(try_open(), ERR_SYNTAX);
    static const mode_t modes[] = {0640, 0604, 0660, 0777};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        write_file("keys/clients.key", buf_slice(&key), modes[i]);
        assert_int_equal(try_open(), ERR_DENIED);
    }
    write_file("keys/clients.key", buf_slice(&key), 0600);
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
}

static void a_missing_container_is_never_made_anew(void **state)
{
    assert_int_equal(vault_close(&f->v), OK);
    assert_int_equal(renameat(f->dirfd, "clients.db", f->dirfd, "elsewhere"), 0);
    assert_int_equal(try_open(), ERR_NOT_FOUND);
    struct stat st;
    assert_int_not_equal(fstatat(f->dirfd, "clients.db", &st, 0), 0);
    assert_int_equal(renameat(f->dirfd, "elsewhere", f->dirfd, "clients.db"), 0);
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
}

static void run(enum vault_container c, const char *sql)
{
    assert_int_equal(db_exec(vault_container_db(f->v, c), sql), OK);
}

/* INV-V2: rows copied by somebody who can write the files, but has no key. */
static void copied_rows_do_not_open(void **state)
{
    struct vault_account mallory = fixture_account_with(f, "mallory@example.test", "mallory's own");
    struct clientpw own;
    uint64_t id = fixture_client(f, &mallory.id, "", true, true, &own);
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    struct secret text;
    /* Alice's password row on Mallory's account, and the other way round. */
    run(VAULT_ACCOUNTS,
        "UPDATE account SET password = (SELECT password FROM account WHERE address LIKE 'mallory%')");
    assert_int_equal(vault_account_password(f->v, &alice.id, &text), ERR_CORRUPT);
    assert_int_equal(vault_account_password(f->v, &mallory.id, &text), OK);
    secret_free(&text);
    /* Mallory's client password given to Alice. */
    run(VAULT_CLIENTS,
        "UPDATE credential SET account = (SELECT account FROM credential ORDER BY id LIMIT 1)");
    assert_int_equal(vault_client_find(f->v, &alice.id, &own, &c), ERR_NOT_FOUND);
    assert_int_equal(vault_client_find(f->v, &mallory.id, &own, &c), ERR_NOT_FOUND);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    /* Verifiers moved to another credential, or swapped between columns. */
    struct fixture_verifiers none;
    char swap[256];
    snprintf(
        swap, sizeof swap, "UPDATE credential_verifier SET credential = %llu + credential",
        (unsigned long long)(id + client));
    for (int back = 0; back < 2; back++) {
        run(VAULT_CLIENTS, "UPDATE credential_verifier SET credential = -credential");
        run(VAULT_CLIENTS, swap);
        assert_int_equal(fixture_read_verifiers(f, &alice.id, client, &none), back ? OK : ERR_CORRUPT);
        assert_int_equal(none.count, back ? 2 : 0);
    }
    run(VAULT_CLIENTS, "UPDATE credential_verifier SET stored_key = server_key, server_key = stored_key");
    assert_int_equal(fixture_read_verifiers(f, &alice.id, client, &none), ERR_CORRUPT);
    assert_int_equal(none.count, 0);
}

static void one_opener_at_a_time(void **state)
{
    struct vault *second = NULL;
    assert_int_equal(vault_open(&f->options, &second, NULL), ERR_BUSY);
    assert_null(second);
}

static void key_files_are_private(void **state)
{
    struct stat st;
    static const char *const names[] = {"keys/accounts.key", "keys/clients.key"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fstatat(f->dirfd, names[i], &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    assert_int_equal(fstatat(f->dirfd, "keys", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

/* ---- why ---- */

struct seen {
    unsigned n;
    char reason[64], detail[300];
    uint64_t credential;
};
static void see(void *owner, const struct why_row *row)
{
    struct seen *s = owner;
    if (s->n++ == 0) {
        fixture_text(s->reason, sizeof s->reason, row->reason);
        fixture_text(s->detail, sizeof s->detail, row->detail);
        s->credential = row->credential;
    }
}

static void decisions_are_kept_without_names(void **state)
{
    int64_t now = clock_unix_s();
    struct why_row row = {
        .time_s = now,
        .name = S("alice@example.test"),
        .account = &alice.id,
        .door = S("imap"),
        .outcome = S("refused"),
        .reason = S("slip"),
        .credential = 7,
        .detail = S("x")};
    vault_why_add(f->v, &row);
    row.name = S("hunter2-typed-as-name");
    row.account = NULL;
    row.reason = S("unknown-account");
    row.detail = S("bad\xff");
    vault_why_add(f->v, &row);
    fixture_reopen(f);
    struct seen seen = {.n = 0};
    assert_int_equal(vault_why_list(f->v, S("ALICE@example.test"), 10, see, &seen), OK);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.reason, "slip");
    assert_int_equal(seen.credential, 7);
    seen.n = 0;
    assert_int_equal(vault_why_list(f->v, S("hunter2-typed-as-name"), 10, see, &seen), OK);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.detail, "bad\xef\xbf\xbd");
    seen.n = 0;
    assert_int_equal(vault_why_list(f->v, S("bob@example.test"), 10, see, &seen), OK);
    assert_int_equal(seen.n, 0);
    expect_absent(S("hunter2-typed"));
}

static void decisions_are_bounded(void **state)
{
    struct why_row row = {
        .time_s = clock_unix_s(),
        .name = S("x@example.test"),
        .door = S("imap"),
        .outcome = S("refused"),
        .reason = S("old")};
    for (int i = 0; i < LIMIT_VAULT_PENDING; i++)
        vault_why_add(f->v, &row);
    row.reason = S("new");
    vault_why_add(f->v, &row);
    struct seen seen = {.n = 0};
    assert_int_equal(vault_why_list(f->v, S("x@example.test"), 1000000, see, &seen), OK);
    assert_int_equal(seen.n, LIMIT_VAULT_PENDING);
    assert_string_equal(seen.reason, "new");
    /* What is older than the retention goes with the next write. */
    f->options.settings.why_retention_s = 10;
    vault_set(f->v, &f->options.settings);
    run(VAULT_CLIENTS, "UPDATE decision SET time_s = time_s - 100");
    vault_why_add(f->v, &row);
    seen.n = 0;
    assert_int_equal(vault_why_list(f->v, S("x@example.test"), 1000000, see, &seen), OK);
    assert_int_equal(seen.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stolen_database_is_useless, setup, teardown),
        cmocka_unit_test_setup_teardown(known_secrets_fit_nothing_that_was_stolen, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_must_be_right, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_container_is_never_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(copied_rows_do_not_open, setup, teardown),
        cmocka_unit_test_setup_teardown(one_opener_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(key_files_are_private, setup, teardown),
        cmocka_unit_test_setup_teardown(decisions_are_kept_without_names, setup, teardown),
        cmocka_unit_test_setup_teardown(decisions_are_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
