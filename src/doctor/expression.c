#include "doctor/expression.h"

#include <assert.h>

#include "base/buf.h"
#include "base/limits.h"

enum { FRAGMENTS_MAX = 16, BRACES_MAX = 32, WRITTEN_MAX = 1024, LEAST = 3 };

/* ------------------------------------------------------------------------------------------------- compilation */

struct ways {
    struct arena *arena;
    struct expression *rows;
    size_t count;
};

static bool is_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* One sign of a flat expression; `special` when it is not meant as itself. */
struct sign {
    char c;
    bool special;
};

static fallible next_sign(struct slice *rest, struct sign *ret_sign)
{
    bool escaped = rest->p[0] == '\\';
    if (escaped && rest->n < 2)
        return ERR_SYNTAX;
    ret_sign->c = rest->p[escaped ? 1 : 0];
    ret_sign->special = !escaped;
    *rest = slice_from(*rest, escaped ? 2 : 1);
    return OK;
}

struct flat {
    struct fragment fragments[FRAGMENTS_MAX];
    size_t count;
    struct buf text; /* of the fragment being read */
    bool glued;      /* it began right behind a gap */
    bool at_start, at_end, open_end;
};

static void put_octet(struct buf *text, char c)
{
    bool blank = c == ' ' || c == '\t';
    if (!blank || (text->n && text->p[text->n - 1] != ' '))
        buf_put_char(text, blank ? ' ' : c);
}

/* `glued`: a gap follows without a blank. */
static fallible end_fragment(struct flat *f, struct arena *arena, bool gap_follows)
{
    bool blank = f->text.n && f->text.p[f->text.n - 1] == ' ';
    struct slice text = slice_sub(buf_slice(&f->text), 0, f->text.n - (blank ? 1 : 0));
    if (text.n == 0 || f->count == FRAGMENTS_MAX)
        return ERR_SYNTAX;
    struct fragment *out = &f->fragments[f->count++];
    char *lower = arena_alloc(arena, text.n);
    if (!lower)
        return ERR_LIMIT;
    for (size_t i = 0; i < text.n; i++)
        lower[i] = ascii_lower(text.p[i]);
    out->cased = arena_copy(arena, text);
    out->lower = slice_of(lower, text.n);
    out->word_before = !f->glued && is_word(text.p[0]);
    out->word_after = (!gap_follows || blank) && is_word(text.p[text.n - 1]);
    buf_clear(&f->text);
    return arena_check(arena);
}

/* At the very beginning or end, glued to a word, it means that the word may go on there. */
static fallible read_gap(struct flat *f, struct arena *arena, struct slice rest, bool first)
{
    bool blank = f->text.n && f->text.p[f->text.n - 1] == ' ';
    f->glued = rest.n && rest.p[0] != ' ';
    f->open_end = rest.n == 0;
    if (first)
        return f->glued ? OK : ERR_SYNTAX;
    if (blank && f->open_end)
        return ERR_SYNTAX;
    return end_fragment(f, arena, true);
}

static fallible
read_sign(struct flat *f, struct arena *arena, struct sign sign, struct slice *rest, bool first)
{
    if (sign.special && sign.c == '*')
        return read_gap(f, arena, *rest, first);
    if (sign.special && sign.c == '^') {
        f->at_start = true;
        return first ? OK : ERR_SYNTAX;
    }
    if (sign.special && sign.c == '$') {
        f->at_end = true;
        return rest->n == 0 ? OK : ERR_SYNTAX;
    }
    put_octet(&f->text, sign.c);
    return OK;
}

static fallible read_flat(struct flat *f, struct arena *arena, struct slice rest)
{
    bool first = true;
    while (rest.n) {
        struct sign sign;
        TRY(next_sign(&rest, &sign));
        TRY(read_sign(f, arena, sign, &rest, first));
        first = false;
    }
    return f->open_end ? OK : end_fragment(f, arena, false);
}

static fallible add_way(struct ways *w, struct slice flat)
{
    struct flat f = {.text = BUF_INIT(WRITTEN_MAX)};
    if (w->count == LIMIT_EXPLAIN_WAYS)
        return ERR_LIMIT;
    enum err e = read_flat(&f, w->arena, slice_trim(flat));
    buf_done(&f.text);
    TRY(e);
    struct fragment *fragments = arena_array(w->arena, f.count, sizeof *fragments);
    if (!fragments)
        return ERR_LIMIT;
    memcpy(fragments, f.fragments, f.count * sizeof *fragments);
    struct expression *out = &w->rows[w->count++];
    *out = (struct expression){fragments, (uint16_t)f.count, f.at_start, f.at_end, 0};
    for (size_t i = 0; i < f.count; i++)
        out->weight += (uint32_t)fragments[i].lower.n;
    return out->weight >= LEAST ? OK : ERR_SYNTAX;
}

/* Index of the first special `c` at this depth of braces, or SLICE_NPOS. */
static size_t find_special(struct slice s, size_t at, const char *wanted)
{
    size_t depth = 0;
    for (; at < s.n; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (depth == 0 && strchr(wanted, s.p[at]))
            return at;
        else if (s.p[at] == '{')
            depth++;
        else if (s.p[at] == '}' && depth-- == 0)
            return SLICE_NPOS;
    }
    return SLICE_NPOS;
}

