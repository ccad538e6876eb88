/* transit.c - a queue of operations on AB/transit.db, each a job of the pool, one at a time.
 *
 * Commits are synced by the database itself (DB_SYNC_COMMIT): an operation that answers OK is on disk (INV-25). After an I/O
 * error the connection is dropped without checkpoint; the next operation opens anew, which heals as INV-3 says.
 */
#include "store/transit.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "db/db.h"
#include "db/disk.h"
#include "store/private.h"

enum { PIECE = 262144, PIECES_MAX = 4096, DUE_MAX = 256, PATH_ROOM = 48 };

enum statement {
    SQL_OCTETS_ADD,
    SQL_OCTETS_DROP,
    SQL_PIECE_ADD,
    SQL_PIECE_GET,
    SQL_PIECE_DROP,
    SQL_ITEM_ADD,
    SQL_ITEM_DUE,
    SQL_ITEM_OCTETS,
    SQL_ITEM_DROP,
    SQL_ITEM_LATER,
    SQL_ITEM_SHARES,
    STATEMENTS
};
/* piece.id = octets.id * PIECES_MAX + number. */
static const char *const migrations[] = {
    "CREATE TABLE octets(id INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL);"
    "CREATE TABLE piece(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE item("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, octets INTEGER NOT NULL, delivery BLOB NOT NULL, account BLOB "
    "NOT NULL,"
    " hash BLOB NOT NULL, received_ms INTEGER NOT NULL, meta BLOB NOT NULL, next_try_ms INTEGER NOT NULL,"
    " tries INTEGER NOT NULL);",
};
static const char *const statements[STATEMENTS] = {
    [SQL_OCTETS_ADD] = "INSERT INTO octets(size) VALUES (?1)",
    [SQL_OCTETS_DROP] = "DELETE FROM octets WHERE id = ?1",
    [SQL_PIECE_ADD] = "INSERT INTO piece(id, data) VALUES (?1, ?2)",
    [SQL_PIECE_GET] = "SELECT data FROM piece WHERE id >= ?1 AND id < ?2 ORDER BY id",
    [SQL_PIECE_DROP] = "DELETE FROM piece WHERE id >= ?1 AND id < ?2",
    [SQL_ITEM_ADD] =
        "INSERT INTO item(octets, delivery, account, hash, received_ms, meta, next_try_ms, tries)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
    [SQL_ITEM_DUE] =
        "SELECT i.id, i.delivery, i.account, i.hash, o.size, i.received_ms, i.meta, i.next_try_ms, i.tries"
        " FROM item i JOIN octets o ON o.id = i.octets WHERE i.next_try_ms <= ?1 ORDER BY i.next_try_ms "
        "LIMIT ?2",
    [SQL_ITEM_OCTETS] = "SELECT octets FROM item WHERE id = ?1",
    [SQL_ITEM_DROP] = "DELETE FROM item WHERE id = ?1",
    [SQL_ITEM_LATER] = "UPDATE item SET next_try_ms = ?2, tries = tries + 1 WHERE id = ?1",
    [SQL_ITEM_SHARES] = "SELECT count(*) FROM item WHERE octets = ?1",
};
static const struct db_schema schema = {
    .kind = 0x4c4c5431, /* "LLT1" */
    .migrations = migrations,
    .versions = sizeof migrations / sizeof *migrations,
    .statements = statements,
    .statement_count = STATEMENTS,
};

struct transit {
    struct pool *pool;
    int root;
    uint8_t slot;
    struct db *db; /* the running job's */
    struct list queue;
    bool running, freed;
};

struct op {
    struct list link;
    struct job job;
    struct transit *t;
    enum err (*work)(struct op *op);
    void (*answer)(struct op *op);
    enum err error;
    /* What it is about, and what comes back. */
    int fd;       /* octets to be given away */
    int borrowed; /* octets to be read: the caller's */
    uint64_t id;
    int64_t time_ms;
    size_t count;
    struct transit_item *items; /* with meta in `meta` */
    struct buf meta;
    void (*done)(void *owner, enum err e);
    void (*done_items)(void *owner, enum err e, const struct transit_item *items, size_t count);
    void (*done_fd)(void *owner, enum err e, int fd);
    void *owner;
};

