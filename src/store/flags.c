/* flags.c - STORE: one transaction, one MODSEQ, whatever the number of messages. */
#include <stdlib.h>

#include "store/private.h"

struct storing {
    struct account *a;
    struct box *b;
    const struct flags_change *change;
    void (*result)(void *owner, const struct flags_result *r);
    void *owner;
    /* Rows that change, collected while reading, written after: a statement that reads must not meet its own writes. */
    struct row {
        struct message m;
        struct flags flags;
    } * rows;
    size_t count, cap;
};

static struct flags changed_flags(struct flags old, const struct flags_change *c)
{
    switch (c->how) {
    case FLAGS_ADD:
        return (struct flags){old.system | c->flags.system, old.keywords | c->flags.keywords};
    case FLAGS_REMOVE:
        return (struct flags){old.system & ~c->flags.system, old.keywords & ~c->flags.keywords};
    default:
        return c->flags;
    }
}

static void meet(struct storing *s, const struct message *m)
{
    struct flags flags = changed_flags(m->flags, s->change);
    flags.system &= FLAGS_SYSTEM;
    flags.keywords &= s->b->keyword_mask;
    struct flags_result r = {.uid = m->uid, .flags = m->flags, .modseq = m->modseq, .outcome = FLAGS_SAME};
    if (m->modseq > s->change->unchanged_since) {
        r.outcome = FLAGS_MODIFIED;
    } else if (flags.system != m->flags.system || flags.keywords != m->flags.keywords) {
        if (s->count == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 16;
            s->rows = mem_resize(s->rows, s->cap * sizeof *s->rows);
        }
        s->rows[s->count++] = (struct row){*m, flags};
        r.flags = flags;
        r.modseq = account_modseq(s->a);
        r.outcome = FLAGS_CHANGED;
    }
    if (s->result)
        s->result(s->owner, &r);
}

static fallible read_range(struct storing *s, struct uid_range range)
{
    struct message_iter it;
    struct message m;
    TRY(message_iter_start(&it, s->a, s->b->pub.id, range, MESSAGE_ROW));
    enum err e;
    while ((e = message_iter_next(&it, &m)) == OK)
        meet(s, &m);
    message_iter_stop(&it);
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible write_row(struct storing *s, const struct row *r)
{
    struct message now = r->m;
    now.flags = r->flags;
    box_count(s->b, &r->m, -1);
    box_count(s->b, &now, 1);
    struct stmt *st = db_stmt(s->a->db, SQL_MESSAGE_FLAGS);
    stmt_bind(
        st, "iiiii", s->b->pub.id.v, (int64_t)r->m.uid.v, (int64_t)account_modseq(s->a),
        (int64_t)r->flags.system, (int64_t)r->flags.keywords);
    return stmt_run(st);
}

static fallible store(struct storing *s, const struct uid_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        s->count = 0;
        TRY(read_range(s, ranges[i]));
        if (s->count)
            box_touch(s->a, s->b);
        for (size_t k = 0; k < s->count; k++)
            TRY(write_row(s, &s->rows[k]));
    }
    return OK;
}

fallible message_store_flags(
    struct account *a, struct mailbox_id box, const struct uid_range *ranges, size_t count,
    const struct flags_change *change, void (*result)(void *owner, const struct flags_result *r), void *owner)
{
    account_assert_usable(a);
    struct storing s = {.a = a, .b = box_by_id(a, box), .change = change, .result = result, .owner = owner};
    if (!s.b)
        return ERR_GONE;
    TRY(account_begin(a));
    enum err e = account_end(a, store(&s, ranges, count));
    free(s.rows);
    return e;
}
