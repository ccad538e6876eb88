/* list.c - all names of an account in order: mailboxes, parents that do not exist, subscriptions without a mailbox. */
#include <stdlib.h>

#include "store/private.h"

struct listing {
    struct account *a;
    struct arena *mem;
    struct mailbox_entry *entries;
    size_t count, cap;
    struct map seen; /* names that are no mailbox */
};

static fallible add(struct listing *l, struct mailbox_entry entry)
{
    if (l->count == l->cap) {
        size_t cap = l->cap * 2;
        struct mailbox_entry *more = arena_array(l->mem, cap, sizeof *more);
        if (!more)
            return ERR_LIMIT;
        memcpy(more, l->entries, l->count * sizeof *more);
        l->entries = more;
        l->cap = cap;
    }
    l->entries[l->count++] = entry;
    return OK;
}

/* A name that is no mailbox: once. */
static fallible add_missing(struct listing *l, struct slice name, bool subscribed)
{
    if (map_find(&l->a->by_name, name) || map_find(&l->seen, name))
        return OK;
    struct slice copy = arena_copy(l->mem, name);
    if (!copy.p)
        return ERR_LIMIT;
    TRY(map_add(&l->seen, copy, (void *)(uintptr_t)copy.p));
    return add(l, (struct mailbox_entry){.name = copy, .subscribed = subscribed});
}

static fallible add_boxes(struct listing *l)
{
    size_t at = 0;
    void *value;
    while (map_next(&l->a->by_name, &at, &value)) {
        const struct box *b = value;
        TRY(add(
            l, (struct mailbox_entry){.name = b->pub.name, .box = &b->pub, .subscribed = b->pub.subscribed}));
    }
    return OK;
}

static fallible add_subscriptions(struct listing *l)
{
    struct stmt *st CLEANUP_STMT = db_stmt(l->a->db, SQL_SUBSCRIPTION_LOAD);
    enum err e;
    while ((e = stmt_step(st)) == OK)
        TRY(add_missing(l, stmt_col(st, 0), true));
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible add_parents(struct listing *l)
{
    for (size_t i = 0, boxes = l->count; i < boxes; i++) {
        struct slice name = l->entries[i].name;
        for (size_t n = 1; l->entries[i].box && n < name.n; n++)
            if (name.p[n] == '/')
                TRY(add_missing(l, slice_sub(name, 0, n), false));
    }
    return OK;
}

static int by_name(const void *x, const void *y)
{
    return name_cmp(((const struct mailbox_entry *)x)->name, ((const struct mailbox_entry *)y)->name);
}

/* In this order all that is below a name stands right behind it. */
static void mark_children(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = i + 1; k < l->count && name_is_below(l->entries[k].name, l->entries[i].name); k++)
            if (l->entries[k].box) {
                l->entries[i].has_children = true;
                break;
            }
}

static fallible fill(struct listing *l)
{
    l->cap = l->a->by_name.count + 16;
    l->entries = arena_array(l->mem, l->cap, sizeof *l->entries);
    if (!l->entries)
        return ERR_LIMIT;
    TRY(add_boxes(l));
    TRY(add_subscriptions(l));
    TRY(add_parents(l));
    qsort(l->entries, l->count, sizeof *l->entries, by_name);
    mark_children(l);
    return OK;
}

fallible
mailbox_list(struct account *a, struct arena *mem, struct mailbox_entry **ret_entries, size_t *ret_count)
{
    account_assert_usable(a);
    struct listing l = {.a = a, .mem = mem, .seen = MAP_INIT(LIMIT_MAILBOXES * LIMIT_MAILBOX_LEVELS)};
    enum err e = fill(&l);
    map_done(&l.seen);
    if (e != OK)
        return e;
    *ret_entries = l.entries;
    *ret_count = l.count;
    return OK;
}