/* ------------------------------------------------------------------------------------------------------ the queue */

struct transit *transit_new(struct pool *pool, int root, uint8_t slot)
{
    struct transit *t = NEW(struct transit);
    t->pool = pool;
    t->root = root;
    t->slot = slot;
    list_init(&t->queue);
    return t;
}

static void op_free(struct op *op)
{
    list_drop(&op->link);
    disk_close(&op->fd);
    free(op->items);
    buf_done(&op->meta);
    free(op);
}

static void transit_end(struct transit *t)
{
    LIST_EACH (&t->queue, struct op, link, op)
        op_free(op);
    IGNORE(
        db_close(&t->db),
        "what was answered is synced; a failed checkpoint is made up for by the next opening");
    free(t);
}

void transit_free(struct transit **at)
{
    struct transit *t = TAKE(*at, NULL);
    if (!t)
        return;
    t->freed = true;
    if (!t->running)
        transit_end(t);
}

static void start_next(struct transit *t);

static void op_done(struct job *j)
{
    struct op *op = j->owner;
    struct transit *t = op->t;
    t->running = false;
    if (t->freed) {
        op_free(op);
        transit_end(t);
        return;
    }
    list_drop(&op->link);
    start_next(t);
    op->answer(op);
    op_free(op);
}

static fallible open_db(struct transit *t);

static void op_work(struct job *j)
{
    struct op *op = j->owner;
    op->error = open_db(op->t);
    if (op->error == OK)
        op->error = op->work(op);
    if (op->error == ERR_IO)
        db_abandon(&op->t->db);
}

static void start_next(struct transit *t)
{
    struct op *op;
    while (!t->running && (op = LIST_FIRST(&t->queue, struct op, link))) {
        op->job = (struct job){.work = op_work, .done = op_done, .owner = op};
        enum err e =
            pool_submit(t->pool, &op->job); /* the job may have ended already: op->error is its own */
        t->running = e == OK;
        if (!t->running) {
            op->error = e;
            list_drop(&op->link);
            op->answer(op);
            op_free(op);
        }
    }
}

static struct op *
op_new(struct transit *t, enum err (*work)(struct op *op), void (*answer)(struct op *op), void *owner)
{
    struct op *op = NEW(struct op);
    op->t = t;
    op->work = work;
    op->answer = answer;
    op->owner = owner;
    op->fd = -1;
    buf_init(&op->meta, (size_t)DUE_MAX * LIMIT_TRANSIT_META);
    list_init(&op->link);
    return op;
}

static void op_start(struct op *op)
{
    list_add(&op->t->queue, &op->link);
    start_next(op->t);
}

static void answer_plain(struct op *op)
{
    if (op->done)
        op->done(op->owner, op->error);
}

/* ------------------------------------------------------------------------------------------- on a pool thread */

static fallible open_file(struct transit *t, const char *path, bool create)
{
    struct db_options o = {.schema = &schema, .sync = DB_SYNC_COMMIT, .create = create, .cache_kib = 256};
    return db_open(t->root, path, &o, &t->db);
}

