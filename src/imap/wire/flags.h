/* flags.h - message flags on the wire (RFC 3501 2.3.2).                        room: imap/wire   runs in: keeper */
#ifndef IMAP_WIRE_FLAGS_H
#define IMAP_WIRE_FLAGS_H

#include "base/buf.h"

enum {
    IMAP_FLAG_SEEN = 1 << 0,
    IMAP_FLAG_ANSWERED = 1 << 1,
    IMAP_FLAG_FLAGGED = 1 << 2,
    IMAP_FLAG_DELETED = 1 << 3,
    IMAP_FLAG_DRAFT = 1 << 4,
    IMAP_FLAG_SYSTEM = (1 << 5) - 1,
    IMAP_FLAG_RECENT = 1 << 5 /* never set by a client */
};

struct imap_flags {
    unsigned system;        /* IMAP_FLAG_* */
    struct slice *keywords; /* atoms; equal ones (ASCII case folded) once */
    size_t keywords_n;
};

/* The bit of "\Seen" and its like; 0 for what is none. Any case. */
unsigned imap_flag_of(struct slice name);
/* "\Seen \Draft" for the bits, one space between; returns whether something was written. */
bool imap_put_flags(struct buf *out, unsigned system);

#endif
