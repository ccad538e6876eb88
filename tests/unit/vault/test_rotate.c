#include "fixture.h"

#include "../crashdisk.h"

#include <errno.h>

#include "db/disk.h"
#include "vault/operations.h"
#include "vault/rotate.h"

#include <sys/wait.h>

static struct fixture *f;
static struct vault_account alice;
static struct clientpw pw, cram;
static struct token token;
static uint64_t client, cram_client, token_client;
static uint8_t salt_of_nobody[SCRAM_SALT_LEN];
static const uint8_t operation[OPERATION_ID_LEN] = {1, 2, 3};

static const char *const names[VAULT_CONTAINERS] = {"accounts", "clients"};

static int setup(void **state)
{
    uint32_t rounds;
    f = fixture_new();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account_with(f, "alice@example.test", "correct horse battery");
    client = fixture_client(f, &alice.id, "", true, true, &pw);
    const struct vault_client_new n = {.label = S("x"), .can_send = true, .cram_md5 = true};
    assert_int_equal(vault_client_add(f->v, &alice.id, &n, &cram, &cram_client), OK);
    assert_int_equal(vault_token_add(f->v, &alice.id, &n, &token, &token_client), OK);
    assert_int_equal(vault_scram_salt(f->v, S("nobody@example.test"), salt_of_nobody, &rounds), OK);
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
        assert_int_equal(
            vault_operation_put(
                f->v, (enum vault_container)c, slice_of(operation, sizeof operation), S("the result"), 1000),
            OK);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static bool try_scram(void *owner, uint64_t credential, const struct scram_keys *keys)
{
    return memcmp(keys, owner, sizeof *keys) == 0;
}

static bool try_cram(void *owner, uint64_t credential, struct slice secret)
{
    return slice_eq(secret, clientpw_slice(owner));
}

/* Everything that was sealed or hashed is of use. */
static void expect_all_works(void)
{
    struct vault_client c;
    struct secret text;
    uint8_t salt[SCRAM_SALT_LEN];
    uint32_t rounds;
    uint64_t found;
    assert_int_equal(vault_account_password(f->v, &alice.id, &text), OK);
    assert_int_equal(passhash_check(secret_reveal(&text), S("correct horse battery")), OK);
    secret_free(&text);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    vault_client_done(&c);
    assert_int_equal(vault_token_find(f->v, &token, &c), OK);
    vault_client_done(&c);
    assert_int_equal(vault_scram_salt(f->v, S("nobody@example.test"), salt, &rounds), OK);
    assert_memory_equal(salt, salt_of_nobody, sizeof salt);
    assert_int_equal(vault_scram_salt(f->v, S("alice@example.test"), salt, &rounds), OK);
    struct scram_keys keys = scram_make(clientpw_slice(&pw), slice_of(salt, sizeof salt), rounds);
    assert_int_equal(vault_scram_try(f->v, &alice.id, 1000, try_scram, &keys, &found), OK);
    assert_int_equal(found, client);
    assert_int_equal(vault_cram_try(f->v, &alice.id, 1000, try_cram, &cram, &found), OK);
    assert_int_equal(found, cram_client);
    for (unsigned i = 0; i < VAULT_CONTAINERS; i++) {
        struct slice id = slice_of(operation, sizeof operation);
        assert_int_equal(vault_operation_find(f->v, (enum vault_container)i, id, &text), OK);
        assert_true(slice_eq(secret_reveal(&text), S("the result")));
        secret_free(&text);
    }
}

static void read_file(const char *name, struct buf *out)
{
    int fd CLEANUP_FD = openat(f->dirfd, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_read_all(fd, out), OK);
}

static void write_key(const char *name, struct slice contents)
{
    unlinkat(f->dirfd, name, 0);
    int fd CLEANUP_FD = openat(f->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, contents), OK);
}

static void key_path(enum vault_container c, const char *suffix, char out[64])
{
    snprintf(out, 64, "keys/%s.key%s", names[c], suffix);
}

static bool is_there(const char *path)
{
    struct stat st;
    return fstatat(f->dirfd, path, &st, 0) == 0;
}