/* As folder.c: whole under another name first. */
static fallible make_file(struct transit *t, const char *slot, const char *path)
{
    char fresh[PATH_ROOM + 16];
    static const char *const parts[] = {"", "-wal", "-journal"};
    enum err e = disk_mkdir(t->root, slot, 0700);
    if (e != OK && e != ERR_EXISTS)
        return e;
    TRY(store_sync_slots(t->root));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(fresh, sizeof fresh, "%s.new%s", path, parts[i]);
        e = disk_unlink(t->root, fresh);
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
    }
    snprintf(fresh, sizeof fresh, "%s.new", path);
    TRY(open_file(t, fresh, true));
    TRY(db_close(&t->db));
    TRY(disk_rename(t->root, fresh, path));
    snprintf(fresh, sizeof fresh, "%s.new-wal", path);
    e = disk_unlink(t->root, fresh); /* empty: the new name makes its own */
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible open_db(struct transit *t)
{
    char slot[8], path[PATH_ROOM];
    if (t->db)
        return OK;
    snprintf(slot, sizeof slot, "%02x", t->slot);
    snprintf(path, sizeof path, "%02x/transit.db", t->slot);
    enum err e = open_file(t, path, false);
    if (e == ERR_NOT_FOUND) {
        TRY(make_file(t, slot, path));
        e = open_file(t, path, false);
    }
    TRY(e);
    return disk_sync_dir(t->root, slot);
}

static fallible run_with(struct db *db, unsigned statement, int64_t x, int64_t y)
{
    struct stmt *st = db_stmt(db, statement);
    stmt_int(st, 1, x);
    if (y >= 0)
        stmt_int(st, 2, y);
    return stmt_run(st);
}

static fallible in_transaction(struct op *op, enum err (*change)(struct op *op))
{
    TRY(db_begin(op->t->db));
    enum err e = change(op);
    if (e == OK)
        return db_commit(op->t->db);
    db_rollback(op->t->db);
    return e;
}

/* ---- put ---- */

static fallible put_pieces(struct op *op, int64_t octets, uint64_t size)
{
    char *piece = mem_alloc(PIECE);
    enum err e = OK;
    for (uint64_t at = 0, n = 0; e == OK && at < size; n++) {
        ssize_t got = disk_read(op->borrowed, piece, PIECE, at);
        if (got <= 0 || n >= PIECES_MAX) {
            e = got < 0 ? (enum err)got : ERR_LIMIT;
            break;
        }
        struct stmt *st = db_stmt(op->t->db, SQL_PIECE_ADD);
        stmt_bind(st, "ib", octets * PIECES_MAX + (int64_t)n, slice_of(piece, (size_t)got));
        e = stmt_run(st);
        at += (uint64_t)got;
    }
    free(piece);
    return e;
}

static fallible put_item(struct op *op, int64_t octets, const struct transit_item *i)
{
    struct stmt *st = db_stmt(op->t->db, SQL_ITEM_ADD);
    stmt_bind(
        st, "ibbbibi", octets, slice_of(i->delivery.b, sizeof i->delivery.b),
        slice_of(i->account.b, sizeof i->account.b), hash_slice(&i->octets), i->received_ms, i->meta,
        i->next_try_ms);
    return stmt_run(st);
}

static enum err put_all(struct op *op)
{
    uint64_t size;
    TRY(disk_size(op->borrowed, &size));
    TRY(run_with(op->t->db, SQL_OCTETS_ADD, (int64_t)size, -1));
    int64_t octets = db_last_id(op->t->db);
    TRY(put_pieces(op, octets, size));
    for (size_t i = 0; i < op->count; i++)
        TRY(put_item(op, octets, &op->items[i]));
    return OK;
}

static enum err work_put(struct op *op)
{
    uint64_t size;
    TRY(disk_size(op->borrowed, &size));
    TRY(disk_has_room(op->t->root, size));
    return in_transaction(op, put_all);
}

void transit_put(
    struct transit *t, int fd, const struct transit_item *items, size_t count,
    void (*done)(void *owner, enum err e), void *owner)
{
    struct op *op = op_new(t, work_put, answer_plain, owner);
    op->done = done;
    op->borrowed = fd;
    op->count = count;
    op->items = mem_alloc(count * sizeof *items);
    buf_init(&op->meta, (count + 1) * LIMIT_TRANSIT_META);
    memcpy(op->items, items, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        assert(items[i].meta.n <= LIMIT_TRANSIT_META);
        buf_put(&op->meta, items[i].meta);
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) { /* only now that the buffer does not move any more */
        op->items[i].meta = slice_of(op->meta.p + at, items[i].meta.n);
        at += items[i].meta.n;
    }
    op_start(op);
}

