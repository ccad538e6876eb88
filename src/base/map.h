/* map.h - hash maps from bytes or 64-bit ids to pointers.                      room: base   runs in: all
 *
 * Open addressing, seeded SipHash-like mixing from a per-process random seed, so that a stranger cannot aim
 * at collisions. Keys of bytes are borrowed: they must live as long as their entry (point into the value).
 * `limit` is the most entries; map_add answers ERR_LIMIT there.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/slice.h"

struct map_entry;
struct map {
    struct map_entry *entries;
    size_t cap, count, tombs, limit;
};

#define MAP_INIT(limit_) ((struct map){.limit = (limit_)})
void map_init(struct map *m, size_t limit);
void map_done(struct map *m);
/* ERR_EXISTS, ERR_LIMIT. */
fallible map_add(struct map *m, struct slice key, void *value);
void *map_find(const struct map *m, struct slice key); /* NULL when missing */
void *map_drop(struct map *m, struct slice key);       /* returns what was there */
/* The id is hashed by value; the caller keeps it alive inside the value (pass its address). */
static inline struct slice map_id(const uint64_t *id)
{
    return slice_of(id, sizeof *id);
}
/* Iterates: start with *at = 0; false at the end. Dropping the current entry is allowed, adding is not. */
bool map_next(const struct map *m, size_t *at, void **ret_value);

#endif
