#include "keeper/poisoned.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

/* The key of the map: without holes between its members. */
struct key {
    struct account_id account;
    uint64_t message;
};
static_assert(sizeof(struct key) == sizeof(struct account_id) + sizeof(uint64_t), "a hole in the key");

struct entry {
    struct list link; /* oldest first */
    struct key key;
};

struct poisoned_set {
    struct map by_key;
    struct list by_age;
};

static struct slice key_slice(const struct key *key)
{
    return slice_of(key, sizeof *key);
}

static void drop(struct poisoned_set *set, struct entry *e)
{
    map_drop(&set->by_key, key_slice(&e->key));
    list_drop(&e->link);
    free(e);
}

struct poisoned_set *poisoned_new(void)
{
    struct poisoned_set *set = NEW(struct poisoned_set);
    map_init(&set->by_key, LIMIT_POISON_ENTRIES);
    list_init(&set->by_age);
    return set;
}

void poisoned_free(struct poisoned_set **set_ptr)
{
    struct poisoned_set *set = *set_ptr;
    *set_ptr = NULL;
    if (!set)
        return;
    LIST_EACH (&set->by_age, struct entry, link, e) {
        drop(set, e);
    }
    map_done(&set->by_key);
    free(set);
}

bool poisoned_add(struct poisoned_set *set, const struct account_id *account, uint64_t message)
{
    if (poisoned_has(set, account, message))
        return false;
    if (set->by_key.count == LIMIT_POISON_ENTRIES)
        drop(set, LIST_FIRST(&set->by_age, struct entry, link));
    struct entry *e = NEW(struct entry);
    e->key = (struct key){.account = *account, .message = message};
    list_add(&set->by_age, &e->link);
    IGNORE(map_add(&set->by_key, key_slice(&e->key), e), "there is room, and it was not there");
    return true;
}

bool poisoned_has(const struct poisoned_set *set, const struct account_id *account, uint64_t message)
{
    struct key key = {.account = *account, .message = message};
    return set && set->by_key.count && map_find(&set->by_key, key_slice(&key)) != NULL;
}
