#include "vault/vault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "breach/filter.h"
#include "crypto/aead.h"
#include "db/disk.h"
#include "vault/keys.h"
#include "vault/private.h"
#include "vault/rotate_private.h"

enum { PROBLEM_MAX = 512, ACTOR_MAX = 320, PLACE_MAX = 160 };

const struct vault_settings vault_settings_default = {
    .plus_separator = '+',
    .quota_default = UINT64_C(10) << 30,
    .notices = true,
    .why_retention_s = 30 * 86400,
    .address_rest_s = 180 * 86400,
    .cost = {.memory_kib = 64 * 1024, .passes = 3},
};

static const struct {
    const char *name, *file;
    const struct db_schema *schema;
    unsigned put_mark, mark;
} containers[] = {
    [VAULT_ACCOUNTS] = {"accounts", "accounts.db", &vault_accounts_schema, A_MARK_PUT, A_MARK},
    [VAULT_CLIENTS] = {"clients", "clients.db", &vault_clients_schema, C_MARK_PUT, C_MARK},
};
static_assert(sizeof containers / sizeof *containers == VAULT_CONTAINERS, "a container without a row");

const char *vault_container_file(enum vault_container c)
{
    return containers[c].file;
}

struct db *vault_container_db(struct vault *v, enum vault_container c)
{
    return v->db[c];
}

static bool is_there(int dirfd, const char *path)
{
    struct stat st;
    return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool vault_is_absent(int dirfd)
{
    return !is_there(dirfd, "keys/accounts.key") && !is_there(dirfd, "keys/clients.key") &&
           !is_there(dirfd, "accounts.db") && !is_there(dirfd, "clients.db");
}

/* ---- the inside: words, names, sealing ---- */

enum err vault_refuse(struct vault *v, enum err e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_clear(&v->problem);
    buf_vprintf(&v->problem, format, args);
    va_end(args);
    return e;
}

enum err vault_failed(struct vault *v, enum err e)
{
    return vault_refuse(v, e, "the vault's files: %s", err_text(e));
}

struct slice vault_problem(const struct vault *v)
{
    return buf_slice(&v->problem);
}

void vault_forget_problem(struct vault *v)
{
    buf_clear(&v->problem);
}

void vault_set_actor(struct vault *v, struct slice actor)
{
    buf_clear(&v->actor);
    buf_put(&v->actor, slice_sub(actor, 0, ACTOR_MAX));
}

/* Whole lines only, and a last one that says so when there were more: a record that is too long would not be sent at all. */
static struct slice fit_body(struct slice body, struct buf *cut)
{
    static const char more[] = "cut=yes\n";
    if (body.n <= LIMIT_AUDIT_BODY)
        return body;
    body = slice_sub(body, 0, LIMIT_AUDIT_BODY - (sizeof more - 1));
    size_t end = slice_rfind(body, '\n');
    buf_put(cut, slice_sub(body, 0, end == SLICE_NPOS ? 0 : end + 1));
    buf_put_str(cut, more);
    return buf_slice(cut);
}

void vault_audit(struct vault *v, const char *kind, struct slice subject, const struct buf *body)
{
    struct buf cut CLEANUP_BUF = BUF_INIT(LIMIT_AUDIT_BODY);
    if (v->events && v->events->audit)
        v->events->audit(
            v->owner, slice_str(kind), buf_slice(&v->actor), subject,
            body ? fit_body(buf_slice(body), &cut) : SLICE_EMPTY);
}

static struct slice put_place(const struct vault_place *place, char out[PLACE_MAX])
{
    struct buf text CLEANUP_BUF = BUF_INIT(PLACE_MAX);
    buf_put_str(&text, place->table);
    buf_put_char(&text, '\0');
    buf_put(&text, place->row);
    buf_put_char(&text, '\0');
    buf_put_str(&text, place->column);
    assert(!text.failed);
    memcpy(out, text.p, text.n);
    return slice_of(out, text.n);
}

void vault_seal_with(
    const struct secret *seal, const struct vault_place *place, struct slice plain, struct buf *out)
{
    char text[PLACE_MAX];
    assert(vault_place_is_listed(place)); /* else a rotation would forget it */
    aead_seal(seal, put_place(place, text), plain, out);
}

fallible vault_unseal_with(
    struct vault *v, const struct secret *seal, const struct vault_place *place, struct slice sealed,
    struct secret *ret_plain)
{
    char text[PLACE_MAX];
    return aead_open(seal, put_place(place, text), sealed, v->slab, ret_plain);
}

void vault_seal(struct vault *v, const struct vault_place *place, struct slice plain, struct buf *out)
{
    vault_seal_with(&v->seal[place->container], place, plain, out);
}

fallible
vault_unseal(struct vault *v, const struct vault_place *place, struct slice sealed, struct secret *ret_plain)
{
    return vault_unseal_with(v, &v->seal[place->container], place, sealed, ret_plain);
}

fallible
vault_name(struct vault *v, struct slice typed, struct address *ret_address, struct address_key *ret_key)
{
    struct address a;
    struct address_key key;
    enum err e = address_parse(typed, ADDRESS_ALLOW_UTF8, &a);
    if (e == OK && a.is_literal)
        e = ERR_SYNTAX;
    if (e == OK)
        e = address_key(&a, &key);
    if (e != OK)
        return vault_refuse(v, ERR_SYNTAX, "this is not a mail address");
    *ret_address = a;
    *ret_key = key;
    return OK;
}

bool vault_text_is_good(struct slice text, size_t most)
{
    if (text.n > most)
        return false;
    while (text.n) {
        uint32_t c;
        size_t used = utf8_decode(text, &c);
        if (!used || c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029)
            return false;
        text = slice_from(text, used);
    }
    return true;
}

fallible vault_domain_row(struct vault *v, struct slice name, int64_t *ret_row)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DOMAIN_FIND);
    stmt_bind(st, "t", name);
    TRY(stmt_step(st));
    *ret_row = stmt_col_int(st, 0);
    return OK;
}

