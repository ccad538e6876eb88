/* A connection: opening, statements, transactions, errors, one opener, checkpoints, copies. */
#include "test.h"

#include "scratch.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "db/db.h"
#include "db/disk.h"

static const char *const migrations[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB);",
    "ALTER TABLE t ADD COLUMN extra INTEGER NOT NULL DEFAULT 7;",
};
static const char *const broken_migrations[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB);",
    "ALTER TABLE t ADD COLUMN half; CREATE TABLE t(nonsense);",
};
enum { ADD, FIND, ALL, COUNT, STATEMENTS };
static const char *const statements[] = {
    [ADD] = "INSERT INTO t(id, name, data) VALUES (?1, ?2, ?3)",
    [FIND] = "SELECT name, data FROM t WHERE id = ?1",
    [ALL] = "SELECT id FROM t ORDER BY id",
    [COUNT] = "SELECT count(*) FROM t",
};
static struct db_schema schema_of(const char *const *which, unsigned versions)
{
    return (struct db_schema){
        .kind = 0x11,
        .migrations = which,
        .versions = versions,
        .statements = statements,
        .statement_count = STATEMENTS};
}

static struct scratch dir;

static int set_up(void **state)
{
    (void)state;
    dir = scratch_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_free(&dir);
    return 0;
}

static struct db *open_db(bool create)
{
    static struct db_schema schema;
    schema = schema_of(migrations, 2);
    struct db *db = NULL;
    struct db_options o = {.schema = &schema, .create = create};
    assert_ok(db_open(dir.fd, "a.db", &o, &db));
    return db;
}

static void add(struct db *db, int64_t id, struct slice name)
{
    struct stmt *st = db_stmt(db, ADD);
    stmt_bind(st, "itb", id, name, S("\0data"));
    assert_ok(stmt_run(st));
}

static int64_t count(struct db *db)
{
    int64_t n = -1;
    assert_ok(db_query_int(db, "SELECT count(*) FROM t", &n));
    return n;
}

static void rows_come_back(void **state)
{
    (void)state;
    struct db *db = open_db(true);
    add(db, 1, S("one"));
    add(db, 2, SLICE_EMPTY);
    assert_ok(db_close(&db));
    assert_null(db);
    db = open_db(false);
    struct stmt *st = db_stmt(db, FIND);
    stmt_bind(st, "i", (int64_t)1);
    assert_ok(stmt_step(st));
    assert_slice("one", stmt_col(st, 0));
    assert_slice("\0data", stmt_col(st, 1));
    assert_err(ERR_NOT_FOUND, stmt_step(st));
    stmt_reset(st);
    st = db_stmt(db, FIND);
    stmt_bind(st, "i", (int64_t)2);
    assert_ok(stmt_step(st));
    assert_slice("", stmt_col(st, 0));
    assert_false(stmt_col_is_null(st, 0));
    stmt_reset(st);
    assert_ok(db_check(db, NULL));
    assert_ok(db_close(&db));
}

static void settings_are_those_of_the_design(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int64_t wanted;
    } rows[] = {
        {"PRAGMA page_size", 8192}, {"PRAGMA auto_vacuum", 2},        {"PRAGMA synchronous", 1},
        {"PRAGMA temp_store", 2},   {"PRAGMA wal_autocheckpoint", 0}, {"PRAGMA trusted_schema", 0},
        {"PRAGMA user_version", 2}, {"PRAGMA application_id", 0x11},
    };
    struct db *db = open_db(true);
    int64_t value;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_ok(db_query_int(db, rows[i].sql, &value));
        assert_int_equal(value, rows[i].wanted);
    }
    struct stmt *st = db_prepare(db, "PRAGMA locking_mode");
    assert_ok(stmt_step(st));
    assert_slice("exclusive", stmt_col(st, 0));
    stmt_free(&st);
    st = db_prepare(db, "PRAGMA journal_mode");
    assert_ok(stmt_step(st));
    assert_slice("wal", stmt_col(st, 0));
    stmt_free(&st);
    assert_ok(db_close(&db));
}

