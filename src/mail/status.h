/* status.h - SMTP replies by name: basic code, enhanced code, words.              room: mail   runs in: all
 *
 * One table (RFC 5321 4.2, RFC 3463, RFC 5248 and the IANA registry). Code says what happened by name; the
 * numbers stand here and nowhere else. Words are for the client: they hold no internals.
 */
#ifndef MAIL_STATUS_H
#define MAIL_STATUS_H

#include "base/slice.h"

enum status {
#define STATUS(name, basic, enhanced, words) STATUS_##name,
#include "mail/status.def"
#undef STATUS
    STATUS_N
};

struct status_info {
    uint16_t basic;       /* 452 */
    const char *enhanced; /* "4.2.2"; "" where RFC 2034 gives none (greeting, EHLO, 354) */
    const char *words;
};
/* Never NULL. */
const struct status_info *status_info(enum status s);
/* Is it over (5xx), or is the client asked to come back? */
bool status_is_permanent(enum status s);

#endif