void vault_copy_text(char *out, size_t room, struct slice text)
{
    assert(text.n < room);
    if (text.n)
        memcpy(out, text.p, text.n);
    out[text.n] = '\0';
}

/* ---- opening ---- */

static const struct vault_place mark_place[] = {
    [VAULT_ACCOUNTS] = {VAULT_ACCOUNTS, "container", "mark", {"1", 1}},
    [VAULT_CLIENTS] = {VAULT_CLIENTS, "container", "mark", {"1", 1}},
};

const char *vault_container_name(enum vault_container c)
{
    return containers[c].name;
}

fallible vault_keys_folder(struct vault *v, int *ret_fd)
{
    int fd = openat(v->dirfd, "keys", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    *ret_fd = fd;
    return OK;
}

/* From the service manager's descriptor, from its file, or a new one. */
static fallible find_key(
    struct vault *v, const struct vault_options *o, enum vault_container c, bool create,
    struct secret *ret_key)
{
    if (o->key_fds)
        return vault_key_take(o->key_fds[c], containers[c].name, v->slab, ret_key);
    int fd CLEANUP_FD = -1;
    TRY(vault_keys_folder(v, &fd));
    return create ? vault_key_make(fd, containers[c].name, KEY_PRESENT, v->slab, ret_key)
                  : vault_key_read(fd, containers[c].name, KEY_PRESENT, v->slab, ret_key);
}

static fallible load_key(
    struct vault *v, const struct vault_options *o, enum vault_container c, bool create,
    struct secret *ret_key)
{
    const char *name = containers[c].name;
    enum err e = find_key(v, o, c, create, ret_key);
    if (e == OK)
        e = hash_derive_key(v->slab, ret_key, "seal", &v->seal[c]);
    if (e == OK)
        return OK;
    if (o->key_fds)
        return vault_refuse(v, e, "the key %s.key that the service manager brought: %s", name, err_text(e));
    if (e == ERR_DENIED)
        return vault_refuse(
            v, e,
            "vault/keys/%s.key: must belong to the vault's user and be readable by nobody else (chmod 600)",
            name);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(
            v, e,
            "vault/keys/%s.key is missing: put it back from where it is kept; without it nobody can sign in",
            name);
    return vault_refuse(v, e, "vault/keys/%s.key: %s", name, err_text(e));
}

static fallible check_mark(struct vault *v, enum vault_container c)
{
    struct stmt *st CLEANUP_STMT = db_stmt(v->db[c], containers[c].mark);
    TRY(stmt_step(st));
    struct secret mark CLEANUP_SECRET = SECRET_NONE;
    TRY(vault_unseal(v, &mark_place[c], stmt_col(st, 0), &mark));
    return secret_same(secret_reveal(&mark), slice_str(containers[c].name)) ? OK : ERR_CORRUPT;
}

fallible vault_mark_again(struct vault *v, enum vault_container c)
{
    struct buf sealed CLEANUP_BUF = BUF_INIT(128);
    vault_seal(v, &mark_place[c], slice_str(containers[c].name), &sealed);
    struct stmt *st = db_stmt(v->db[c], containers[c].put_mark);
    stmt_bind(st, "bi", buf_slice(&sealed), clock_unix_s());
    return stmt_run(st);
}

/* A rotation that was cut short behind its commit: the next key is the one that fits (rotate.h). */
static fallible finish_rotation(struct vault *v, enum vault_container c, struct secret *key)
{
    int fd CLEANUP_FD = -1;
    struct secret next CLEANUP_SECRET = SECRET_NONE;
    if (v->has_foreign_keys)
        return ERR_CORRUPT;
    TRY(vault_keys_folder(v, &fd));
    TRY(vault_key_read(fd, containers[c].name, KEY_NEXT, v->slab, &next));
    secret_free(&v->seal[c]);
    TRY(hash_derive_key(v->slab, &next, "seal", &v->seal[c]));
    TRY(check_mark(v, c));
    TRY(vault_key_adopt(fd, containers[c].name));
    secret_free(key);
    *key = next;
    next = SECRET_NONE;
    return OK;
}

/* One that was cut short before its commit left a key that fits nothing. */
static fallible drop_next_key(struct vault *v, enum vault_container c)
{
    int fd CLEANUP_FD = -1;
    if (v->has_foreign_keys)
        return OK;
    TRY(vault_keys_folder(v, &fd));
    return vault_key_drop_next(fd, containers[c].name);
}

/* The mark and the keys of a new container come in one transaction. */
static fallible open_keys(struct vault *v, enum vault_container c, bool create, struct secret *key)
{
    enum err e = create ? OK : check_mark(v, c);
    if (e == ERR_CORRUPT)
        e = finish_rotation(v, c, key) == OK ? OK : ERR_CORRUPT;
    else if (e == OK && !create)
        e = drop_next_key(v, c);
    TRY(e);
    TRY(db_begin(v->db[c]));
    if (create)
        e = vault_mark_again(v, c);
    if (e == OK)
        e = vault_derived_open(v, c, key, create);
    if (e == OK)
        return db_commit(v->db[c]);
    db_rollback(v->db[c]);
    return e;
}

static fallible
open_container(struct vault *v, const struct vault_options *o, enum vault_container c, bool create)
{
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    TRY(load_key(v, o, c, create, &key));
    struct db_options options = {.schema = containers[c].schema, .sync = DB_SYNC_COMMIT, .create = create};
    enum err e = db_open(o->dirfd, containers[c].file, &options, &v->db[c]);
    if (e != OK)
        return vault_refuse(v, e, "vault/%s: %s", containers[c].file, err_text(e));
    e = open_keys(v, c, create, &key);
    if (e == ERR_CORRUPT || e == ERR_NOT_FOUND)
        return vault_refuse(
            v, ERR_CORRUPT, "%s.key does not fit vault/%s: put the right key back", containers[c].name,
            containers[c].file);
    return e == OK ? OK : vault_refuse(v, e, "vault/%s: %s", containers[c].file, err_text(e));
}

static struct vault *vault_new(const struct vault_options *o)
{
    struct vault *v = NEW(struct vault);
    *v = (struct vault){
        .magic = VAULT_MAGIC,
        .slab = o->slab,
        .settings = o->settings,
        .events = o->events,
        .owner = o->owner,
        .dirfd = o->dirfd,
        .has_foreign_keys = o->key_fds != NULL,
        .problem = BUF_INIT(PROBLEM_MAX),
        .actor = BUF_INIT(ACTOR_MAX),
    };
    map_init(&v->uses, LIMIT_VAULT_USES);
    map_init(&v->known, LIMIT_VAULT_USES);
    map_init(&v->budgets, LIMIT_BUDGETS);
    map_init(&v->recipients, LIMIT_RECIPIENTS_PENDING);
    list_init(&v->decisions);
    list_init(&v->ceremonies);
    return v;
}

/* Frees what is there; the databases are closed already or are given up. */
static void vault_free(struct vault *v)
{
    vault_forget_pending(v);
    vault_forget_spent(v);
    vault_forget_ceremonies(v);
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        db_abandon(&v->db[c]);
        secret_free(&v->seal[c]);
    }
    vault_derived_free(v);
    breach_close(&v->breach);
    buf_done(&v->problem);
    buf_done(&v->actor);
    v->magic = 0;
    free(v);
}

