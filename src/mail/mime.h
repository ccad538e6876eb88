/* mime.h - the MIME structure of one message, found while its octets pass by.   room: mail   runs in: keeper cli
 *
 * Feed slices of any size; only the tree is kept, never the message. There is no recursion and no look-back:
 * the same octets give the same tree however they are cut. The tree goes into a row with structure.h; FETCH
 * reads that row.
 *
 * The one reading (T-120). A delimiter is a whole line: "--", an open multipart's boundary, "--" or nothing,
 * blanks, and the line end; the line end before it belongs to it. The innermost open multipart is asked
 * first, then outwards: an outer delimiter ends all that is inside. The first boundary parameter and the
 * first field of a name count. Whatever another reader might take differently sets MIME_AMBIGUOUS. A
 * multipart without a boundary or without any part is shown as text/plain; behind a limit the rest is one
 * application/octet-stream leaf, MIME_OPAQUE. message/rfc822 and message/global hold one child, the body of
 * the message inside, and its envelope.
 *
 * Owns:   its arena; the tree lives in it, until mime_free.
 * Fails:  never for what a message says. Limits make parts opaque and drop whole fields (never the half of
 * one). Limits: LIMIT_MIME_DEPTH, _PARTS, _PARAMETERS, _SEGMENTS, _ARENA (half for the tree, half for its
 * row), LIMIT_HEADER_FIELDS, _FIELD, _SECTION, LIMIT_ENVELOPE_ADDRESSES.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "mail/address.h"
#include "mail/encoding.h"
#include "mail/header.h"

/* Flags of a part, and of the message (the union of all parts). Stored: never renumber. */
enum mime_flag {
    MIME_AMBIGUOUS = 1 << 0,     /* readers may differ: quarantine policy looks at it */
    MIME_TRUNCATED = 1 << 1,     /* a limit was reached: fields are missing or parts are opaque */
    MIME_OPAQUE = 1 << 2,        /* this part was not looked into although its type says it could be */
    MIME_8BIT = 1 << 3,          /* octets above 0x7f in the body */
    MIME_HEADER_8BIT = 1 << 4,   /* octets above 0x7f in the header: needs SMTPUTF8 or a downgrade */
    MIME_NUL = 1 << 5,           /* NUL octets, header or body */
    MIME_BARE_LINE_END = 1 << 6, /* a CR or LF alone, header or body */
    MIME_UNCLOSED = 1 << 7,      /* a multipart that the end of input, or an outer delimiter, ended */
    MIME_ATTACHMENT = 1 << 8,    /* disposition attachment, or a file name: what $HasAttachment is made of */
};

enum mime_kind { MIME_BASIC, MIME_TEXT, MIME_MULTIPART, MIME_MESSAGE, MIME_KINDS };

enum mime_envelope_field {
    ENVELOPE_DATE,
    ENVELOPE_SUBJECT,
    ENVELOPE_FROM,
    ENVELOPE_SENDER,
    ENVELOPE_REPLY_TO,
    ENVELOPE_TO,
    ENVELOPE_CC,
    ENVELOPE_BCC,
    ENVELOPE_IN_REPLY_TO,
    ENVELOPE_MESSAGE_ID,
    ENVELOPE_FIELDS
};
#define ENVELOPE_HAS_ADDRESSES(field) ((field) >= ENVELOPE_FROM && (field) <= ENVELOPE_BCC)

struct mime_envelope {
    struct slice raw[ENVELOPE_FIELDS];               /* unfolded; p NULL when the field is missing */
    struct address_list addresses[ENVELOPE_BCC + 1]; /* of the address fields, else empty */
};

struct mime_part {
    struct mime_part *parent; /* NULL for the root */
    struct mime_part *first_child, *last_child, *next;
    uint32_t index; /* in document order, the root is 0 */
    uint32_t children;
    uint16_t depth;        /* the root is 0 */
    uint8_t kind;          /* enum mime_kind: what the type shown below means */
    uint8_t encoding;      /* enum encoding */
    uint32_t flags;        /* enum mime_flag */
    uint64_t header_start; /* octets from the start of the message */
    uint64_t body_start;   /* header_start == body_start: no header */
    uint64_t body_end;
    uint64_t body_lines;       /* line ends in the body */
    struct header_params type; /* type and subtype are always set; text/plain when none or malformed */
    struct slice id, description, transfer_encoding, md5, location; /* p NULL when missing */
    struct header_params disposition;                               /* .type.p NULL when missing */
    struct slice *languages;
    size_t language_count;
    struct mime_envelope *envelope; /* MIME_MESSAGE: of the message inside */
};

/* Of the whole message. */
struct mime_tree {
    struct mime_part *root;
    struct mime_envelope *envelope;
    uint64_t size;
    uint32_t parts;
    uint32_t flags;
};

/* In document order; NULL behind the last. */
struct mime_part *mime_part_next(const struct mime_part *part);

struct mime_parser;

struct mime_parser *mime_new(void);
void mime_free(struct mime_parser **parser);
void mime_feed(struct mime_parser *parser, struct slice octets);
/* The message ends. The tree is good until mime_free. Feed nothing afterwards. */
const struct mime_tree *mime_finish(struct mime_parser *parser);
/* Memory in use now, for tests of the ceiling. */
size_t mime_memory(const struct mime_parser *parser);

/* One written name for a body shown inline ("inline", "attachment"...); what a person would call the file:
 * the file name of the disposition, or the name of the type, decoded to UTF-8. False when there is neither.
 */
bool mime_put_file_name(
    struct charsets *charsets, const struct header_params *type, const struct header_params *disposition,
    struct buf *out);

#endif
