#include "imap/wire/fetch.h"

#include <assert.h>

#include "base/limits.h"
#include "imap/wire/parse.h"
#include "imap/wire/write.h"

enum {
    MACRO_FAST = IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SIZE,
    MACRO_ALL = MACRO_FAST | IMAP_FETCH_ENVELOPE,
    MACRO_FULL = MACRO_ALL | IMAP_FETCH_BODY
};

/* What an item of the grammar becomes: bits, or a section under an old name. */
static const struct item {
    const char *name;
    unsigned bits;
    bool section;
    enum imap_section_name as;
    enum imap_section_text text;
    bool peek;
} items[] = {
    {"UID", .bits = IMAP_FETCH_UID},
    {"FLAGS", .bits = IMAP_FETCH_FLAGS},
    {"INTERNALDATE", .bits = IMAP_FETCH_INTERNALDATE},
    {"RFC822.SIZE", .bits = IMAP_FETCH_SIZE},
    {"ENVELOPE", .bits = IMAP_FETCH_ENVELOPE},
    {"BODY", .bits = IMAP_FETCH_BODY},
    {"BODYSTRUCTURE", .bits = IMAP_FETCH_BODYSTRUCTURE},
    {"MODSEQ", .bits = IMAP_FETCH_MODSEQ},
    {"RFC822", .section = true, .as = IMAP_NAME_RFC822, .text = IMAP_TEXT_ALL},
    {"RFC822.HEADER", .section = true, .as = IMAP_NAME_RFC822_HEADER, .text = IMAP_TEXT_HEADER, .peek = true},
    {"RFC822.TEXT", .section = true, .as = IMAP_NAME_RFC822_TEXT, .text = IMAP_TEXT_TEXT},
};
enum { ITEMS = sizeof items / sizeof *items };

static const struct {
    const char *name;
    enum imap_section_text text;
} texts[] = {
    /* the longer names first: the match is by prefix */
    {"HEADER.FIELDS.NOT", IMAP_TEXT_FIELDS_NOT},
    {"HEADER.FIELDS", IMAP_TEXT_FIELDS},
    {"HEADER", IMAP_TEXT_HEADER},
    {"TEXT", IMAP_TEXT_TEXT},
    {"MIME", IMAP_TEXT_MIME},
};

/* Numbers with points between; *ret_path is what was written. */
static fallible parse_path(struct imap_scan *s, struct slice *ret_path)
{
    const char *start = s->rest.p, *end = start;
    for (size_t levels = 0; s->rest.n && ascii_is_digit(s->rest.p[0]); levels++) {
        uint64_t n;
        if (levels > LIMIT_MIME_DEPTH)
            return scan_limit(s, "part number too long");
        TRY(scan_number(s, UINT32_MAX, &n));
        if (n == 0)
            return scan_bad(s, "parts are counted from 1");
        end = s->rest.p;
        if (scan_sees(s, ']'))
            break;
        TRY(scan_char(s, '.'));
        if (scan_sees(s, ']'))
            return scan_bad(s, "malformed section");
    }
    *ret_path = slice_of(start, (size_t)(end - start));
    return OK;
}

static fallible parse_fields(struct imap_scan *s, struct imap_section *section)
{
    struct scan_list fields = SCAN_LIST(struct slice, s->limits->items);
    TRY(scan_space(s));
    TRY(scan_open(s));
    do {
        void *item;
        TRY(scan_list_add(s, &fields, &item));
        TRY(scan_astring(s, item));
    } while (scan_take(s, ' '));
    section->fields = fields.items;
    section->fields_n = fields.n;
    return scan_close(s);
}

static fallible parse_section_text(struct imap_scan *s, struct imap_section *section)
{
    if (scan_sees(s, ']'))
        return OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!scan_take_word(s, texts[i].name))
            continue;
        section->text = texts[i].text;
        if (section->text == IMAP_TEXT_MIME && !section->path.n)
            return scan_bad(s, "MIME needs a part number");
        if (section->text == IMAP_TEXT_FIELDS || section->text == IMAP_TEXT_FIELDS_NOT)
            return parse_fields(s, section);
        return OK;
    }
    return scan_bad(s, "unknown section");
}

static fallible parse_partial(struct imap_scan *s, struct imap_section *section)
{
    uint64_t from, count;
    TRY(scan_number(s, UINT32_MAX, &from));
    TRY(scan_char(s, '.'));
    TRY(scan_number(s, UINT32_MAX, &count));
    if (count == 0)
        return scan_bad(s, "empty range"); /* nz-number */
    section->is_partial = true;
    section->from = (uint32_t)from;
    section->count = (uint32_t)count;
    return scan_char(s, '>');
}

struct collector {
    struct imap_fetch what;
    struct scan_list sections;
};

static fallible add_section(struct imap_scan *s, struct collector *f, const struct imap_section *section)
{
    void *item;
    TRY(scan_list_add(s, &f->sections, &item));
    memcpy(item, section, sizeof *section);
    f->what.sets_seen |= !section->peek;
    return OK;
}

