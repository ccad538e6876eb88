#include "cli/csv.h"

#include "base/utf8.h"

void csv_start(struct csv *c, struct slice text)
{
    *c = (struct csv){.text = text, .line = 1, .row_line = 1};
    if (slice_starts(text, S("\xef\xbb\xbf")))
        c->at = 3;
}

static bool at_end(const struct csv *c)
{
    return c->at >= c->text.n;
}

static char here(const struct csv *c)
{
    return c->text.p[c->at];
}

/* CRLF or LF; a CR alone is none. */
static bool at_line_end(const struct csv *c)
{
    if (here(c) == '\n')
        return true;
    return here(c) == '\r' && c->at + 1 < c->text.n && c->text.p[c->at + 1] == '\n';
}

static void skip_line_end(struct csv *c)
{
    c->at += here(c) == '\r' ? 2 : 1;
    c->line++;
}

static bool fail(struct csv *c, enum csv_fault fault)
{
    c->fault = fault;
    c->row_line = c->line;
    return false;
}

/* One character of a field; controls other than tab are faults. */
static bool take_character(struct csv *c)
{
    uint32_t code = 0;
    size_t used = utf8_decode(slice_from(c->text, c->at), &code);
    if (used == 0 || (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0))
        return fail(c, CSV_NOT_UTF8);
    c->at += used;
    return true;
}

static bool take_bare(struct csv *c, struct slice *ret_field)
{
    size_t from = c->at;
    while (!at_end(c) && here(c) != ',' && !at_line_end(c)) {
        if (here(c) == '"')
            return fail(c, CSV_QUOTE_INSIDE);
        if (!take_character(c))
            return false;
    }
    *ret_field = slice_sub(c->text, from, c->at - from);
    return true;
}

/* Behind the opening quote. Line ends within become LF. */
static bool take_quoted(struct csv *c, struct arena *arena, struct slice *ret_field)
{
    struct buf out CLEANUP_BUF = BUF_INIT(c->text.n + 1);
    for (;;) {
        if (at_end(c))
            return fail(c, CSV_UNCLOSED);
        if (here(c) == '"') {
            c->at++;
            if (at_end(c) || here(c) != '"')
                break;
            c->at++;
            buf_put_char(&out, '"');
            continue;
        }
        size_t from = c->at;
        if (at_line_end(c)) {
            skip_line_end(c);
            buf_put_char(&out, '\n');
            continue;
        }
        if (!take_character(c))
            return false;
        buf_put(&out, slice_sub(c->text, from, c->at - from));
    }
    if (!at_end(c) && here(c) != ',' && !at_line_end(c))
        return fail(c, CSV_AFTER_QUOTE);
    *ret_field = arena_copy(arena, buf_slice(&out));
    return true;
}

static bool take_field(struct csv *c, struct arena *arena, struct slice *ret_field)
{
    if (at_end(c) || here(c) != '"')
        return take_bare(c, ret_field);
    c->at++;
    return take_quoted(c, arena, ret_field);
}

bool csv_next(struct csv *c, struct arena *arena, struct slice *ret_fields, size_t most, size_t *ret_count)
{
    size_t count = 0;
    if (c->fault != CSV_FINE)
        return false;
    while (!at_end(c) && at_line_end(c))
        skip_line_end(c);
    if (at_end(c))
        return false;
    unsigned line = c->line;
    size_t from = c->at;
    for (;;) {
        if (count == most)
            return fail(c, CSV_TOO_MANY);
        if (!take_field(c, arena, &ret_fields[count++]))
            return false;
        if (at_end(c) || here(c) != ',')
            break;
        c->at++;
    }
    c->row = slice_sub(c->text, from, c->at - from);
    c->row_line = line;
    if (!at_end(c))
        skip_line_end(c);
    *ret_count = count;
    return true;
}

void csv_put(struct buf *out, bool first, struct slice field)
{
    bool quoted = slice_has(field, ',') || slice_has(field, '"') || slice_has(field, '\n') ||
                  slice_has(field, '\r') || slice_starts(field, S("\xef\xbb\xbf")) ||
                  (field.n && (field.p[0] == ' ' || field.p[field.n - 1] == ' '));
    if (!first)
        buf_put_char(out, ',');
    if (!quoted) {
        buf_put(out, field);
        return;
    }
    buf_put_char(out, '"');
    for (size_t i = 0; i < field.n; i++) {
        if (field.p[i] == '"')
            buf_put_char(out, '"');
        buf_put_char(out, field.p[i]);
    }
    buf_put_char(out, '"');
}

void csv_end_row(struct buf *out)
{
    buf_put_str(out, "\r\n");
}
