/* db.h - one SQLite file: open, statements, transactions, checkpoints.         room: db   runs in: keeper
 * vault
 *
 * Knows no mail. sqlite3.h is seen by the .c files of this room only. One connection a file (T-264): the file
 * stays locked while it is open, a second opener of this or any other process gets ERR_BUSY. One thread uses
 * a connection at a time; which one is the owner's business (store/: the loop, or the pool thread that
 * checkpoints).
 *
 * Two ways to be durable. DB_SYNC_LATER: db_commit writes the log and syncs nothing; the owner syncs
 * db_log_fd() on a pool thread before anyone hears of the commit (output commit). DB_SYNC_COMMIT: db_commit
 * returns when it is on disk (vault: rare and synchronous), and the log is checkpointed by the commits
 * themselves.
 *
 * DB_SYNC_COMMIT also sets room aside for the log up to its checkpoint: a few commits, such as revoking what a lost phone knows,
 * are possible on a disk that others have filled to the last octet.
 *
 * INV-1  A connection is the only one of its file (exclusive lock, OFD locks: closing other descriptors frees
 * nothing). INV-2  db_log_fd() is a descriptor of the log that is in use now: opened when SQLite opens the
 * log, closed with it. INV-3  An open with a log left behind rewrites and syncs that log before it looks at
 * it, then checkpoints: nothing is read that a power cut could still take back, also when the last sync of
 * the former owner had failed.
 *
 * Owns:   the connection, its prepared statements. Slices from columns are good until the next step or reset.
 * Fails:  ERR_BUSY (opened elsewhere), ERR_NOT_FOUND (no such file, no row), ERR_DISK_FULL, ERR_IO,
 * ERR_CORRUPT (page or schema damaged; the file is left alone), ERR_UNSUPPORTED (written by a newer release),
 * ERR_EXISTS (a UNIQUE rule), ERR_LIMIT (value too big), ERR_MEMORY. Never logs.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/slice.h"

struct db;
struct stmt;

/* Before the sandbox: global settings, randomness, the VFS. More calls do nothing. */
void db_init(void);

enum db_sync { DB_SYNC_LATER, DB_SYNC_COMMIT };

struct db_schema {
    uint32_t kind; /* application_id: a file of another kind is ERR_CORRUPT */
    const char *const
        *migrations;   /* [0] makes version 1 from nothing, [i] version i+1 from i; each one transaction */
    unsigned versions; /* how many; only ever grows */
    const char *const *statements; /* SQL by index, for db_stmt() */
    unsigned statement_count;
};

struct db_options {
    const struct db_schema *schema;
    enum db_sync sync;
    bool create; /* make the file, which must not exist (ERR_EXISTS); otherwise it must (ERR_NOT_FOUND, T-269)
                  */
    unsigned cache_kib; /* page cache; 0: 1024 */
};

/* `path` is relative to `dirfd`, which must stay open as long as the database; no symbolic link as last part.
 * After a create, file and directory entry are on disk. The migrations run here. */
fallible db_open(int dirfd, const char *path, const struct db_options *options, struct db **ret_db);
/* Checkpoints, syncs, closes; *db becomes NULL whatever happens. NULL is fine. ERR_DISK_FULL: all is in the log, synced. */
fallible db_close(struct db **db);
/* Closes without checkpoint: after a failed sync. An open transaction is rolled back. */
void db_abandon(struct db **db);

/* Transactions; a nested one is a savepoint. The write lock is taken at once. */
fallible db_begin(struct db *db);
fallible db_commit(struct db *db); /* on failure the (innermost) transaction has been rolled back */
void db_rollback(struct db *db);   /* the innermost */
bool db_in_transaction(const struct db *db);

/* Statement `index` of the schema's table: prepared at first use, kept, reset and unbound. Never NULL: a
 * statement that cannot be prepared answers its error at stmt_step. One user at a time: asserts that the last
 * one has reset it. */
struct stmt *db_stmt(struct db *db, unsigned index);
bool db_stmt_is_busy(struct db *db, unsigned index);
/* A statement of one's own, to be ended by stmt_free: for the rare and for a second user of the same SQL. */
struct stmt *db_prepare(struct db *db, const char *sql);
void stmt_free(struct stmt **st);
/* At the end of scope: struct stmt *st CLEANUP_STMT = db_stmt(db, X); */
#define CLEANUP_STMT __attribute__((cleanup(stmt_cleanup)))
void stmt_cleanup(struct stmt **st); /* stmt_reset */

/* Parameters count from 1. Text and blobs are not copied: they must live until reset. */
void stmt_int(struct stmt *st, int at, int64_t value);
void stmt_text(struct stmt *st, int at, struct slice value);
void stmt_blob(struct stmt *st, int at, struct slice value);
void stmt_null(struct stmt *st, int at);
/* All of them at once, by kind: i int64_t, t struct slice as text, b struct slice as blob, n nothing: NULL.
 * stmt_bind(st, "iit", (int64_t)box, (int64_t)uid, name) */
void stmt_bind(struct stmt *st, const char *kinds, ...);
/* OK: there is a row. ERR_NOT_FOUND: no (more) rows. */
fallible stmt_step(struct stmt *st);
/* Steps to the end and resets: for what returns no rows. */
fallible stmt_run(struct stmt *st);
void stmt_reset(struct stmt *st);
/* Columns count from 0. */
int64_t stmt_col_int(struct stmt *st, int col);
struct slice stmt_col(struct stmt *st, int col); /* text or blob; {NULL, 0} for NULL */
bool stmt_col_is_null(struct stmt *st, int col);

/* SQL without parameters or rows; several statements are fine. */
fallible db_exec(struct db *db, const char *sql);
/* The first column of the first row as a number; ERR_NOT_FOUND without rows. */
fallible db_query_int(struct db *db, const char *sql, int64_t *ret_value);
int64_t db_last_id(const struct db *db);
int64_t db_changes(const struct db *db);

/* The second descriptor of the log, for fdatasync by the pool; -1 while there is no log. Borrowed: must not
 * be in use when the database closes. */
int db_log_fd(const struct db *db);
/* Octets of the log that are not checkpointed. */
uint64_t db_log_size(const struct db *db);
/* Moves the log into the file; syncs both, and begins the new log, so that the next commit syncs nothing.
 * Slow: on a pool thread. ERR_DISK_FULL changes nothing (the log is synced and goes on); after another failure the owner treats the file like one whose sync failed: db_abandon,
 * db_open. */
fallible db_checkpoint(struct db *db);
/* Gives unused pages (at most `pages`) back to the file system, and memory to the heap: on idleness. */
fallible db_shrink(struct db *db, unsigned pages);

/* Octets of the file as of the last commit. */
uint64_t db_size(struct db *db);
/* PRAGMA integrity_check: ERR_CORRUPT, and the first complaint into `ret_what` (may be NULL). */
struct buf;
fallible db_check(struct db *db, struct buf *ret_what);
/* SQLite's own words for the last failure of this connection, for logs. */
const char *db_why(const struct db *db);

/* A consistent copy while the file is in use: steps between commits, writes of this connection are followed.
 */
struct db_copy;
fallible db_copy_new(struct db *from, int dirfd, const char *path, struct db_copy **ret_copy);
/* Copies at most `pages`; ERR_AGAIN while there is more. OK: complete and synced. */
fallible db_copy_step(struct db_copy *c, unsigned pages);
void db_copy_free(struct db_copy **c);

#endif
