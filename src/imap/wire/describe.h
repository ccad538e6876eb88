/* describe.h - ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 7.4.2) from a stored structure row.   room: imap/wire   runs in: keeper
 *
 * Rendered straight from the row into the output, without a tree between and without memory. The row is checked while it
 * is read: a damaged one gives ERR_CORRUPT, and what was appended is taken back.
 */
#ifndef IMAP_WIRE_DESCRIBE_H
#define IMAP_WIRE_DESCRIBE_H

#include "base/buf.h"
#include "mail/structure.h"

/* "(date subject from sender reply-to to cc bcc in-reply-to message-id)". A missing Sender or Reply-To is From. */
fallible imap_put_envelope(struct buf *out, struct slice envelope);
/* The body of the whole message; `extended`: with extension data (BODYSTRUCTURE). */
fallible imap_put_bodystructure(struct buf *out, const struct structure *s, bool extended);

#endif
