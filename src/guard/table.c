#include "guard/table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void guard_table_init(
    struct guard_table *t, size_t limit, size_t entry_size, void (*done)(struct guard_entry *e))
{
    assert(limit > 0 && entry_size >= sizeof(struct guard_entry));
    map_init(&t->map, limit);
    list_init(&t->used);
    t->entry_size = entry_size;
    t->done = done;
}

static void drop(struct guard_table *t, struct guard_entry *e)
{
    map_drop(&t->map, slice_of(e->key, e->key_n));
    list_drop(&e->used);
    if (t->done)
        t->done(e);
    free(e);
}

void guard_table_done(struct guard_table *t)
{
    LIST_EACH (&t->used, struct guard_entry, used, e)
        drop(t, e);
    map_done(&t->map);
}

void *guard_table_find(const struct guard_table *t, struct slice key)
{
    return map_find(&t->map, key);
}

void *guard_table_have(struct guard_table *t, uint64_t now, struct slice key)
{
    struct guard_entry *e = map_find(&t->map, key);
    if (!e) {
        assert(key.n > 0 && key.n <= GUARD_KEY);
        if (t->map.count >= t->map.limit)
            drop(t, LIST_FIRST(&t->used, struct guard_entry, used));
        e = mem_alloc(t->entry_size);
        e->key_n = (uint8_t)key.n;
        memcpy(e->key, key.p, key.n);
        enum err added = map_add(&t->map, slice_of(e->key, e->key_n), e);
        assert(added == OK);
    }
    list_drop(&e->used);
    list_add(&t->used, &e->used);
    e->touched = now;
    return e;
}

void guard_table_expire(struct guard_table *t, uint64_t now, uint64_t age)
{
    struct guard_entry *e;
    while ((e = LIST_FIRST(&t->used, struct guard_entry, used)) && now - e->touched >= age)
        drop(t, e);
}

void guard_table_drop(struct guard_table *t, struct slice key)
{
    struct guard_entry *e = map_find(&t->map, key);
    if (e)
        drop(t, e);
}
