#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    _Alignas(16) char data[];
};

enum { CHUNK_MIN = 1024, CHUNK_MAX = 64 * 1024 };

void arena_init(struct arena *a, size_t limit)
{
    *a = ARENA_INIT(limit);
}

void arena_done(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    a->used = 0;
    a->failed = false;
}

void arena_clear(struct arena *a)
{
    struct arena_chunk *keep = NULL;
    while (a->chunks) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        if (!keep && chunk->size <= 4 * CHUNK_MIN)
            keep = chunk;
        else
            free(chunk);
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    a->chunks = keep;
    a->used = 0;
    a->failed = false;
}

void arena_wipe(struct arena *a)
{
    for (struct arena_chunk *chunk = a->chunks; chunk; chunk = chunk->next)
        explicit_bzero(chunk->data, chunk->used);
    arena_clear(a);
}

static struct arena_chunk *add_chunk(struct arena *a, size_t n)
{
    size_t size = a->chunks ? a->chunks->size * 2 : CHUNK_MIN;
    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    if (size < n)
        size = n;
    struct arena_chunk *chunk = mem_resize(NULL, sizeof *chunk + size);
    *chunk = (struct arena_chunk){.next = a->chunks, .size = size};
    a->chunks = chunk;
    return chunk;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > a->limit || a->used > a->limit - n) {
        a->failed = true;
        return NULL;
    }
    size_t rounded = (n + 15) & ~(size_t)15;
    struct arena_chunk *chunk = a->chunks;
    if (!chunk || chunk->size - chunk->used < rounded)
        chunk = add_chunk(a, rounded ? rounded : 16);
    void *p = chunk->data + chunk->used;
    chunk->used += rounded;
    a->used += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    void *p = arena_alloc(a, n);
    return p ? memset(p, 0, n) : NULL;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) {
        a->failed = true;
        return NULL;
    }
    return arena_zalloc(a, n);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (!p)
        return SLICE_EMPTY;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return slice_of(p, s.n);
}

const char *arena_cstr(struct arena *a, struct slice s)
{
    return arena_copy(a, s).p;
}

struct slice arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return p ? slice_of(p, (size_t)n) : SLICE_EMPTY;
}

fallible arena_check(const struct arena *a)
{
    return a->failed ? ERR_LIMIT : OK;
}
