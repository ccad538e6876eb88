#include "vault/rotate.h"

#include <assert.h>
#include <stddef.h>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/aead.h"
#include "vault/keys.h"
#include "vault/private.h"
#include "vault/rotate_private.h"

enum { SEALED_MAX = 8192, PROGRESS_STEPS = 50 };

/* ---- keys of their own ---- */

static const struct derived {
    enum vault_container container;
    const char *name;
    size_t offset;    /* of the secret in struct vault */
    bool was_derived; /* by version 1, from the container's key under this name */
    bool changes;     /* rotation replaces it */
} derived[] = {
    {VAULT_ACCOUNTS, "salts", offsetof(struct vault, salts), true, false},
    {VAULT_ACCOUNTS, "factors", offsetof(struct vault, factors), false, false},
    {VAULT_CLIENTS, "lookup", offsetof(struct vault, lookup), true, false},
    {VAULT_CLIENTS, "names", offsetof(struct vault, names), true, true},
    {VAULT_CLIENTS, "recipients", offsetof(struct vault, recipient_names), false, false},
};
enum { DERIVED = sizeof derived / sizeof *derived };

static const struct {
    unsigned get, put, clear;
} derived_sql[] = {
    [VAULT_ACCOUNTS] = {A_DERIVED_GET, A_DERIVED_PUT, A_DERIVED_CLEAR},
    [VAULT_CLIENTS] = {C_DERIVED_GET, C_DERIVED_PUT, C_DERIVED_CLEAR},
};

static struct secret *secret_of(struct vault *v, const struct derived *d)
{
    return (struct secret *)((char *)v + d->offset);
}

static struct vault_place derived_place(const struct derived *d)
{
    return (struct vault_place){d->container, "derived_key", "sealed", slice_str(d->name)};
}

static fallible put_derived(struct vault *v, const struct derived *d, const struct secret *key)
{
    struct buf sealed CLEANUP_BUF = BUF_INIT(128);
    struct vault_place place = derived_place(d);
    vault_seal(v, &place, secret_reveal(key), &sealed);
    struct stmt *st = db_stmt(v->db[d->container], derived_sql[d->container].put);
    stmt_bind(st, "tb", slice_str(d->name), buf_slice(&sealed));
    return stmt_run(st);
}

static fallible get_derived(struct vault *v, const struct derived *d, struct secret *ret_key)
{
    struct stmt *st CLEANUP_STMT = db_stmt(v->db[d->container], derived_sql[d->container].get);
    stmt_bind(st, "t", slice_str(d->name));
    TRY(stmt_step(st));
    struct vault_place place = derived_place(d);
    return vault_unseal(v, &place, stmt_col(st, 0), ret_key);
}

static fallible
open_derived(struct vault *v, const struct derived *d, const struct secret *container_key, bool is_new)
{
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    enum err e = is_new ? ERR_NOT_FOUND : get_derived(v, d, &key);
    if (e == ERR_NOT_FOUND) {
        TRY(d->was_derived && !is_new ? hash_derive_key(v->slab, container_key, d->name, &key)
                                      : secret_random(v->slab, AEAD_KEY_LEN, &key));
        e = put_derived(v, d, &key);
    }
    TRY(e);
    *secret_of(v, d) = key;
    key = SECRET_NONE;
    return OK;
}

fallible
vault_derived_open(struct vault *v, enum vault_container c, const struct secret *container_key, bool is_new)
{
    for (size_t i = 0; i < DERIVED; i++)
        if (derived[i].container == c)
            TRY(open_derived(v, &derived[i], container_key, is_new));
    return OK;
}

void vault_derived_free(struct vault *v)
{
    for (size_t i = 0; i < DERIVED; i++)
        secret_free(secret_of(v, &derived[i]));
}

/* ---- every sealed column ---- */

/* `next` finds the first row behind ?1: its key, what stands as the row in its place (NULL: the key itself), the value. `put`
 * writes ?2 into row ?1. */
