/* private.h - what the files of this room share: the inside of a connection.   room: db   runs in: keeper vault */
#ifndef DB_PRIVATE_H
#define DB_PRIVATE_H

#include <sqlite3.h>

#include "db/db.h"

struct stmt {
    struct db *db;
    sqlite3_stmt *handle; /* NULL: could not be prepared, see `error` */
    enum err error;       /* sticky until reset: of preparing or binding */
    bool busy;
};

struct db {
    uint32_t magic;
    sqlite3 *handle;
    const struct db_schema *schema;
    struct stmt *statements; /* schema->statement_count */
    struct stmt begin, commit, rollback;
    unsigned own_statements; /* made by db_prepare and not freed */
    unsigned depth;          /* of transactions */
    enum err broken; /* SQLite rolled the transaction back by itself: nothing runs until we have, too */
};
enum { DB_MAGIC = 0x4c4c6462 };

/* The house's word for a result code of this connection. */
enum err db_err_of(sqlite3 *handle, int code);
/* Begins a statement that is prepared here; the error is kept inside. */
void stmt_prepare(struct db *db, struct stmt *st, const char *sql);

#endif
