/* buf.h - owned bytes that grow up to a ceiling, with sticky errors.           room: base   runs in: all
 *
 * Append as you like and ask once at the end: after a failed append (ceiling) `failed` stays set and later
 * appends do nothing. Memory comes from the heap; buf_done frees it, buf_wipe zeroes it first. No constructor
 * without a limit.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/slice.h"

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t limit;
    bool failed;
};

#define BUF_INIT(limit_) ((struct buf){.limit = (limit_)})
#define CLEANUP_BUF __attribute__((cleanup(buf_done)))

void buf_init(struct buf *b, size_t limit);
void buf_done(struct buf *b);
/* Zeroes the contents, then frees. */
void buf_wipe(struct buf *b);
/* Forgets contents and the error, keeps memory. */
void buf_clear(struct buf *b);

void buf_put(struct buf *b, struct slice s);
void buf_put_str(struct buf *b, const char *s);
void buf_put_char(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Room for n more bytes to be written by the caller at the returned place, then buf_added(). NULL on the
 * ceiling. */
char *buf_reserve(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
/* Takes n bytes off the front (memmove); n at most b->n. */
void buf_drop_front(struct buf *b, size_t n);
/* Frees the memory of an empty buffer: what idle sessions call. */
void buf_release(struct buf *b);

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->p, b->n);
}
/* OK, or ERR_LIMIT once an append has failed. */
fallible buf_check(const struct buf *b);
/* The contents as a C string (a NUL is kept behind them), for system calls; NULL when failed. */
const char *buf_cstr(struct buf *b);

#endif
