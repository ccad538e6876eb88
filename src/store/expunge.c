/* expunge.c - EXPUNGE, COPY and MOVE: what leaves and what arrives in one commit (INV-19, INV-20). */
#include <stdlib.h>

#include "store/private.h"
#include "store/quota.h"

struct rows {
    struct message *p;
    size_t count, cap;
};

static void rows_add(struct rows *r, const struct message *m)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 64;
        r->p = mem_resize(r->p, r->cap * sizeof *r->p);
    }
    r->p[r->count++] = *m;
}

/* All rows of the ranges (LIMIT_MESSAGES_PER_MAILBOX at most, 88 octets each): read first, changed after. */
static fallible collect(
    struct account *a, struct box *b, const struct uid_range *ranges, size_t count, uint32_t with_flags,
    struct rows *rows)
{
    for (size_t i = 0; i < count; i++) {
        struct message_iter it;
        struct message m;
        TRY(message_iter_start(&it, a, b->pub.id, ranges[i], MESSAGE_ROW));
        enum err e;
        while ((e = message_iter_next(&it, &m)) == OK)
            if ((m.flags.system & with_flags) == with_flags)
                rows_add(rows, &m);
        message_iter_stop(&it);
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return OK;
}

static fallible remember_gone(struct account *a, const struct box *b, struct uid_range gone)
{
    struct stmt *st = db_stmt(a->db, SQL_EXPUNGED_ADD);
    stmt_bind(st, "iiii", b->pub.id.v, (int64_t)account_modseq(a), (int64_t)gone.first, (int64_t)gone.last);
    return stmt_run(st);
}

static fallible drop_row(struct account *a, struct box *b, const struct message *m, bool with_body)
{
    struct stmt *st = db_stmt(a->db, SQL_MESSAGE_DROP);
    stmt_bind(st, "ii", b->pub.id.v, (int64_t)m->uid.v);
    TRY(stmt_run(st));
    box_count(b, m, -1);
    a->bytes -= m->size;
    a->messages--;
    return with_body ? body_unref(a, m->body) : OK;
}

/* Uids that follow each other in one go are one remembered range, also over those that were gone before. */
static fallible drop_rows(struct account *a, struct box *b, const struct rows *rows, bool with_bodies)
{
    struct uid_range gone = {0, 0};
    if (rows->count)
        box_touch(a, b);
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t uid = rows->p[i].uid.v;
        TRY(drop_row(a, b, &rows->p[i], with_bodies));
        if (gone.first && uid == gone.last + 1) {
            gone.last = uid;
            continue;
        }
        if (gone.first)
            TRY(remember_gone(a, b, gone));
        gone = (struct uid_range){uid, uid};
    }
    return gone.first ? remember_gone(a, b, gone) : OK;
}

static int by_uid(const void *x, const void *y)
{
    const struct message *a = x, *b = y;
    return a->uid.v < b->uid.v ? -1 : a->uid.v > b->uid.v;
}

/* Ascending and each once, whatever the ranges say. */
static void rows_sort(struct rows *r)
{
    size_t kept = 0;
    bool sorted = true;
    for (size_t i = 1; i < r->count; i++)
        sorted = sorted && r->p[i - 1].uid.v < r->p[i].uid.v;
    if (sorted)
        return;
    qsort(r->p, r->count, sizeof *r->p, by_uid);
    for (size_t i = 0; i < r->count; i++)
        if (kept == 0 || r->p[kept - 1].uid.v != r->p[i].uid.v)
            r->p[kept++] = r->p[i];
    r->count = kept;
}

fallible message_expunge(
    struct account *a, struct mailbox_id box, const struct uid_range *ranges, size_t count, bool only_deleted,
    void (*gone)(void *owner, struct uid uid), void *owner)
{
    account_assert_usable(a);
    struct box *b = box_by_id(a, box);
    if (!b)
        return ERR_GONE;
    if (only_deleted && b->pub.deleted == 0)
        return OK;
    struct rows rows = {0};
    enum err e = collect(a, b, ranges, count, only_deleted ? FLAG_DELETED : 0, &rows);
    rows_sort(&rows);
    if (e == OK && rows.count)
        e = account_begin(a);
    if (e == OK && rows.count)
        e = account_end(a, drop_rows(a, b, &rows, true));
    for (size_t i = 0; e == OK && gone && i < rows.count; i++)
        gone(owner, rows.p[i].uid);
    free(rows.p);
    return e;
}

/* ------------------------------------------------------------------------------------------------- copy and move */

struct copying {
    struct account *a;
    struct box *from, *to;
    bool move;
    struct rows rows;
    uint32_t first_uid; /* given in the target, one by one */
};

static fallible copy_rows(struct copying *c)
{
    uint64_t seen = 0, translated = 0;
    for (size_t i = 0; i < c->rows.count; i++) {
        struct message m = c->rows.p[i];
        if (i == 0 || m.flags.keywords != seen) {
            seen = m.flags.keywords;
            TRY(keywords_translate(c->a, c->from, c->to, seen, &translated));
        }
        m.flags.keywords = translated;
        if (!c->move)
            TRY(body_ref(c->a, m.body));
        TRY(message_insert(c->a, c->to, &m));
        if (i == 0)
            c->first_uid = m.uid.v;
    }
    return c->move ? drop_rows(c->a, c->from, &c->rows, false) : OK;
}

static fallible check_copy(const struct copying *c)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < c->rows.count; i++)
        bytes += c->rows.p[i].size;
    if (c->to->pub.uidnext > UINT32_MAX - 1 - c->rows.count ||
        c->to->pub.messages + c->rows.count > LIMIT_MESSAGES_PER_MAILBOX)
        return ERR_LIMIT;
    return c->move ? OK : quota_check(c->a, bytes, c->rows.count);
}

fallible message_copy(
    struct account *a, struct mailbox_id from, const struct uid_range *ranges, size_t count,
    struct mailbox_id to, bool move, void (*copied)(void *owner, struct uid from, struct uid to), void *owner)
{
    account_assert_usable(a);
    struct copying c = {.a = a, .from = box_by_id(a, from), .to = box_by_id(a, to), .move = move};
    if (!c.from || !c.to)
        return ERR_GONE;
    enum err e = collect(a, c.from, ranges, count, 0, &c.rows);
    rows_sort(&c.rows);
    if (e == OK)
        e = check_copy(&c);
    if (e == OK && c.rows.count)
        e = account_begin(a);
    if (e == OK && c.rows.count)
        e = account_end(a, copy_rows(&c));
    for (size_t i = 0; e == OK && copied && i < c.rows.count; i++)
        copied(owner, c.rows.p[i].uid, (struct uid){c.first_uid + (uint32_t)i});
    free(c.rows.p);
    return e;
}
