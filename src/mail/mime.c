/* mime.c - the line machine of the MIME parser: lines, headers, delimiters, parts. */
#include "mail/mime.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mail/mime_field.h"

enum {
    LINE_KEEP = BOUNDARY_MAX +
                128, /* octets of a line that are looked at: "--", a boundary, blanks; or a field name */
    PREFIX_WORK = 2000000, /* comparisons spent on delimiters that have more text behind them */
};

enum state {
    IN_HEADER,
    IN_BODY, /* of a leaf, or before the first part of a multipart */
    IN_EPILOGUE,
    IN_REST, /* behind a limit: nothing is looked at any more */
};

/* A multipart whose parts are being read. */
struct open {
    struct mime_part *part;
    struct slice boundary;
    bool closed; /* its closing delimiter was seen; what follows is its epilogue */
};

struct line {
    struct slice head; /* its first octets, without its end */
    uint64_t start, end;
    unsigned eol; /* octets of its end: 2, 1, or 0 at the end of input */
    bool is_cut;  /* head is not all */
};

struct mime_parser {
    struct arena arena;
    struct mime_tree tree;
    enum state state;
    struct mime_part *part;         /* whose octets these are */
    struct mime_envelope *envelope; /* of the header being read; NULL when it is not a message's */
    uint32_t seen;                  /* names of fields in it */
    uint32_t fields;
    bool first_line;     /* of the header */
    bool skip_field;     /* the field being read is too long, or junk */
    uint64_t lines_seen; /* line ends before the current line */
    /* the header field being read, and behind it, from field_line on, the current line */
    struct buf field;
    size_t field_line;
    uint64_t field_end; /* offset behind the field's last line */
    /* the current line */
    uint64_t offset, line_start;
    char keep[LINE_KEEP];
    size_t keep_n;
    uint32_t line_flags;
    bool after_cr;
    unsigned last_eol; /* of the line before */
    /* open multiparts, outermost first; hashes beside them, for a quick look */
    struct open open[LIMIT_MIME_DEPTH + 1];
    uint32_t hash[LIMIT_MIME_DEPTH + 1];
    size_t open_count;
    uint32_t prefix_work;
};

struct mime_parser *mime_new(void)
{
    struct mime_parser *p = NEW(struct mime_parser);
    arena_init(&p->arena, LIMIT_MIME_ARENA / 2);
    buf_init(&p->field, 2 * LIMIT_HEADER_FIELD + 4096);
    p->tree.envelope = ARENA_NEW(&p->arena, struct mime_envelope);
    p->tree.root = ARENA_NEW(&p->arena, struct mime_part);
    p->tree.parts = 1;
    p->part = p->tree.root;
    p->envelope = p->tree.envelope;
    p->first_line = true;
    return p;
}

void mime_free(struct mime_parser **parser)
{
    if (!*parser)
        return;
    buf_done(&(*parser)->field);
    arena_done(&(*parser)->arena);
    mem_free(parser);
}

size_t mime_memory(const struct mime_parser *parser)
{
    return parser->arena.used + parser->field.cap + sizeof *parser;
}

/* ---- parts ---- */

/* A child of `parent` whose header starts at `start`; NULL when no more parts are allowed. */
static struct mime_part *part_add(struct mime_parser *p, struct mime_part *parent, uint64_t start)
{
    struct mime_part *part = p->tree.parts < LIMIT_MIME_PARTS ? ARENA_NEW(&p->arena, struct mime_part) : NULL;
    if (!part)
        return NULL;
    part->parent = parent;
    part->depth = (uint16_t)(parent->depth + 1);
    part->index = p->tree.parts++;
    part->header_start = part->body_start = start;
    if (parent->last_child)
        parent->last_child->next = part;
    else
        parent->first_child = part;
    parent->last_child = part;
    parent->children++;
    return part;
}

static void header_begin(struct mime_parser *p, struct mime_part *part, struct mime_envelope *envelope)
{
    p->part = part;
    p->envelope = envelope;
    p->state = IN_HEADER;
    p->seen = p->fields = 0;
    p->first_line = true;
    p->skip_field = true; /* until a field begins */
}

static void make_opaque(struct mime_part *part)
{
    part->flags |= MIME_OPAQUE | MIME_TRUNCATED;
    mime_field_show_as(part, MIME_BASIC, S("application"), S("octet-stream"));
}

/* The rest of the message belongs to this part, unread; it starts behind `lines` line ends. */
static void rest_begin(struct mime_parser *p, struct mime_part *part, uint64_t lines)
{
    make_opaque(part);
    part->body_lines = lines;
    p->part = part;
    p->state = IN_REST;
}