/* ---- due ---- */

static fallible read_id(struct slice from, void *into, size_t n)
{
    if (from.n != n)
        return ERR_CORRUPT;
    memcpy(into, from.p, n);
    return OK;
}

static fallible read_item(struct op *op, struct stmt *st, struct transit_item *item)
{
    *item = (struct transit_item){
        .id = (uint64_t)stmt_col_int(st, 0),
        .size = (uint64_t)stmt_col_int(st, 4),
        .received_ms = stmt_col_int(st, 5),
        .next_try_ms = stmt_col_int(st, 7),
        .tries = (unsigned)stmt_col_int(st, 8),
    };
    TRY(read_id(stmt_col(st, 1), item->delivery.b, sizeof item->delivery.b));
    TRY(read_id(stmt_col(st, 2), item->account.b, sizeof item->account.b));
    TRY(read_id(stmt_col(st, 3), item->octets.b, sizeof item->octets.b));
    item->meta.n = stmt_col(st, 6).n;
    buf_put(&op->meta, stmt_col(st, 6));
    return buf_check(&op->meta);
}

static enum err work_due(struct op *op)
{
    size_t n = 0, at = 0;
    struct stmt *st = db_stmt(op->t->db, SQL_ITEM_DUE);
    stmt_bind(st, "ii", op->time_ms, (int64_t)op->count);
    enum err e;
    while ((e = stmt_step(st)) == OK && n < op->count) {
        e = read_item(op, st, &op->items[n]);
        if (e != OK)
            break;
        n++;
    }
    stmt_reset(st);
    for (size_t i = 0; i < n; i++) {
        op->items[i].meta.p = op->meta.p + at;
        at += op->items[i].meta.n;
    }
    op->count = n;
    return e == ERR_NOT_FOUND ? OK : e;
}

static void answer_due(struct op *op)
{
    op->done_items(op->owner, op->error, op->items, op->error == OK ? op->count : 0);
}

void transit_due(
    struct transit *t, int64_t now_ms, size_t count,
    void (*done)(void *owner, enum err e, const struct transit_item *items, size_t count), void *owner)
{
    struct op *op = op_new(t, work_due, answer_due, owner);
    op->done_items = done;
    op->time_ms = now_ms;
    op->count = count < DUE_MAX ? count : DUE_MAX;
    op->items = mem_alloc(op->count * sizeof *op->items);
    op_start(op);
}

/* ---- octets ---- */

static fallible octets_of(struct op *op, int64_t *ret_octets)
{
    struct stmt *st CLEANUP_STMT = db_stmt(op->t->db, SQL_ITEM_OCTETS);
    stmt_bind(st, "i", (int64_t)op->id);
    TRY(stmt_step(st));
    *ret_octets = stmt_col_int(st, 0);
    return OK;
}

static fallible write_pieces(struct op *op, int fd)
{
    int64_t octets;
    uint64_t at = 0;
    TRY(octets_of(op, &octets));
    struct stmt *st CLEANUP_STMT = db_stmt(op->t->db, SQL_PIECE_GET);
    stmt_bind(st, "ii", octets * PIECES_MAX, (octets + 1) * PIECES_MAX);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        TRY(disk_write(fd, stmt_col(st, 0), at));
        at += stmt_col(st, 0).n;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* A new name among what is unfinished, whose folder is made when it is missing. */
static fallible tmp_path(const struct op *op, const char *what, char ret_path[static PATH_ROOM])
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%02x/tmp", op->t->slot);
    enum err e = disk_mkdir(op->t->root, path, 0700);
    if (e != OK && e != ERR_EXISTS)
        return e;
    snprintf(
        ret_path, PATH_ROOM, "%02x/tmp/%s-%016llx", op->t->slot, what, (unsigned long long)random_id64());
    return OK;
}

