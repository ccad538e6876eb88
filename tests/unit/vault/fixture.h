/* fixture.h - a vault in a temporary folder, for tests.                    room: tests */
#ifndef TESTS_VAULT_FIXTURE_H
#define TESTS_VAULT_FIXTURE_H

#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "db/db.h"
#include "vault/accounts.h"
#include "vault/clients.h"
#include "vault/resolve.h"
#include "vault/signin.h"
#include "vault/why.h"

/* What the vault told through its events. */
struct told {
    unsigned audits, revokes, removals;
    char last_kind[64], last_actor[64], last_body[1024];
    struct account_id account;
    uint64_t credential;
    uint32_t version;
};

struct fixture {
    char path[64];
    int dirfd;
    struct secret_slab *slab;
    struct vault_options options;
    struct vault *v;
    struct told told;
};

static inline void fixture_text(char *out, size_t room, struct slice s)
{
    snprintf(out, room, SLICE_FMT, SLICE_ARG(s));
}

static inline void
fixture_audit(void *owner, struct slice kind, struct slice actor, struct slice subject, struct slice body)
{
    struct told *t = owner;
    t->audits++;
    fixture_text(t->last_kind, sizeof t->last_kind, kind);
    fixture_text(t->last_actor, sizeof t->last_actor, actor);
    fixture_text(t->last_body, sizeof t->last_body, body);
}

static inline void
fixture_revoked(void *owner, const struct account_id *account, uint64_t credential, uint32_t version)
{
    struct told *t = owner;
    t->revokes++;
    t->account = *account;
    t->credential = credential;
    t->version = version;
}

static inline void fixture_removed(void *owner, const struct account_id *account)
{
    struct told *t = owner;
    t->removals++;
    t->account = *account;
}

static const struct vault_events fixture_events = {
    .audit = fixture_audit, .revoked = fixture_revoked, .account_removed = fixture_removed};

static inline struct fixture *fixture_folder(void)
{
    crypto_init();
    db_init();
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/letterlock-vault-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->dirfd >= 0);
    f->slab = secret_slab_new(1 << 20);
    f->options = (struct vault_options){
        .dirfd = f->dirfd,
        .slab = f->slab,
        .settings = vault_settings_default,
        .events = &fixture_events,
        .owner = &f->told,
    };
    f->options.settings.cost = (struct passhash_cost){.memory_kib = 64, .passes = 1};
    return f;
}

/* The files of the containers without their keys, as a thief would have them. */
static const char *const fixture_files[] = {"accounts.db", "accounts.db-wal", "clients.db", "clients.db-wal"};
enum { FIXTURE_FILES = sizeof fixture_files / sizeof *fixture_files };

/* Appends a whole file; false where there is none. */
static inline bool fixture_read(const struct fixture *f, const char *path, struct buf *text)
{
    int fd CLEANUP_FD = openat(f->dirfd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    assert_int_equal(file_read_all(fd, text), OK);
    return true;
}

static inline bool fixture_stores(const struct fixture *f, struct slice octets)
{
    bool found = false;
    for (size_t i = 0; i < FIXTURE_FILES; i++) {
        struct buf text CLEANUP_BUF = BUF_INIT(16 << 20);
        if (fixture_read(f, fixture_files[i], &text))
            found |= slice_search(buf_slice(&text), octets) != SLICE_NPOS;
    }
    return found;
}

/* What an authenticator's owner sees, as the octets it stands for. */
static inline void fixture_unbase32(struct slice text, uint8_t *out, size_t n)
{
    unsigned held = 0, bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned value = text.p[i] >= 'A' ? (unsigned)(text.p[i] - 'A') : (unsigned)(text.p[i] - '2' + 26);
        held = (held << 5 | value) & 0xffff;
        bits += 5;
        if (bits < 8)
            continue;
        assert_true(at < n);
        out[at++] = (uint8_t)(held >> (bits -= 8));
    }
    assert_int_equal(at, n);
}

static inline void fixture_reopen(struct fixture *f)
{
    assert_int_equal(vault_close(&f->v), OK);
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
}

static inline struct fixture *fixture_new(void)
{
    struct fixture *f = fixture_folder();
    struct buf problem CLEANUP_BUF = BUF_INIT(1000);
    assert_int_equal(vault_create(&f->options, &problem), OK);
    assert_int_equal(vault_open(&f->options, &f->v, &problem), OK);
    return f;
}

static inline void fixture_remove_tree(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlinkat(fd, e->d_name, 0) != 0)
            fixture_remove_tree(fd, e->d_name);
    if (dir)
        closedir(dir);
    unlinkat(dirfd, name, AT_REMOVEDIR);
}

static inline void fixture_free(struct fixture *f)
{
    assert_int_equal(vault_close(&f->v), OK);
    assert_int_equal(secret_slab_used(f->slab), 0);
    secret_slab_free(&f->slab);
    close(f->dirfd);
    fixture_remove_tree(AT_FDCWD, f->path);
    free(f);
}

static inline struct vault_account fixture_account(struct fixture *f, const char *address)
{
    struct vault_account a;
    struct vault_account_new n = {.address = slice_str(address), .name = S("Test")};
    assert_int_equal(vault_account_add(f->v, &n, &a), OK);
    return a;
}

/* With a mailbox password. */
static inline struct vault_account
fixture_account_with(struct fixture *f, const char *address, const char *password)
{
    struct vault_account a;
    char hash[PASSHASH_TEXT_MAX];
    struct secret typed, normal;
    assert_int_equal(secret_copy(f->slab, slice_str(password), &typed), OK);
    assert_int_equal(vault_password_normal(f->v, &typed, &normal), OK);
    assert_int_equal(passhash_make(secret_reveal(&normal), f->options.settings.cost, hash), OK);
    struct vault_account_new n = {
        .address = slice_str(address), .name = S("Test"), .password_hash = slice_str(hash)};
    assert_int_equal(vault_account_add(f->v, &n, &a), OK);
    secret_free(&typed);
    secret_free(&normal);
    return a;
}

/* `limits`: lines as of scope/scope.h, "network=192.0.2.0/24". */
static inline uint64_t fixture_client(
    struct fixture *f, const struct account_id *account, const char *limits, bool receive, bool send,
    struct clientpw *ret_pw)
{
    uint64_t id = 0;
    struct vault_client_new n = {
        .label = S("phone"), .can_receive = receive, .can_send = send, .limits = slice_str(limits)};
    assert_int_equal(vault_client_add(f->v, account, &n, ret_pw, &id), OK);
    return id;
}

/* The verifiers of one client password, as shown and without separators. */
struct fixture_verifiers {
    uint64_t id;
    unsigned count;
    struct scram_keys keys[2];
};
static inline bool fixture_take_verifier(void *owner, uint64_t credential, const struct scram_keys *keys)
{
    struct fixture_verifiers *all = owner;
    if (credential == all->id) {
        assert_true(all->count < 2);
        all->keys[all->count++] = *keys;
    }
    return false;
}
static inline enum err fixture_read_verifiers(
    struct fixture *f, const struct account_id *account, uint64_t id, struct fixture_verifiers *ret_all)
{
    uint64_t taken;
    *ret_all = (struct fixture_verifiers){.id = id};
    return vault_scram_try(f->v, account, clock_unix_s(), fixture_take_verifier, ret_all, &taken);
}

#endif
