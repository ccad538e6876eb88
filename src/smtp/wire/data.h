/* data.h - message octets on the wire: where DATA ends, what is left of a BDAT chunk, and what a message may not hold.
 *                                                                         room: smtp/wire   runs in: gate cli
 *
 * Four machines that do not know each other. Cut the input where you like; nothing is copied.
 *   smtp_data     ends only at CRLF.CRLF (RFC 5321 4.1.1.4) and removes the dots that stuffing added (4.5.2). Any other
 *                 spelling of an end is content (T-020): the machine reads on to the real one.
 *   smtp_bdat     counts a chunk (RFC 3030): chunk octets are data whatever they hold (T-021).
 *   smtp_content  looks at content that came out of either and remembers bare CR, bare LF, NUL and overlong lines. The
 *                 answer to a message that holds one is decided at its end, never in the middle.
 *   smtp_stuffer  the sending side: adds the dots, and the end.
 */
#ifndef SMTP_WIRE_DATA_H
#define SMTP_WIRE_DATA_H

#include "base/buf.h"

struct smtp_data {
    enum {
        SMTP_DATA_LINE_START, /* behind CRLF, or at the beginning: the command's CRLF counts (4.1.1.4) */
        SMTP_DATA_INSIDE,
        SMTP_DATA_CR,     /* inside a line, the last octet was CR */
        SMTP_DATA_DOT,    /* a dot at the start of a line, held back */
        SMTP_DATA_DOT_CR, /* dot, CR: both held back */
        SMTP_DATA_DONE
    } at;
};
/* Takes octets off the front of *input and shows the next piece of content: points into the input, or at a literal of
 * this module. False when the input is used up or the end was met (at == SMTP_DATA_DONE; what is left in *input are
 * the octets behind the end). Call it until it says false. */
bool smtp_data_feed(struct smtp_data *d, struct slice *input, struct slice *ret_piece);
static inline bool smtp_data_is_done(const struct smtp_data *d)
{
    return d->at == SMTP_DATA_DONE;
}

struct smtp_bdat {
    uint64_t left; /* octets of the chunk that have not come yet */
};
/* As smtp_data_feed; false when the input is used up or the chunk is complete (left == 0). */
bool smtp_bdat_feed(struct smtp_bdat *b, struct slice *input, struct slice *ret_piece);

enum {
    SMTP_BARE_CR = 1,
    SMTP_BARE_LF = 2,
    SMTP_NUL = 4,
    SMTP_LINE_LONG = 8, /* above LIMIT_BODY_LINE */
};
struct smtp_content {
    unsigned flags;
    bool cr;     /* the last octet was CR */
    size_t line; /* octets of the current line so far */
    uint64_t octets;
};
void smtp_content_feed(struct smtp_content *c, struct slice piece);
/* The message is complete: a CR without its LF is bare now. Returns the flags. */
unsigned smtp_content_end(struct smtp_content *c);

/* The sending side. Content must have been through smtp_content: CRLF only (T-021). */
struct smtp_stuffer {
    bool inside; /* not at the start of a line */
    bool cr;
};
void smtp_stuffer_feed(struct smtp_stuffer *s, struct slice content, struct buf *out);
/* CRLF when the content ended inside a line, then "." CRLF. */
void smtp_stuffer_end(struct smtp_stuffer *s, struct buf *out);

#endif
