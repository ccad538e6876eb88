/* encoding.h - content transfer encodings, read tolerantly by one table, written strictly.  room: mail   runs in: all
 *
 * What a decoder does with each kind of octet is the table below, for every reader in the house (T-121). `ambiguous` says
 * that other readers may get other octets.
 *
 * Owns nothing: a decoder is a value, its output goes into the caller's buffer. Fails: never, but for the buffer's limit.
 */
/* clang-format off */
/*
 *   base64            letters, digits, + /       six bits
 *                     CR LF SP HTAB              skipped
 *                     - _                        62, 63 (base64url), ambiguous
 *                     =                          ends the quantum: its whole octets come out, a remainder is dropped
 *                     data after =               a new quantum (concatenated streams), ambiguous
 *                     any other octet            skipped, ambiguous
 *                     end inside a quantum       whole octets come out; ambiguous (missing padding, a lone digit)
 *                     = where none belongs, unused bits not zero, wrong count of =     ambiguous
 *   quoted-printable  =XX (either case)          that octet; lower case is ambiguous
 *                     = blanks line end          soft break: nothing; with blanks, or LF alone, ambiguous
 *                     = then anything else       the = is kept as it is, ambiguous; so at the end of input
 *                     blanks before a line end   dropped (RFC 2045 6.7 rule 3); so at the end of input
 *                     octets above 0x7e, controls other than HTAB CR LF    kept, ambiguous
 *   7bit 8bit binary  everything                 kept
 *   unknown           everything                 kept, ambiguous (RFC 2045 6.4: not text then)
 */
/* clang-format on */
#ifndef MAIL_ENCODING_H
#define MAIL_ENCODING_H

#include "base/buf.h"

enum encoding {
    ENCODING_7BIT,
    ENCODING_8BIT,
    ENCODING_BINARY,
    ENCODING_BASE64,
    ENCODING_QUOTED_PRINTABLE,
    ENCODING_UNKNOWN, /* uuencode, x-anything: BINARY answers [UNKNOWN-CTE] */
    ENCODING_N,
};
/* By the value's token (case ignored); the empty slice is 7bit. */
enum encoding encoding_find(struct slice token);
/* 7bit, 8bit, binary: the octets are the content. */
bool encoding_is_identity(enum encoding e);

struct encoding_decoder {
    enum encoding encoding;
    bool ambiguous; /* readers may differ about these octets */
    uint8_t state;
    uint8_t have; /* base64: digits of the quantum */
    uint8_t pads; /* base64: '=' seen for this quantum */
    uint8_t hex;  /* quoted-printable: the first digit as written */
    bool any_pad; /* base64: a quantum has ended with '=' */
    uint32_t quantum;
    uint64_t blanks;     /* quoted-printable: blanks that may end the line, kept by count... */
    char blank_bits[32]; /* ...and which of the first 256 are tabs; the rest count as spaces and are ambiguous
                          */
};
void encoding_decoder_init(struct encoding_decoder *d, enum encoding encoding);
/* Any cut of the input gives the same output. Memory is the buffer's alone. */
void encoding_decoder_feed(struct encoding_decoder *d, struct slice in, struct buf *out);
void encoding_decoder_finish(struct encoding_decoder *d, struct buf *out);

/* Base64 in lines of 76 digits, each with CRLF. */
void encoding_put_base64(struct buf *out, struct slice data);
/* Quoted-printable of text: CRLF stays a line end, lines of at most 76, trailing blanks encoded. */
void encoding_put_quoted_printable(struct buf *out, struct slice text);

#endif
