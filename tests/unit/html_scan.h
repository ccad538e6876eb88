/* html_scan.h - a strict look at the doctor's HTML report, for its unit test and its fuzzer: known elements and attributes only,
 * properly nested, every value quoted, every other "<", ">" and "&" escaped, nothing that hides or turns text. */
#ifndef UNIT_HTML_SCAN_H
#define UNIT_HTML_SCAN_H

#include "base/utf8.h"

enum { HTML_DEPTH = 32 };
struct html_scan {
    struct slice rest;
    struct slice open[HTML_DEPTH];
    size_t depth;
    size_t elements;
};

static inline bool html_is_one_of(struct slice name, const char *const *names)
{
    for (; *names; names++)
        if (slice_eq(name, slice_str(*names)))
            return true;
    return false;
}

static inline bool html_text_is_plain(struct slice text)
{
    static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    while (text.n) {
        uint32_t code;
        size_t used = utf8_decode(text, &code), known = code != '&';
        if (!used || code == '<' || code == '>' || (code != '\n' && utf8_is_unsafe(code)))
            return false;
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            known |= slice_starts(text, slice_str(entities[i]));
        if (!known)
            return false;
        text = slice_from(text, used);
    }
    return true;
}

/* name="value" after name="value". */
static inline bool html_attributes_are_known(struct slice text)
{
    static const char *const known[] = {
        "class", "lang",        "charset",   "http-equiv",   "content",     "name", "xmlns", "viewBox",
        "role",  "font-family", "font-size", "font-weight",  "x",           "y",    "width", "height",
        "rx",    "fill",        "stroke",    "stroke-width", "text-anchor", "x1",   "y1",    "x2",
        "y2",    "d",           NULL};
    while (text.n) {
        struct slice name, value;
        if (text.p[0] != ' ' || !slice_cut(&text, '=', &name) || !html_is_one_of(slice_from(name, 1), known))
            return false;
        if (!text.n || text.p[0] != '"')
            return false;
        text = slice_from(text, 1);
        size_t end = slice_find(text, '"');
        if (end == SLICE_NPOS)
            return false;
        value = slice_sub(text, 0, end);
        if (!html_text_is_plain(value))
            return false;
        text = slice_from(text, end + 1);
    }
    return true;
}

/* One element's beginning or end; `tag` is what stands between "<" and ">". */
static inline bool html_scan_tag(struct html_scan *s, struct slice tag)
{
    static const char *const known[] = {
        "html",    "head", "meta", "title",  "style",      "body", "header", "main", "footer",
        "section", "div",  "h1",   "h2",     "h3",         "h4",   "p",      "b",    "span",
        "dl",      "dt",   "dd",   "figure", "figcaption", "pre",  "ul",     "li",   "details",
        "summary", "svg",  "rect", "text",   "line",       "path", NULL};
    if (slice_starts(tag, S("/"))) {
        tag = slice_from(tag, 1);
        return s->depth && slice_eq(s->open[--s->depth], tag);
    }
    bool empty = slice_ends(tag, S("/"));
    tag = slice_sub(tag, 0, tag.n - empty);
    size_t blank = slice_find(tag, ' ');
    struct slice name = slice_sub(tag, 0, blank == SLICE_NPOS ? tag.n : blank);
    s->elements++;
    if (!html_is_one_of(name, known) || !html_attributes_are_known(slice_from(tag, name.n)))
        return false;
    if (!empty && !slice_eq(name, S("meta"))) {
        if (s->depth == HTML_DEPTH)
            return false;
        s->open[s->depth++] = name;
    }
    return true;
}

static inline bool html_is_strict(struct slice html)
{
    const struct slice begin = S("<!DOCTYPE html>\n");
    struct html_scan s = {.depth = 0};
    if (!slice_starts(html, begin))
        return false;
    s.rest = slice_from(html, begin.n);
    while (s.rest.n) {
        size_t open = slice_find(s.rest, '<');
        struct slice text = slice_sub(s.rest, 0, open);
        bool style = s.depth && slice_eq(s.open[s.depth - 1], S("style"));
        if (!style && !html_text_is_plain(text))
            return false;
        if (open == SLICE_NPOS)
            break;
        s.rest = slice_from(s.rest, open + 1);
        size_t close = slice_find(s.rest, '>');
        if (close == SLICE_NPOS || !html_scan_tag(&s, slice_sub(s.rest, 0, close)))
            return false;
        s.rest = slice_from(s.rest, close + 1);
    }
    return s.depth == 0 && s.elements > 20;
}

#endif
