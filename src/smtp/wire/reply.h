/* reply.h - SMTP replies: writing them, and reading those of a peer.           room: smtp/wire   runs in: gate cli
 *
 * A reply is a status of mail/status.h and text of one or more lines. The writer is for our own words: foreign octets
 * are shown only through smtp_put_quoted, which makes them harmless. The reader is the client's side: fed line by line,
 * strict about form, bounded by LIMIT_SMTP_REPLY and LIMIT_SMTP_REPLY_LINES.
 */
#ifndef SMTP_WIRE_REPLY_H
#define SMTP_WIRE_REPLY_H

#include "base/buf.h"
#include "mail/status.h"

/* A status and its words, one line. */
void smtp_put(struct buf *out, enum status status);
/* The same with other words of ours: one line, or several separated by LF (EHLO). Asserts printable ASCII. */
void smtp_put_text(struct buf *out, enum status status, struct slice text);
/* The status' own words and, in parentheses, something foreign, made harmless: what is not printable ASCII becomes '?',
 * cut at 128 octets. */
void smtp_put_quoted(struct buf *out, enum status status, struct slice foreign);
/* 334 and base64 (RFC 4954 4). */
void smtp_put_challenge(struct buf *out, struct slice base64);

struct smtp_reply_reader {
    unsigned code;     /* of the lines so far, 0: none yet */
    bool last;         /* the reply is whole */
    uint8_t status[3]; /* class, subject, detail; all 0: none. A detail above 255 stays 255 */
    struct buf text;   /* lines joined by LF, statuses cut off; the caller's to free */
    unsigned lines;
};
/* For one reply. */
void smtp_reply_reader_init(struct smtp_reply_reader *r);
/* One line without CRLF. OK: whole now. ERR_AGAIN: more lines follow. ERR_SYNTAX: no
 * SMTP reply. ERR_LIMIT: too long; in both cases nothing after it can be trusted. */
fallible smtp_reply_reader_feed(struct smtp_reply_reader *r, struct slice line);

#endif
