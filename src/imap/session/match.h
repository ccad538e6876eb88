/* match.h - does a message meet a SEARCH?                                room: imap/session   runs in: keeper
 *
 * Keys are judged in three values: yes, no, and not known yet. What the row says is looked at first (its envelope answers for
 * Subject, From, To and the like, as RFC 3501 6.4.4 wants), then the header, then the decoded bodies, and each only when the
 * answer still hangs on it. All texts that are sought in bodies are sought in
 * one pass; a body of any size passes in slices, and only as much of its folded text is held as the longest needle needs.
 * Needles and texts are folded alike (mail/charset.h), so that case, width and composition make no difference.
 *
 * Owns: its buffers (matcher_done); needles live in the arena passed to matcher_init.
 */
#ifndef IMAP_SESSION_MATCH_H
#define IMAP_SESSION_MATCH_H

#include "imap/session/view.h"
#include "imap/wire/search.h"
#include "keeper/sight.h"
#include "mail/charset.h"
#include "mail/encoding.h"
#include "mail/structure.h"
#include "store/body.h"

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_UNKNOWN };

struct needle {
    enum imap_key key;  /* HEADER, BODY, TEXT */
    struct slice field; /* HEADER */
    struct slice folded;
    bool hit; /* in this message */
};

struct matcher {
    const struct charsets *charsets;
    const struct view *view;
    const struct imap_search_key *root;
    struct needle *needles;
    size_t n;
    size_t longest; /* octets of a needle sought in bodies */
    bool wants_all_fields;
    bool beyond_envelope; /* a field is sought that the row does not hold */

    /* The message. */
    struct message m;
    uint32_t sequence;
    bool header_known, body_known;
    struct structure structure;
    int64_t sent_day;

    /* The pass over its bodies. */
    struct structure_walk walk;
    bool in_part;
    uint64_t at, end;
    struct encoding_decoder encoding;
    struct charset_decoder charset;
    struct text_fold fold;
    struct buf octets, utf8, window;
    size_t kept; /* of the window: searched before */
};

/* Prepares the tree: sets are resolved against the view, texts converted and folded. ERR_UNSUPPORTED: the charset is not
 * known. ERR_LIMIT. `keyword` gives the bit of a keyword, or 64. */
fallible matcher_init(
    struct matcher *k, const struct charsets *charsets, const struct view *view, struct imap_search *search,
    struct arena *mem, unsigned (*keyword)(void *owner, struct slice name), void *owner);
void matcher_done(struct matcher *k);
/* A row, with its structure when the search looks at more than rows; the structure must stay until the next message. */
enum verdict matcher_row(struct matcher *k, const struct message *m, uint32_t sequence);
/* The header section of the message, after matcher_row said UNKNOWN. */
enum verdict matcher_header(struct matcher *k, struct slice header);
/* The header's octets of the message: *ret_end of them. ERR_CORRUPT. */
fallible matcher_header_range(struct matcher *k, uint64_t *ret_start, uint64_t *ret_end);
/* Reads about `budget` octets of bodies, as they are seen, after matcher_header said UNKNOWN; UNKNOWN: call again. */
fallible matcher_body(
    struct matcher *k, struct sight *sight, struct body_reader *body, size_t budget,
    enum verdict *ret_verdict);

#endif
