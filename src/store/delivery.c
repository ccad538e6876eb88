#include "store/delivery.h"

#include "base/clock.h"
#include "store/private.h"

static struct slice id_slice(const struct delivery_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

static fallible is_there(struct account *a, unsigned statement, struct slice key, bool *ret_is)
{
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, statement);
    stmt_bind(st, "b", key);
    enum err e = stmt_step(st);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_is = e == OK;
    return OK;
}

static fallible run_with(struct account *a, unsigned statement, struct slice key)
{
    struct stmt *st = db_stmt(a->db, statement);
    stmt_bind(st, "b", key);
    return stmt_run(st);
}

static fallible add_marks(struct account *a, const struct delivery *d)
{
    int64_t now = clock_unix_s();
    struct stmt *st = db_stmt(a->db, SQL_DELIVERY_ADD);
    stmt_bind(st, d->unconfirmed ? "bib" : "bin", id_slice(&d->id), now, hash_slice(&d->octets));
    TRY(stmt_run(st));
    account_changed(a);
    if (!d->unconfirmed)
        return OK;
    st = db_stmt(a->db, SQL_UNCONFIRMED_ADD);
    stmt_bind(st, "bbi", hash_slice(&d->octets), id_slice(&d->id), now);
    return stmt_run(st);
}

/* The copy of an earlier try, whose sender was told 451, is this try's copy now. */
static fallible take_over(struct account *a, const struct delivery *d)
{
    TRY(run_with(a, SQL_UNCONFIRMED_DROP, hash_slice(&d->octets)));
    return add_marks(a, d);
}

fallible delivery_find(struct account *a, const struct delivery *d, bool *ret_stored)
{
    account_assert_usable(a);
    bool by_id, by_octets;
    TRY(is_there(a, SQL_DELIVERY_FIND, id_slice(&d->id), &by_id));
    if (by_id) {
        *ret_stored = true;
        return OK;
    }
    TRY(is_there(a, SQL_UNCONFIRMED_FIND, hash_slice(&d->octets), &by_octets));
    if (by_octets) {
        TRY(account_begin(a));
        TRY(account_end(a, take_over(a, d)));
    }
    *ret_stored = by_octets;
    return OK;
}

static fallible store(
    struct account *a, const struct delivery *d, struct mailbox_id box, const struct append *what,
    struct uid *ret_uid)
{
    bool stored;
    TRY(delivery_find(a, d, &stored));
    if (stored)
        return OK;
    struct uid uid;
    TRY(message_append(a, box, what, &uid));
    TRY(add_marks(a, d));
    *ret_uid = uid;
    return OK;
}

fallible delivery_store(
    struct account *a, const struct delivery *d, struct mailbox_id box, const struct append *what,
    struct uid *ret_uid)
{
    account_assert_usable(a);
    struct uid uid = {0};
    TRY(account_begin(a));
    enum err e = account_end(a, store(a, d, box, what, &uid));
    if (e != OK) {
        body_writer_rolled_back(what->body);
        return e;
    }
    *ret_uid = uid;
    return OK;
}

static fallible confirm(struct account *a, const struct delivery_id *id)
{
    struct hash octets;
    struct stmt *st = db_stmt(a->db, SQL_DELIVERY_FIND);
    stmt_bind(st, "b", id_slice(id));
    enum err e = stmt_step(st);
    bool marked = e == OK && stmt_col(st, 0).n == sizeof octets.b;
    if (marked)
        memcpy(octets.b, stmt_col(st, 0).p, sizeof octets.b);
    stmt_reset(st);
    if (!marked)
        return e == ERR_NOT_FOUND ? OK : e;
    account_changed(a);
    TRY(run_with(a, SQL_UNCONFIRMED_DROP, hash_slice(&octets)));
    return run_with(a, SQL_DELIVERY_CONFIRM, id_slice(id));
}

fallible delivery_confirm(struct account *a, const struct delivery_id *id)
{
    account_assert_usable(a);
    TRY(account_begin(a));
    return account_end(a, confirm(a, id));
}