/* FNV-1a */
static uint32_t hash_of(struct slice s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

static void multipart_begin(struct mime_parser *p, struct mime_part *part)
{
    struct slice boundary = mime_field_boundary(part, &p->arena);
    if (boundary.n == 0)
        return; /* without parts it is shown as text, see part_end */
    if (part->depth >= LIMIT_MIME_DEPTH) {
        make_opaque(part);
        return;
    }
    for (size_t i = 0; i < p->open_count; i++) /* a line may be a delimiter of both, to different readers */
        if (slice_starts(boundary, p->open[i].boundary) || slice_starts(p->open[i].boundary, boundary))
            part->flags |= MIME_AMBIGUOUS;
    p->hash[p->open_count] = hash_of(boundary);
    p->open[p->open_count++] = (struct open){part, boundary, false};
}

/* The message inside; its header follows at `at`. */
static void message_begin(struct mime_parser *p, struct mime_part *part, uint64_t at)
{
    struct mime_envelope *envelope = NULL;
    struct mime_part *child = NULL;
    if (part->depth < LIMIT_MIME_DEPTH && p->tree.parts + 1 < LIMIT_MIME_PARTS)
        envelope = ARENA_NEW(&p->arena, struct mime_envelope);
    if (envelope)
        child = part_add(p, part, at);
    if (!child) {
        make_opaque(part);
        return;
    }
    part->envelope = envelope;
    header_begin(p, child, envelope);
}

/* The field in p->field up to field_line is complete. */
static void field_end(struct mime_parser *p)
{
    if (p->skip_field || p->field_line == 0)
        return;
    bool too_much =
        ++p->fields > LIMIT_HEADER_FIELDS || p->field_end - p->part->header_start > LIMIT_HEADER_SECTION;
    size_t at = 0;
    struct header_field field;
    if (too_much)
        p->part->flags |= MIME_TRUNCATED;
    else if (header_next(slice_sub(buf_slice(&p->field), 0, p->field_line), &at, &field))
        mime_field_read(p->part, p->envelope, &p->seen, &field, &p->arena);
}

/* The header ends; the body, perhaps with the header of a message inside, starts at `at`, behind `lines` line ends. */
static void header_end(struct mime_parser *p, uint64_t at, uint64_t lines)
{
    struct mime_part *part = p->part;
    field_end(p);
    p->skip_field = true;
    part->body_start = at;
    part->body_lines = lines; /* until part_end: where counting starts */
    const struct mime_part *parent = part->parent;
    bool in_digest =
        parent && parent->kind == MIME_MULTIPART && slice_eq_nocase(parent->type.subtype, S("digest"));
    mime_field_decide(part, in_digest);
    p->state = IN_BODY;
    if (part->kind == MIME_MULTIPART)
        multipart_begin(p, part);
    else if (part->kind == MIME_MESSAGE)
        message_begin(p, part, at);
}

/* The part's body ends at `end`, behind `lines` line ends. */
static void part_end(struct mime_part *part, uint64_t end, uint64_t lines)
{
    part->body_end = end > part->body_start ? end : part->body_start;
    part->body_lines = lines > part->body_lines ? lines - part->body_lines : 0;
    if (part->kind != MIME_MULTIPART || part->children)
        return;
    if (part->flags & MIME_TRUNCATED)
        make_opaque(part);
    else
        mime_field_show_as(part, MIME_TEXT, S("text"), S("plain"));
    part->flags |= MIME_AMBIGUOUS;
}

/* Ends the current part and what it is in, up to but without `until` (NULL: all). */
static void parts_end(struct mime_parser *p, const struct mime_part *until, uint64_t end, uint64_t lines)
{
    for (struct mime_part *part = p->part; part != until; part = part->parent) {
        if (p->open_count && p->open[p->open_count - 1].part == part) {
            if (!p->open[--p->open_count].closed)
                part->flags |= MIME_UNCLOSED | MIME_AMBIGUOUS;
        }
        part_end(part, end, lines);
    }
}

/* ---- delimiters ---- */

/* Is the line a delimiter with more text behind it, for readers who compare only the beginning (RFC 2046 5.1.1)? */
static void note_prefix(struct mime_parser *p, struct slice text)
{
    if (p->tree.flags & MIME_AMBIGUOUS)
        return;
    for (size_t i = 0; i < p->open_count; i++)
        if (slice_starts(text, p->open[i].boundary))
            p->tree.flags |= MIME_AMBIGUOUS;
    p->prefix_work += (uint32_t)p->open_count;
    if (p->prefix_work > PREFIX_WORK) /* nobody writes such mail in good faith */
        p->tree.flags |= MIME_AMBIGUOUS;
}

/* The innermost multipart that the line delimits, or -1. */
static int find_delimiter(struct mime_parser *p, const struct line *line, bool *ret_closing)
{
    struct slice text = slice_from(line->head, 2);
    size_t n = text.n;
    while (n && (text.p[n - 1] == ' ' || text.p[n - 1] == '\t'))
        n--;
    struct slice open = slice_sub(text, 0, n), close = SLICE_EMPTY;
    if (slice_ends(open, S("--")))
        close = slice_sub(open, 0, n - 2);
    uint32_t open_hash = hash_of(open), close_hash = close.p ? hash_of(close) : open_hash;
    for (size_t i = line->is_cut ? 0 : p->open_count; i-- > 0;) {
        if (p->hash[i] != open_hash && p->hash[i] != close_hash)
            continue;
        *ret_closing = !slice_eq(open, p->open[i].boundary);
        if (*ret_closing && !(close.p && slice_eq(close, p->open[i].boundary)))
            continue;
        if (!p->open[i].closed)
            return (int)i;
        p->tree.flags |= MIME_AMBIGUOUS; /* behind the end: text of the epilogue here, a part for others */
    }
    note_prefix(p, text);
    return -1;
}

static void part_begin(struct mime_parser *p, struct mime_part *multipart, uint64_t start)
{
    struct mime_part *part = part_add(p, multipart, start);
    if (!part) {
        multipart->flags |= MIME_TRUNCATED;
        p->part = multipart;
        p->state = IN_REST;
        return;
    }
    if (p->tree.parts == LIMIT_MIME_PARTS)
        rest_begin(p, part, p->lines_seen + 1);
    else
        header_begin(p, part, NULL);
}

/* True when the line was a delimiter and is done with. */
static bool delimiter(struct mime_parser *p, const struct line *line)
{
    if (p->open_count == 0 || line->head.n < 2 || line->head.p[0] != '-' || line->head.p[1] != '-')
        return false;
    bool closing = false;
    int at = find_delimiter(p, line, &closing);
    if (at < 0)
        return false;
    struct open *open = &p->open[at];
    if (line->eol == 1 || p->last_eol == 1)
        open->part->flags |= MIME_AMBIGUOUS;
    struct mime_part *multipart = open->part;
    while (p->state == IN_HEADER) /* twice when it was that of a message */
        header_end(p, line->start, p->lines_seen);
    /* the line end before belongs to the delimiter, unless it ends the header */
    bool shared = p->last_eol && line->start > p->part->body_start;
    parts_end(p, multipart, line->start - (shared ? p->last_eol : 0), p->lines_seen - shared);
    p->part = multipart;
    if (closing) {
        open->closed = true;
        p->state = IN_EPILOGUE;
    } else
        part_begin(p, multipart, line->end);
    return true;
}

/* ---- lines ---- */

/* The line behind the field in p->field is the first of a new one, or of none. */
static void field_begin(struct mime_parser *p, bool skip)
{
    field_end(p);
    buf_drop_front(&p->field, p->field_line);
    p->skip_field = skip;
}

static void header_line(struct mime_parser *p, const struct line *line)
{
    enum header_line kind = header_line_kind(line->head, p->first_line);
    if (kind == HEADER_LINE_EMPTY) {
        header_end(p, line->end, p->lines_seen + 1);
        return;
    }
    p->first_line = false;
    if (kind == HEADER_LINE_FIELD)
        field_begin(p, false);
    if (kind == HEADER_LINE_SKIP)
        field_begin(p, true);
    /* what is over the limit is dropped whole; one octet more was kept to tell */
    if (p->field.n > LIMIT_HEADER_FIELD && !p->skip_field) {
        p->part->flags |= MIME_TRUNCATED;
        p->skip_field = true;
    }
    if (p->skip_field)
        buf_clear(&p->field);
    p->field_line = p->field.n;
    p->field_end = line->end;
}

static void note_flags(struct mime_parser *p, bool in_header)
{
    uint32_t flags = p->line_flags;
    p->line_flags = 0;
    if (flags & MIME_8BIT && in_header)
        flags = (flags & ~(uint32_t)MIME_8BIT) | MIME_HEADER_8BIT;
    if (flags & MIME_BARE_LINE_END && in_header)
        flags |= MIME_AMBIGUOUS;
    p->part->flags |= flags;
}

/* A line that is no delimiter, as things stand. One that ends a header without an empty line is the first of the body,
 * perhaps of the header of a message inside, and may be a delimiter after all. */
static void plain_line(struct mime_parser *p, const struct line *line)
{
    bool is_body = false;
    while (p->state == IN_HEADER && header_line_kind(line->head, p->first_line) == HEADER_LINE_BODY) {
        p->part->flags |= MIME_AMBIGUOUS;
        header_end(p, line->start, p->lines_seen);
        is_body = true;
    }
    if (p->state == IN_HEADER)
        header_line(p, line);
    else if (p->state == IN_EPILOGUE && slice_starts_nocase(line->head, S("Content-Type")))
        p->part->flags |= MIME_AMBIGUOUS;
    else if (is_body)
        (void)delimiter(p, line);
}

static void line_end(struct mime_parser *p, const struct line *line)
{
    note_flags(p, p->state == IN_HEADER);
    if (p->state != IN_REST && !delimiter(p, line))
        plain_line(p, line);
    if (p->state != IN_HEADER || p->first_line) {
        buf_clear(&p->field);
        p->field_line = 0;
    }
    p->lines_seen += line->eol > 0;
    p->last_eol = line->eol;
    p->line_start = line->end;
    p->keep_n = 0;
}

/* What the octets of a line hold, at about one octet a cycle. */
static void scan(struct mime_parser *p, struct slice piece)
{
    unsigned char high = 0;
    bool nul = false, bare = false, cr = p->after_cr;
    for (size_t i = 0; i < piece.n; i++) {
        unsigned char c = (unsigned char)piece.p[i];
        high |= c;
        nul |= c == 0;
        bare |= cr != (c == '\n');
        cr = c == '\r';
    }
    p->after_cr = cr;
    p->line_flags |=
        (high & 0x80 ? MIME_8BIT : 0u) | (nul ? MIME_NUL : 0u) | (bare ? MIME_BARE_LINE_END : 0u);
}

/* A piece of the current line; `ends` when its last octet is the line end. */
static void take_piece(struct mime_parser *p, struct slice piece, bool ends)
{
    bool was_cr = p->after_cr;
    scan(p, piece);
    if (p->state == IN_HEADER) { /* one octet above the limit tells that it was reached */
        size_t have = p->field.n - p->field_line;
        size_t room = have > LIMIT_HEADER_FIELD ? 0 : LIMIT_HEADER_FIELD + 1 - have;
        buf_put(&p->field, slice_sub(piece, 0, room));
    }
    bool whole = ends && p->offset == p->line_start;
    if (!whole) {
        size_t n = piece.n < LINE_KEEP - p->keep_n ? piece.n : LINE_KEEP - p->keep_n;
        memcpy(p->keep + p->keep_n, piece.p, n);
        p->keep_n += n;
    }
    p->offset += piece.n;
    if (!ends)
        return;
    struct line line = {.start = p->line_start, .end = p->offset};
    line.eol = (piece.n > 1 ? piece.p[piece.n - 2] == '\r' : was_cr) ? 2 : 1;
    line.head = whole ? slice_sub(piece, 0, LINE_KEEP) : slice_of(p->keep, p->keep_n);
    uint64_t text = line.end - line.start - line.eol;
    if (line.head.n > text)
        line.head.n = (size_t)text;
    line.is_cut = line.head.n < text;
    line_end(p, &line);
}

void mime_feed(struct mime_parser *p, struct slice octets)
{
    while (octets.n) {
        size_t lf = slice_find(octets, '\n');
        size_t n = lf == SLICE_NPOS ? octets.n : lf + 1;
        take_piece(p, slice_sub(octets, 0, n), lf != SLICE_NPOS);
        octets = slice_from(octets, n);
    }
}

/* ---- the end ---- */

struct mime_part *mime_part_next(const struct mime_part *part)
{
    if (part->first_child)
        return part->first_child;
    while (part && !part->next)
        part = part->parent;
    return part ? part->next : NULL;
}

/* What is inside a part is in its body, too. */
static void flags_up(struct mime_parser *p)
{
    for (struct mime_part *part = p->tree.root; part; part = mime_part_next(part)) {
        uint32_t up = part->flags & (MIME_NUL | MIME_BARE_LINE_END);
        if (part->flags & (MIME_8BIT | MIME_HEADER_8BIT))
            up |= MIME_8BIT;
        for (struct mime_part *above = part->parent; above && (above->flags & up) != up;
             above = above->parent)
            above->flags |= up;
        p->tree.flags |= part->flags;
    }
    if (p->arena.failed)
        p->tree.flags |= MIME_TRUNCATED;
}

const struct mime_tree *mime_finish(struct mime_parser *p)
{
    if (p->after_cr)
        p->line_flags |= MIME_BARE_LINE_END;
    if (p->offset > p->line_start) {
        struct line line = {.head = slice_of(p->keep, p->keep_n), .start = p->line_start, .end = p->offset};
        line.is_cut = p->keep_n < line.end - line.start;
        line_end(p, &line);
    }
    while (p->state == IN_HEADER)
        header_end(p, p->offset, p->lines_seen);
    parts_end(p, NULL, p->offset, p->lines_seen);
    p->tree.size = p->offset;
    flags_up(p);
    return &p->tree;
}
