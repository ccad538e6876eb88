#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "db/disk.h"
#include "db/private.h"
#include "db/vfs.h"

void db_init(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    /* One thread a connection at a time: no mutexes inside connections, no shared memory statistics. */
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    /* A page of the cache is taken when it is needed, not 20 of them with the first: most connections see fewer. */
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    vfs_register();
    unsigned char seed;
    sqlite3_randomness(1, &seed);
}

/* ------------------------------------------------------------------------------------------------------- opening */

fallible db_exec(struct db *db, const char *sql)
{
    if (db->broken != OK)
        return db->broken;
    enum err e = db_err_of(db->handle, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
    if (e != OK && db->depth && sqlite3_get_autocommit(db->handle))
        db->broken = e;
    return e;
}

fallible db_query_int(struct db *db, const char *sql, int64_t *ret_value)
{
    struct stmt *st = db_prepare(db, sql);
    enum err e = stmt_step(st);
    if (e == OK)
        *ret_value = stmt_col_int(st, 0);
    stmt_free(&st);
    return e;
}

static fallible switch_to_log(struct db *db)
{
    struct stmt *st = db_prepare(db, "PRAGMA journal_mode=WAL");
    enum err e = stmt_step(st);
    if (e == OK && !slice_eq(stmt_col(st, 0), S("wal")))
        e = ERR_UNSUPPORTED;
    stmt_free(&st);
    int persistent = 1;
    if (e == OK)
        sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persistent);
    return e;
}

