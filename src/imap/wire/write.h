/* write.h - IMAP responses, rendered straight into an output buffer.           room: imap/wire   runs in: gate keeper
 *
 * Nothing here allocates; errors are the buffer's sticky ones. Foreign text leaves only through
 * imap_put_string and its relatives, which choose between quoted and literal (RFC 3501 4.3), so that no CR,
 * LF or quote can break a line (T-173). Resp-text of our own is printable ASCII; foreign text never becomes
 * part of it.
 */
#ifndef IMAP_WIRE_WRITE_H
#define IMAP_WIRE_WRITE_H

#include "base/buf.h"

enum imap_status { IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_BYE, IMAP_PREAUTH };

/* Response codes without arguments (RFC 5530, 3501 7.1 and others). Those with arguments have functions of
 * their own. */
enum imap_code {
    IMAP_CODE_NONE,
    IMAP_CODE_ALERT,
    IMAP_CODE_ALREADYEXISTS,
    IMAP_CODE_AUTHENTICATIONFAILED,
    IMAP_CODE_AUTHORIZATIONFAILED,
    IMAP_CODE_CANNOT,
    IMAP_CODE_CLIENTBUG,
    IMAP_CODE_CLOSED,
    IMAP_CODE_CORRUPTION,
    IMAP_CODE_EXPIRED,
    IMAP_CODE_EXPUNGEISSUED,
    IMAP_CODE_HASCHILDREN,
    IMAP_CODE_LIMIT,
    IMAP_CODE_NOMODSEQ,
    IMAP_CODE_NONEXISTENT,
    IMAP_CODE_NOPERM,
    IMAP_CODE_OVERQUOTA,
    IMAP_CODE_PARSE,
    IMAP_CODE_PRIVACYREQUIRED,
    IMAP_CODE_READ_ONLY,
    IMAP_CODE_READ_WRITE,
    IMAP_CODE_TOOBIG,
    IMAP_CODE_TRYCREATE,
    IMAP_CODE_UIDNOTSTICKY,
    IMAP_CODE_UNAVAILABLE,
    IMAP_CODE_UNKNOWN_CTE,
    IMAP_CODE_USEATTR,
    IMAP_CODE_N
};

/* "a1 NO [TRYCREATE] text\r\n"; text is ours: printable ASCII. */
void imap_put_tagged(
    struct buf *out, struct slice tag, enum imap_status status, enum imap_code code, const char *text);
/* "* OK [CODE] text\r\n" */
void imap_put_untagged(struct buf *out, enum imap_status status, enum imap_code code, const char *text);
/* "+ text\r\n" */
void imap_put_continue(struct buf *out, struct slice text);

/* "text" in quotes when it is short ASCII without CR, LF, NUL (quotes and backslashes escaped), else
 * "{n}\r\n" and the octets. A NUL becomes 0x80 as RFC 9051 4.3.1 leaves no other way. */
void imap_put_string(struct buf *out, struct slice s);
/* NIL for the slice without a pointer. */
void imap_put_nstring(struct buf *out, struct slice s);
/* An atom where the grammar allows it, else a string. */
void imap_put_astring(struct buf *out, struct slice s);
/* A mailbox name, given in UTF-8: as modified UTF-7 astring, or as UTF-8 where the session enabled it. */
void imap_put_mailbox(struct buf *out, struct slice utf8, bool as_utf8);
/* "17-Jul-1996 02:44:25 +0000" in quotes (date-time, always UTC). */
void imap_put_date_time(struct buf *out, int64_t unix_seconds);
/* "{n}\r\n": the caller appends n octets afterwards. */
void imap_put_literal_size(struct buf *out, uint64_t n);

/* Capabilities: which of the table go into the line. */
enum {
    IMAP_CAPS_PREAUTH = 1,  /* before sign-in; otherwise after it */
    IMAP_CAPS_STARTTLS = 2, /* STARTTLS is offered */
    IMAP_CAPS_NO_LOGIN = 4  /* LOGINDISABLED: no TLS yet, or passwords are not taken as they are */
};
/* "CAPABILITY IMAP4rev1 ..." without line end or brackets. `mechanisms`: names for AUTH=, e.g. "PLAIN", n of
 * them. */
void imap_put_capabilities(struct buf *out, unsigned which, const struct slice *mechanisms, size_t n);

#endif