static void count_progress(void *owner, uint64_t done, uint64_t total)
{
    uint64_t *seen = owner;
    assert_true(done <= total && done > *seen);
    *seen = done;
}

static void all_works_under_new_keys(void **state)
{
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        char path[64], next[64];
        struct buf before CLEANUP_BUF = BUF_INIT(1000), after CLEANUP_BUF = BUF_INIT(1000);
        uint64_t seen = 0;
        key_path((enum vault_container)c, "", path);
        key_path((enum vault_container)c, ".new", next);
        read_file(path, &before);
        for (int round = 0; round < 3; round++) {
            assert_int_equal(vault_rotate(f->v, (enum vault_container)c, count_progress, &seen), OK);
            assert_string_equal(f->told.last_kind, "vault.rotated");
            assert_true(seen > 0 && !is_there(next));
            seen = 0;
            expect_all_works();
            fixture_reopen(f);
            expect_all_works();
        }
        read_file(path, &after);
        assert_false(slice_eq(buf_slice(&before), buf_slice(&after)));
        struct stat st;
        assert_int_equal(fstatat(f->dirfd, path, &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

/* Every sealed value and keyed-hash key of a container, as it stands in the file now. */
static const char *const sealed_sql[VAULT_CONTAINERS] = {
    "SELECT password FROM account WHERE password IS NOT NULL UNION ALL SELECT sealed FROM derived_key"
    " UNION ALL SELECT result FROM operation UNION ALL SELECT mark FROM container",
    "SELECT stored_key FROM credential_verifier UNION ALL SELECT server_key FROM credential_verifier UNION "
    "ALL"
    " SELECT secret FROM credential_cram UNION ALL SELECT sealed FROM derived_key UNION ALL SELECT result "
    "FROM"
    " operation UNION ALL SELECT mark FROM container"};

struct sealed {
    struct buf values[64];
    size_t n;
};

static void collect_sealed(enum vault_container c, struct sealed *out)
{
    struct stmt *st = db_prepare(vault_container_db(f->v, c), sealed_sql[c]);
    out->n = 0;
    while (stmt_step(st) == OK) {
        assert_true(out->n < 64);
        out->values[out->n] = BUF_INIT(8192);
        buf_put(&out->values[out->n++], stmt_col(st, 0));
    }
    stmt_free(&st);
    assert_true(out->n >= 5);
}

static void expect_gone(const struct sealed *old, const char *file)
{
    struct buf text CLEANUP_BUF = BUF_INIT(16 << 20);
    if (!is_there(file))
        return;
    read_file(file, &text);
    for (size_t i = 0; i < old->n; i++)
        if (slice_search(buf_slice(&text), buf_slice(&old->values[i])) != SLICE_NPOS)
            fail_msg("a value under the old key is left in %s", file);
}

/* T-255: after a rotation the old key opens nothing, and nothing that it could open is left in file or log. */
static void the_old_key_opens_nothing(void **state)
{
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        char path[64], file[64], log[64];
        struct buf old_key CLEANUP_BUF = BUF_INIT(1000), new_key CLEANUP_BUF = BUF_INIT(1000);
        struct sealed old, fresh;
        struct vault *v = NULL;
        snprintf(file, sizeof file, "%s.db", names[c]);
        snprintf(log, sizeof log, "%s.db-wal", names[c]);
        key_path((enum vault_container)c, "", path);
        read_file(path, &old_key);
        collect_sealed((enum vault_container)c, &old);
        assert_int_equal(vault_rotate(f->v, (enum vault_container)c, NULL, NULL), OK);
        collect_sealed((enum vault_container)c, &fresh);
        assert_int_equal(fresh.n, old.n);
        expect_gone(&old, file);
        expect_gone(&old, log);
        assert_int_equal(vault_close(&f->v), OK);
        expect_gone(&old, file);
        expect_gone(&old, log);
        read_file(path, &new_key);
        write_key(path, buf_slice(&old_key));
        assert_int_equal(vault_open(&f->options, &v, NULL), ERR_CORRUPT);
        write_key(path, buf_slice(&new_key));
        assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
        expect_all_works();
        for (size_t i = 0; i < old.n; i++)
            buf_done(&old.values[i]);
        for (size_t i = 0; i < fresh.n; i++)
            buf_done(&fresh.values[i]);
    }
}

/* ---- a kill at every step ---- */

struct killer {
    struct disk_hook hook;
    unsigned left;
};

static void nothing_after(struct disk_hook *h, const struct disk_call *call)
{
}

static int kill_before(struct disk_hook *h, const struct disk_call *call)
{
    struct killer *k = (struct killer *)h;
    if (call->op != DISK_READ && call->op != DISK_CLOSE && k->left-- == 0)
        _exit(9);
    return 0;
}

/* In a process of its own, which ends before its n-th change of the disk. True: it was done before that. */
static bool rotate_until(enum vault_container c, unsigned n)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct killer k = {.hook = {.before = kill_before, .after = nothing_after}, .left = n};
        struct vault *v = NULL;
        f->options.slab = secret_slab_new(1 << 20); /* a slab does not go along with a fork */
        struct buf problem = BUF_INIT(1000);
        if (vault_open(&f->options, &v, &problem) != OK) {
            print_error("before step %u: %s\n", n, buf_cstr(&problem));
            _exit(3);
        }
        disk_set_hook(&k.hook);
        enum err e = vault_rotate(v, c, NULL, NULL);
        disk_set_hook(NULL);
        _exit(e == OK ? 0 : 4); /* without closing: as killed */
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9);
    return WEXITSTATUS(status) == 0;
}

