/* header_watch.h - looks at the header of a message that streams by.           room: smtp/front   runs in: gate
 *
 * Counts fields and their octets against LIMIT_HEADER_FIELDS, _FIELD and _SECTION (T-123), and Received fields against
 * LIMIT_RECEIVED_HOPS (T-041), without keeping the header: only the front of the line being read. What a field is decides
 * mail/header.h, for the whole house.
 */
#ifndef SMTP_FRONT_HEADER_WATCH_H
#define SMTP_FRONT_HEADER_WATCH_H

#include "mail/header.h"
#include "mail/status.h"

struct header_watch {
    char line[HEADER_NAME_MAX + 2]; /* the front of the current line */
    size_t line_n;                  /* octets of the line so far, those beyond `line` included */
    size_t field;                   /* octets of the current field */
    size_t section;
    unsigned fields, received;
    bool started; /* not the first line any more */
    bool in_body;
};

void header_watch_init(struct header_watch *w);
/* STATUS_OK, STATUS_HEADER_TOO_BIG or STATUS_LOOP. */
enum status header_watch_feed(struct header_watch *w, struct slice content);

#endif
