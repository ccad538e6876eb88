/* redact.c - what is hidden, where everything goes, and the row that says so: three walks over the row of the original.
 *
 * The runs are ascending in the virtual message and, where they are of the original, in the original. */
#include "mail/redact.h"

#include <assert.h>

enum fate { FATE_SHOWN, FATE_NOTE, FATE_LEFT_OUT, FATE_INSIDE /* of what is hidden */ };

struct place {
    uint8_t fate, why;
    bool is_signed;
    uint32_t children;
    uint64_t
        empty_at; /* of a hidden part: where the last part without octets in it stands, 0: there is none */
    uint64_t header_start, body_start, body_end;
};

struct plan {
    const struct structure *s;
    const struct redact_rules *rules;
    struct place *places; /* by index */
    bool hides;

    /* While judging: what is above the part that is looked at. */
    bool is_alternative[LIMIT_MIME_DEPTH + 2], has_readable[LIMIT_MIME_DEPTH + 2],
        is_signed[LIMIT_MIME_DEPTH + 2];
    bool ends_line[LIMIT_MIME_DEPTH + 2]; /* the last child at that depth: a line end follows it */
    uint32_t above[LIMIT_MIME_DEPTH + 2]; /* index of the part at that depth */
    unsigned hidden_below;                /* depth of what is hidden, plus 1; 0: nothing */
    unsigned message_below;               /* the same of a message that is shown so far */
};

/* ---- what is an attachment ---- */

static bool is_subtype(const struct structure_part *part, struct slice subtype)
{
    return slice_eq_nocase(part->subtype, subtype);
}

static bool is_text_body(const struct structure_part *part)
{
    return part->kind == MIME_TEXT && (is_subtype(part, S("plain")) || is_subtype(part, S("html"))) &&
           !(part->flags & MIME_ATTACHMENT);
}

/* Base64 carries three octets in four, in lines; two more may be missing for its padding. */
static uint64_t decoded_size(const struct structure_part *part)
{
    uint64_t n = part->body_end - part->body_start;
    if (part->encoding != ENCODING_BASE64 || n < 2 * part->body_lines)
        return n;
    n = (n - 2 * part->body_lines + 3) / 4 * 3;
    return n > 2 ? n - 2 : n;
}

static enum redact_why judge(const struct plan *p, const struct structure_part *part)
{
    char text[256];
    struct buf CLEANUP_BUF type = BUF_INIT(sizeof text);
    buf_put(&type, part->type);
    buf_put_char(&type, '/');
    buf_put(&type, part->subtype);
    for (size_t i = 0; i < type.n; i++)
        type.p[i] = ascii_lower(type.p[i]);
    /* no type is so long: then it is none that could be allowed by its name */
    struct slice name = type.failed ? S("application/octet-stream") : buf_slice(&type);
    return p->rules->judge(p->rules->owner, name, decoded_size(part));
}

/* ---- the first walk: what is hidden ---- */

static void hide(struct plan *p, const struct structure_part *part, enum redact_why why)
{
    struct place *place = &p->places[part->index];
    bool is_leaf = part->kind != MIME_MESSAGE;
    bool follows_readable = p->is_alternative[part->depth] && p->has_readable[part->depth];
    bool can_go = is_leaf && p->ends_line[part->depth] && part->body_end < p->s->size;
    place->fate = follows_readable && can_go ? FATE_LEFT_OUT : FATE_NOTE;
    p->ends_line[part->depth] = is_leaf;
    place->why = (uint8_t)why;
    place->is_signed = p->is_signed[part->depth];
    p->hidden_below = part->depth + 1u;
    p->hides = true;
}

/* A message is shown with all that is in it, or not at all. `last`: what was judged of it so far. */
static void hide_message(struct plan *p, uint32_t last, enum redact_why why)
{
    unsigned depth = p->message_below - 1;
    uint32_t message = p->above[depth];
    struct place *place = &p->places[message];
    for (uint32_t i = message + 1; i <= last; i++)
        p->places[i].fate = FATE_INSIDE;
    place->fate = FATE_NOTE;
    place->why = (uint8_t)why;
    place->is_signed = p->is_signed[depth];
    p->hidden_below = p->message_below;
    p->hides = true;
}