static void a_kill_at_every_step(void **state)
{
    unsigned steps = 0;
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        char next[64];
        key_path((enum vault_container)c, ".new", next);
        for (unsigned n = 0;; n++, steps++) {
            assert_int_equal(vault_close(&f->v), OK);
            bool done = rotate_until((enum vault_container)c, n);
            struct buf problem CLEANUP_BUF = BUF_INIT(1000);
            enum err e = vault_open(&f->options, &f->v, &problem);
            if (e != OK)
                fail_msg("killed before step %u of %s: %s", n, names[c], buf_cstr(&problem));
            expect_all_works();
            assert_false(is_there(next));
            if (done)
                break;
        }
    }
    assert_true(steps >= 20);
    print_message("T-255 cases=%u passed=%u\n", steps, steps);
}

/* ---- power cuts ---- */

static void image_file(struct crash_image *image, const char *path)
{
    struct buf text CLEANUP_BUF = BUF_INIT(16 << 20);
    const char *slash = strrchr(path, '/');
    if (!is_there(path))
        return;
    read_file(path, &text);
    int inode = crash_add_inode(image, false);
    image->inodes[inode].octets = mem_alloc(text.n + 1);
    image->inodes[inode].n = text.n;
    if (text.n)
        memcpy(image->inodes[inode].octets, text.p, text.n);
    crash_link(image, 0, slash ? slash + 1 : path, inode);
}

/* The recorder knows one root, and the keys are opened below their own folder: so in the image they lie at the top. */
static struct crash_image image_of_the_folder(void)
{
    static const char *const files[] = {"accounts.db",    "accounts.db-wal",   "clients.db",
                                        "clients.db-wal", "keys/accounts.key", "keys/clients.key"};
    struct crash_image image = crash_image_new();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        image_file(&image, files[i]);
    return image;
}

static void write_image(const struct crash_image *left, int dirfd)
{
    static const char *const keys[] = {"accounts.key", "accounts.key.new", "clients.key", "clients.key.new"};
    crash_image_write(left, dirfd);
    assert_int_equal(mkdirat(dirfd, "keys", 0700), 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char path[64];
        snprintf(path, sizeof path, "keys/%s", keys[i]);
        if (renameat(dirfd, keys[i], dirfd, path) == 0)
            assert_int_equal(fchmodat(dirfd, path, 0600, 0), 0);
    }
}

static void expect_all_works_after(const struct crash_image *left)
{
    struct fixture *world = f, *g = fixture_folder();
    struct buf problem CLEANUP_BUF = BUF_INIT(1000);
    write_image(left, g->dirfd);
    enum err e = vault_open(&g->options, &g->v, &problem);
    if (e != OK)
        fail_msg("after a power cut: %s", buf_cstr(&problem));
    f = g;
    expect_all_works();
    f = world;
    fixture_free(g);
}

