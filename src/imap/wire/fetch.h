/* fetch.h - what a FETCH asks for (RFC 3501 6.4.5, RFC 7162 3.1.4).            room: imap/wire   runs in: keeper
 *
 * Attributes of a message are bits; parts of its body are sections, in the order of the command. ALL, FAST,
 * FULL, RFC822, RFC822.HEADER and RFC822.TEXT are resolved here, so that the session knows only bits and
 * sections; a section remembers the name under which it was asked for, which is the name of the answer.
 */
#ifndef IMAP_WIRE_FETCH_H
#define IMAP_WIRE_FETCH_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    IMAP_FETCH_UID = 1 << 0,
    IMAP_FETCH_FLAGS = 1 << 1,
    IMAP_FETCH_INTERNALDATE = 1 << 2,
    IMAP_FETCH_SIZE = 1 << 3,
    IMAP_FETCH_ENVELOPE = 1 << 4,
    IMAP_FETCH_BODY = 1 << 5,          /* the structure without extension data */
    IMAP_FETCH_BODYSTRUCTURE = 1 << 6, /* with extension data */
    IMAP_FETCH_MODSEQ = 1 << 7
};

/* What of a part is asked for. */
enum imap_section_text {
    IMAP_TEXT_ALL,        /* BODY[], BODY[1.2]: the message, or the part's body */
    IMAP_TEXT_HEADER,     /* HEADER of the message or of an embedded message */
    IMAP_TEXT_FIELDS,     /* HEADER.FIELDS (...) */
    IMAP_TEXT_FIELDS_NOT, /* HEADER.FIELDS.NOT (...) */
    IMAP_TEXT_TEXT,       /* TEXT: the body of the message or of an embedded message */
    IMAP_TEXT_MIME        /* MIME: the header of a part; always with a part number */
};
/* The name in the answer. */
enum imap_section_name { IMAP_NAME_BODY, IMAP_NAME_RFC822, IMAP_NAME_RFC822_HEADER, IMAP_NAME_RFC822_TEXT };

struct imap_section {
    enum imap_section_name name;
    enum imap_section_text text;
    struct slice path;    /* "1.2.3", counted from 1; empty: the message */
    struct slice *fields; /* names as the client wrote them */
    size_t fields_n;
    bool peek; /* does not set \Seen */
    bool is_partial;
    uint32_t from, count; /* <from.count>; count is at least 1 */
};

struct imap_fetch {
    unsigned attributes;
    struct imap_section *sections;
    size_t sections_n;
    bool has_changed_since;
    uint64_t changed_since;
    bool sets_seen; /* some section is not peeked at */
};

/* "BODY[1.2.HEADER.FIELDS (Date From)]<0>": the name of the answer's item (RFC 3501 7.4.2), without a space
 * behind. */
void imap_put_section(struct buf *out, const struct imap_section *section);

#endif
