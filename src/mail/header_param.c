/* header_param.c - parameters of MIME fields: one pass over the value, then the segments are joined. */
#include "mail/charset.h"
#include "mail/header.h"

struct segment {
    struct slice value;
    bool is_there;
    bool extended;
};

/* All that was said about one name. */
struct entry {
    struct slice name;
    struct slice plain, extended; /* name=, name*= */
    bool has_plain, has_extended;
    struct segment *segments; /* name*0=, name*1*=...: LIMIT_MIME_SEGMENTS of them, or NULL */
};

struct reader {
    struct slice s;
    size_t at;
    struct arena *arena;
    struct header_params *params;
    struct header_param *items; /* of params, being written */
    struct entry entries[LIMIT_MIME_PARAMETERS];
    size_t count;
    struct arena scratch; /* segments */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 2045 5.1, octets above 0x7f allowed. */
static bool is_token_char(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && !memchr("()<>@,;:\\\"/[]?=", c, 15);
}

/* Skips blanks and comments; a comment that does not end takes the rest. */
static void skip_blanks(struct reader *r)
{
    size_t depth = 0;
    for (; r->at < r->s.n; r->at++) {
        char c = r->s.p[r->at];
        if (c == '\\' && depth) {
            if (r->at + 1 < r->s.n)
                r->at++;
        } else if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (!depth && !is_blank(c))
            return;
    }
    if (depth)
        r->params->ambiguous = true;
}

static struct slice take_token(struct reader *r)
{
    size_t start = r->at;
    while (r->at < r->s.n && is_token_char(r->s.p[r->at]))
        r->at++;
    return slice_of(r->s.p + start, r->at - start);
}

/* Of the octets between two quotes; a copy only where something is to be removed. */
static struct slice unquote(struct reader *r, struct slice text)
{
    if (!slice_has(text, '\\') && !slice_has(text, '\n'))
        return text;
    char *to = arena_alloc(r->arena, text.n);
    if (!to)
        return SLICE_EMPTY;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' || (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n'))
            continue;
        if (text.p[i] == '\\' && i + 1 < text.n)
            i++;
        to[n++] = text.p[i];
    }
    return slice_of(to, n);
}

static struct slice take_quoted(struct reader *r)
{
    size_t start = ++r->at;
    while (r->at < r->s.n && r->s.p[r->at] != '"')
        r->at += r->s.p[r->at] == '\\' && r->at + 1 < r->s.n ? 2 : 1;
    struct slice text = slice_of(r->s.p + start, r->at - start);
    if (r->at < r->s.n)
        r->at++;
    else
        r->params->ambiguous = true;
    return unquote(r, text);
}

/* To the next ';' outside quotes: for what follows no grammar. */
static void skip_junk(struct reader *r)
{
    while (r->at < r->s.n && r->s.p[r->at] != ';') {
        if (r->s.p[r->at] == '"')
            (void)take_quoted(r);
        else
            r->at++;
    }
    r->params->ambiguous = true;
}

static bool at_end(const struct reader *r)
{
    return r->at >= r->s.n || r->s.p[r->at] == ';';
}

/* A value without quotes: a token, or by custom everything up to the next ';' (file names with blanks). */
static struct slice take_bare(struct reader *r)
{
    size_t start = r->at;
    struct slice value = take_token(r);
    skip_blanks(r);
    if (at_end(r) && value.n)
        return value;
    r->at = start;
    while (!at_end(r))
        r->at++;
    r->params->ambiguous = true;
    return slice_trim(slice_of(r->s.p + start, r->at - start));
}

static struct slice take_value(struct reader *r)
{
    if (r->at >= r->s.n || r->s.p[r->at] != '"')
        return take_bare(r);
    struct slice value = take_quoted(r);
    skip_blanks(r);
    if (!at_end(r))
        skip_junk(r);
    return value;
}

static struct entry *entry_of(struct reader *r, struct slice name)
{
    for (size_t i = 0; i < r->count; i++)
        if (slice_eq_nocase(r->entries[i].name, name))
            return &r->entries[i];
    if (r->count == LIMIT_MIME_PARAMETERS) {
        r->params->truncated = true;
        return NULL;
    }
    r->entries[r->count] = (struct entry){.name = name};
    return &r->entries[r->count++];
}

