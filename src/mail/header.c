#include "mail/header.h"

/* A colon further back than this makes no field, so that the kind of a line is known from its first octets. */
enum { COLON_WITHIN = HEADER_NAME_MAX + 1 };

enum header_line header_line_kind(struct slice line, bool first)
{
    if (line.n == 0)
        return HEADER_LINE_EMPTY;
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return first ? HEADER_LINE_SKIP : HEADER_LINE_CONTINUATION;
    if (line.p[0] == ':')
        return HEADER_LINE_SKIP;
    bool is_mbox = first && (slice_starts(line, S("From ")) || slice_starts(line, S(">From ")));
    line = slice_sub(line, 0, COLON_WITHIN);
    size_t i = 0;
    while (i < line.n && line.p[i] > ' ' && line.p[i] < 0x7f && line.p[i] != ':')
        i++;
    while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    if (i < line.n && line.p[i] == ':')
        return HEADER_LINE_FIELD;
    return is_mbox ? HEADER_LINE_SKIP : HEADER_LINE_BODY;
}

/* ---- complete sections ---- */

struct line {
    struct slice text; /* without its end */
    size_t next;       /* where the next line starts */
};

static struct line line_at(struct slice s, size_t at)
{
    const char *start = s.p + at;
    const char *lf = memchr(start, '\n', s.n - at);
    if (!lf)
        return (struct line){slice_of(start, s.n - at), s.n};
    size_t n = (size_t)(lf - start);
    size_t next = at + n + 1;
    if (n && start[n - 1] == '\r')
        n--;
    return (struct line){slice_of(start, n), next};
}

static size_t skip_continuations(struct slice s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
        at = line_at(s, at).next;
    return at;
}

static struct header_field field_of(struct slice section, size_t start, size_t end)
{
    struct header_field field = {.raw = slice_sub(section, start, end - start)};
    size_t colon = slice_find(field.raw, ':');
    field.name = slice_trim(slice_sub(field.raw, 0, colon));
    field.value = slice_from(field.raw, colon + 1);
    if (field.value.n && field.value.p[field.value.n - 1] == '\n')
        field.value.n--;
    if (field.value.n && field.raw.p[field.raw.n - 1] == '\n' && field.value.p[field.value.n - 1] == '\r')
        field.value.n--;
    return field;
}

bool header_next(struct slice section, size_t *at, struct header_field *ret_field)
{
    bool first = *at == 0;
    while (*at < section.n) {
        struct line line = line_at(section, *at);
        enum header_line kind = header_line_kind(line.text, first);
        /* An empty line without its end is the end of the section's octets, seen above. */
        if (kind == HEADER_LINE_BODY)
            return false;
        if (kind == HEADER_LINE_EMPTY) {
            *at = line.next;
            return false;
        }
        size_t start = *at;
        *at = skip_continuations(section, line.next);
        first = false;
        if (kind == HEADER_LINE_FIELD) {
            *ret_field = field_of(section, start, *at);
            return true;
        }
    }
    return false;
}

size_t header_count(struct slice section, struct slice name)
{
    struct header_field field;
    size_t count = 0;
    for (size_t at = 0; header_next(section, &at, &field);)
        count += slice_eq_nocase(field.name, name);
    return count;
}

size_t header_length(struct slice message)
{
    struct header_field field;
    size_t at = 0;
    while (header_next(message, &at, &field))
        continue;
    return at;
}

struct slice header_unfold(struct slice value, struct arena *arena)
{
    value = slice_trim(value);
    if (!slice_has(value, '\n'))
        return value;
    char *to = arena_alloc(arena, value.n);
    if (!to)
        return SLICE_EMPTY;
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\n' || (value.p[i] == '\r' && i + 1 < value.n && value.p[i + 1] == '\n'))
            continue;
        to[n++] = value.p[i];
    }
    return slice_trim(slice_of(to, n));
}

/* ---- sections in pieces ---- */

enum {
    LINE_UNKNOWN = HEADER_LINE_BODY + 1
}; /* of r->state: the kind of the line being read, or not known yet */