static void missing_empty_and_foreign_files_are_refused(void **state)
{
    (void)state;
    struct db_schema schema = schema_of(migrations, 2);
    struct db_options o = {.schema = &schema};
    struct db *db = NULL;
    assert_err(ERR_NOT_FOUND, db_open(dir.fd, "a.db", &o, &db));
    close(openat(dir.fd, "a.db", O_CREAT | O_WRONLY, 0600));
    assert_err(ERR_CORRUPT, db_open(dir.fd, "a.db", &o, &db));
    int fd = openat(dir.fd, "a.db", O_WRONLY);
    assert_ok(disk_write(
        fd,
        S("this is no database, and it is longer than a hundred octets, so that the header "
          "of a database would have room in it, if this were one"),
        0));
    close(fd);
    assert_err(ERR_CORRUPT, db_open(dir.fd, "a.db", &o, &db));
    o.create = true;
    assert_err(ERR_EXISTS, db_open(dir.fd, "a.db", &o, &db));
    unlinkat(dir.fd, "a.db", 0);
    assert_int_equal(symlinkat("elsewhere.db", dir.fd, "a.db"), 0);
    assert_int_not_equal(OK, db_open(dir.fd, "a.db", &o, &db));
    unlinkat(dir.fd, "a.db", 0);
    assert_ok(db_open(dir.fd, "a.db", &o, &db));
    assert_ok(db_close(&db));
    schema.kind = 0x12;
    o.create = false;
    assert_err(ERR_CORRUPT, db_open(dir.fd, "a.db", &o, &db));
    assert_null(db);
}

static void migrations_are_all_or_nothing(void **state)
{
    (void)state;
    struct db_schema first = schema_of(migrations, 1), broken = schema_of(broken_migrations, 2),
                     second = schema_of(migrations, 2);
    struct db_options o = {.schema = &first, .create = true};
    struct db *db = NULL;
    assert_ok(db_open(dir.fd, "a.db", &o, &db));
    add(db, 5, S("five"));
    assert_ok(db_close(&db));
    o.create = false;
    o.schema = &broken;
    assert_int_not_equal(OK, db_open(dir.fd, "a.db", &o, &db));
    o.schema = &second;
    assert_ok(db_open(dir.fd, "a.db", &o, &db));
    int64_t value = 0;
    assert_ok(db_query_int(db, "SELECT extra FROM t WHERE id = 5", &value));
    assert_int_equal(value, 7);
    assert_ok(db_close(&db));
    o.schema = &first;
    assert_err(ERR_UNSUPPORTED, db_open(dir.fd, "a.db", &o, &db));
}

static void transactions_nest(void **state)
{
    (void)state;
    struct db *db = open_db(true);
    assert_ok(db_begin(db));
    add(db, 1, S("a"));
    assert_ok(db_begin(db));
    add(db, 2, S("b"));
    db_rollback(db);
    assert_ok(db_begin(db));
    add(db, 3, S("c"));
    assert_ok(db_commit(db));
    assert_true(db_in_transaction(db));
    assert_ok(db_commit(db));
    assert_false(db_in_transaction(db));
    assert_int_equal(count(db), 2);
    assert_ok(db_begin(db));
    add(db, 4, S("d"));
    db_rollback(db);
    assert_int_equal(count(db), 2);
    assert_ok(db_close(&db));
}

static void errors_have_the_words_of_the_house(void **state)
{
    (void)state;
    struct db *db = open_db(true);
    add(db, 1, S("a"));
    struct stmt *st = db_stmt(db, ADD);
    stmt_bind(st, "itn", (int64_t)2, S("a"));
    assert_err(ERR_EXISTS, stmt_run(st));
    st = db_prepare(db, "SELECT nothing FROM nowhere");
    assert_err(ERR_CORRUPT, stmt_step(st));
    stmt_free(&st);
    assert_int_equal(count(db), 1);
    assert_ok(db_close(&db));
}