/* "name*12" to "name" and 12. False when there is no segment number. */
static bool split_segment(struct slice *name, uint64_t *ret_number, bool *ret_too_big)
{
    size_t star = slice_rfind(*name, '*');
    if (star == SLICE_NPOS || star + 1 == name->n)
        return false;
    struct slice digits = slice_from(*name, star + 1);
    for (size_t i = 0; i < digits.n; i++)
        if (!ascii_is_digit(digits.p[i]))
            return false;
    *ret_too_big = slice_to_u64(digits, LIMIT_MIME_SEGMENTS - 1, ret_number) != OK;
    name->n = star;
    return true;
}

static void add_segment(struct reader *r, struct entry *e, uint64_t number, struct slice value, bool extended)
{
    if (!e->segments)
        e->segments = arena_array(&r->scratch, LIMIT_MIME_SEGMENTS, sizeof *e->segments);
    if (!e->segments)
        return;
    struct segment *segment = &e->segments[number];
    if (segment->is_there)
        r->params->ambiguous = true;
    else
        *segment = (struct segment){value, true, extended};
}

static void add_param(struct reader *r, struct slice name, struct slice value)
{
    bool extended = slice_ends(name, S("*"));
    if (extended)
        name.n--;
    uint64_t number = 0;
    bool too_big = false;
    bool is_segment = split_segment(&name, &number, &too_big);
    if (too_big || name.n == 0) {
        r->params->truncated |= too_big;
        r->params->ambiguous = true;
        return;
    }
    struct entry *e = entry_of(r, name);
    if (!e)
        return;
    if (is_segment)
        add_segment(r, e, number, value, extended);
    else if (extended ? e->has_extended : e->has_plain)
        r->params->ambiguous = true;
    else if (extended) {
        e->extended = value;
        e->has_extended = true;
    } else {
        e->plain = value;
        e->has_plain = true;
    }
}

static void read_params(struct reader *r)
{
    while (skip_blanks(r), r->at < r->s.n && !r->params->truncated) {
        if (r->s.p[r->at] != ';') {
            skip_junk(r);
            continue;
        }
        r->at++;
        skip_blanks(r);
        if (at_end(r))
            continue;
        struct slice name = take_token(r);
        skip_blanks(r);
        if (name.n == 0 || r->at >= r->s.n || r->s.p[r->at] != '=') {
            skip_junk(r);
            continue;
        }
        r->at++;
        skip_blanks(r);
        struct slice value = take_value(r);
        for (size_t i = 0; i < value.n; i++)
            if ((unsigned char)value.p[i] < ' ' && value.p[i] != '\t')
                r->params->ambiguous = true;
        add_param(r, name, value);
    }
}

/* ---- joining ---- */

static size_t put_percent(char *to, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (ascii_is_digit((char)c) || ascii_is_alpha((char)c) || c == '.' || c == '-' || c == '_') {
            to[n++] = (char)c;
            continue;
        }
        to[n++] = '%';
        to[n++] = digits[c >> 4];
        to[n++] = digits[c & 15];
    }
    return n;
}

/* RFC 2231 3 and 4.1: segments from 0 on, in order of number; a gap ends it. */
static bool join(struct reader *r, const struct entry *e, struct header_param *ret_param)
{
    size_t count = 0, room = 2;
    bool extended = false;
    for (; count < LIMIT_MIME_SEGMENTS && e->segments[count].is_there; count++) {
        room += e->segments[count].value.n * 3;
        extended |= e->segments[count].extended;
    }
    for (size_t i = count; i < LIMIT_MIME_SEGMENTS; i++)
        if (e->segments[i].is_there)
            r->params->ambiguous = true;
    if (count == 0)
        return false;
    char *to = arena_alloc(r->arena, room);
    if (!to)
        return false;
    size_t n = 0;
    if (extended && !e->segments[0].extended) {
        r->params->ambiguous = true; /* no charset was named */
        to[n++] = '\'';
        to[n++] = '\'';
    }
    for (size_t i = 0; i < count; i++) {
        struct slice value = e->segments[i].value;
        if (extended && !e->segments[i].extended) {
            n += put_percent(to + n, value);
        } else if (value.n) {
            memcpy(to + n, value.p, value.n);
            n += value.n;
        }
    }
    *ret_param = (struct header_param){e->name, slice_of(to, n), extended};
    return true;
}

