/* table.h - a bounded table of counters that forgets the least recently used.   room: guard   runs in: vault
 *
 * Entries are of one fixed size and begin with struct guard_entry; keys are up to GUARD_KEY octets. When the table is
 * full, the entry untouched for longest makes room: a stranger can spend our memory only up to the table's limit, and a
 * guesser who floods it with other keys loses no more than a pause. Hashing is seeded (base/map.h).
 */
#ifndef GUARD_TABLE_H
#define GUARD_TABLE_H

#include "base/list.h"
#include "base/map.h"

enum { GUARD_KEY = 32 };

struct guard_entry {
    struct list used; /* least recently used first */
    uint64_t touched; /* when it was last made or changed: guard_table_expire */
    uint8_t key_n;
    uint8_t key[GUARD_KEY];
};

struct guard_table {
    struct map map;
    struct list used;
    size_t entry_size;
    void (*done)(struct guard_entry *e); /* before an entry is freed; may be NULL */
};

void guard_table_init(
    struct guard_table *t, size_t limit, size_t entry_size, void (*done)(struct guard_entry *e));
void guard_table_done(struct guard_table *t);
/* NULL when there is none. */
void *guard_table_find(const struct guard_table *t, struct slice key);
/* Found, or made (zeroed behind the head); the most recently used now. Never NULL. */
void *guard_table_have(struct guard_table *t, uint64_t now_ms, struct slice key);
/* Frees entries not touched for that long. */
void guard_table_expire(struct guard_table *t, uint64_t now_ms, uint64_t age_ms);
void guard_table_drop(struct guard_table *t, struct slice key);

#endif
