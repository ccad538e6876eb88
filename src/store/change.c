#include "store/change.h"

#include "store/private.h"

void change_watch_start(struct change_watch *w, struct account *a, struct mailbox_id box)
{
    list_drop(&w->link);
    w->box = box;
    w->marked = false;
    list_add(&a->watches, &w->link);
}

void change_watch_stop(struct change_watch *w)
{
    list_drop(&w->link);
}

void watches_mark(struct account *a, struct mailbox_id box)
{
    LIST_EACH (&a->watches, struct change_watch, link, w)
        if (w->box.v == box.v)
            w->marked = true;
}

static fallible visit_expunged(
    struct account *a, const struct box *b, uint64_t modseq, struct uid_range range,
    const struct change_visitor *visitor)
{
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, SQL_EXPUNGED_SINCE);
    stmt_bind(st, "iiii", b->pub.id.v, (int64_t)modseq, (int64_t)range.first, (int64_t)range.last);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct uid_range gone = {(uint32_t)stmt_col_int(st, 0), (uint32_t)stmt_col_int(st, 1)};
        gone.first = gone.first < range.first ? range.first : gone.first;
        gone.last = gone.last > range.last ? range.last : gone.last;
        visitor->expunged(visitor->owner, gone, (uint64_t)stmt_col_int(st, 2));
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible visit_messages(
    struct account *a, const struct box *b, uint64_t modseq, struct uid_range range,
    const struct change_visitor *visitor)
{
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, SQL_MESSAGE_SINCE);
    stmt_bind(st, "iiii", b->pub.id.v, (int64_t)modseq, (int64_t)range.first, (int64_t)range.last);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct message m;
        message_read_row(st, &m);
        visitor->message(visitor->owner, &m);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

fallible changes_since(
    struct account *a, struct mailbox_id box, uint64_t modseq, struct uid_range range,
    const struct change_visitor *visitor)
{
    account_assert_usable(a);
    const struct box *b = box_by_id(a, box);
    if (!b)
        return ERR_GONE;
    if (modseq >= b->pub.modseq)
        return OK;
    if (visitor->expunged && modseq < b->floor)
        return ERR_LIMIT;
    if (visitor->expunged)
        TRY(visit_expunged(a, b, modseq, range, visitor));
    return visitor->message ? visit_messages(a, b, modseq, range, visitor) : OK;
}
