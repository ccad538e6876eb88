/* response.h - what an IMAP server says, for who is the client (RFC 9051 section 7).   room: imap/wire   runs in: cli
 *
 * The reader collects one response: its line, and the literals that the line announces. Feed it what has arrived, in pieces of
 * any size; it takes what belongs to the response and nothing behind it. imap_response_parse then tells what it is, and the
 * functions below it read the few kinds of data that somebody asks for. The server may be hostile: a response has at most
 * LIMIT_IMAP_RESPONSE octets, an announced literal costs nothing until it comes and is refused at once when it can't fit, and
 * words of people (after OK, NO, BAD, BYE, PREAUTH and "+") announce nothing whatever they look like.
 *
 * Where servers are careless in ways that leave no doubt, the reader follows them: LF alone ends a line, words may be parted by
 * several blanks, and the text of people may be missing. Pure. Owns: the octets of the response, until the next one. Everything
 * that is parsed points into them.
 */
#ifndef IMAP_WIRE_RESPONSE_H
#define IMAP_WIRE_RESPONSE_H

#include "base/buf.h"
#include "imap/wire/write.h"

enum imap_response_read {
    IMAP_RESPONSE_MORE, /* all input was taken; the response goes on */
    IMAP_RESPONSE_DONE, /* a whole response: imap_responses_text */
    IMAP_RESPONSE_BAD   /* too long: the reader is of no use any more */
};
struct imap_responses {
    struct buf text;       /* without its last line end; literals stand in it as they came */
    size_t line_start;     /* of the unfinished line in `text` */
    uint64_t literal_left; /* octets of the current literal that have not come */
    bool done, bad;
    size_t bare; /* lines that were ended by LF alone; whoever counts them may set it to 0 */
};
void imap_responses_init(struct imap_responses *r);
void imap_responses_done(struct imap_responses *r);
/* Takes part or all of `input`; *ret_taken is always set. */
enum imap_response_read imap_responses_feed(struct imap_responses *r, struct slice input, size_t *ret_taken);
/* After IMAP_RESPONSE_DONE; good until imap_responses_next, which must come before the next feed. */
struct slice imap_responses_text(const struct imap_responses *r);
void imap_responses_next(struct imap_responses *r);

struct imap_response {
    enum {
        IMAP_SAYS_CONTINUE, /* "+ text" */
        IMAP_SAYS_STATUS,   /* OK, NO, BAD, BYE, PREAUTH: `status`, `code`, `args`, `text` */
        IMAP_SAYS_DATA      /* `name`, `rest`, and `number` for EXISTS, FETCH and their like */
    } kind;
    struct slice tag; /* empty: "*" or "+" */
    enum imap_status status;
    struct slice code,
        args;          /* "CAPABILITY" and what stands behind it in the brackets; empty when there is none */
    struct slice text; /* for people; for "+": the rest of the line */
    struct slice name, rest; /* "FETCH", "(FLAGS (\Seen))" */
    bool has_number;
    uint32_t number;
};
/* ERR_SYNTAX: it is no response. */
fallible imap_response_parse(struct slice text, struct imap_response *ret_response);

/* The next word of a list parted by blanks: capabilities. False: there is none. */
bool imap_response_word(struct slice *rest, struct slice *ret_word);

/* The rest of a FETCH: of each item that is known, its value. Others are skipped. ERR_SYNTAX, ERR_LIMIT (too deep). */
struct imap_fetched {
    bool has_flags, has_size, has_uid;
    size_t flags; /* how many */
    uint64_t size;
    uint32_t uid;
};
fallible imap_fetched_parse(struct slice rest, struct imap_fetched *ret_fetched);

/* The rest of a QUOTA (RFC 9208): what is used of what is allowed, STORAGE in units of 1024 octets. */
struct imap_quota {
    struct slice root; /* as it stands there, quotes included */
    struct imap_resource {
        bool is_known;
        uint64_t used, limit;
    } storage, message;
};
fallible imap_quota_parse(struct slice rest, struct imap_quota *ret_quota);

#endif