static const struct column {
    enum vault_container container;
    const char *table, *name;
    bool has_blob_key;
    const char *count, *next, *put;
} columns[] = {
#define COLUMN(container, table, name, is_blob, key, row, where)                                             \
    {                                                                                                        \
        container, table, name, is_blob, "SELECT count(*) FROM " table " WHERE " name " IS NOT NULL" where,  \
            "SELECT " key ", " row ", " name " FROM " table " WHERE " key " > ?1 AND " name                  \
            " IS NOT NULL" where " ORDER BY " key " LIMIT 1",                                                \
            "UPDATE " table " SET " name " = ?2 WHERE " key " = ?1" where                                    \
    }
    COLUMN(VAULT_ACCOUNTS, "account", "password", true, "id", "NULL", ""),
    COLUMN(VAULT_ACCOUNTS, "password_old", "password", false, "id", "account", ""),
    COLUMN(VAULT_ACCOUNTS, "factor", "secret", false, "id", "CAST(id AS TEXT)", " AND length(secret) > 0"),
    COLUMN(VAULT_ACCOUNTS, "operation", "result", true, "id", "lower(hex(id))", ""),
    COLUMN(
        VAULT_CLIENTS, "credential_verifier", "stored_key", false, "credential", "credential || '/1'",
        " AND spelling = 1"),
    COLUMN(
        VAULT_CLIENTS, "credential_verifier", "stored_key", false, "credential", "credential || '/2'",
        " AND spelling = 2"),
    COLUMN(
        VAULT_CLIENTS, "credential_verifier", "server_key", false, "credential", "credential || '/1'",
        " AND spelling = 1"),
    COLUMN(
        VAULT_CLIENTS, "credential_verifier", "server_key", false, "credential", "credential || '/2'",
        " AND spelling = 2"),
    COLUMN(VAULT_CLIENTS, "credential_cram", "secret", false, "credential", "CAST(credential AS TEXT)", ""),
    COLUMN(VAULT_CLIENTS, "operation", "result", true, "id", "lower(hex(id))", ""),
#undef COLUMN
};
enum { COLUMNS = sizeof columns / sizeof *columns };

bool vault_place_is_listed(const struct vault_place *place)
{
    if (strcmp(place->table, "container") == 0 || strcmp(place->table, "derived_key") == 0)
        return true;
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].container == place->container && strcmp(columns[i].table, place->table) == 0 &&
            strcmp(columns[i].name, place->column) == 0)
            return true;
    return false;
}

struct rotation {
    struct vault *vault;
    enum vault_container container;
    struct secret old_seal, new_seal;
    struct secret new_derived[DERIVED]; /* of those that change */
    uint64_t done, total;
    vault_progress_fn *progress;
    void *owner;
};

static void progress(struct rotation *r)
{
    uint64_t step = r->total / PROGRESS_STEPS + 1;
    r->done++;
    if (r->progress && (r->done % step == 0 || r->done == r->total))
        r->progress(r->owner, r->done, r->total);
}

static fallible
reseal(struct rotation *r, const struct vault_place *place, struct slice sealed, struct buf *out)
{
    struct secret plain CLEANUP_SECRET = SECRET_NONE;
    TRY(vault_unseal_with(r->vault, &r->old_seal, place, sealed, &plain));
    vault_seal_with(&r->new_seal, place, secret_reveal(&plain), out);
    return buf_check(out);
}

/* The key of the last row, so that a value that is written is not met again. */
struct cursor {
    int64_t number;
    struct buf blob;
};

static void bind_cursor(struct stmt *st, const struct column *c, const struct cursor *at)
{
    if (c->has_blob_key)
        stmt_blob(st, 1, at->blob.n ? buf_slice(&at->blob) : S(""));
    else
        stmt_int(st, 1, at->number);
}

static void move_cursor(struct stmt *st, const struct column *c, struct cursor *at)
{
    if (!c->has_blob_key) {
        at->number = stmt_col_int(st, 0);
        return;
    }
    buf_clear(&at->blob);
    buf_put(&at->blob, stmt_col(st, 0));
}

static fallible reseal_next(
    struct rotation *r, const struct column *c, struct stmt *next, struct stmt *put, struct cursor *at)
{
    struct buf sealed CLEANUP_BUF = BUF_INIT(SEALED_MAX);
    bind_cursor(next, c, at);
    TRY(stmt_step(next));
    struct slice row = stmt_col_is_null(next, 1) ? stmt_col(next, 0) : stmt_col(next, 1);
    struct vault_place place = {c->container, c->table, c->name, row};
    TRY(reseal(r, &place, stmt_col(next, 2), &sealed));
    move_cursor(next, c, at);
    stmt_reset(next);
    bind_cursor(put, c, at);
    stmt_blob(put, 2, buf_slice(&sealed));
    return stmt_run(put);
}

static fallible reseal_column(struct rotation *r, const struct column *c)
{
    struct db *db = r->vault->db[c->container];
    struct stmt *next = db_prepare(db, c->next), *put = db_prepare(db, c->put);
    struct cursor at = {.number = -1, .blob = BUF_INIT(64)};
    enum err e;
    while ((e = reseal_next(r, c, next, put, &at)) == OK)
        progress(r);
    stmt_free(&next);
    stmt_free(&put);
    buf_done(&at.blob);
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible reseal_derived(struct rotation *r)
{
    struct vault *v = r->vault;
    TRY(stmt_run(db_stmt(v->db[r->container], derived_sql[r->container].clear)));
    for (size_t i = 0; i < DERIVED; i++) {
        const struct derived *d = &derived[i];
        if (d->container != r->container)
            continue;
        if (d->changes)
            TRY(secret_random(v->slab, AEAD_KEY_LEN, &r->new_derived[i]));
        TRY(put_derived(v, d, d->changes ? &r->new_derived[i] : secret_of(v, d)));
        progress(r);
    }
    return OK;
}

/* The names in decisions were hashed under a key that is given up: those of accounts are found by the account. */
static fallible forget_names(struct rotation *r)
{
    if (r->container != VAULT_CLIENTS)
        return OK;
    return db_exec(
        r->vault->db[VAULT_CLIENTS],
        "DELETE FROM decision WHERE account IS NULL; UPDATE decision SET who = randomblob(32)");
}

static fallible count_values(struct rotation *r)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        int64_t n = 0;
        if (columns[i].container != r->container)
            continue;
        TRY(db_query_int(r->vault->db[r->container], columns[i].count, &n));
        r->total += (uint64_t)n;
    }
    for (size_t i = 0; i < DERIVED; i++)
        r->total += derived[i].container == r->container;
    return OK;
}

