#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void buf_init(struct buf *b, size_t limit)
{
    *b = BUF_INIT(limit);
}

void buf_done(struct buf *b)
{
    free(b->p);
    *b = BUF_INIT(b->limit);
}

void buf_wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_done(b);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed || n > b->limit || b->n > b->limit - n) {
        b->failed = true;
        return NULL;
    }
    if (b->n + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 64;
        while (cap < b->n + n + 1)
            cap *= 2;
        if (cap > b->limit + 1)
            cap = b->limit + 1;
        b->p = mem_resize(b->p, cap);
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_added(struct buf *b, size_t n)
{
    assert(b->n + n < b->cap);
    b->n += n;
}

void buf_put(struct buf *b, struct slice s)
{
    char *at = s.n ? buf_reserve(b, s.n) : NULL;
    if (at) {
        memcpy(at, s.p, s.n);
        b->n += s.n;
    }
}

void buf_put_str(struct buf *b, const char *s)
{
    buf_put(b, slice_str(s));
}

void buf_put_char(struct buf *b, char c)
{
    buf_put(b, slice_of(&c, 1));
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    buf_put(b, slice_of(digits + at, sizeof digits - at));
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    char small[256];
    int n = vsnprintf(small, sizeof small, format, args);
    assert(n >= 0);
    if ((size_t)n < sizeof small) {
        buf_put(b, slice_of(small, (size_t)n));
    } else {
        char *at = buf_reserve(b, (size_t)n);
        if (at) {
            vsnprintf(at, (size_t)n + 1, format, again);
            b->n += (size_t)n;
        }
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

void buf_drop_front(struct buf *b, size_t n)
{
    assert(n <= b->n);
    b->n -= n;
    if (b->n)
        memmove(b->p, b->p + n, b->n);
}

void buf_release(struct buf *b)
{
    if (b->n == 0) {
        free(b->p);
        b->p = NULL;
        b->cap = 0;
    }
}

fallible buf_check(const struct buf *b)
{
    return b->failed ? ERR_LIMIT : OK;
}

const char *buf_cstr(struct buf *b)
{
    if (b->failed)
        return NULL;
    if (!b->p) {
        b->p = mem_alloc(1);
        b->cap = 1;
    }
    b->p[b->n] = '\0';
    return b->p;
}
