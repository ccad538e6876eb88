/* line.h - the front line of unread input, for protocols whose commands are lines.   room: base   runs in: all
 *
 * Text protocols end a line with CRLF, and nothing else does. A lone LF also cuts here, so that a peer that
 * sends one is answered at once instead of waited for, but the line is marked `bare` and must be refused:
 * what two readers split differently is how commands are smuggled. A CR before the last, or a NUL, marks it
 * `dirty`.
 */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include "base/slice.h"

struct line {
    struct slice text; /* without its end; points into the input */
    size_t used;       /* octets of input with the end */
    bool bare;         /* ended by LF alone */
    bool dirty;        /* holds NUL, or CR elsewhere than in its end */
};

/* OK; ERR_AGAIN when the input holds no whole line yet; ERR_LIMIT when the line is, or must become, longer
 * than `max` octets with its end. */
fallible line_find(struct slice input, size_t max, struct line *ret_line);

#endif
