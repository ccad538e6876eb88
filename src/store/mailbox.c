/* mailbox.c - finding, making, deleting and renaming mailboxes. */
#include "store/mailbox.h"

#include <stdlib.h>

#include "crypto/random.h"
#include "store/private.h"

static struct box *find(struct account *a, struct slice canonical)
{
    return map_find(&a->by_name, canonical);
}

/* As it may have been typed: ERR_NOT_FOUND, and what name_make says. */
static fallible find_typed(struct account *a, struct slice name, struct box **ret_box)
{
    struct name n;
    account_assert_usable(a);
    TRY(name_make(name, &n));
    struct box *b = find(a, name_slice(&n));
    if (!b)
        return ERR_NOT_FOUND;
    *ret_box = b;
    return OK;
}

fallible mailbox_find(struct account *a, struct slice name, const struct mailbox **ret_box)
{
    struct box *b;
    TRY(find_typed(a, name, &b));
    *ret_box = &b->pub;
    return OK;
}

fallible mailbox_by_id(struct account *a, struct mailbox_id id, const struct mailbox **ret_box)
{
    account_assert_usable(a);
    struct box *b = box_by_id(a, id);
    if (!b)
        return ERR_GONE;
    *ret_box = &b->pub;
    return OK;
}

fallible mailbox_recent(struct account *a, struct mailbox_id id, bool claim, struct uid *ret_first)
{
    account_assert_usable(a);
    struct box *b = box_by_id(a, id);
    if (!b)
        return ERR_GONE;
    uint32_t first = b->recent;
    if (claim && b->recent != b->pub.uidnext) {
        TRY(account_begin(a));
        b->recent = b->pub.uidnext;
        /* Not news to anybody: the row is written without a new modseq. */
        if (list_is_empty(&b->touched))
            list_add(&a->touched, &b->touched);
        account_changed(a);
        TRY(account_commit(a));
    }
    ret_first->v = first;
    return OK;
}

/* ------------------------------------------------------------------------------------------------ subscriptions */

static fallible subscription_find(struct account *a, struct slice name, bool *ret_is)
{
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, SQL_SUBSCRIPTION_FIND);
    stmt_bind(st, "t", name);
    enum err e = stmt_step(st);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_is = e == OK;
    return OK;
}

static fallible subscription_set(struct account *a, struct slice name, bool on)
{
    struct stmt *st = db_stmt(a->db, on ? SQL_SUBSCRIPTION_ADD : SQL_SUBSCRIPTION_DROP);
    stmt_bind(st, "t", name);
    TRY(stmt_run(st));
    struct box *b = find(a, name);
    if (b)
        b->pub.subscribed = on;
    account_changed(a);
    return OK;
}

/* Names without a mailbox count against the same ceiling as mailboxes. */
static fallible subscription_room(struct account *a)
{
    int64_t count = 0;
    TRY(db_query_int(a->db, "SELECT count(*) FROM subscription", &count));
    return count >= LIMIT_MAILBOXES ? ERR_LIMIT : OK;
}

fallible mailbox_subscribe(struct account *a, struct slice name, bool on)
{
    account_assert_usable(a);
    struct name n;
    bool is;
    TRY(name_make(name, &n));
    TRY(subscription_find(a, name_slice(&n), &is));
    if (is == on)
        return OK;
    if (on)
        TRY(subscription_room(a));
    TRY(account_begin(a));
    return account_end(a, subscription_set(a, name_slice(&n), on));
}

/* ------------------------------------------------------------------------------------------------------- making */

fallible mailbox_make_one(struct account *a, struct slice name, unsigned use, struct box **ret_box)
{
    bool subscribed;
    TRY(subscription_find(a, name, &subscribed));
    struct box *b = box_new(a, name);
    b->pub.id.v = a->next_mailbox++;
    b->pub.uidvalidity = a->next_uidvalidity++;
    b->pub.object_id = random_id64() >> 1;
    b->pub.use = use;
    b->pub.uidnext = b->recent = 1;
    b->pub.modseq = account_modseq(a);
    b->pub.subscribed = subscribed;
    box_add(a, b);
    account_touch(a);
    struct stmt *st = db_stmt(a->db, SQL_BOX_ADD);
    stmt_bind(
        st, "itiiii", b->pub.id.v, b->pub.name, (int64_t)b->pub.uidvalidity, (int64_t)b->pub.object_id,
        (int64_t)use, (int64_t)b->pub.modseq);
    *ret_box = b;
    return stmt_run(st);
}