void header_reader_init(struct header_reader *r)
{
    memset(r, 0, sizeof *r);
    buf_init(&r->raw, LIMIT_HEADER_SECTION + COLON_WITHIN + 2);
    r->state = LINE_UNKNOWN;
}

void header_reader_done(struct header_reader *r)
{
    buf_done(&r->raw);
}

static void reader_end(struct header_reader *r, size_t end)
{
    r->end = end;
    r->done = true;
}

/* The kind of the line that starts at r->line has become known. */
static fallible reader_classify(struct header_reader *r, struct slice text)
{
    r->state = (uint8_t)header_line_kind(text, r->line == 0);
    if (r->state == HEADER_LINE_BODY) {
        r->unclean = true;
        reader_end(r, r->line);
    }
    if (r->state == HEADER_LINE_SKIP)
        r->unclean = true;
    if (r->state == HEADER_LINE_FIELD || r->state == HEADER_LINE_SKIP)
        r->field = r->line;
    if (r->state == HEADER_LINE_FIELD && ++r->fields > LIMIT_HEADER_FIELDS)
        return ERR_LIMIT;
    return OK;
}

static struct slice reader_line(const struct header_reader *r, bool whole)
{
    struct slice text = slice_from(buf_slice(&r->raw), r->line);
    if (whole && text.n && text.p[text.n - 1] == '\n')
        text.n--;
    if (whole && text.n && text.p[text.n - 1] == '\r')
        text.n--;
    return text;
}

static fallible reader_check(const struct header_reader *r)
{
    if (r->done)
        return OK;
    /* A line of unknown kind may be the body's. */
    size_t end = r->state == LINE_UNKNOWN ? r->line : r->raw.n;
    return end > LIMIT_HEADER_SECTION || end - r->field > LIMIT_HEADER_FIELD ? ERR_LIMIT : OK;
}

/* Takes from data what belongs to the current line, at most up to where its kind can be told. */
static fallible reader_take(struct header_reader *r, struct slice data, size_t *used)
{
    size_t have = r->raw.n - r->line;
    size_t want = data.n;
    if (r->state == LINE_UNKNOWN && want > COLON_WITHIN + 1 - have)
        want = COLON_WITHIN + 1 - have;
    size_t lf = slice_find(slice_sub(data, 0, want), '\n');
    bool whole = lf != SLICE_NPOS;
    if (whole)
        want = lf + 1;
    if (r->raw.n + want > r->raw.limit)
        return ERR_LIMIT;
    buf_put(&r->raw, slice_sub(data, 0, want));
    *used = want;
    if (r->state == LINE_UNKNOWN && (whole || r->raw.n - r->line > COLON_WITHIN))
        TRY(reader_classify(r, reader_line(r, whole)));
    if (whole && !r->done) {
        if (r->state == HEADER_LINE_EMPTY)
            reader_end(r, r->raw.n);
        r->line = r->raw.n;
        r->state = LINE_UNKNOWN;
    }
    return reader_check(r);
}

fallible header_reader_feed(struct header_reader *r, struct slice data, size_t *ret_used)
{
    size_t used = 0;
    while (!r->done && used < data.n) {
        size_t step = 0;
        TRY(reader_take(r, slice_from(data, used), &step));
        used += step;
    }
    *ret_used = used;
    return OK;
}

void header_reader_finish(struct header_reader *r)
{
    if (r->done)
        return;
    if (r->state == LINE_UNKNOWN && r->raw.n > r->line)
        IGNORE(reader_classify(r, reader_line(r, false)), "one field above the limit, complete as it is");
    if (!r->done)
        reader_end(r, r->raw.n);
}

struct slice header_reader_section(const struct header_reader *r)
{
    return slice_sub(buf_slice(&r->raw), 0, r->end);
}

struct slice header_reader_rest(const struct header_reader *r)
{
    return r->done ? slice_from(buf_slice(&r->raw), r->end) : SLICE_EMPTY;
}
