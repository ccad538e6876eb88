/* structure.h - a message's MIME tree and envelope as one compact row.            room: mail   runs in: keeper cli
 *
 * Written once, at delivery, from mime.h's tree; read by every FETCH of ENVELOPE, BODYSTRUCTURE or a part, without the
 * message. Reading copies nothing: all slices point into the row. Every length and offset is checked before use, so
 * that a damaged row gives ERR_CORRUPT and nothing worse; offsets never leave the message's size.
 *
 * Format, version 1, which later releases read for ever. Integers are LEB128 of at most 9 octets, a text is its length
 * and its octets.
 *
 * - Row: 0xD5, version, flags, message size, part count, the envelope as a text, then each part as a text, in document
 *   order.
 * - Part: depth, kind, encoding, flags, children, header start, header length, body length, body lines; type, subtype,
 *   parameters; a set of bits for what follows: id, description, transfer encoding, md5, location, disposition with
 *   parameters, languages; for a message its envelope.
 * - Parameters and languages are a text each, empty when there are none: the count, then each. A parameter is its name's
 *   length * 2 + extended, name, value. A language is a text.
 * - Envelope: a set of bits of the fields that are present, then each: its value; for address fields a text that is a
 *   pool of what does not stand in the value, and a text of items: count * 4 + truncated * 2 + invalid, then each item:
 *   kind and bits of what it has, then offset and length of each, counted through the value and on through the pool.
 *
 * Fails: ERR_CORRUPT; ERR_UNSUPPORTED for a version of a later release; ERR_NOT_FOUND; ERR_LIMIT from the buffer.
 */
#ifndef MAIL_STRUCTURE_H
#define MAIL_STRUCTURE_H

#include "mail/mime.h"

#define STRUCTURE_VERSION 1

/* Appends the row. Give the buffer LIMIT_MIME_ARENA / 2: any tree of mime.h fits. */
fallible structure_put(struct buf *out, const struct mime_tree *tree);

/* The row of a message that nobody looked into: one application/octet-stream of `size` octets without a header. */
fallible structure_put_opaque(struct buf *out, uint64_t size);

/* For rows made from other rows (redact.h): first the head, then each part. Errors are the buffer's. */
void structure_put_head(
    struct buf *out, uint32_t flags, uint64_t size, uint32_t parts, struct slice envelope);
void structure_put_part(struct buf *out, const struct mime_part *part);

struct structure {
    struct slice row;
    uint64_t size;  /* octets of the message: RFC822.SIZE */
    uint32_t flags; /* enum mime_flag of the whole */
    uint32_t parts;
    struct slice envelope; /* for structure_envelope */
    struct slice records;
};
/* Looks at the head only; the rest is checked as it is read. */
fallible structure_open(struct slice row, struct structure *ret_structure);
/* Reads everything once and checks what reading single parts cannot: that every part lies inside its parent
 * and behind its elder. For doctor, backup and tests. */
fallible structure_check(const struct structure *s);

/* ---- envelopes ---- */

/* A walk over the addresses of one field. */
struct structure_addresses {
    struct slice value, pool; /* where the texts are */
    struct slice rest;        /* items not read yet */
    size_t count;             /* items in all */
    size_t left;
    bool invalid, truncated;
};
struct structure_envelope {
    struct slice raw[ENVELOPE_FIELDS]; /* unfolded; p NULL when missing */
    struct structure_addresses addresses[ENVELOPE_BCC + 1];
};
fallible structure_envelope_read(struct slice envelope, struct structure_envelope *ret_envelope);
/* ERR_NOT_FOUND behind the last. */
fallible structure_address_next(struct structure_addresses *walk, struct address_item *ret_item);

/* ---- parts ---- */

struct structure_params {
    struct slice rest;
    size_t count;
};
struct structure_languages {
    struct slice rest;
    size_t count;
};
struct structure_part {
    uint32_t index; /* document order */
    uint32_t children;
    uint16_t depth;
    uint8_t kind;     /* enum mime_kind */
    uint8_t encoding; /* enum encoding */
    uint32_t flags;
    uint64_t header_start, body_start, body_end, body_lines;
    struct slice type, subtype; /* as written; never empty */
    struct structure_params params;
    struct slice id, description, transfer_encoding, md5, disposition, location; /* p NULL when missing */
    struct structure_params disposition_params;
    struct structure_languages languages;
    struct slice envelope; /* MIME_MESSAGE */
    size_t record;         /* where its record stands, for structure_put_moved */
};
/* Taken off by value; ERR_NOT_FOUND behind the last. */
fallible structure_param_next(struct structure_params *walk, struct header_param *ret_param);
fallible structure_language_next(struct structure_languages *walk, struct slice *ret_language);

/* A walk over all parts in document order that also says when a part ends, so that nested lists can be
 * written without recursion: ENTER root, ENTER child, LEAVE child, LEAVE root. */
enum structure_event { STRUCTURE_ENTER, STRUCTURE_LEAVE, STRUCTURE_END };
struct structure_walk {
    const struct structure *s;
    size_t at; /* next record */
    uint32_t index;
    uint16_t open; /* parts entered and not left */
    struct {
        size_t record;
        uint32_t index;
        uint32_t left; /* children not entered yet */
    } stack[LIMIT_MIME_DEPTH + 2];
    struct structure_part last; /* the part entered last, which is mostly left next */
};
void structure_walk_start(struct structure_walk *walk, const struct structure *s);
fallible structure_walk_next(
    struct structure_walk *walk, enum structure_event *ret_event, struct structure_part *ret_part);

/* Writes the part anew, with the depth, children, places and lines that `part` says now and all else as it stands in the row
 * that `part` was read from. ERR_CORRUPT. */
fallible structure_put_moved(struct buf *out, const struct structure *s, const struct structure_part *part);

/* ---- sections (RFC 3501 6.4.5, RFC 9051 6.4.5.1) ---- */

enum structure_want {
    STRUCTURE_WHOLE,  /* [] or [1.2]: the message, or a part's body */
    STRUCTURE_HEADER, /* [HEADER], [1.2.HEADER]: of the message, or of the message in that part */
    STRUCTURE_TEXT,   /* [TEXT], [1.2.TEXT] */
    STRUCTURE_MIME,   /* [1.2.MIME]: the part's own header */
    STRUCTURE_WANTS
};
struct structure_section {
    struct structure_part part; /* the part that was named; the root for the empty path */
    uint64_t start, end;        /* octets of the message */
};
/* The part with that number ("1.2.3"; "1" of a message that is no multipart is its root, as the empty path is), and the octets
 * of one of its sections. HEADER and TEXT of a part that holds no message, and MIME without a number: ERR_NOT_FOUND, as no such
 * part is. Header ranges include the empty line. ERR_SYNTAX for what is no part number; ERR_CORRUPT. */
fallible structure_find_section(
    const struct structure *s, struct slice path, enum structure_want want,
    struct structure_section *ret_section);

#endif
