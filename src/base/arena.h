/* arena.h - memory that is freed all at once, up to a ceiling.                  room: base   runs in: all
 *
 * An arena per command inside an arena per session: lifetime becomes a place. Every arena is born with a
 * ceiling (limits.h); arena_alloc returns NULL at the ceiling and `failed` stays set, so that a builder may
 * ask once at the end (arena_check). Memory is zeroed by arena_zalloc, ARENA_NEW and
 * arena_array alone.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    size_t used;  /* bytes handed out */
    size_t limit; /* ceiling of `used` */
    bool failed;
};

#define ARENA_INIT(limit_) ((struct arena){.limit = (limit_)})
#define CLEANUP_ARENA __attribute__((cleanup(arena_done)))

void arena_init(struct arena *a, size_t limit);
/* Frees everything; the arena may be used again. */
void arena_done(struct arena *a);
/* Frees all but one small chunk: for the next command. */
void arena_clear(struct arena *a);
/* The same after zeroing what was handed out: a command may have held a password. */
void arena_wipe(struct arena *a);
/* 16-byte aligned; NULL at the ceiling. */
void *arena_alloc(struct arena *a, size_t n);
/* Zeroed. */
void *arena_zalloc(struct arena *a, size_t n);
#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
/* `count` zeroed elements; overflow-safe. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy; the empty slice (with failed set) at the ceiling. A NUL is kept behind it. */
struct slice arena_copy(struct arena *a, struct slice s);
const char *arena_cstr(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
fallible arena_check(const struct arena *a);

#endif