static void enter_shown(struct plan *p, const struct structure_part *part)
{
    unsigned below = part->depth + 1u;
    /* A delimiter may follow a header without a line end between, that of a message inside, too (mime.h). */
    bool has_octets = part->kind != MIME_MESSAGE && part->body_start != part->body_end;
    p->has_readable[part->depth] |= has_octets;
    p->ends_line[part->depth] = has_octets;
    p->is_alternative[below] = part->kind == MIME_MULTIPART && is_subtype(part, S("alternative"));
    p->has_readable[below] = false;
    p->is_signed[below] =
        p->is_signed[part->depth] || (part->kind == MIME_MULTIPART && is_subtype(part, S("signed")));
    if (part->kind == MIME_MESSAGE && !p->message_below)
        p->message_below = below;
}

static void judge_part(struct plan *p, const struct structure_part *part)
{
    if (p->hidden_below && part->depth >= p->hidden_below) {
        p->places[part->index].fate = FATE_INSIDE;
        if (part->body_start == part->body_end)
            p->places[p->above[p->hidden_below - 1]].empty_at = part->body_end;
        return;
    }
    p->hidden_below = 0;
    if (p->message_below && part->depth < p->message_below)
        p->message_below = 0;
    p->above[part->depth] = part->index;
    bool is_shown = part->kind == MIME_MULTIPART || is_text_body(part) || part->body_start == part->body_end;
    enum redact_why why = is_shown ? REDACT_SHOW : judge(p, part);
    if (why == REDACT_SHOW)
        enter_shown(p, part);
    else if (p->message_below)
        hide_message(p, part->index, why);
    else
        hide(p, part, why);
}

static fallible judge_all(struct plan *p)
{
    struct structure_walk walk;
    struct structure_part part;
    enum structure_event event = STRUCTURE_ENTER;
    for (structure_walk_start(&walk, p->s); event != STRUCTURE_END;) {
        TRY(structure_walk_next(&walk, &event, &part));
        if (event == STRUCTURE_ENTER)
            judge_part(p, &part);
    }
    return OK;
}

/* ---- runs ---- */

static fallible add_run(struct redaction *r, bool is_text, uint64_t from, uint64_t n)
{
    if (n == 0)
        return OK;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct redact_run *more = arena_array(&r->mem, cap, sizeof *more);
        if (!more)
            return ERR_LIMIT;
        if (r->n)
            memcpy(more, r->runs, r->n * sizeof *more);
        r->runs = more;
        r->cap = cap;
    }
    r->runs[r->n++] = (struct redact_run){r->size, n, from, is_text};
    r->size += n;
    return OK;
}

const struct redact_run *redaction_find(const struct redaction *r, uint64_t offset, uint64_t *ret_skip)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (r->runs[mid].at + r->runs[mid].n <= offset)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == r->n)
        return NULL;
    *ret_skip = offset - r->runs[low].at;
    return &r->runs[low];
}

/* ---- the second walk: where everything goes ---- */

struct layout {
    struct plan *p;
    struct redaction *r;
    uint64_t taken;                           /* of the original: what is before is placed or left out */
    uint64_t child_end[LIMIT_MIME_DEPTH + 2]; /* of the original: where the last child at that depth ended */
    uint32_t above[LIMIT_MIME_DEPTH + 2];
    uint32_t parts;
};

static fallible keep_until(struct layout *l, uint64_t end)
{
    if (end < l->taken)
        return ERR_CORRUPT;
    TRY(add_run(l->r, false, l->taken, end - l->taken));
    l->taken = end;
    return OK;
}

/* Behind a message whose last part has no octets a delimiter may stand without a line end before it. */
static fallible lacks_line_end(const struct layout *l, const struct structure_part *part, bool *ret_lacks)
{
    const struct redact_rules *rules = l->p->rules;
    struct slice next = S("");
    *ret_lacks = false;
    if (l->p->places[part->index].empty_at != part->body_end || part->body_end == l->p->s->size)
        return OK;
    TRY(rules->read(rules->owner, part->body_end, part->body_end + 1, &next));
    *ret_lacks = slice_starts(next, S("-"));
    return OK;
}

