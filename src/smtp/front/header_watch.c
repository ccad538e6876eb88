#include "smtp/front/header_watch.h"

void header_watch_init(struct header_watch *w)
{
    /* the line's octets are read only up to line_n */
    w->line_n = w->field = w->section = 0;
    w->fields = w->received = 0;
    w->started = w->in_body = false;
}

static bool is_received(struct slice line)
{
    if (!slice_starts_nocase(line, S("Received")))
        return false;
    struct slice rest = slice_trim(slice_from(line, 8));
    return rest.n && rest.p[0] == ':';
}

/* A whole line, without its end. */
static enum status end_line(struct header_watch *w, size_t octets)
{
    size_t n = w->line_n < sizeof w->line ? w->line_n : sizeof w->line;
    if (n && n == w->line_n && w->line[n - 1] == '\r')
        n--;
    struct slice line = slice_of(w->line, n);
    enum header_line kind = header_line_kind(line, !w->started);
    w->started = true;
    if (kind == HEADER_LINE_EMPTY || kind == HEADER_LINE_BODY) {
        w->in_body = true;
        return STATUS_OK;
    }
    w->section += octets;
    w->field = kind == HEADER_LINE_FIELD ? octets : w->field + octets;
    w->fields += kind == HEADER_LINE_FIELD;
    w->received += kind == HEADER_LINE_FIELD && is_received(line);
    if (w->fields > LIMIT_HEADER_FIELDS || w->field > LIMIT_HEADER_FIELD || w->section > LIMIT_HEADER_SECTION)
        return STATUS_HEADER_TOO_BIG;
    return w->received > LIMIT_RECEIVED_HOPS ? STATUS_LOOP : STATUS_OK;
}

static void keep_front(struct header_watch *w, struct slice part)
{
    if (w->line_n < sizeof w->line)
        memcpy(
            w->line + w->line_n, part.p,
            part.n < sizeof w->line - w->line_n ? part.n : sizeof w->line - w->line_n);
    w->line_n += part.n;
}

enum status header_watch_feed(struct header_watch *w, struct slice content)
{
    enum status s = STATUS_OK;
    while (content.n && !w->in_body && s == STATUS_OK) {
        size_t lf = slice_find(content, '\n');
        struct slice part = slice_sub(content, 0, lf);
        if (part.n)
            keep_front(w, part);
        if (lf == SLICE_NPOS) /* a line that is longer than a field may be needs no end to be refused */
            return w->line_n > LIMIT_HEADER_FIELD ? STATUS_HEADER_TOO_BIG : STATUS_OK;
        s = end_line(w, w->line_n + 1);
        w->line_n = 0;
        content = slice_from(content, lf + 1);
    }
    return s;
}
