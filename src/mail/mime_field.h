/* mime_field.h - what the header fields of a part mean.                        room: mail   runs in: keeper cli
 *
 * Private to mime.c, which finds the fields; mime_field.c interprets them one by one, into the parser's arena. The first
 * field of a name counts; another one with a meaning for MIME makes the part MIME_AMBIGUOUS. What the arena cannot take
 * is left out whole and the part is MIME_TRUNCATED.
 */
#ifndef MAIL_MIME_FIELD_H
#define MAIL_MIME_FIELD_H

#include "mail/mime.h"

enum { BOUNDARY_MAX = 1000 }; /* RFC 2046 allows 70; longer ones are seen and made ambiguous */

/* One field of a part's header. `envelope` is NULL where the header is not a message's. `seen` remembers names. */
void mime_field_read(
    struct mime_part *part, struct mime_envelope *envelope, uint32_t *seen, const struct header_field *field,
    struct arena *arena);
/* The header is complete: kind, default type. `in_digest`: RFC 2046 5.1.5. */
void mime_field_decide(struct mime_part *part, bool in_digest);
/* The boundary a multipart is to be read with; empty when there is none. */
struct slice mime_field_boundary(struct mime_part *part, struct arena *arena);
/* The part is shown as something plainer than it says it is. */
void mime_field_show_as(struct mime_part *part, enum mime_kind kind, struct slice type, struct slice subtype);

#endif
