#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "db/private.h"

enum err db_err_of(sqlite3 *handle, int code)
{
    int cause = handle ? sqlite3_system_errno(handle) : errno;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
        return OK;
    case SQLITE_DONE:
        return ERR_NOT_FOUND;
    case SQLITE_FULL:
        return ERR_DISK_FULL;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
            return ERR_IO;
        return cause == ENOSPC || cause == EDQUOT ? ERR_DISK_FULL : ERR_IO;
    case SQLITE_CANTOPEN:
        return cause == ENOENT || cause == ENOSPC || cause == EDQUOT ? err_of_errno(cause) : ERR_IO;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
        return ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_DENIED;
    default:
        return ERR_CORRUPT; /* SQLITE_ERROR at our fixed SQL: the schema is not what it should be */
    }
}

void stmt_prepare(struct db *db, struct stmt *st, const char *sql)
{
    int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->handle, NULL);
    st->db = db;
    st->error = db_err_of(db->handle, code);
}

struct stmt *db_stmt(struct db *db, unsigned index)
{
    assert(db->magic == DB_MAGIC && index < db->schema->statement_count);
    struct stmt *st = &db->statements[index];
    assert(!st->busy);
    if (!st->handle)
        stmt_prepare(db, st, db->schema->statements[index]);
    st->busy = true;
    return st;
}

bool db_stmt_is_busy(struct db *db, unsigned index)
{
    return db->statements[index].busy;
}

struct stmt *db_prepare(struct db *db, const char *sql)
{
    struct stmt *st = NEW(struct stmt);
    stmt_prepare(db, st, sql);
    st->busy = true;
    db->own_statements++;
    return st;
}

void stmt_free(struct stmt **st)
{
    if (*st) {
        (*st)->db->own_statements--;
        sqlite3_finalize((*st)->handle);
    }
    mem_free(st);
}

void stmt_reset(struct stmt *st)
{
    if (st->handle) {
        sqlite3_reset(st->handle);
        st->error = OK;
    }
    st->busy = false;
}

void stmt_cleanup(struct stmt **st)
{
    if (*st)
        stmt_reset(*st);
}

static void note(struct stmt *st, int code)
{
    if (code != SQLITE_OK && st->error == OK)
        st->error = db_err_of(st->db->handle, code);
}

void stmt_int(struct stmt *st, int at, int64_t value)
{
    note(st, st->handle ? sqlite3_bind_int64(st->handle, at, value) : SQLITE_OK);
}

void stmt_text(struct stmt *st, int at, struct slice value)
{
    if (st->handle)
        note(
            st,
            sqlite3_bind_text64(st->handle, at, value.p ? value.p : "", value.n, SQLITE_STATIC, SQLITE_UTF8));
}

void stmt_blob(struct stmt *st, int at, struct slice value)
{
    if (st->handle)
        note(st, sqlite3_bind_blob64(st->handle, at, value.p ? value.p : "", value.n, SQLITE_STATIC));
}

void stmt_null(struct stmt *st, int at)
{
    note(st, st->handle ? sqlite3_bind_null(st->handle, at) : SQLITE_OK);
}

void stmt_bind(struct stmt *st, const char *kinds, ...)
{
    va_list args;
    va_start(args, kinds);
    for (int at = 1; kinds[at - 1]; at++) {
        switch (kinds[at - 1]) {
        case 'i':
            stmt_int(st, at, va_arg(args, int64_t));
            break;
        case 't':
            stmt_text(st, at, va_arg(args, struct slice));
            break;
        case 'b':
            stmt_blob(st, at, va_arg(args, struct slice));
            break;
        default:
            assert(kinds[at - 1] == 'n');
            stmt_null(st, at);
        }
    }
    va_end(args);
}

fallible stmt_step(struct stmt *st)
{
    struct db *db = st->db;
    if (st->error != OK)
        return st->error;
    if (db->broken != OK)
        return db->broken;
    int code = sqlite3_step(st->handle);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return code == SQLITE_ROW ? OK : ERR_NOT_FOUND;
    enum err e = db_err_of(db->handle, code);
    if (db->depth && sqlite3_get_autocommit(db->handle))
        db->broken = e;
    return e;
}

fallible stmt_run(struct stmt *st)
{
    enum err e;
    do
        e = stmt_step(st);
    while (e == OK);
    stmt_reset(st);
    return e == ERR_NOT_FOUND ? OK : e;
}

int64_t stmt_col_int(struct stmt *st, int col)
{
    return sqlite3_column_int64(st->handle, col);
}

struct slice stmt_col(struct stmt *st, int col)
{
    const void *p = sqlite3_column_blob(st->handle, col);
    int n = sqlite3_column_bytes(st->handle, col);
    if (!p && sqlite3_column_type(st->handle, col) != SQLITE_NULL)
        p = "";
    return slice_of(p, (size_t)n);
}

bool stmt_col_is_null(struct stmt *st, int col)
{
    return sqlite3_column_type(st->handle, col) == SQLITE_NULL;
}
