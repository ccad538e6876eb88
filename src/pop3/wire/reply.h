/* reply.h - POP3 replies: one line, or many with dots stuffed.                 room: pop3/wire   runs in: gate keeper cli
 *
 * Writers append to a buffer with sticky errors. The text of a line is ours: never foreign octets with CR or
 * LF (asserted). Foreign message content goes through the stuffer, which is a machine: cut the content where
 * you like.
 */
#ifndef POP3_WIRE_REPLY_H
#define POP3_WIRE_REPLY_H

#include "base/buf.h"

/* Response codes of RFC 2449 8, RFC 3206 and RFC 6856 5. */
enum pop3_code {
    POP3_NO_CODE,
    POP3_CODE_AUTH,     /* the credentials are at fault */
    POP3_CODE_IN_USE,   /* another session holds the drop */
    POP3_CODE_SYS_TEMP, /* the server is at fault, for now */
    POP3_CODE_SYS_PERM, /* the server is at fault, and somebody must look */
    POP3_CODE_UTF8,     /* the message needs UTF8 */
    POP3_CODES
};
/* "+OK text", "-ERR [CODE] text". */
void pop3_put_ok(struct buf *out, const char *text);
void pop3_put_err(struct buf *out, enum pop3_code code, const char *text);
/* "+ " and base64: a challenge of AUTH (RFC 5034 4). The argument is the base64 text. */
void pop3_put_challenge(struct buf *out, struct slice base64);
/* The "." line. */
void pop3_put_end(struct buf *out);

/* What CAPA says (RFC 2449 6): the "+OK" line, the list, the end. */
struct pop3_offer {
    bool signed_in; /* in TRANSACTION: no USER, SASL or STLS */
    bool stls;      /* STLS may be used */
    bool secrets;   /* USER may be used: the connection is private, and passwords are taken as they are */
    struct slice mechanisms; /* "PLAIN LOGIN": words of SASL; empty: none may be used */
};
void pop3_put_capa(struct buf *out, const struct pop3_offer *offer);

/* Dot-stuffing of a multi-line reply (RFC 1939 3). A line begins after any LF, also after a bare one that a
 * stored message may hold: a client that takes LF for a line's end must not see a lone dot. */
struct pop3_stuffer {
    enum { POP3_LINE_START, POP3_LINE_INSIDE, POP3_LINE_CR } at;
    bool bare_lf; /* the last line ended by LF alone: not an end for a strict client */
};
void pop3_stuffer_feed(struct pop3_stuffer *st, struct slice content, struct buf *out);
/* CRLF when the content ended inside a line, then the "." line. */
void pop3_stuffer_end(struct pop3_stuffer *st, struct buf *out);
/* At most this many octets come out of n octets of content (the end excluded). */
#define POP3_STUFFED_MAX(n) (2 * (n))

/* The client's side: the first line of a reply, without its end. */
struct pop3_reply {
    enum { POP3_REPLY_OK, POP3_REPLY_ERR, POP3_REPLY_CHALLENGE } kind;
    struct slice code; /* "SYS/TEMP", without brackets; empty when none */
    struct slice text;
};
/* ERR_SYNTAX. */
fallible pop3_reply_parse(struct slice line, struct pop3_reply *ret_reply);

#endif