static fallible lay_note(struct layout *l, const struct structure_part *part, struct place *place)
{
    struct mime_part note;
    bool lacks;
    size_t before = l->r->text.n;
    TRY(lacks_line_end(l, part, &lacks));
    const struct redact_note what = {
        .why = (enum redact_why)place->why,
        .is_signed = place->is_signed,
        .ends_message = part->body_end == l->p->s->size,
        .of = part,
        .size = decoded_size(part)};
    TRY(keep_until(l, part->header_start));
    redact_put_note(&l->r->text, l->p->rules, &what, &note);
    buf_put(&l->r->text, lacks ? S("\r\n") : S(""));
    TRY(buf_check(&l->r->text));
    place->header_start = l->r->size;
    TRY(add_run(l->r, true, before, l->r->text.n - before));
    l->taken = part->body_end;
    return OK;
}

static fallible lay_part(struct layout *l, const struct structure_part *part)
{
    struct place *place = &l->p->places[part->index];
    if (place->fate == FATE_INSIDE)
        return OK;
    if (place->fate == FATE_LEFT_OUT) {
        TRY(keep_until(l, l->child_end[part->depth]));
        l->taken = part->body_end;
    } else if (place->fate == FATE_NOTE) {
        TRY(lay_note(l, part, place));
    } else {
        if (part->header_start < l->taken)
            return ERR_CORRUPT;
        place->header_start = l->r->size + (part->header_start - l->taken);
        place->body_start = place->header_start + (part->body_start - part->header_start);
        place->children = 0;
    }
    l->above[part->depth] = part->index;
    l->parts += place->fate != FATE_LEFT_OUT;
    if (part->depth && place->fate != FATE_LEFT_OUT)
        l->p->places[l->above[part->depth - 1]].children++;
    return OK;
}

static fallible leave_part(struct layout *l, const struct structure_part *part)
{
    struct place *place = &l->p->places[part->index];
    if (place->fate == FATE_INSIDE)
        return OK;
    l->child_end[part->depth] = part->body_end;
    if (place->fate != FATE_SHOWN)
        return OK;
    if (part->body_end < l->taken)
        return ERR_CORRUPT;
    place->body_end = l->r->size + (part->body_end - l->taken);
    return OK;
}

static fallible lay_all(struct layout *l)
{
    struct structure_walk walk;
    struct structure_part part;
    enum structure_event event = STRUCTURE_ENTER;
    for (structure_walk_start(&walk, l->p->s); event != STRUCTURE_END;) {
        TRY(structure_walk_next(&walk, &event, &part));
        if (event == STRUCTURE_ENTER)
            TRY(lay_part(l, &part));
        else if (event == STRUCTURE_LEAVE)
            TRY(leave_part(l, &part));
    }
    return keep_until(l, l->p->s->size);
}

/* ---- the third walk: the row ---- */

/* The note is made once more, for what the row says of it; its text stands already. */
static void put_note_part(
    const struct plan *p, const struct structure_part *of, const struct place *place, struct buf *row)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_REDACT_TEXT);
    struct mime_part note;
    const struct redact_note what = {
        .why = (enum redact_why)place->why,
        .is_signed = place->is_signed,
        .ends_message = of->body_end == p->s->size,
        .of = of,
        .size = decoded_size(of)};
    redact_put_note(&text, p->rules, &what, &note);
    note.depth = of->depth;
    note.header_start = place->header_start;
    note.body_start += place->header_start;
    note.body_end += place->header_start;
    structure_put_part(row, &note);
}

static fallible put_part(const struct plan *p, const struct structure_part *part, struct buf *row)
{
    const struct place *place = &p->places[part->index];
    struct structure_part moved = *part;
    if (place->fate == FATE_NOTE)
        put_note_part(p, part, place, row);
    if (place->fate != FATE_SHOWN)
        return OK;
    moved.children = place->children;
    moved.header_start = place->header_start;
    moved.body_start = place->body_start;
    moved.body_end = place->body_end;
    /* nobody asks for the lines of a multipart, and without the octets they are not known */
    if (part->kind == MIME_MULTIPART)
        moved.body_lines = 0;
    return structure_put_moved(row, p->s, &moved);
}

static fallible put_row(const struct plan *p, const struct layout *l, struct redaction *r)
{
    struct structure_walk walk;
    struct structure_part part;
    enum structure_event event = STRUCTURE_ENTER;
    structure_put_head(&r->row, p->s->flags, r->size, l->parts, p->s->envelope);
    for (structure_walk_start(&walk, p->s); event != STRUCTURE_END;) {
        TRY(structure_walk_next(&walk, &event, &part));
        if (event == STRUCTURE_ENTER)
            TRY(put_part(p, &part, &r->row));
    }
    return buf_check(&r->row);
}

