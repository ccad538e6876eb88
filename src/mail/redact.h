/* redact.h - a message without the attachments that somebody may not see.             room: mail   runs in: keeper
 *
 * From the row of a message (structure.h) and a predicate on attachments comes a virtual message: the octets of the original
 * with notes, short text/plain parts, in the places of what is left out, and a row of its own that tells its structure. All
 * that is said of the virtual message (its size, its structure, its parts and any range of its octets) follows from
 * the row, the predicate and the language alone, so that it is the same in every session (INV-39). Bodies are
 * not read, and nothing large is copied.
 *
 * An attachment is every part that is not a multipart and not a text/plain or text/html without a file name and without
 * the disposition "attachment". What cannot be judged errs on the side of hiding:
 *
 * - A message in a message is one attachment, with all that is in it: it is shown when it and all attachments in it may be.
 * - When the root itself is an attachment, or readers may differ about the message (MIME_AMBIGUOUS), or it was not read to
 *   its end (MIME_TRUNCATED, an opaque blob), the whole body is one note; the fields of the header stay, but for
 *   Content-* ones.
 * - In a multipart/alternative a note never stands behind a form that can be read, since programs show the last one: what
 *   is hidden there is left out with its delimiter.
 * - A part without octets is shown: there is nothing to hide.
 *
 * A digital signature over anything that was left out cannot be checked any more; the note says so.
 *
 * Owns:   struct redaction its arena and buffers. Fails: ERR_CORRUPT (the row), and what `read` says.
 * Limits: LIMIT_REDACT_TEXT for all notes (above it the whole body is one note), LIMIT_REDACT_MEMORY.
 */
#ifndef MAIL_REDACT_H
#define MAIL_REDACT_H

#include "base/arena.h"
#include "mail/structure.h"

enum redact_why {
    REDACT_SHOW,    /* it may be seen */
    REDACT_ANY,     /* no attachments are seen */
    REDACT_TYPE,    /* not this type */
    REDACT_SIZE,    /* not one so large */
    REDACT_UNCLEAR, /* redact.c's own: readers may differ about this message */
    REDACT_WHYS
};
enum redact_language { REDACT_ENGLISH, REDACT_CHINESE, REDACT_LANGUAGES };

struct redact_rules {
    /* May an attachment of this type ("image/png", lower case) and decoded size be seen? */
    enum redact_why (*judge)(void *owner, struct slice type, uint64_t size);
    /* The octets [start, end) of the original, good until the next call, never more than LIMIT_HEADER_SECTION. Asked for the
     * header when the root is replaced, and for one octet behind some messages that are. */
    fallible (*read)(void *owner, uint64_t start, uint64_t end, struct slice *ret_octets);
    void *owner;
    enum redact_language language;
    struct charsets *charsets; /* for file names; may be NULL */
};

/* A run of the virtual message: of the original (from: its place there), or of `text`. */
struct redact_run {
    uint64_t at, n;
    uint64_t from;
    bool is_text;
};
struct redaction {
    bool is_changed; /* false: the virtual message is the original, and nothing else here is set */
    struct buf row, text;
    uint64_t size;
    struct arena mem;
    struct redact_run *runs;
    size_t n, cap;
};
void redaction_init(struct redaction *r);
void redaction_done(struct redaction *r);
/* Forgets the message before, keeps memory. */
void redaction_clear(struct redaction *r);
/* The virtual message of a row. After a failure the redaction is clear, and nothing of the message may be shown. */
fallible redact(struct redaction *r, const struct structure *s, const struct redact_rules *rules);
/* Where the octets from `offset` on are: the run and the place in it; at the end, or behind it, NULL. */
const struct redact_run *redaction_find(const struct redaction *r, uint64_t offset, uint64_t *ret_skip);

/* ---- for redact.c: redact_note.c ---- */

/* Appends a note with its own header, from "Content-Type: ..." to its last word. `ends_message`: and a line end;
 * `needs_version`: and MIME-Version, for the header of a message. *ret_part is what a row says of it, its header and body counted from
 * the start of the note. */
struct redact_note {
    enum redact_why why;
    bool is_signed, ends_message, needs_version;
    const struct structure_part *of;
    uint64_t size; /* decoded, of the attachment */
};
void redact_put_note(
    struct buf *out, const struct redact_rules *rules, const struct redact_note *note,
    struct mime_part *ret_part);

#endif
