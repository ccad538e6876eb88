/* mutf7.h - mailbox names in modified UTF-7 (RFC 3501 5.1.3).                  room: imap/wire   runs in: keeper cli
 *
 * Inside the house names are UTF-8. Decoding is strict, so that one name has one spelling: printable US-ASCII
 * stands for itself, base64 runs are complete, hold no printable US-ASCII, no lone surrogate and no padding
 * bits, and do not follow each other directly (T-160).
 */
#ifndef IMAP_WIRE_MUTF7_H
#define IMAP_WIRE_MUTF7_H

#include "base/buf.h"

/* Appends the UTF-8 of a name. ERR_SYNTAX, nothing is appended; ERR_LIMIT from out. */
fallible imap_mutf7_get(struct slice name, struct buf *out);
/* Appends the modified UTF-7 of valid UTF-8; ERR_SYNTAX for what is not valid UTF-8. */
fallible imap_mutf7_put(struct buf *out, struct slice utf8);

#endif