static fallible reseal_all(struct rotation *r)
{
    TRY(count_values(r));
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].container == r->container)
            TRY(reseal_column(r, &columns[i]));
    /* vault_seal uses the new key from here on; whoever fails puts the old one back. */
    r->vault->seal[r->container] = r->new_seal;
    TRY(reseal_derived(r));
    TRY(forget_names(r));
    return vault_mark_again(r->vault, r->container);
}

/* ---- in order ---- */

/* Freed octets of the file and old frames of the log still hold values under the old key. When this fails, the keys are
 * changed all the same: the next rotation, or the log's own reuse, clears them. */
static fallible clear_remains(struct vault *v, enum vault_container c)
{
    TRY(db_exec(v->db[c], "VACUUM"));
    TRY(db_checkpoint(v->db[c]));
    return db_exec(v->db[c], "PRAGMA wal_checkpoint(TRUNCATE)");
}

static void take_new_keys(struct rotation *r)
{
    for (size_t i = 0; i < DERIVED; i++) {
        if (!r->new_derived[i].bytes)
            continue;
        secret_free(secret_of(r->vault, &derived[i]));
        *secret_of(r->vault, &derived[i]) = r->new_derived[i];
        r->new_derived[i] = SECRET_NONE;
    }
    secret_free(&r->old_seal);
    r->new_seal = SECRET_NONE;
}

static void keep_old_keys(struct rotation *r)
{
    r->vault->seal[r->container] = r->old_seal;
    secret_free(&r->new_seal);
    for (size_t i = 0; i < DERIVED; i++)
        secret_free(&r->new_derived[i]);
}

/* After a commit whose outcome nobody knows the next key stays: the next start sees which of the two fits. */
static fallible commit_rotation(struct rotation *r, int keys_fd)
{
    struct db *db = r->vault->db[r->container];
    const char *name = vault_container_name(r->container);
    enum err e = db_begin(db);
    if (e == OK) {
        e = reseal_all(r);
        if (e != OK)
            db_rollback(db);
    }
    if (e != OK) {
        keep_old_keys(r);
        IGNORE(vault_key_drop_next(keys_fd, name), "the next start drops it");
        return e;
    }
    e = db_commit(db);
    if (e != OK)
        keep_old_keys(r);
    else
        take_new_keys(r);
    return e;
}

static fallible rotate(struct rotation *r, int keys_fd)
{
    struct vault *v = r->vault;
    const char *name = vault_container_name(r->container);
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    TRY(vault_flush(v));
    TRY(vault_key_drop_next(keys_fd, name));
    TRY(vault_key_make(keys_fd, name, KEY_NEXT, v->slab, &key));
    r->old_seal = v->seal[r->container];
    TRY(hash_derive_key(v->slab, &key, "seal", &r->new_seal));
    TRY(commit_rotation(r, keys_fd));
    return vault_key_adopt(keys_fd, name);
}

fallible vault_rotate(struct vault *v, enum vault_container c, vault_progress_fn *fn, void *owner)
{
    struct rotation r = {.vault = v, .container = c, .progress = fn, .owner = owner};
    if (v->has_foreign_keys)
        return vault_refuse(
            v, ERR_UNSUPPORTED,
            "the service manager brings the keys: stop the server, copy them to vault/keys with mode 0600, "
            "run "
            "`letterlock vault rotate` without LoadCredential, then hand the new files to the service "
            "manager");
    int fd CLEANUP_FD = -1;
    enum err e = vault_keys_folder(v, &fd);
    if (e == OK)
        e = rotate(&r, fd);
    if (e != OK)
        return vault_refuse(
            v, e, "vault/%s: %s", vault_container_file(c),
            e == ERR_CORRUPT ? "a sealed value does not open; nothing was changed" : err_text(e));
    struct buf body CLEANUP_BUF = BUF_INIT(128);
    buf_printf(&body, "values=%llu\n", (unsigned long long)r.total);
    vault_audit(v, "vault.rotated", slice_str(vault_container_name(c)), &body);
    e = clear_remains(v, c);
    return e == OK ? OK
                   : vault_refuse(
                         v, e, "vault/%s: the keys are new, but octets under the old one may be left: %s",
                         vault_container_file(c), err_text(e));
}