/* ---- the whole body as one note ---- */

static bool is_content_field(struct slice name)
{
    return slice_starts_nocase(name, S("Content-"));
}

/* The fields that stay; says whether MIME-Version is among them. */
static bool put_fields(struct buf *out, struct slice header)
{
    struct header_field field;
    size_t at = 0;
    bool has_version = false;
    while (header_next(header, &at, &field)) {
        if (is_content_field(field.name))
            continue;
        buf_put(out, field.raw);
        if (!slice_ends(field.raw, S("\n")))
            buf_put(out, S("\r\n"));
        has_version |= slice_eq_nocase(field.name, S("MIME-Version"));
    }
    return has_version;
}

static fallible
redact_root(struct redaction *r, const struct structure *s, const struct redact_rules *rules, unsigned why)
{
    static const struct slice no_envelope = {"", 1}; /* the set of its fields: none */
    struct structure_walk walk;
    struct structure_part root;
    enum structure_event event;
    struct mime_part note;
    struct slice header = S("");
    redaction_clear(r);
    structure_walk_start(&walk, s);
    TRY(structure_walk_next(&walk, &event, &root));
    /* of a header that is too long nothing stays */
    bool is_short = root.body_start <= LIMIT_HEADER_SECTION;
    if (is_short && root.body_start)
        TRY(rules->read(rules->owner, 0, root.body_start, &header));
    bool has_version = put_fields(&r->text, header);
    const struct redact_note what = {
        .why = (enum redact_why)why,
        .needs_version = !has_version,
        .ends_message = true,
        .of = &root,
        .size = decoded_size(&root)};
    size_t before = r->text.n;
    redact_put_note(&r->text, rules, &what, &note);
    TRY(buf_check(&r->text));
    note.body_start += before;
    note.body_end += before;
    TRY(add_run(r, true, 0, r->text.n));
    structure_put_head(&r->row, 0, r->size, 1, is_short ? s->envelope : no_envelope);
    structure_put_part(&r->row, &note);
    r->is_changed = true;
    return buf_check(&r->row);
}

/* ---- the module ---- */

void redaction_init(struct redaction *r)
{
    *r = (struct redaction){
        .row = BUF_INIT(LIMIT_MIME_ARENA / 2),
        .text = BUF_INIT(LIMIT_REDACT_TEXT),
        .mem = ARENA_INIT(LIMIT_REDACT_MEMORY)};
}

void redaction_done(struct redaction *r)
{
    redaction_clear(r);
    buf_done(&r->row);
    buf_done(&r->text);
    arena_done(&r->mem);
}

void redaction_clear(struct redaction *r)
{
    buf_clear(&r->row);
    buf_clear(&r->text);
    arena_clear(&r->mem);
    r->mem.failed = false;
    r->is_changed = false;
    r->runs = NULL;
    r->n = r->cap = 0;
    r->size = 0;
}

static fallible redact_parts(struct redaction *r, struct plan *p)
{
    struct layout l = {.p = p, .r = r};
    TRY(lay_all(&l));
    TRY(put_row(p, &l, r));
    r->is_changed = true;
    return OK;
}

static fallible
redact_message(struct redaction *r, const struct structure *s, const struct redact_rules *rules)
{
    struct arena mem CLEANUP_ARENA = ARENA_INIT(LIMIT_REDACT_MEMORY);
    struct plan p = {.s = s, .rules = rules};
    if (s->flags & (MIME_AMBIGUOUS | MIME_TRUNCATED | MIME_OPAQUE))
        return redact_root(r, s, rules, REDACT_UNCLEAR);
    p.places = arena_array(&mem, s->parts, sizeof *p.places);
    if (!p.places)
        return ERR_LIMIT;
    TRY(judge_all(&p));
    if (!p.hides)
        return OK;
    if (p.places[0].fate != FATE_SHOWN)
        return redact_root(r, s, rules, p.places[0].why);
    enum err e = redact_parts(r, &p);
    return e == ERR_LIMIT ? redact_root(r, s, rules, REDACT_UNCLEAR) : e;
}

fallible redact(struct redaction *r, const struct structure *s, const struct redact_rules *rules)
{
    redaction_clear(r);
    enum err e = redact_message(r, s, rules);
    if (e != OK)
        redaction_clear(r);
    return e;
}
