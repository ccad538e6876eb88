/* date.h - the two dates of IMAP (RFC 3501 9).                        room: imap/wire   runs in: keeper
 * fuzzers */
#ifndef IMAP_WIRE_DATE_H
#define IMAP_WIRE_DATE_H

#include "base/buf.h"

/* date-text, "1-Feb-1994": days since 1970-01-01. ERR_SYNTAX, also for days that no month has. */
fallible imap_date_parse(struct slice text, int64_t *ret_days);
/* date-time without its quotes, "17-Jul-1996 02:44:25 -0700": unix seconds. */
fallible imap_date_time_parse(struct slice text, int64_t *ret_seconds);
/* "17-Jul-1996 02:44:25 +0000", always 26 octets for years up to 9999 (others are clamped). */
void imap_date_time_put(struct buf *out, int64_t unix_seconds);

#endif