static fallible open_both(struct vault *v, const struct vault_options *o, bool create)
{
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
        TRY(open_container(v, o, (enum vault_container)c, create));
    return OK;
}

fallible vault_open(const struct vault_options *options, struct vault **ret_vault, struct buf *problem)
{
    struct vault *v = vault_new(options);
    enum err e = vault_is_absent(options->dirfd)
                     ? vault_refuse(v, ERR_NOT_FOUND, "there is no vault here: run `letterlock init` first")
                     : open_both(v, options, false);
    if (e == OK) {
        *ret_vault = v;
        return OK;
    }
    if (problem)
        buf_put(problem, vault_problem(v));
    vault_free(v);
    return e;
}

static fallible create_in(struct vault *v, const struct vault_options *o)
{
    if (!vault_is_absent(o->dirfd))
        return vault_refuse(v, ERR_EXISTS, "vault/ holds a vault, or parts of one: nothing was touched");
    if (!o->key_fds) {
        enum err e = disk_mkdir(o->dirfd, "keys", 0700);
        if (e == OK)
            e = disk_sync_dir(o->dirfd, ".");
        if (e != OK && e != ERR_EXISTS)
            return vault_refuse(v, e, "vault/keys: %s", err_text(e));
    }
    TRY(open_both(v, o, true));
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
        TRY(db_close(&v->db[c]));
    return OK;
}

