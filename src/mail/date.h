/* date.h - dates of mail: RFC 5322 fields and IMAP's internal dates.          room: mail   runs in: all
 *
 * A date is an instant (UTC seconds since 1970, which may be negative) and the zone it was written in. Out of
 * range is refused, never wrapped. No locale and no time zone data.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/buf.h"

struct mail_date {
    int64_t unix_s;
    int16_t zone;       /* minutes east of UTC; -1439 to 1439 */
    bool zone_is_known; /* false for -0000 and for military and unknown alphabetic zones (RFC 5322 4.3), read
                           as UTC */
};

/* RFC 5322 3.3 and 4.3: comments and folding anywhere, the day of week missing or wrong, years of two and
 * three digits, seconds missing, 60 as seconds, zones by name. ERR_SYNTAX. */
fallible date_parse(struct slice text, struct mail_date *ret_date);
/* "Mon, 02 Jan 2006 15:04:05 +0000". Years outside 1900 to 9999 are clamped. */
void date_put(struct buf *out, int64_t unix_s, int zone_minutes);
/* IMAP date-time without its quotes, "17-Jul-1996 02:44:25 -0700" (RFC 3501 9). ERR_SYNTAX. */
fallible date_parse_internal(struct slice text, struct mail_date *ret_date);
void date_put_internal(struct buf *out, int64_t unix_s, int zone_minutes);
/* IMAP date of SEARCH, "1-Feb-1994": days since 1970-01-01 in whatever zone is meant. ERR_SYNTAX. */
fallible date_parse_day(struct slice text, int64_t *ret_day);
/* The day an instant falls on in its own zone, as SENTON and ON want it (RFC 3501 6.4.4: time and zone
 * disregarded). */
int64_t date_day(int64_t unix_s, int zone_minutes);

#endif
