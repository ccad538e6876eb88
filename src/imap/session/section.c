/* section.c - body sections: BODY[...] and its old names (RFC 3501 6.4.5, 7.4.2). */
#include "imap/session/private.h"

#include "base/limits.h"
#include "mail/header.h"
#include "mail/structure.h"
#include "store/body.h"

static const enum structure_want wants[] = {
    [IMAP_TEXT_ALL] = STRUCTURE_WHOLE,     [IMAP_TEXT_HEADER] = STRUCTURE_HEADER,
    [IMAP_TEXT_FIELDS] = STRUCTURE_HEADER, [IMAP_TEXT_FIELDS_NOT] = STRUCTURE_HEADER,
    [IMAP_TEXT_TEXT] = STRUCTURE_TEXT,     [IMAP_TEXT_MIME] = STRUCTURE_MIME};

static bool is_named(const struct imap_section *section, struct slice name)
{
    for (size_t i = 0; i < section->fields_n; i++)
        if (slice_eq_nocase(section->fields[i], name))
            return true;
    return false;
}

fallible imap_read_range(struct imap_session *s, uint64_t start, uint64_t end)
{
    buf_clear(&s->scratch);
    while (start < end) {
        struct slice piece;
        TRY(sight_read(&s->sight, s->reading, start, (size_t)(end - start), &piece));
        if (!piece.n)
            return ERR_CORRUPT;
        buf_put(&s->scratch, piece);
        start += piece.n;
    }
    return buf_check(&s->scratch);
}

/* Keeps the wanted fields of the header in the scratch buffer, moved to its front, and the empty line behind them. */
static fallible filter_fields(struct imap_session *s, const struct imap_section *section)
{
    struct buf *b = &s->scratch;
    bool wanted = section->text == IMAP_TEXT_FIELDS;
    struct header_field field;
    size_t at = 0, kept = 0;
    while (header_next(buf_slice(b), &at, &field)) {
        if (is_named(section, field.name) != wanted)
            continue;
        memmove(b->p + kept, field.raw.p, field.raw.n);
        kept += field.raw.n;
    }
    b->n = kept;
    buf_put(b, S("\r\n"));
    return buf_check(b);
}

static void apply_partial(const struct imap_section *section, struct section_work *w)
{
    uint64_t size = w->end - w->at;
    if (!section->is_partial)
        return;
    w->at += section->from < size ? section->from : size;
    if (w->end - w->at > section->count)
        w->end = w->at + section->count;
}

static fallible
find(struct imap_session *s, const struct imap_section *section, struct slice row, struct section_work *w)
{
    struct structure structure;
    struct structure_section found;
    TRY(structure_open(row, &structure));
    enum err e = structure_find_section(&structure, section->path, wants[section->text], &found);
    w->is_nil = e == ERR_NOT_FOUND;
    w->has_nul = structure.flags & MIME_NUL;
    if (e != OK)
        return w->is_nil ? OK : e;
    w->at = found.start;
    w->end = found.end;
    if (section->text == IMAP_TEXT_FIELDS || section->text == IMAP_TEXT_FIELDS_NOT) {
        TRY(imap_read_range(s, w->at, w->end));
        TRY(filter_fields(s, section));
        w->is_text = true;
        w->at = 0;
        w->end = s->scratch.n;
    }
    return OK;
}

fallible imap_section_start(
    struct imap_session *s, const struct imap_section *section, struct slice structure,
    struct section_work *ret_work)
{
    struct section_work w = {0};
    struct buf *out = imap_out(s);
    TRY(find(s, section, structure, &w));
    apply_partial(section, &w);
    imap_put_section(out, section);
    buf_put_char(out, ' ');
    if (w.is_nil)
        buf_put(out, S("NIL"));
    else if (w.at == w.end)
        buf_put(out, S("\"\""));
    else
        imap_put_literal_size(out, w.end - w.at);
    *ret_work = w;
    return OK;
}

static void put_without_nul(struct buf *out, struct slice piece)
{
    size_t start = out->n;
    buf_put(out, piece);
    for (char *nul; out->n > start && (nul = memchr(out->p + start, 0, out->n - start));)
        *nul = (char)0x80;
}

fallible imap_section_write(struct imap_session *s, struct section_work *w, size_t most)
{
    struct buf *out = imap_out(s);
    while (w->at < w->end && most) {
        uint64_t left = w->end - w->at;
        size_t n = left < most ? (size_t)left : most;
        struct slice piece = slice_sub(buf_slice(&s->scratch), w->at, n);
        if (!w->is_text)
            TRY(sight_read(&s->sight, s->reading, w->at, n, &piece));
        if (!piece.n)
            return ERR_CORRUPT;
        if (w->has_nul)
            put_without_nul(out, piece);
        else
            buf_put(out, piece);
        w->at += piece.n;
        most -= piece.n;
    }
    return OK;
}
