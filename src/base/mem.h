/* mem.h - the heap for small fixed needs: does not return on failure.           room: base   runs in: all
 *
 * Anything whose size a peer can influence comes from an arena or a buf with a ceiling instead.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed. */
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull));
void *mem_resize(void *p, size_t n) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((returns_nonnull));
/* Frees *pp and sets it to NULL. */
#define mem_free(pp)                                                                                         \
    do {                                                                                                     \
        free(*(pp));                                                                                         \
        *(pp) = NULL;                                                                                        \
    } while (0)

/* Before other threads: all threads share one heap. What a pool thread took for a database that the loop closes later would
 * otherwise lie in a heap of its own, where nobody uses it again. */
void mem_share_heap(void);
/* Gives unused pages back to the system. Walks the heap: after much was freed that will not be wanted soon. */
void mem_trim(void);

#define NEW(type) ((type *)mem_alloc(sizeof(type)))

/* Hand-over of something that a cleanup attribute would end: returns it and leaves `none` behind. */
#define TAKE(var, none)                                                                                      \
    ({                                                                                                       \
        __typeof__(var) taken_ = (var);                                                                      \
        (var) = (none);                                                                                      \
        taken_;                                                                                              \
    })

#endif