/* Named only until it is open for reading: what travels on is read-only and nobody else can open it. */
static enum err hand_out(struct op *op, const char *path, enum err written)
{
    if (written == OK)
        op->fd = disk_open(op->t->root, path, O_RDONLY, 0);
    enum err unlinked = disk_unlink(op->t->root, path);
    return written != OK ? written : op->fd < 0 ? (enum err)TAKE(op->fd, -1) : unlinked;
}

static enum err work_octets(struct op *op)
{
    char path[PATH_ROOM];
    TRY(tmp_path(op, "transit", path));
    int writer = disk_open(op->t->root, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (writer < 0)
        return (enum err)writer;
    enum err written = write_pieces(op, writer);
    disk_close(&writer);
    return hand_out(op, path, written);
}

static void answer_octets(struct op *op)
{
    int fd = op->error == OK ? TAKE(op->fd, -1) : -1;
    op->done_fd(op->owner, op->error, fd);
}

void transit_octets(
    struct transit *t, uint64_t id, void (*done)(void *owner, enum err e, int fd), void *owner)
{
    struct op *op = op_new(t, work_octets, answer_octets, owner);
    op->done_fd = done;
    op->id = id;
    op_start(op);
}

/* ---- snapshot ---- */

static fallible copy_into(struct op *op, const char *path)
{
    struct db_copy *copy = NULL;
    TRY(db_copy_new(op->t->db, op->t->root, path, &copy));
    enum err e;
    do
        e = db_copy_step(copy, LIMIT_SNAPSHOT_STEP);
    while (e == ERR_AGAIN);
    db_copy_free(&copy);
    return e;
}

static enum err work_snapshot(struct op *op)
{
    char path[PATH_ROOM];
    TRY(tmp_path(op, "snapshot", path));
    TRY(disk_has_room(op->t->root, db_size(op->t->db)));
    return hand_out(op, path, copy_into(op, path));
}

void transit_snapshot(struct transit *t, void (*done)(void *owner, enum err e, int fd), void *owner)
{
    struct op *op = op_new(t, work_snapshot, answer_octets, owner);
    op->done_fd = done;
    op_start(op);
}

/* ---- done and later ---- */

static enum err drop_item(struct op *op)
{
    struct db *db = op->t->db;
    int64_t octets, left = 0;
    enum err e = octets_of(op, &octets);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    TRY(run_with(db, SQL_ITEM_DROP, (int64_t)op->id, -1));
    struct stmt *st = db_stmt(db, SQL_ITEM_SHARES);
    stmt_bind(st, "i", octets);
    e = stmt_step(st);
    if (e == OK)
        left = stmt_col_int(st, 0);
    stmt_reset(st);
    if (e != OK || left)
        return e;
    TRY(run_with(db, SQL_PIECE_DROP, octets * PIECES_MAX, (octets + 1) * PIECES_MAX));
    return run_with(db, SQL_OCTETS_DROP, octets, -1);
}

static enum err work_done(struct op *op)
{
    return in_transaction(op, drop_item);
}

void transit_done(struct transit *t, uint64_t id, void (*done)(void *owner, enum err e), void *owner)
{
    struct op *op = op_new(t, work_done, answer_plain, owner);
    op->done = done;
    op->id = id;
    op_start(op);
}

static enum err work_later(struct op *op)
{
    return run_with(op->t->db, SQL_ITEM_LATER, (int64_t)op->id, op->time_ms);
}

void transit_later(
    struct transit *t, uint64_t id, int64_t next_try_ms, void (*done)(void *owner, enum err e), void *owner)
{
    struct op *op = op_new(t, work_later, answer_plain, owner);
    op->done = done;
    op->id = id;
    op->time_ms = next_try_ms;
    op_start(op);
}