static void the_power_goes_at_any_moment(void **state)
{
    bool full = test_in_full();
    unsigned cuts = full ? 2000 : 150;
    uint64_t seed = 255;
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        assert_int_equal(vault_close(&f->v), OK);
        struct crash_image base = image_of_the_folder();
        struct crash_disk *disk = crash_start(&base);
        assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
        assert_int_equal(vault_rotate(f->v, (enum vault_container)c, NULL, NULL), OK);
        crash_stop();
        for (unsigned i = 0; i < cuts; i++) {
            int mark = -1;
            struct crash_image left = crash_make(disk, crash_cut_random(disk, &seed), &mark);
            expect_all_works_after(&left);
            crash_image_done(&left);
        }
        crash_image_done(&base);
        crash_free(&disk);
        fixture_reopen(f);
        expect_all_works();
    }
    print_message("T-255 cases=%u passed=%u\n", 2 * cuts, 2 * cuts);
}

/* Every call fails once: the vault goes on with a key that fits, and so does the next start. */
struct failer {
    struct disk_hook hook;
    unsigned left;
    bool failed;
};

static int fail_before(struct disk_hook *h, const struct disk_call *call)
{
    struct failer *k = (struct failer *)h;
    if (call->op == DISK_READ || call->op == DISK_CLOSE || k->failed || k->left-- > 0)
        return 0;
    k->failed = true;
    return ENOSPC;
}

static void each_call_fails_once(void **state)
{
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        for (unsigned n = 0;; n++) {
            struct failer k = {.hook = {.before = fail_before, .after = nothing_after}, .left = n};
            disk_set_hook(&k.hook);
            enum err e = vault_rotate(f->v, (enum vault_container)c, NULL, NULL);
            disk_set_hook(NULL);
            if (!k.failed)
                assert_int_equal(e, OK);
            fixture_reopen(f);
            expect_all_works();
            if (!k.failed)
                break;
        }
    }
}

/* ---- keys that the service manager brings ---- */

static void foreign_keys_are_used_and_not_rotated(void **state)
{
    int fds[VAULT_CONTAINERS];
    struct buf words CLEANUP_BUF = BUF_INIT(1000);
    assert_int_equal(vault_close(&f->v), OK);
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        char path[64];
        key_path((enum vault_container)c, "", path);
        fds[c] = openat(f->dirfd, path, O_RDONLY | O_CLOEXEC);
        assert_true(fds[c] >= 0);
    }
    assert_int_equal(renameat(f->dirfd, "keys", f->dirfd, "elsewhere"), 0);
    f->options.key_fds = fds;
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
    expect_all_works();
    assert_int_equal(vault_rotate(f->v, VAULT_CLIENTS, NULL, NULL), ERR_UNSUPPORTED);
    buf_put(&words, vault_problem(f->v));
    assert_true(slice_search(buf_slice(&words), S("service manager")) != SLICE_NPOS);
    expect_all_works();
    fixture_reopen(f);
    /* The wrong one of the two, and nothing at all. */
    assert_int_equal(vault_close(&f->v), OK);
    int swapped[VAULT_CONTAINERS] = {fds[1], fds[0]};
    struct vault *v = NULL;
    f->options.key_fds = swapped;
    assert_int_equal(vault_open(&f->options, &v, NULL), ERR_SYNTAX);
    int none[VAULT_CONTAINERS] = {-1, -1};
    f->options.key_fds = none;
    assert_int_not_equal(vault_open(&f->options, &v, NULL), OK);
    f->options.key_fds = fds;
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
    assert_int_equal(renameat(f->dirfd, "elsewhere", f->dirfd, "keys"), 0);
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
        close(fds[c]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_works_under_new_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(the_old_key_opens_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_kill_at_every_step, setup, teardown),
        cmocka_unit_test_setup_teardown(the_power_goes_at_any_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(each_call_fails_once, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_keys_are_used_and_not_rotated, setup, teardown),
    };
    return cmocka_run_group_tests_name("rotate", tests, NULL, NULL);
}
