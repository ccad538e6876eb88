#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void *mem_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        log_fatal("out of memory");
    return p;
}

void *mem_resize(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        log_fatal("out of memory");
    return p;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

void mem_share_heap(void)
{
    mallopt(M_ARENA_MAX, 1);
}

void mem_trim(void)
{
    malloc_trim(0);
}
