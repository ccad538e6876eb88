/* rename.c - RENAME of mailboxes with their children, and of INBOX, which is another thing (RFC 9051 6.3.6). */
#include <stdlib.h>

#include "crypto/random.h"
#include "store/private.h"

struct renaming {
    struct account *a;
    struct slice from, to;
    struct box **boxes; /* `from` and all below, parents first */
    size_t count;
};

static int by_name(const void *x, const void *y)
{
    const struct box *const *a = x, *const *b = y;
    return name_cmp((*a)->pub.name, (*b)->pub.name);
}

static bool is_affected(const struct renaming *r, struct slice name)
{
    return slice_eq(name, r->from) || name_is_below(name, r->from);
}

static void collect(struct renaming *r)
{
    size_t at = 0;
    void *value;
    r->boxes = mem_alloc((r->a->by_id.count + 1) * sizeof *r->boxes);
    while (map_next(&r->a->by_id, &at, &value))
        if (is_affected(r, ((struct box *)value)->pub.name))
            r->boxes[r->count++] = value;
    qsort(r->boxes, r->count, sizeof *r->boxes, by_name);
}

static fallible new_name(const struct renaming *r, const struct box *b, struct name *ret_name)
{
    struct slice rest = slice_from(b->pub.name, r->from.n);
    if (r->to.n + rest.n > LIMIT_MAILBOX_NAME)
        return ERR_LIMIT;
    char text[LIMIT_MAILBOX_NAME];
    memcpy(text, r->to.p, r->to.n);
    memcpy(text + r->to.n, rest.p, rest.n);
    return name_make(slice_of(text, r->to.n + rest.n), ret_name);
}

static fallible check_targets(const struct renaming *r)
{
    if (r->count == 0)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < r->count; i++) {
        struct name n;
        TRY(new_name(r, r->boxes[i], &n));
        if (map_find(&r->a->by_name, name_slice(&n)) && !is_affected(r, name_slice(&n)))
            return ERR_EXISTS;
    }
    return OK;
}

/* RFC 9051 6.3.9: a name is never taken off the list of subscriptions by the server; the new one is added. */
static fallible carry_subscription(struct account *a, struct box *b, struct slice name)
{
    struct stmt *st = db_stmt(a->db, b->pub.subscribed ? SQL_SUBSCRIPTION_ADD : SQL_SUBSCRIPTION_FIND);
    stmt_bind(st, "t", name);
    if (b->pub.subscribed)
        return stmt_run(st);
    enum err e = stmt_step(st);
    stmt_reset(st);
    b->pub.subscribed = e == OK;
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible rename_one(struct account *a, struct box *b, struct slice name)
{
    struct stmt *st = db_stmt(a->db, SQL_BOX_RENAME);
    stmt_bind(st, "it", b->pub.id.v, name);
    TRY(stmt_run(st));
    TRY(carry_subscription(a, b, name));
    char *copy = mem_alloc(name.n + 1);
    memcpy(copy, name.p, name.n);
    map_drop(&a->by_name, b->pub.name);
    free(b->name);
    b->name = copy;
    b->pub.name = slice_of(copy, name.n);
    watches_mark(a, b->pub.id);
    account_changed(a);
    return map_add(&a->by_name, b->pub.name, b);
}

static fallible rename_all(const struct renaming *r)
{
    TRY(mailbox_make_parents(r->a, r->to));
    for (size_t i = 0; i < r->count; i++) {
        struct name n;
        TRY(new_name(r, r->boxes[i], &n));
        TRY(rename_one(r->a, r->boxes[i], name_slice(&n)));
    }
    return OK;
}

/* ------------------------------------------------------------------------------------------------------- INBOX */

static fallible move_all(struct account *a, struct box *from, struct box *to)
{
    struct stmt *st = db_stmt(a->db, SQL_MESSAGE_MOVE_ALL);
    stmt_bind(st, "iii", from->pub.id.v, to->pub.id.v, (int64_t)account_modseq(a));
    TRY(stmt_run(st));
    st = db_stmt(a->db, SQL_KEYWORD_COPY);
    stmt_bind(st, "ii", from->pub.id.v, to->pub.id.v);
    TRY(stmt_run(st));
    st = db_stmt(a->db, SQL_EXPUNGED_ADD);
    stmt_bind(
        st, "iiii", from->pub.id.v, (int64_t)account_modseq(a), (int64_t)1, (int64_t)from->pub.uidnext - 1);
    return from->pub.uidnext > 1 ? stmt_run(st) : (stmt_reset(st), OK);
}

static fallible empty_inbox_into(struct account *a, struct box *inbox, struct slice name)
{
    struct box *b = NULL;
    TRY(mailbox_make_parents(a, name));
    TRY(mailbox_make_one(a, name, USE_NONE, &b));
    TRY(move_all(a, inbox, b));
    b->pub.uidnext = inbox->pub.uidnext; /* the messages keep their uids under the new UIDVALIDITY */
    b->recent = inbox->recent;
    b->pub.messages = TAKE(inbox->pub.messages, 0);
    b->pub.unseen = TAKE(inbox->pub.unseen, 0);
    b->pub.deleted = TAKE(inbox->pub.deleted, 0);
    b->pub.bytes = TAKE(inbox->pub.bytes, 0);
    b->keyword_mask = inbox->keyword_mask;
    for (unsigned bit = 0; bit < LIMIT_KEYWORDS; bit++)
        b->keywords[bit] = inbox->keywords[bit] ? mem_strdup(inbox->keywords[bit]) : NULL;
    box_touch(a, inbox);
    box_touch(a, b);
    return OK;
}

static fallible rename_inbox(struct account *a, struct slice to)
{
    if (map_find(&a->by_name, to))
        return ERR_EXISTS;
    TRY(mailbox_check_room(a, to));
    TRY(account_begin(a));
    return account_end(a, empty_inbox_into(a, map_find(&a->by_name, S("INBOX")), to));
}

fallible mailbox_rename(struct account *a, struct slice from, struct slice to)
{
    account_assert_usable(a);
    struct name old, new;
    if (to.n > 1 && to.p[to.n - 1] == '/')
        to.n--;
    TRY(name_make(from, &old));
    TRY(name_make(to, &new));
    if (name_is_inbox(name_slice(&old)))
        return rename_inbox(a, name_slice(&new));
    if (slice_eq(name_slice(&old), name_slice(&new)))
        return ERR_EXISTS;
    if (name_is_below(name_slice(&new), name_slice(&old)))
        return ERR_DENIED;
    TRY(mailbox_check_room(a, name_slice(&new)));
    struct renaming r = {.a = a, .from = name_slice(&old), .to = name_slice(&new)};
    collect(&r);
    enum err e = check_targets(&r);
    if (e == OK)
        e = account_begin(a);
    if (e == OK)
        e = account_end(a, rename_all(&r));
    free(r.boxes);
    return e;
}
