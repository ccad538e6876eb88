#include "imap/wire/scan.h"

#include "base/utf8.h"

fallible scan_bad(struct imap_scan *s, const char *problem)
{
    s->problem = problem;
    return ERR_SYNTAX;
}

fallible scan_limit(struct imap_scan *s, const char *problem)
{
    s->problem = problem;
    return ERR_LIMIT;
}

fallible scan_memory(struct imap_scan *s)
{
    return s->arena->failed ? scan_limit(s, "command too large") : OK;
}

bool scan_take(struct imap_scan *s, char c)
{
    bool taken = scan_sees(s, c);
    if (taken)
        s->rest = slice_from(s->rest, 1);
    return taken;
}

bool scan_take_word(struct imap_scan *s, const char *word)
{
    struct slice w = slice_str(word);
    bool taken = slice_starts_nocase(s->rest, w);
    if (taken)
        s->rest = slice_from(s->rest, w.n);
    return taken;
}

fallible scan_char(struct imap_scan *s, char c)
{
    return scan_take(s, c) ? OK : scan_bad(s, "syntax error in arguments");
}

fallible scan_space(struct imap_scan *s)
{
    if (scan_at_end(s))
        return scan_bad(s, "arguments missing");
    return scan_take(s, ' ') ? OK : scan_bad(s, "space expected");
}

fallible scan_end(struct imap_scan *s)
{
    return scan_at_end(s) ? OK : scan_bad(s, "unexpected octets behind the arguments");
}

fallible scan_run(struct imap_scan *s, bool (*is)(char), struct slice *ret_word)
{
    size_t n = 0;
    while (n < s->rest.n && is(s->rest.p[n]))
        n++;
    if (!n)
        return scan_bad(s, scan_at_end(s) ? "arguments missing" : "syntax error in arguments");
    *ret_word = slice_sub(s->rest, 0, n);
    s->rest = slice_from(s->rest, n);
    return OK;
}

fallible scan_atom(struct imap_scan *s, struct slice *ret_word)
{
    return scan_run(s, imap_is_atom_char, ret_word);
}

static bool is_keyword_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || c == '=';
}

fallible scan_keyword(struct imap_scan *s, struct slice *ret_word)
{
    return scan_run(s, is_keyword_char, ret_word);
}

/* Copies the inside of a quoted string without its backslashes. */
static fallible scan_unescape(struct imap_scan *s, struct slice inside, struct slice *ret_text)
{
    char *copy = arena_alloc(s->arena, inside.n + 1);
    TRY(scan_memory(s));
    size_t n = 0;
    for (size_t i = 0; i < inside.n; i++) {
        if (inside.p[i] == '\\')
            i++;
        copy[n++] = inside.p[i];
    }
    *ret_text = slice_of(copy, n);
    return OK;
}

/* RFC 3501 9 "quoted": no CR, LF, NUL; backslash only before itself and the quote; 8-bit only as enabled UTF-8. */
static fallible scan_quoted(struct imap_scan *s, struct slice *ret_text)
{
    bool escaped = false, high = false;
    size_t i = 1;
    for (; i < s->rest.n && s->rest.p[i] != '"'; i++) {
        char c = s->rest.p[i];
        if (c == '\r' || c == '\n' || c == '\0')
            return scan_bad(s, "unfinished quoted string");
        high |= (unsigned char)c >= 0x80;
        if (c != '\\')
            continue;
        escaped = true;
        i++;
        if (i == s->rest.n || (s->rest.p[i] != '"' && s->rest.p[i] != '\\'))
            return scan_bad(s, "wrong escape in a quoted string");
    }
    if (i >= s->rest.n)
        return scan_bad(s, "unfinished quoted string");
    struct slice inside = slice_sub(s->rest, 1, i - 1);
    if (high && !(s->utf8 && utf8_is_valid(inside)))
        return scan_bad(s, "8-bit characters in a quoted string");
    s->rest = slice_from(s->rest, i + 1);
    if (escaped)
        return scan_unescape(s, inside, ret_text);
    *ret_text = inside;
    return OK;
}

