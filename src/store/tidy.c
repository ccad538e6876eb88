/* tidy.c - the rows of a new account, and what is put in order when an account is idle. Pool threads only, with the
 * connection; the mirrors in memory stand still meanwhile. */
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "db/disk.h"
#include "store/private.h"

enum { SHRINK_PAGES = 256, BURY_AT_ONCE = 1000 };

static const struct {
    const char *name;
    enum special_use use;
} first_boxes[] = {
    {"INBOX", USE_NONE},  {"Sent", USE_SENT}, {"Drafts", USE_DRAFTS},
    {"Trash", USE_TRASH}, {"Junk", USE_JUNK}, {"Archive", USE_ARCHIVE},
};
enum { FIRST_BOXES = sizeof first_boxes / sizeof *first_boxes };

static fallible subscribe_first(struct account *a, struct slice name)
{
    struct stmt *st = db_stmt(a->db, SQL_SUBSCRIPTION_ADD);
    stmt_bind(st, "t", name);
    return stmt_run(st);
}

static fallible make_rows(struct account *a)
{
    /* Any start will do; the time makes it unlikely that an account made anew elsewhere repeats a value. */
    int64_t validity = clock_unix_s() & 0x7fffffff;
    validity = validity ? validity : 1;
    for (unsigned i = 0; i < FIRST_BOXES; i++) {
        struct stmt *st = db_stmt(a->db, SQL_BOX_ADD);
        struct slice name = slice_str(first_boxes[i].name);
        stmt_bind(
            st, "itiiii", (int64_t)i + 1, name, validity + i, (int64_t)random_id64(),
            (int64_t)first_boxes[i].use, (int64_t)1);
        TRY(stmt_run(st));
        TRY(subscribe_first(a, name));
    }
    struct stmt *st = db_stmt(a->db, SQL_ACCOUNT_SAVE);
    stmt_bind(
        st, "iiiiib", (int64_t)1, (int64_t)FIRST_BOXES + 1, validity + FIRST_BOXES, (int64_t)0, (int64_t)0,
        slice_of(a->id.b, sizeof a->id.b));
    return stmt_run(st);
}

static fallible in_transaction(struct account *a, enum err (*change)(struct account *a))
{
    TRY(db_begin(a->db));
    enum err e = change(a);
    if (e == OK)
        return db_commit(a->db);
    db_rollback(a->db);
    return e;
}

fallible account_make_rows(struct account *a)
{
    return in_transaction(a, make_rows);
}

static fallible forget_before(struct account *a, unsigned statement, int64_t time)
{
    struct stmt *st = db_stmt(a->db, statement);
    stmt_bind(st, "i", time);
    return stmt_run(st);
}

/* The modseq below which this mailbox forgets expunges; ERR_NOT_FOUND when it has few. */
static fallible find_floor(struct account *a, const struct box *b, uint64_t *ret_floor)
{
    int64_t count = 0;
    struct stmt *st = db_stmt(a->db, SQL_EXPUNGED_COUNT);
    stmt_bind(st, "i", b->pub.id.v);
    enum err e = stmt_step(st);
    if (e == OK)
        count = stmt_col_int(st, 0);
    stmt_reset(st);
    TRY(e);
    if (count <= LIMIT_EXPUNGED_KEPT)
        return ERR_NOT_FOUND;
    st = db_stmt(a->db, SQL_EXPUNGED_OLD);
    stmt_bind(st, "ii", b->pub.id.v, count - LIMIT_EXPUNGED_KEPT / 2);
    e = stmt_step(st);
    if (e == OK)
        *ret_floor = (uint64_t)stmt_col_int(st, 0);
    stmt_reset(st);
    return e;
}

static fallible forget_expunged(struct account *a, struct box *b)
{
    uint64_t floor = 0;
    enum err e = find_floor(a, b, &floor);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    struct stmt *st = db_stmt(a->db, SQL_EXPUNGED_FORGET);
    stmt_bind(st, "ii", b->pub.id.v, (int64_t)floor);
    TRY(stmt_run(st));
    b->floor = floor; /* when the transaction fails: asked for less than is there, which is allowed */
    st = db_stmt(a->db, SQL_BOX_SAVE);
    stmt_bind(
        st, "iiiiiiiii", b->pub.id.v, (int64_t)b->pub.uidnext, (int64_t)b->pub.modseq,
        (int64_t)b->pub.messages, (int64_t)b->pub.unseen, (int64_t)b->pub.deleted, (int64_t)b->pub.bytes,
        (int64_t)b->recent, (int64_t)floor);
    return stmt_run(st);
}

/* Some messages of a deleted mailbox, with their bodies. */
static fallible bury_some(struct account *a, int64_t mailbox, size_t *ret_count)
{
    struct {
        int64_t uid, body;
    } rows[BURY_AT_ONCE];
    size_t n = 0;
    struct stmt *st = db_stmt(a->db, SQL_MESSAGE_SOME);
    stmt_bind(st, "ii", mailbox, (int64_t)BURY_AT_ONCE);
    enum err e;
    while ((e = stmt_step(st)) == OK && n < BURY_AT_ONCE) {
        rows[n].uid = stmt_col_int(st, 0);
        rows[n++].body = stmt_col_int(st, 1);
    }
    stmt_reset(st);
    if (e != ERR_NOT_FOUND && e != OK)
        return e;
    for (size_t i = 0; i < n; i++) {
        st = db_stmt(a->db, SQL_MESSAGE_DROP);
        stmt_bind(st, "ii", mailbox, rows[i].uid);
        TRY(stmt_run(st));
        TRY(body_unref(a, (struct body_id){rows[i].body}));
    }
    *ret_count = n;
    return OK;
}

static fallible bury(struct account *a)
{
    int64_t mailbox = 0;
    size_t count = 0;
    struct stmt *st = db_stmt(a->db, SQL_GRAVE_FIRST);
    enum err e = stmt_step(st);
    if (e == OK)
        mailbox = stmt_col_int(st, 0);
    stmt_reset(st);
    if (e != OK) {
        a->graves = e != ERR_NOT_FOUND;
        return e == ERR_NOT_FOUND ? OK : e;
    }
    a->graves = true;
    TRY(bury_some(a, mailbox, &count));
    if (count == BURY_AT_ONCE)
        return OK;
    st = db_stmt(a->db, SQL_GRAVE_DROP);
    stmt_bind(st, "i", mailbox);
    return stmt_run(st);
}

static fallible tidy(struct account *a)
{
    TRY(bury(a));
    int64_t long_ago = clock_unix_s() - LIMIT_DELIVERY_KEPT;
    TRY(forget_before(a, SQL_DELIVERY_FORGET, long_ago));
    TRY(forget_before(a, SQL_UNCONFIRMED_FORGET, long_ago));
    size_t at = 0;
    void *value;
    while (map_next(&a->by_id, &at, &value))
        TRY(forget_expunged(a, value));
    return OK;
}

fallible account_tidy(struct account *a)
{
    TRY(in_transaction(a, tidy));
    return db_shrink(a->db, SHRINK_PAGES);
}

void removals_run(struct account *a)
{
    LIST_EACH (&a->due, struct removal, link, r) {
        char path[ACCOUNT_PATH_MAX];
        large_path(a, r->name, path);
        IGNORE(disk_unlink(a->all->options.root, path), "the sweep at the next opening removes it");
        list_drop(&r->link);
        free(r);
    }
}
