/* change_set.c - transactions of an account, and the mailboxes and counters it keeps in memory.
 *
 * Memory mirrors rows: functions change memory at once and mark what they touched, the commit writes each touched row once.
 * A rollback reads everything again, so memory is never ahead of the rows outside a transaction (INV-17).
 */
#include <stdlib.h>

#include "store/private.h"

/* -------------------------------------------------------------------------------------------------------- boxes */

struct box *box_by_id(struct account *a, struct mailbox_id id)
{
    uint64_t key = (uint64_t)id.v;
    return map_find(&a->by_id, map_id(&key));
}

struct box *box_new(struct account *a, struct slice name)
{
    (void)a;
    struct box *b = NEW(struct box);
    b->name = mem_alloc(name.n + 1);
    memcpy(b->name, name.p, name.n);
    b->pub.name = slice_of(b->name, name.n);
    return b;
}

void box_add(struct account *a, struct box *b)
{
    b->id_key = (uint64_t)b->pub.id.v;
    enum err e = map_add(&a->by_id, map_id(&b->id_key), b);
    assert(e == OK);
    e = map_add(&a->by_name, b->pub.name, b);
    assert(e == OK);
    (void)e;
}

static void box_free(struct box *b)
{
    list_drop(&b->touched);
    for (unsigned bit = 0; bit < LIMIT_KEYWORDS; bit++)
        free(b->keywords[bit]);
    free(b->name);
    free(b);
}

void box_drop(struct account *a, struct box *b)
{
    map_drop(&a->by_id, map_id(&b->id_key));
    map_drop(&a->by_name, b->pub.name);
    box_free(b);
}

void box_touch(struct account *a, struct box *b)
{
    b->pub.modseq = account_modseq(a);
    a->tx_changed = true;
    if (list_is_empty(&b->touched)) {
        list_add(&a->touched, &b->touched);
        watches_mark(a, b->pub.id);
    }
}

void account_touch(struct account *a)
{
    a->tx_row = true;
    a->tx_changed = true;
}

/* ------------------------------------------------------------------------------------------------------ loading */

void account_forget(struct account *a)
{
    size_t at = 0;
    void *value;
    list_init(&a->touched);
    while (map_next(&a->by_id, &at, &value)) {
        list_init(&((struct box *)value)->touched);
        box_free(value);
    }
    map_done(&a->by_id);
    map_done(&a->by_name);
    a->bytes = a->messages = 0;
}

static fallible load_row(struct account *a)
{
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, SQL_ACCOUNT_LOAD);
    enum err e = stmt_step(st);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    a->modseq = (uint64_t)stmt_col_int(st, 0);
    a->next_mailbox = stmt_col_int(st, 1);
    a->next_uidvalidity = (uint32_t)stmt_col_int(st, 2);
    a->bytes_max = (uint64_t)stmt_col_int(st, 3);
    a->messages_max = (uint64_t)stmt_col_int(st, 4);
    /* Another account's file in this place (T-269). */
    return slice_eq(stmt_col(st, 5), slice_of(a->id.b, sizeof a->id.b)) ? OK : ERR_CORRUPT;
}

static fallible load_box(struct account *a, struct stmt *st)
{
    struct slice name = stmt_col(st, 1);
    if (!name.n || name.n > LIMIT_MAILBOX_NAME || map_find(&a->by_name, name))
        return ERR_CORRUPT;
    struct box *b = box_new(a, name);
    b->pub.id.v = stmt_col_int(st, 0);
    b->pub.uidvalidity = (uint32_t)stmt_col_int(st, 2);
    b->pub.object_id = (uint64_t)stmt_col_int(st, 3);
    b->pub.use = (unsigned)stmt_col_int(st, 4);
    b->pub.uidnext = (uint32_t)stmt_col_int(st, 5);
    b->pub.modseq = (uint64_t)stmt_col_int(st, 6);
    b->pub.messages = (uint32_t)stmt_col_int(st, 7);
    b->pub.unseen = (uint32_t)stmt_col_int(st, 8);
    b->pub.deleted = (uint32_t)stmt_col_int(st, 9);
    b->pub.bytes = (uint64_t)stmt_col_int(st, 10);
    b->recent = (uint32_t)stmt_col_int(st, 11);
    b->floor = (uint64_t)stmt_col_int(st, 12);
    list_init(&b->touched);
    if (a->by_id.count >= LIMIT_MAILBOXES) {
        box_free(b);
        return ERR_CORRUPT;
    }
    box_add(a, b);
    a->bytes += b->pub.bytes;
    a->messages += b->pub.messages;
    if (b->pub.modseq > a->modseq)
        a->modseq = b->pub.modseq;
    return OK;
}

static fallible load_keyword(struct account *a, struct stmt *st)
{
    struct box *b = box_by_id(a, (struct mailbox_id){stmt_col_int(st, 0)});
    int64_t bit = stmt_col_int(st, 1);
    struct slice name = stmt_col(st, 2);
    if (!b || bit < 0 || bit >= LIMIT_KEYWORDS || b->keywords[bit] || !name.n || name.n > LIMIT_KEYWORD)
        return ERR_CORRUPT;
    b->keywords[bit] = mem_alloc(name.n + 1);
    memcpy(b->keywords[bit], name.p, name.n);
    b->keyword_mask |= UINT64_C(1) << bit;
    return OK;
}

