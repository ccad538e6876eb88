/* slice.h - borrowed bytes: a pointer and a length, passed by value.          room: base   runs in: all
 *
 * Mail contains NULs, so nothing here asks strlen of foreign data. A slice never owns; it is good as long as
 * what it points into (an arena, a buffer, a literal).
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct slice {
    const char *p;
    size_t n;
};

/* For printf-like functions: printf("%.*s", SLICE_ARG(s)). */
#define SLICE_FMT "%.*s"
#define SLICE_ARG(s) ((int)(s).n), ((s).p ? (s).p : "")
/* A slice of a string literal. */
#define S(literal) ((struct slice){("" literal), sizeof(literal) - 1})
#define SLICE_EMPTY ((struct slice){NULL, 0})

static inline struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){(const char *)p, n};
}

/* Of a C string of our own; NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
    return s ? (struct slice){s, strlen(s)} : SLICE_EMPTY;
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII case folding only. */
bool slice_eq_nocase(struct slice a, struct slice b);
int slice_cmp(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
bool slice_ends_nocase(struct slice s, struct slice suffix);

/* The part from `from` on, or of at most `n` bytes from there; clamped to what is there. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    return from >= s.n ? (struct slice){s.p ? s.p + s.n : NULL, 0} : (struct slice){s.p + from, s.n - from};
}

static inline struct slice slice_sub(struct slice s, size_t from, size_t n)
{
    s = slice_from(s, from);
    if (s.n > n)
        s.n = n;
    return s;
}

#define SLICE_NPOS ((size_t)-1)
/* Index of the first (last) byte `c`, or SLICE_NPOS. */
size_t slice_find(struct slice s, char c);
size_t slice_rfind(struct slice s, char c);
/* Index of the first `needle`, or SLICE_NPOS; the empty needle is at 0. */
size_t slice_search(struct slice s, struct slice needle);
size_t slice_search_nocase(struct slice s, struct slice needle);
bool slice_has(struct slice s, char c);

/* Without leading and trailing SP, HTAB, CR, LF. */
struct slice slice_trim(struct slice s);

/* Takes what is before the first `separator` off the front of *rest into *ret_word and skips the separator;
 * the last word is what is left. False when *rest was exhausted (its p is NULL then). */
bool slice_cut(struct slice *rest, char separator, struct slice *ret_word);

/* The whole slice is decimal digits, without sign or blank; leading zeros are fine. ERR_SYNTAX, or ERR_LIMIT above `max`. */
fallible slice_to_u64(struct slice s, uint64_t max, uint64_t *ret_value);

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}
static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif
