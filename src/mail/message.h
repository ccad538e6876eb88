/* message.h - line ends made whole, and the fields this server writes itself.   room: mail   runs in: gate keeper cli
 *
 * Not here: where a message is kept, and who may send it.
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "base/buf.h"
#include "mail/address.h"

/* Bare LF and bare CR become CRLF, however the input is cut: for APPEND, the API and imports; SMTP refuses
 * them instead. */
struct message_lines {
    bool after_cr;
    bool changed; /* the output differs from the input */
};
void message_lines_init(struct message_lines *l);
void message_lines_feed(struct message_lines *l, struct slice in, struct buf *out);
void message_lines_finish(struct message_lines *l, struct buf *out);

/* A Received field (RFC 5321 4.4, RFC 3848, RFC 6531 for the keywords), folded, with its CRLF. Empty slices
 * leave their clause out. Nothing in them can end the field or a comment: other octets than printable ASCII
 * and UTF-8 letters become
 * '?', and parentheses and backslashes too. */
struct message_received {
    struct slice helo;        /* what the client said of itself */
    struct slice name;        /* its verified host name */
    struct slice address;     /* its address, text, without brackets */
    struct slice by;          /* our own host name */
    struct slice protocol;    /* "ESMTPSA", see message_protocol */
    struct slice cipher;      /* "TLS1.3 TLS_AES_256_GCM_SHA384" */
    struct slice id;          /* ours */
    struct slice for_address; /* only with a single recipient (T-083) */
    int64_t when_unix_s;
};
void message_put_received(struct buf *out, const struct message_received *r);
/* "ESMTPSA", "UTF8SMTPS"...: the keyword of the `with` clause (RFC 3848, RFC 6531 4.3). */
const char *message_protocol(bool is_esmtp, bool is_utf8, bool is_tls, bool is_signed_in);
/* "Date: ..." CRLF. */
void message_put_date(struct buf *out, int64_t unix_s);
/* "Message-ID: <hex@domain>" CRLF from random octets of the caller. */
void message_put_message_id(struct buf *out, struct slice random, struct slice domain);

#endif
