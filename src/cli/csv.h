/* csv.h - reading and writing CSV (RFC 4180).                                      room: cli   runs in: cli
 *
 * UTF-8 with or without a byte order mark; lines end with CRLF or LF; fields may stand in quotes, and then hold commas,
 * quotes (doubled) and line ends. Empty lines are skipped. What breaks these rules is a fault at a line, never a guess.
 *
 * Owns: nothing; fields point into the text or, where quotes had to be taken away, into the arena.
 * Limits: as many fields in a row as the caller has room for.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include "base/arena.h"
#include "base/buf.h"

enum csv_fault {
    CSV_FINE,
    CSV_NOT_UTF8,     /* or a control character other than tab and line end */
    CSV_QUOTE_INSIDE, /* a quote in a field that did not begin with one */
    CSV_AFTER_QUOTE,  /* something between the closing quote and the comma */
    CSV_UNCLOSED,     /* the text ends within quotes */
    CSV_TOO_MANY,     /* more fields than there can be */
};

struct csv {
    struct slice text;
    size_t at;
    unsigned line;        /* of what is read next, from 1 */
    unsigned row_line;    /* where the last row began */
    struct slice row;     /* its text, without the line end */
    enum csv_fault fault; /* CSV_FINE at the plain end */
};

void csv_start(struct csv *c, struct slice text);
/* The next row that is not empty. False: at the end, or `fault` is set, and row_line says where. */
bool csv_next(struct csv *c, struct arena *arena, struct slice *ret_fields, size_t most, size_t *ret_count);

/* One field, quoted where that is needed. `first`: no comma before it. */
void csv_put(struct buf *out, bool first, struct slice field);
void csv_end_row(struct buf *out);

#endif