/* Behind "BODY[" or "BODY.PEEK[". */
static fallible parse_section(struct imap_scan *s, struct collector *f, bool peek)
{
    struct imap_section section = {.name = IMAP_NAME_BODY, .text = IMAP_TEXT_ALL, .peek = peek};
    TRY(parse_path(s, &section.path));
    TRY(parse_section_text(s, &section));
    TRY(scan_char(s, ']'));
    if (scan_take(s, '<'))
        TRY(parse_partial(s, &section));
    return add_section(s, f, &section);
}

static fallible parse_item(struct imap_scan *s, struct collector *f)
{
    struct slice name;
    if (scan_take_word(s, "BODY["))
        return parse_section(s, f, false);
    if (scan_take_word(s, "BODY.PEEK["))
        return parse_section(s, f, true);
    TRY(scan_keyword(s, &name));
    for (size_t i = 0; i < ITEMS; i++) {
        const struct item *it = &items[i];
        if (!slice_eq_nocase(name, slice_str(it->name)))
            continue;
        f->what.attributes |= it->bits;
        struct imap_section section = {.name = it->as, .text = it->text, .peek = it->peek};
        return it->section ? add_section(s, f, &section) : OK;
    }
    return scan_bad(s, "unknown FETCH item");
}

/* ALL, FAST and FULL stand alone, not in parentheses. */
static bool parse_macro(struct imap_scan *s, struct collector *f)
{
    static const struct parse_word macros[] = {
        {"ALL", MACRO_ALL}, {"FAST", MACRO_FAST}, {"FULL", MACRO_FULL}};
    for (size_t i = 0; i < 3; i++) {
        struct slice before = s->rest;
        if (scan_take_word(s, macros[i].name) && (scan_at_end(s) || scan_sees(s, ' '))) {
            f->what.attributes |= macros[i].bit;
            return true;
        }
        s->rest = before;
    }
    return false;
}

/* RFC 7162 3.1.4.1: "(CHANGEDSINCE 12345)"; asking so asks for MODSEQ too. */
static fallible parse_modifiers(struct imap_scan *s, struct collector *f)
{
    static const struct parse_word words[] = {{"CHANGEDSINCE", 1}};
    unsigned bit = 0;
    TRY(scan_open(s));
    do {
        TRY(parse_word(s, words, 1, "unknown modifier", &bit));
        TRY(scan_space(s));
        TRY(parse_modseq(s, false, &f->what.changed_since));
        f->what.has_changed_since = true;
        f->what.attributes |= IMAP_FETCH_MODSEQ;
    } while (scan_take(s, ' '));
    return scan_close(s);
}

fallible parse_fetch(struct imap_scan *s, struct imap_command *c)
{
    struct collector f = {.sections = SCAN_LIST(struct imap_section, LIMIT_IMAP_SECTIONS)};
    TRY(scan_space(s));
    TRY(parse_set(s, &c->fetch.set));
    TRY(scan_space(s));
    if (scan_sees(s, '(')) {
        TRY(scan_open(s));
        do {
            TRY(parse_item(s, &f));
        } while (scan_take(s, ' '));
        TRY(scan_close(s));
    } else if (!parse_macro(s, &f)) {
        TRY(parse_item(s, &f));
    }
    if (scan_take(s, ' '))
        TRY(parse_modifiers(s, &f));
    f.what.sections = f.sections.items;
    f.what.sections_n = f.sections.n;
    c->fetch.what = f.what;
    return OK;
}

static void put_fields(struct buf *out, const struct imap_section *section)
{
    buf_put(out, S(" ("));
    for (size_t i = 0; i < section->fields_n; i++) {
        if (i)
            buf_put_char(out, ' ');
        imap_put_astring(out, section->fields[i]);
    }
    buf_put_char(out, ')');
}

void imap_put_section(struct buf *out, const struct imap_section *section)
{
    static const char *const names[] = {
        [IMAP_NAME_BODY] = "BODY[",
        [IMAP_NAME_RFC822] = "RFC822",
        [IMAP_NAME_RFC822_HEADER] = "RFC822.HEADER",
        [IMAP_NAME_RFC822_TEXT] = "RFC822.TEXT"};
    static const char *const words[] = {
        [IMAP_TEXT_ALL] = "",
        [IMAP_TEXT_HEADER] = "HEADER",
        [IMAP_TEXT_FIELDS] = "HEADER.FIELDS",
        [IMAP_TEXT_FIELDS_NOT] = "HEADER.FIELDS.NOT",
        [IMAP_TEXT_TEXT] = "TEXT",
        [IMAP_TEXT_MIME] = "MIME"};
    buf_put_str(out, names[section->name]);
    if (section->name != IMAP_NAME_BODY)
        return;
    buf_put(out, section->path);
    if (section->path.n && section->text != IMAP_TEXT_ALL)
        buf_put_char(out, '.');
    buf_put_str(out, words[section->text]);
    if (section->text == IMAP_TEXT_FIELDS || section->text == IMAP_TEXT_FIELDS_NOT)
        put_fields(out, section);
    buf_put_char(out, ']');
    if (section->is_partial) {
        buf_put_char(out, '<');
        buf_put_u64(out, section->from);
        buf_put_char(out, '>');
    }
}
