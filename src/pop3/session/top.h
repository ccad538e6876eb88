/* top.h - how much of a message TOP shows: the header, the empty line, n lines (RFC 1939 7).
 *                                                                        room: pop3/session   runs in: keeper
 * A machine: feed it the message in any pieces. It ends a header as readers of mail do, at the first empty line. */
#ifndef POP3_SESSION_TOP_H
#define POP3_SESSION_TOP_H

#include "base/slice.h"

struct pop3_top {
    uint32_t lines; /* body lines still to show */
    bool in_body;
    uint8_t line; /* octets of the current line that tell it from an empty one: 0, 1 (a CR), 2 (more) */
    bool done;
};

/* The part of `content` that is to be shown; done is set when nothing more will be. */
struct slice pop3_top_feed(struct pop3_top *t, struct slice content);

#endif
