#include "doctor/subject.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

/* What stands at the front of `rest`: how many octets it takes, and the one octet that takes its place. */
struct piece {
    size_t used;
    char as;
};

static struct piece quote_piece(struct slice rest)
{
    static const struct {
        const char *typed;
        char as;
    } quotes[] = {{"\u2018", '\''}, {"\u2019", '\''}, {"\u201c", '"'},
                  {"\u201d", '"'},  {"\u00a0", ' '},  {"\u3000", ' '}};
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
        if (slice_starts(rest, slice_str(quotes[i].typed)))
            return (struct piece){strlen(quotes[i].typed), quotes[i].as};
    return (struct piece){1, rest.p[0]};
}

static struct piece piece_of(struct slice rest)
{
    unsigned char c = (unsigned char)rest.p[0];
    if (slice_starts(rest, S("\\r\\n")))
        return (struct piece){4, '\n'};
    if (slice_starts(rest, S("\\n")))
        return (struct piece){2, '\n'};
    if (c == '\n')
        return (struct piece){1, '\n'};
    if (c < 0x20 || c == 0x7f)
        return (struct piece){1, ' '};
    return c >= 0x80 ? quote_piece(rest) : (struct piece){1, (char)c};
}

/* Three digits that no digit or letter precedes stand last. */
static bool ends_in_code(const struct subject *s)
{
    const char *p = s->cased + s->n;
    if (s->n < 3)
        return false;
    for (int i = 1; i <= 3; i++)
        if (!ascii_is_digit(p[-i]))
            return false;
    return s->n == 3 || !(ascii_is_digit(p[-4]) || ascii_is_alpha(p[-4]) || p[-4] == '-' || p[-4] == '.');
}

/* What Python (535, b'5.7.8 no') and .NET (535: 5.7.8 no) put between a code that refuses and its words. */
static size_t wrapping(const struct subject *s, struct slice rest)
{
    static const char *const wraps[] = {", b'", ", b\"", ", '", ": "};
    if (!ends_in_code(s) || (s->cased[s->n - 3] != '4' && s->cased[s->n - 3] != '5'))
        return 0;
    for (size_t i = 0; i < sizeof wraps / sizeof *wraps; i++)
        if (slice_starts(rest, slice_str(wraps[i])))
            return strlen(wraps[i]);
    return 0;
}

static void put(struct subject *s, char c, size_t from)
{
    char last = s->n ? s->cased[s->n - 1] : '\n';
    if (c == '-' && ends_in_code(s))
        c = ' ';
    if (c == ' ' && (last == ' ' || last == '\n'))
        return;
    if (c == '\n' && last == '\n')
        return;
    if (c == '\n' && last == ' ')
        s->n--;
    s->from[s->n] = (uint32_t)from;
    s->cased[s->n] = c;
    s->lower[s->n] = ascii_lower(c);
    s->joined[s->n] = c == '\n' ? ' ' : ascii_lower(c);
    s->n++;
}

static size_t mark_of(const char *p)
{
    uint32_t h = (uint32_t)(unsigned char)p[0] * 0x9e3779b1u ^ (uint32_t)(unsigned char)p[1] * 0x85ebca6bu ^
                 (uint32_t)(unsigned char)p[2] * 0xc2b2ae35u;
    return (h ^ h >> 15) % SUBJECT_MARKS;
}

static void set_marks(struct subject *s)
{
    memset(s->marks, 0, sizeof s->marks);
    for (size_t i = 0; i + 3 <= s->n; i++) {
        size_t mark = mark_of(s->joined + i);
        s->marks[mark / 8] |= (uint8_t)(1u << mark % 8);
    }
}

void subject_init(struct subject *s, struct slice pasted)
{
    s->cut = pasted.n > LIMIT_EXPLAIN_TEXT;
    s->pasted = slice_sub(pasted, 0, LIMIT_EXPLAIN_TEXT);
    s->n = 0;
    size_t room = s->pasted.n + 1;
    s->cased = mem_alloc(room);
    s->lower = mem_alloc(room);
    s->joined = mem_alloc(room);
    s->from = mem_alloc(room * sizeof *s->from);
    for (size_t at = 0; at < s->pasted.n;) {
        size_t wrapped = wrapping(s, slice_from(s->pasted, at));
        struct piece piece = wrapped ? (struct piece){wrapped, ' '} : piece_of(slice_from(s->pasted, at));
        put(s, piece.as, at);
        at += piece.used;
    }
    while (s->n && (s->cased[s->n - 1] == ' ' || s->cased[s->n - 1] == '\n'))
        s->n--;
    s->from[s->n] = (uint32_t)s->pasted.n;
    set_marks(s);
}

void subject_done(struct subject *s)
{
    mem_free(&s->cased);
    mem_free(&s->lower);
    mem_free(&s->joined);
    mem_free(&s->from);
    s->n = 0;
}

bool subject_may_have(const struct subject *s, struct slice lower)
{
    for (size_t i = 0; i + 3 <= lower.n; i++) {
        size_t mark = mark_of(lower.p + i);
        if (!(s->marks[mark / 8] & 1u << mark % 8))
            return false;
    }
    return true;
}

void subject_blank(struct subject *s, size_t from, size_t n)
{
    assert(from <= s->n && n <= s->n - from);
    memset(s->cased + from, ' ', n);
    memset(s->lower + from, ' ', n);
    memset(s->joined + from, ' ', n);
}

struct slice subject_pasted(const struct subject *s, size_t from, size_t to)
{
    size_t begin = s->from[from], end = s->from[to];
    return slice_trim(slice_sub(s->pasted, begin, end - begin));
}