static fallible load_subscription(struct account *a, struct stmt *st)
{
    struct box *b = map_find(&a->by_name, stmt_col(st, 0));
    if (b)
        b->pub.subscribed = true;
    return OK;
}

static fallible
load_rows(struct account *a, unsigned statement, enum err (*load)(struct account *a, struct stmt *st))
{
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, statement);
    enum err e;
    while ((e = stmt_step(st)) == OK)
        TRY(load(a, st));
    return e == ERR_NOT_FOUND ? OK : e;
}

fallible account_load(struct account *a)
{
    account_forget(a);
    map_init(&a->by_id, LIMIT_MAILBOXES);
    map_init(&a->by_name, LIMIT_MAILBOXES);
    TRY(load_row(a));
    TRY(load_rows(a, SQL_BOX_LOAD, load_box));
    TRY(load_rows(a, SQL_KEYWORD_LOAD, load_keyword));
    return load_rows(a, SQL_SUBSCRIPTION_LOAD, load_subscription);
}

/* ------------------------------------------------------------------------------------------------- transactions */

fallible account_begin(struct account *a)
{
    account_assert_usable(a);
    assert(a->iters == 0);
    if (a->depth == 0) {
        TRY(db_begin(a->db));
        a->tx_error = OK;
        a->tx_changed = a->tx_row = false;
        a->tx_modseq = 0;
    }
    a->depth++;
    return OK;
}

uint64_t account_modseq(struct account *a)
{
    assert(a->depth > 0);
    if (!a->tx_modseq)
        a->tx_modseq = ++a->modseq;
    return a->tx_modseq;
}

static fallible save_box(struct account *a, struct box *b)
{
    struct stmt *st = db_stmt(a->db, SQL_BOX_SAVE);
    const struct mailbox *m = &b->pub;
    stmt_bind(
        st, "iiiiiiiii", m->id.v, (int64_t)m->uidnext, (int64_t)m->modseq, (int64_t)m->messages,
        (int64_t)m->unseen, (int64_t)m->deleted, (int64_t)m->bytes, (int64_t)b->recent, (int64_t)b->floor);
    return stmt_run(st);
}

static fallible save_account(struct account *a)
{
    struct stmt *st = db_stmt(a->db, SQL_ACCOUNT_SAVE);
    stmt_bind(
        st, "iiiiib", (int64_t)a->modseq, a->next_mailbox, (int64_t)a->next_uidvalidity,
        (int64_t)a->bytes_max, (int64_t)a->messages_max, slice_of(a->id.b, sizeof a->id.b));
    return stmt_run(st);
}

static fallible save_touched(struct account *a)
{
    LIST_EACH (&a->touched, struct box, touched, b) {
        TRY(save_box(a, b));
        list_drop(&b->touched);
    }
    return a->tx_row ? save_account(a) : OK;
}

/* Memory goes back to what the rows say. */
static void undo_memory(struct account *a)
{
    a->tx_changed = false;
    LIST_EACH (&a->watches, struct change_watch, link, w)
        w->marked = false;
    LIST_EACH (&a->removals, struct removal, link, r) {
        if (r->after > a->committed) {
            list_drop(&r->link);
            free(r);
        }
    }
    enum err e = account_load(a);
    if (e != OK) { /* memory and rows differ: nobody may look any more */
        account_forget(a);
        a->want_poison = e;
        account_attend(a);
    }
}

static void roll_back(struct account *a)
{
    db_rollback(a->db);
    undo_memory(a);
}

static void tell_watches(struct account *a)
{
    LIST_EACH (&a->watches, struct change_watch, link, w) {
        if (w->marked) {
            w->marked = false;
            w->changed(w);
        }
    }
}

static fallible commit_outermost(struct account *a)
{
    enum err e = a->tx_error;
    if (e == OK)
        e = save_touched(a);
    if (e != OK) {
        roll_back(a);
        return e;
    }
    if ((e = db_commit(a->db)) != OK) {
        undo_memory(a);
        return e;
    }
    if (a->tx_changed) {
        a->committed++;
        a->idle_since_ms = loop_now(a->all->loop);
        account_attend(a);
        tell_watches(a);
    }
    return OK;
}

fallible account_commit(struct account *a)
{
    assert(a->depth > 0);
    if (--a->depth > 0)
        return a->tx_error;
    return commit_outermost(a);
}

void account_rollback(struct account *a)
{
    assert(a->depth > 0);
    if (--a->depth > 0) {
        if (a->tx_error == OK)
            a->tx_error = ERR_STATE;
        return;
    }
    roll_back(a);
}

fallible account_end(struct account *a, enum err e)
{
    if (e == OK)
        return account_commit(a);
    if (a->depth > 1 && a->tx_error == OK)
        a->tx_error = e;
    account_rollback(a);
    return e;
}

void account_remove_later(struct account *a, uint64_t name)
{
    struct removal *r = NEW(struct removal);
    r->name = name;
    r->after = a->depth ? a->committed + 1 : a->committed; /* tidy.c is followed by its checkpoint */
    list_add(&a->removals, &r->link);
}