/* EXCLUSIVE comes before the first look at the file, because without shared memory no log can be opened otherwise. */
static fallible set_up(struct db *db, const struct db_options *options)
{
    char sql[512];
    snprintf(
        sql, sizeof sql,
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA "
        "trusted_schema=OFF;"
        "PRAGMA cell_size_check=ON; PRAGMA cache_size=-%u; PRAGMA journal_size_limit=%u; PRAGMA "
        "wal_autocheckpoint=%u;%s",
        options->cache_kib ? options->cache_kib : 1024, (unsigned)LIMIT_WAL_CHECKPOINT,
        options->sync == DB_SYNC_COMMIT ? (unsigned)LIMIT_WAL_CHECKPOINT / 8192 : 0,
        options->create ? "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL;" : "");
    TRY(db_exec(db, sql));
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    TRY(switch_to_log(db));
    return db_exec(
        db, options->sync == DB_SYNC_COMMIT ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

static fallible migrate_one(struct db *db, unsigned from)
{
    char sql[128];
    snprintf(sql, sizeof sql, "PRAGMA application_id=%u; PRAGMA user_version=%u", db->schema->kind, from + 1);
    TRY(db_begin(db));
    enum err e = db_exec(db, db->schema->migrations[from]);
    if (e == OK)
        e = db_exec(db, sql);
    if (e == OK)
        return db_commit(db);
    db_rollback(db);
    return e;
}

static fallible migrate(struct db *db, bool create, bool *ret_changed)
{
    int64_t kind, version;
    TRY(db_query_int(db, "PRAGMA application_id", &kind));
    TRY(db_query_int(db, "PRAGMA user_version", &version));
    if (!create && (uint32_t)kind != db->schema->kind)
        return ERR_CORRUPT;
    if (version < 0 || (!create && version == 0))
        return ERR_CORRUPT;
    if (version > db->schema->versions)
        return ERR_UNSUPPORTED;
    for (unsigned v = (unsigned)version; v < db->schema->versions; v++)
        TRY(migrate_one(db, v));
    *ret_changed = version < db->schema->versions;
    return OK;
}

static sqlite3_file *log_of(const struct db *db)
{
    sqlite3_file *log = NULL;
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    return log;
}

static fallible get_ready(struct db *db, const struct db_options *options)
{
    bool changed = false;
    TRY(set_up(db, options));
    TRY(migrate(db, options->create, &changed));
    enum err e = changed || vfs_log_was_left(log_of(db)) ? db_checkpoint(db) : OK;
    if (options->sync == DB_SYNC_COMMIT && vfs_file_fd(log_of(db)) >= 0)
        disk_set_aside(vfs_file_fd(log_of(db)), LIMIT_WAL_CHECKPOINT);
    /* Without room the log cannot move into the file; but it is synced, so its contents may be served. */
    return e == ERR_DISK_FULL && !changed ? OK : e;
}

static fallible open_handle(struct db *db, int dirfd, const char *path, bool create)
{
    char name[VFS_NAME_MAX];
    TRY(vfs_name(dirfd, path, name));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (create)
        flags |= SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE;
    return db_err_of(db->handle, sqlite3_open_v2(name, &db->handle, flags, VFS_NAME));
}

/* SQLite would make a missing file, or take an empty one for new (T-269). */
static fallible look_at_file(int dirfd, const char *path, bool create)
{
    int fd = disk_open(dirfd, path, O_RDONLY, 0);
    uint64_t size = 0;
    enum err e = fd < 0 ? (enum err)fd : disk_size(fd, &size);
    disk_close(&fd);
    if (create)
        return e == ERR_NOT_FOUND ? OK : e == OK ? ERR_EXISTS : e;
    return e == OK && size == 0 ? ERR_CORRUPT : e;
}

fallible db_open(int dirfd, const char *path, const struct db_options *options, struct db **ret_db)
{
    db_init();
    TRY(look_at_file(dirfd, path, options->create));
    struct db *db = NEW(struct db);
    db->magic = DB_MAGIC;
    db->schema = options->schema;
    db->statements = mem_alloc(db->schema->statement_count * sizeof *db->statements);
    enum err e = open_handle(db, dirfd, path, options->create);
    if (e == OK)
        e = get_ready(db, options);
    if (e != OK) {
        db_abandon(&db);
        return e;
    }
    *ret_db = db;
    return OK;
}

/* ------------------------------------------------------------------------------------------------------- closing */

static void end_statements(struct db *db)
{
    assert(db->own_statements == 0);
    for (unsigned i = 0; i < db->schema->statement_count; i++)
        sqlite3_finalize(db->statements[i].handle);
    sqlite3_finalize(db->begin.handle);
    sqlite3_finalize(db->commit.handle);
    sqlite3_finalize(db->rollback.handle);
}

static void close_handle(struct db **at)
{
    struct db *db = TAKE(*at, NULL);
    end_statements(db);
    int code = sqlite3_close(db->handle);
    assert(code == SQLITE_OK);
    (void)code;
    free(db->statements);
    db->magic = 0;
    free(db);
}

void db_abandon(struct db **db)
{
    if (!*db)
        return;
    if ((*db)->handle)
        sqlite3_db_config((*db)->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    close_handle(db);
}

fallible db_close(struct db **db)
{
    if (!*db)
        return OK;
    assert((*db)->depth == 0);
    /* sqlite3_close would keep a failed checkpoint to itself. */
    int code = sqlite3_wal_checkpoint_v2((*db)->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    enum err e = db_err_of((*db)->handle, code);
    if (e != OK)
        db_abandon(db);
    else
        close_handle(db);
    return e;
}

/* -------------------------------------------------------------------------------------------------- transactions */

static fallible run_kept(struct db *db, struct stmt *st, const char *sql)
{
    if (!st->handle)
        stmt_prepare(db, st, sql);
    return stmt_run(st);
}

static fallible run_savepoint(struct db *db, const char *format)
{
    char sql[96];
    snprintf(sql, sizeof sql, format, db->depth, db->depth);
    return db_exec(db, sql);
}

fallible db_begin(struct db *db)
{
    TRY(db->depth == 0 ? run_kept(db, &db->begin, "BEGIN IMMEDIATE") : run_savepoint(db, "SAVEPOINT s%1$u"));
    db->depth++;
    return OK;
}

void db_rollback(struct db *db)
{
    assert(db->depth > 0);
    db->depth--;
    if (db->depth == 0) {
        db->broken = OK;
        if (!sqlite3_get_autocommit(db->handle))
            IGNORE(
                run_kept(db, &db->rollback, "ROLLBACK"), "what fails here leaves nothing committed either");
    } else if (db->broken == OK) {
        IGNORE(
            run_savepoint(db, "ROLLBACK TO s%1$u; RELEASE s%1$u"),
            "the outer transaction learns by `broken`");
    }
}

fallible db_commit(struct db *db)
{
    assert(db->depth > 0);
    enum err e = db->broken;
    if (e == OK && db->depth == 1)
        e = run_kept(db, &db->commit, "COMMIT");
    else if (e == OK) {
        db->depth--;
        e = run_savepoint(db, "RELEASE s%1$u");
        db->depth++;
    }
    if (e != OK) {
        db_rollback(db);
        return e;
    }
    db->depth--;
    return OK;
}

bool db_in_transaction(const struct db *db)
{
    return db->depth > 0;
}

/* ----------------------------------------------------------------------------------------------------- the log */

int db_log_fd(const struct db *db)
{
    return vfs_log_fd(log_of(db));
}

uint64_t db_log_size(const struct db *db)
{
    return vfs_log_size(log_of(db));
}

/* A commit that changes nothing: it writes and syncs the header of the new log here, not inside somebody's commit. */
static fallible begin_log(struct db *db)
{
    int64_t version;
    char sql[64];
    TRY(db_query_int(db, "PRAGMA user_version", &version));
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", (int)version);
    TRY(db_exec(db, sql));
    return disk_sync(db_log_fd(db));
}

fallible db_checkpoint(struct db *db)
{
    assert(db->depth == 0);
    int in_log = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
    TRY(db_err_of(db->handle, code));
    if (in_log != moved)
        return ERR_BUSY;
    /* A log that was left may be long and hold no whole commit: it begins anew as well. */
    return in_log || db_log_size(db) ? begin_log(db) : OK;
}

fallible db_shrink(struct db *db, unsigned pages)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%u)", pages);
    enum err e = db_exec(db, sql);
    sqlite3_db_release_memory(db->handle);
    return e;
}

/* ----------------------------------------------------------------------------------------------------- questions */

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

uint64_t db_size(struct db *db)
{
    int64_t pages = 0;
    IGNORE(db_query_int(db, "PRAGMA page_count", &pages), "0 when it cannot be read");
    return (uint64_t)pages * 8192;
}

const char *db_why(const struct db *db)
{
    return sqlite3_errmsg(db->handle);
}

fallible db_check(struct db *db, struct buf *ret_what)
{
    struct stmt *st = db_prepare(db, "PRAGMA integrity_check(1)");
    enum err e = stmt_step(st);
    if (e == OK && !slice_eq(stmt_col(st, 0), S("ok"))) {
        if (ret_what)
            buf_put(ret_what, stmt_col(st, 0));
        e = ERR_CORRUPT;
    }
    stmt_free(&st);
    return e;
}