/* T-264: in our process, in another one with our code, and for SQLite's own locks. */
static void a_second_opener_is_refused(void **state)
{
    (void)state;
    struct db_schema schema = schema_of(migrations, 2);
    struct db_options o = {.schema = &schema};
    struct db *db = open_db(true), *other = NULL;
    assert_err(ERR_BUSY, db_open(dir.fd, "a.db", &o, &other));
    /* T-267: opening and closing the file elsewhere in the process takes no lock away. */
    close(openat(dir.fd, "a.db", O_RDWR));
    pid_t child = fork();
    if (child == 0)
        _exit(db_open(dir.fd, "a.db", &o, &other) == ERR_BUSY ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    child = fork();
    if (child == 0) { /* what SQLite's unix VFS does first: a POSIX read lock on the PENDING byte */
        struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 1};
        int fd = openat(dir.fd, "a.db", O_RDWR);
        _exit(fcntl(fd, F_SETLK, &lock) < 0 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    add(db, 1, S("still mine"));
    assert_ok(db_close(&db));
    assert_ok(db_open(dir.fd, "a.db", &o, &db));
    assert_ok(db_close(&db));
    report_threat("T-264", 3);
    report_threat("T-267", 2);
}

static ino_t inode(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

/* INV-2. */
static void the_second_descriptor_is_of_the_log_in_use(void **state)
{
    (void)state;
    struct db *db = open_db(true);
    struct stat st;
    for (int round = 0; round < 3; round++) {
        add(db, round + 1, slice_of(&"abc"[round], 1));
        assert_int_equal(fstatat(dir.fd, "a.db-wal", &st, 0), 0);
        assert_true(inode(db_log_fd(db)) == st.st_ino);
        assert_ok(disk_sync(db_log_fd(db)));
        assert_ok(db_close(&db));
        assert_int_equal(fstatat(dir.fd, "a.db-wal", &st, 0), 0); /* the log stays, empty */
        assert_int_equal(st.st_size, 0);
        db = open_db(false);
    }
    assert_ok(db_close(&db));
}

static void a_checkpoint_begins_the_log_anew(void **state)
{
    (void)state;
    struct db *db = open_db(true);
    struct stat st;
    for (int i = 0; i < 2000; i++) {
        add(db, i + 1, slice_of(&i, sizeof i));
        if (db_log_size(db) > 200000) {
            assert_ok(db_checkpoint(db));
            assert_true(db_log_size(db) < 20000);
        }
    }
    assert_int_equal(fstatat(dir.fd, "a.db-wal", &st, 0), 0);
    assert_true(st.st_size < 200000 + 8 * 8300); /* the room of the old log is used again */
    assert_int_equal(count(db), 2000);
    assert_ok(db_close(&db));
}

static void a_copy_follows_writes(void **state)
{
    (void)state;
    struct db *db = open_db(true);
    char big[20000];
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 100; i++) {
        struct stmt *st = db_stmt(db, ADD);
        stmt_bind(st, "inb", (int64_t)(i + 1), slice_of(big, sizeof big));
        assert_ok(stmt_run(st));
    }
    struct db_copy *copy = NULL;
    assert_ok(db_copy_new(db, dir.fd, "copy.db", &copy));
    enum err e;
    int steps = 0;
    while ((e = db_copy_step(copy, 16)) == ERR_AGAIN) {
        add(db, 1000 + steps, slice_of(&steps, sizeof steps));
        steps++;
    }
    assert_int_equal(e, OK);
    assert_true(steps > 5);
    int64_t total = count(db);
    db_copy_free(&copy);
    assert_ok(db_close(&db));
    unlinkat(dir.fd, "a.db-wal", 0);
    assert_int_equal(renameat(dir.fd, "copy.db", dir.fd, "a.db"), 0);
    db = open_db(false);
    assert_int_equal(count(db), total);
    assert_ok(db_check(db, NULL));
    assert_ok(db_close(&db));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settings_are_those_of_the_design, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_empty_and_foreign_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(migrations_are_all_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(transactions_nest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_have_the_words_of_the_house, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_opener_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_second_descriptor_is_of_the_log_in_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_checkpoint_begins_the_log_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_follows_writes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