/* The reader has seen to it that as many octets follow as are announced; checked all the same. */
static fallible scan_literal(struct imap_scan *s, struct slice *ret_text)
{
    size_t lf = slice_find(s->rest, '\n');
    if (lf == SLICE_NPOS || lf < 3 || s->rest.p[lf - 1] != '\r')
        return scan_bad(s, "malformed literal");
    struct slice digits = slice_sub(s->rest, 1, lf - 2);
    if (!slice_ends(digits, S("}")))
        return scan_bad(s, "malformed literal");
    digits.n--;
    if (slice_ends(digits, S("+")))
        digits.n--;
    uint64_t n;
    if (slice_to_u64(digits, s->rest.n - lf - 1, &n) != OK)
        return scan_bad(s, "malformed literal");
    struct slice text = slice_sub(s->rest, lf + 1, n);
    if (slice_has(text, '\0'))
        return scan_bad(s, "NUL in a literal");
    s->rest = slice_from(s->rest, lf + 1 + n);
    *ret_text = text;
    return OK;
}

fallible scan_string(struct imap_scan *s, struct slice *ret_text)
{
    if (scan_sees(s, '"'))
        return scan_quoted(s, ret_text);
    if (scan_sees(s, '{'))
        return scan_literal(s, ret_text);
    return scan_bad(s, scan_at_end(s) ? "arguments missing" : "string expected");
}

static fallible scan_string_or_run(struct imap_scan *s, bool (*is)(char), struct slice *ret_text)
{
    if (scan_sees(s, '"') || scan_sees(s, '{'))
        return scan_string(s, ret_text);
    return scan_run(s, is, ret_text);
}

fallible scan_astring(struct imap_scan *s, struct slice *ret_text)
{
    return scan_string_or_run(s, imap_is_astring_char, ret_text);
}

fallible scan_list_string(struct imap_scan *s, struct slice *ret_text)
{
    return scan_string_or_run(s, imap_is_list_char, ret_text);
}

fallible scan_nstring(struct imap_scan *s, struct slice *ret_text)
{
    if (!scan_take_word(s, "NIL"))
        return scan_string(s, ret_text);
    *ret_text = SLICE_EMPTY;
    return OK;
}

static bool is_digit(char c)
{
    return ascii_is_digit(c);
}

fallible scan_number(struct imap_scan *s, uint64_t max, uint64_t *ret_number)
{
    struct slice digits;
    uint64_t n;
    TRY(scan_run(s, is_digit, &digits));
    if ((digits.n > 1 && digits.p[0] == '0') || slice_to_u64(digits, max, &n) != OK)
        return scan_bad(s, "number out of range");
    *ret_number = n;
    return OK;
}

fallible scan_deeper(struct imap_scan *s)
{
    if (s->depth == s->limits->nesting)
        return scan_limit(s, "too deeply nested");
    s->depth++;
    return OK;
}

void scan_shallower(struct imap_scan *s)
{
    s->depth--;
}

fallible scan_open(struct imap_scan *s)
{
    TRY(scan_char(s, '('));
    return scan_deeper(s);
}

fallible scan_close(struct imap_scan *s)
{
    TRY(scan_char(s, ')'));
    scan_shallower(s);
    return OK;
}

fallible scan_list_add(struct imap_scan *s, struct scan_list *list, void **ret_item)
{
    if (list->n == list->limit)
        return scan_limit(s, "too many items");
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 4;
        void *items = arena_array(s->arena, cap, list->size);
        TRY(scan_memory(s));
        if (list->n)
            memcpy(items, list->items, list->n * list->size);
        list->items = items;
        list->cap = cap;
    }
    *ret_item = (char *)list->items + list->n++ * list->size;
    return OK;
}