fallible vault_create(const struct vault_options *options, struct buf *problem)
{
    struct vault *v = vault_new(options);
    enum err e = create_in(v, options);
    if (e != OK && problem)
        buf_put(problem, vault_problem(v));
    vault_free(v);
    return e;
}

fallible vault_flush(struct vault *v)
{
    if (!v->uses.count && !v->known.count && !v->decision_count && !vault_has_spent(v))
        return OK;
    TRY(db_begin(clients_db(v)));
    enum err e = vault_flush_uses(v);
    if (e == OK)
        e = vault_flush_known(v);
    if (e == OK)
        e = vault_flush_decisions(v);
    if (e == OK)
        e = vault_flush_spent(v);
    if (e != OK) {
        db_rollback(clients_db(v));
        return e;
    }
    TRY(db_commit(clients_db(v)));
    vault_forget_pending(v);
    vault_spent_written(v);
    return OK;
}

fallible vault_close(struct vault **vault)
{
    struct vault *v = *vault;
    *vault = NULL;
    if (!v)
        return OK;
    assert(v->magic == VAULT_MAGIC);
    enum err first = vault_flush(v);
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        enum err e = db_close(&v->db[c]);
        if (first == OK)
            first = e;
    }
    vault_free(v);
    return first;
}

void vault_set(struct vault *v, const struct vault_settings *settings)
{
    v->settings = *settings;
}

const struct vault_settings *vault_settings_of(const struct vault *v)
{
    return &v->settings;
}

struct secret_slab *vault_slab(struct vault *v)
{
    return v->slab;
}
