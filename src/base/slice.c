#include "base/slice.h"

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq(slice_of(s.p, prefix.n), prefix);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq_nocase(slice_of(s.p, prefix.n), prefix);
}

bool slice_ends(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && slice_eq(slice_from(s, s.n - suffix.n), suffix);
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && slice_eq_nocase(slice_from(s, s.n - suffix.n), suffix);
}

size_t slice_find(struct slice s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : SLICE_NPOS;
}

size_t slice_rfind(struct slice s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : SLICE_NPOS;
}

size_t slice_search(struct slice s, struct slice needle)
{
    if (needle.n == 0)
        return 0;
    const char *at = s.n < needle.n ? NULL : memmem(s.p, s.n, needle.p, needle.n);
    return at ? (size_t)(at - s.p) : SLICE_NPOS;
}

size_t slice_search_nocase(struct slice s, struct slice needle)
{
    for (size_t i = 0; i + needle.n <= s.n; i++)
        if (slice_eq_nocase(slice_of(s.p + i, needle.n), needle))
            return i;
    return SLICE_NPOS;
}

bool slice_has(struct slice s, char c)
{
    return slice_find(s, c) != SLICE_NPOS;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.n && is_blank(s.p[0]))
        s = slice_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool slice_cut(struct slice *rest, char separator, struct slice *ret_word)
{
    if (!rest->p)
        return false;
    size_t at = slice_find(*rest, separator);
    if (at == SLICE_NPOS) {
        *ret_word = *rest;
        *rest = SLICE_EMPTY;
    } else {
        *ret_word = slice_sub(*rest, 0, at);
        *rest = slice_from(*rest, at + 1);
    }
    return true;
}

fallible slice_to_u64(struct slice s, uint64_t max, uint64_t *ret_value)
{
    if (s.n == 0)
        return ERR_SYNTAX;
    uint64_t value = 0;
    bool over = false;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return ERR_SYNTAX;
        over |= __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value);
    }
    if (over || value > max)
        return ERR_LIMIT;
    *ret_value = value;
    return OK;
}