/* Goes all ways: the first brace is replaced by each of its choices in turn. Depth is at most BRACES_MAX. */
static fallible go_ways(struct ways *w, struct slice written, unsigned depth)
{
    size_t open = find_special(written, 0, "{");
    if (open == SLICE_NPOS) {
        bool stray = find_special(written, 0, "}|") != SLICE_NPOS;
        return stray ? ERR_SYNTAX : add_way(w, written);
    }
    if (depth == BRACES_MAX)
        return ERR_LIMIT;
    size_t from = open + 1, to;
    do {
        to = find_special(written, from, "|}");
        if (to == SLICE_NPOS)
            return ERR_SYNTAX;
        struct slice choice = slice_sub(written, from, to - from);
        size_t close = to;
        while (written.p[close] != '}') {
            close = find_special(written, close + 1, "|}");
            if (close == SLICE_NPOS)
                return ERR_SYNTAX;
        }
        struct buf way CLEANUP_BUF = BUF_INIT(WRITTEN_MAX);
        buf_put(&way, slice_sub(written, 0, open));
        buf_put(&way, choice);
        buf_put(&way, slice_from(written, close + 1));
        TRY(buf_check(&way));
        TRY(go_ways(w, buf_slice(&way), depth + 1));
        from = to + 1;
    } while (written.p[to] == '|');
    return OK;
}

fallible expressions_compile(struct slice written, struct arena *arena, struct expressions *ret_ways)
{
    struct expression rows[LIMIT_EXPLAIN_WAYS];
    struct ways w = {.arena = arena, .rows = rows};
    if (written.n > WRITTEN_MAX)
        return ERR_LIMIT;
    TRY(go_ways(&w, written, 0));
    ret_ways->rows = arena_array(arena, w.count, sizeof *rows);
    ret_ways->count = w.count;
    if (!ret_ways->rows)
        return ERR_LIMIT;
    memcpy(ret_ways->rows, rows, w.count * sizeof *rows);
    return OK;
}

/* ------------------------------------------------------------------------------------------------------ matching */

static bool stands_alone(const struct fragment *f, struct slice text, size_t at)
{
    size_t end = at + f->lower.n;
    return !(f->word_before && at > 0 && is_word(text.p[at - 1])) &&
           !(f->word_after && end < text.n && is_word(text.p[end]));
}

/* The leftmost place from `at` on, or SLICE_NPOS. */
static size_t fragment_find(const struct fragment *f, struct slice text, size_t at)
{
    while (at < text.n) {
        size_t found = slice_search(slice_from(text, at), f->lower);
        if (found == SLICE_NPOS)
            return SLICE_NPOS;
        if (stands_alone(f, text, at + found))
            return at + found;
        at += found + 1;
    }
    return SLICE_NPOS;
}

/* The end of a line does not count what programs put around a reply. */
static size_t line_end(struct slice text)
{
    size_t n = text.n;
    while (n && strchr(" \"')]", text.p[n - 1]) && text.p[n - 1])
        n--;
    return n;
}

static size_t fragment_last(const struct fragment *f, struct slice text, size_t at)
{
    size_t end = line_end(text);
    if (text.n - at < f->lower.n)
        return SLICE_NPOS;
    for (size_t n = text.n; n >= end && n >= at + f->lower.n; n--)
        if (slice_eq(slice_sub(text, n - f->lower.n, f->lower.n), f->lower) &&
            stands_alone(f, text, n - f->lower.n))
            return n - f->lower.n;
    return SLICE_NPOS;
}

/* In one text; `places` gets where each fragment begins. */
static bool find_all(const struct expression *e, struct slice text, bool anchored, size_t *places)
{
    size_t at = 0;
    for (size_t i = 0; i < e->count; i++) {
        const struct fragment *f = &e->fragments[i];
        bool last = anchored && e->at_end && i + 1u == e->count;
        places[i] = last ? fragment_last(f, text, at) : fragment_find(f, text, at);
        if (places[i] == SLICE_NPOS || (anchored && e->at_start && i == 0 && places[i] != 0))
            return false;
        at = places[i] + f->lower.n;
    }
    return true;
}

static struct place place_of(
    const struct expression *e, const struct subject *s, size_t line, const size_t *places, bool one_line)
{
    struct place p = {.from = line + places[0], .same_case = true, .one_line = one_line};
    for (size_t i = 0; i < e->count; i++) {
        struct slice cased = e->fragments[i].cased;
        p.to = line + places[i] + cased.n;
        p.same_case &= memcmp(s->cased + line + places[i], cased.p, cased.n) == 0;
    }
    return p;
}

static bool may_be_in(const struct expression *e, const struct subject *s)
{
    assert(e->count <= FRAGMENTS_MAX);
    for (size_t i = 0; i < e->count; i++)
        if (!subject_may_have(s, e->fragments[i].lower))
            return false;
    return true;
}

void expression_drop_lines(const struct expression *e, struct subject *s)
{
    size_t places[FRAGMENTS_MAX];
    if (!may_be_in(e, s))
        return;
    for (size_t at = 0; at < s->n;) {
        struct slice rest = slice_of(s->lower + at, s->n - at);
        struct slice line = slice_sub(rest, 0, slice_find(rest, '\n'));
        if (find_all(e, line, true, places))
            subject_blank(s, at, line.n);
        at += line.n + 1;
    }
}

bool expression_find(const struct expression *e, const struct subject *s, struct place *ret_place)
{
    size_t places[FRAGMENTS_MAX], joined[FRAGMENTS_MAX];
    if (!may_be_in(e, s))
        return false;
    if (!find_all(e, slice_of(s->joined, s->n), false, joined))
        return false;
    for (size_t at = 0; at < s->n;) {
        struct slice rest = slice_of(s->lower + at, s->n - at);
        size_t end = slice_find(rest, '\n');
        struct slice line = slice_sub(rest, 0, end);
        if (find_all(e, line, true, places)) {
            *ret_place = place_of(e, s, at, places, true);
            return true;
        }
        at += line.n + 1;
    }
    if (e->at_start || e->at_end)
        return false;
    *ret_place = place_of(e, s, 0, joined, false);
    return true;
}