/* Those parents of `name` that do not exist. */
fallible mailbox_make_parents(struct account *a, struct slice name)
{
    for (size_t i = 0; i < name.n; i++) {
        struct slice parent = slice_sub(name, 0, i);
        struct box *ignored;
        if (name.p[i] == '/' && !find(a, parent))
            TRY(mailbox_make_one(a, parent, USE_NONE, &ignored));
    }
    return OK;
}

static size_t missing(struct account *a, struct slice name)
{
    size_t count = find(a, name) ? 0 : 1;
    for (size_t i = 0; i < name.n; i++)
        count += name.p[i] == '/' && !find(a, slice_sub(name, 0, i));
    return count;
}

/* Room for the mailbox and its parents, and numbers left to name them. */
fallible mailbox_check_room(struct account *a, struct slice name)
{
    if (a->by_id.count + missing(a, name) > LIMIT_MAILBOXES)
        return ERR_LIMIT;
    return a->next_uidvalidity > UINT32_MAX - LIMIT_MAILBOX_LEVELS ||
                   a->next_mailbox > INT32_MAX - LIMIT_MAILBOX_LEVELS
               ? ERR_LIMIT
               : OK;
}

static fallible make_with_parents(struct account *a, struct slice name, unsigned use, struct box **ret_box)
{
    TRY(mailbox_make_parents(a, name));
    return mailbox_make_one(a, name, use, ret_box);
}

fallible mailbox_create(struct account *a, struct slice name, unsigned use, struct mailbox_id *ret_id)
{
    account_assert_usable(a);
    struct name n;
    struct box *b = NULL;
    if (name.n > 1 && name.p[name.n - 1] == '/')
        name.n--; /* RFC 3501 6.3.3: "I intend to make mailboxes below it" */
    TRY(name_make(name, &n));
    if (find(a, name_slice(&n)))
        return ERR_EXISTS;
    TRY(mailbox_check_room(a, name_slice(&n)));
    TRY(account_begin(a));
    enum err e = make_with_parents(a, name_slice(&n), use, &b);
    struct mailbox_id id = {e == OK ? b->pub.id.v : 0};
    TRY(account_end(a, e));
    *ret_id = id;
    return OK;
}

/* ----------------------------------------------------------------------------------------------------- deleting */

static fallible run_for_box(struct account *a, unsigned statement, const struct box *b)
{
    struct stmt *st = db_stmt(a->db, statement);
    stmt_bind(st, "i", b->pub.id.v);
    return stmt_run(st);
}

/* The messages are many: they are removed some at a time by tidy.c, and count no more from now on. */
static fallible delete_rows(struct account *a, struct box *b)
{
    (void)account_modseq(a); /* the floor of the account: its modseqs do not come again (INV-16) */
    account_touch(a);
    TRY(run_for_box(a, SQL_BOX_DROP, b));
    TRY(run_for_box(a, SQL_KEYWORD_DROP_ALL, b));
    TRY(run_for_box(a, SQL_EXPUNGED_DROP_ALL, b));
    TRY(run_for_box(a, SQL_GRAVE_ADD, b));
    watches_mark(a, b->pub.id);
    a->bytes -= b->pub.bytes;
    a->messages -= b->pub.messages;
    if (b->pub.messages) {
        a->graves = true;
        a->want_checkpoint = a->job_idle = true;
    }
    box_drop(a, b);
    return OK;
}

fallible mailbox_delete(struct account *a, struct slice name)
{
    struct box *b;
    TRY(find_typed(a, name, &b));
    if (name_is_inbox(b->pub.name))
        return ERR_DENIED;
    TRY(account_begin(a));
    return account_end(a, delete_rows(a, b));
}
