/* reader.h - from octets to one whole IMAP command.                            room: imap/wire   runs in: gate keeper
 *
 * The reader collects a command: its line, and the literals that the line announces (RFC 3501 4.3, RFC 7888,
 * literal8 of RFC 3516). It knows no grammar beyond that; command.h reads the words. Feed it what has
 * arrived, in pieces of any size: it takes what belongs to the current command and nothing behind it.
 *
 * The message of an APPEND is never collected: the reader stops in front of it (IMAP_READ_MESSAGE), the
 * caller moves the octets where they belong, says so (imap_reader_message_done), and feeds on.
 *
 * Owns: the command's octets, until imap_reader_next. They may hold a password: memory is zeroed before it
 * goes. Fails: by IMAP_READ_BAD, with `bad` saying what the client may read and whether the connection must
 * end. It must end when octets are on their way that are part of a refused literal and could be taken for
 * commands (RFC 7888 4, T-153). Limits: those passed in; a literal costs memory only as its octets arrive
 * (T-152).
 */
#ifndef IMAP_WIRE_READER_H
#define IMAP_WIRE_READER_H

#include "base/buf.h"
#include "base/limits.h"

/* What a command may cost. The two sets below are the ones in use. */
struct imap_limits {
    size_t line;        /* octets of the command's lines, literals excepted */
    size_t literal;     /* octets of one literal */
    size_t command;     /* octets of lines and literals together */
    size_t tag;         /* octets of the tag */
    size_t nesting;     /* parentheses within parentheses */
    size_t set_ranges;  /* ranges of one sequence set */
    size_t search_keys; /* keys of one SEARCH */
    size_t items; /* members of any other list: FETCH items, header field names, flags, patterns, ID pairs */
    bool literal_plus; /* non-synchronising literals of any size (LITERAL+); else at most 4096 octets
                          (LITERAL-) */
};
extern const struct imap_limits imap_limits_preauth; /* the front */
extern const struct imap_limits imap_limits_session; /* after sign-in */

enum imap_read {
    IMAP_READ_MORE,     /* all input was taken; the command goes on */
    IMAP_READ_DONE,     /* a whole command: imap_reader_text */
    IMAP_READ_CONTINUE, /* the client waits in front of a literal: send a "+" line, exactly once, and feed on
                         */
    IMAP_READ_MESSAGE,  /* APPEND's message comes next: see below */
    IMAP_READ_BAD       /* no command: answer `bad`, then imap_reader_next (or close) */
};

/* Why there is no command. The words are for the client. */
struct imap_bad {
    bool close;       /* the connection must end after the answer: "* BYE" */
    bool too_big;     /* the answer carries [TOOBIG] */
    const char *text; /* "literal too large" */
};

/* The announced message of an APPEND, good from IMAP_READ_MESSAGE to imap_reader_message_done. */
struct imap_message {
    uint64_t size;
    bool sync;   /* the client waits for "+"; otherwise it is sending already */
    bool binary; /* literal8, "~{n}": NULs are allowed */
};

struct imap_reader {
    const struct imap_limits *limits;
    struct buf text;       /* the command so far, without its last CRLF; literals stand in it as they came */
    size_t line_start;     /* where the unfinished line begins in `text` */
    size_t line_octets;    /* of all lines of this command */
    uint64_t literal_left; /* octets of the current literal that have not come */
    enum {
        IMAP_READER_LINE,
        IMAP_READER_LITERAL,
        IMAP_READER_MESSAGE, /* waiting for imap_reader_message_done */
        IMAP_READER_DONE,    /* DONE or BAD was said; imap_reader_next comes */
        IMAP_READER_PLAIN    /* a bare line: imap_reader_expect_line */
    } state;
    bool is_append;
    bool had_message; /* imap_reader_message_done was called for this command */
    struct imap_message message;
    struct imap_bad bad;
    char tag[LIMIT_IMAP_TAG]; /* of the command whose first line is complete */
    size_t tag_n;
};

void imap_reader_init(struct imap_reader *r, const struct imap_limits *limits);
void imap_reader_done(struct imap_reader *r);
/* Takes part or all of `input`; *ret_taken is always set, also with BAD. */
enum imap_read imap_reader_feed(struct imap_reader *r, struct slice input, size_t *ret_taken);
/* The command after IMAP_READ_DONE, or its beginning up to (not including) the message literal after
 * IMAP_READ_MESSAGE; after imap_reader_message_done and DONE: what stood behind the message (nothing, for a
 * plain APPEND). No CRLF at the end. The memory is the reader's, and writable, until imap_reader_next. */
struct slice imap_reader_text(const struct imap_reader *r);
/* Forgets the command (its octets are zeroed) and begins the next one. Memory is kept only when small. */
void imap_reader_next(struct imap_reader *r);
/* The tag of the command, as far as it has come, or "*" when there is no well-formed one: for BAD. */
struct slice imap_reader_tag(const struct imap_reader *r);

/* After IMAP_READ_MESSAGE: all octets of the message have been taken by the caller; feed on. */
void imap_reader_message_done(struct imap_reader *r);

/* The next thing is one bare line without literals (an answer to AUTHENTICATE's "+", the DONE of IDLE): DONE
 * then delivers it without CRLF. `limit`: most octets of it. Calls for imap_reader_next afterwards, as a
 * command does. */
void imap_reader_expect_line(struct imap_reader *r, size_t limit);

#endif