static void put_entry(struct reader *r, const struct entry *e)
{
    struct header_param joined = {.name = SLICE_EMPTY};
    bool has_joined = e->segments && join(r, e, &joined);
    if (has_joined && (joined.extended ? e->has_extended : e->has_plain))
        r->params->ambiguous = true;
    struct header_params *p = r->params;
    if (has_joined && !joined.extended)
        r->items[p->count++] = joined;
    else if (e->has_plain)
        r->items[p->count++] = (struct header_param){e->name, e->plain, false};
    if (has_joined && joined.extended)
        r->items[p->count++] = joined;
    else if (e->has_extended)
        r->items[p->count++] = (struct header_param){e->name, e->extended, true};
}

void header_params_parse(struct slice value, struct arena *arena, struct header_params *ret_params)
{
    *ret_params = (struct header_params){.type = SLICE_EMPTY};
    struct reader r; /* its entries are set one by one */
    r.s = value.p ? value : S("");
    r.at = r.count = 0;
    r.arena = arena;
    r.params = ret_params;
    arena_init(&r.scratch, (size_t)LIMIT_MIME_PARAMETERS * LIMIT_MIME_SEGMENTS * 2 * sizeof(struct segment));
    skip_blanks(&r);
    struct slice type = take_token(&r), subtype = SLICE_EMPTY;
    skip_blanks(&r);
    if (r.at < r.s.n && r.s.p[r.at] == '/') {
        r.at++;
        skip_blanks(&r);
        subtype = take_token(&r);
        skip_blanks(&r);
        if (subtype.n == 0)
            ret_params->ambiguous = true;
    }
    if (type.n)
        ret_params->type = type;
    if (type.n && subtype.n)
        ret_params->subtype = subtype;
    read_params(&r);
    if (r.count) {
        ret_params->items = r.items = arena_array(arena, 2 * r.count, sizeof *r.items);
        for (size_t i = 0; r.items && i < r.count; i++)
            put_entry(&r, &r.entries[i]);
    }
    arena_done(&r.scratch);
    if (arena->failed)
        ret_params->truncated = true;
}

const struct header_param *header_param_find(const struct header_params *params, struct slice name)
{
    const struct header_param *found = NULL;
    for (size_t i = 0; i < params->count; i++)
        if (slice_eq_nocase(params->items[i].name, name) && (!found || params->items[i].extended))
            found = &params->items[i];
    return found;
}

/* ---- as text ---- */

static int hex_digit(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_unpercented(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0) {
            buf_put_char(out, (char)(hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2])));
            i += 2;
        } else
            buf_put_char(out, s.p[i]);
    }
}

void header_param_put_text(struct charsets *charsets, const struct header_param *param, struct buf *out)
{
    if (!param->extended && slice_search(param->value, S("=?")) != SLICE_NPOS) {
        header_decode_text(charsets, param->value, out);
        return;
    }
    struct slice charset = SLICE_EMPTY, language, rest = param->value, value = param->value;
    if (param->extended && slice_cut(&rest, '\'', &charset) && rest.p && slice_cut(&rest, '\'', &language) &&
        rest.p)
        value = rest;
    else
        charset = SLICE_EMPTY;
    CLEANUP_BUF struct buf octets = BUF_INIT(value.n + 1);
    if (param->extended)
        put_unpercented(&octets, value);
    else
        buf_put(&octets, value);
    CLEANUP_BUF struct buf text = BUF_INIT(value.n * 4 + 16);
    (void)charset_put_utf8(charsets, charset, buf_slice(&octets), &text);
    header_put_clean(out, buf_slice(&text));
}
