/* set.h - sequence sets and UID sets (RFC 3501 9, "sequence-set").             room: imap/wire   runs in: gate keeper
 *
 * A set is kept as the ranges that the client wrote, never expanded (T-163). "*" is IMAP_SET_STAR until
 * imap_set_resolve gives it a number; that also sorts and merges, so that imap_set_has is a binary search and
 * a walk meets each number once, ascending. "$" (RFC 5182) is recognised and marked.
 */
#ifndef IMAP_WIRE_SET_H
#define IMAP_WIRE_SET_H

#include "base/arena.h"
#include "base/buf.h"

#define IMAP_SET_STAR UINT32_MAX

struct imap_range {
    uint32_t first, last; /* both included; as written until imap_set_resolve, then first <= last */
};
struct imap_set {
    struct imap_range *ranges;
    size_t n;
    bool saved; /* "$": the result of the last SEARCH RETURN (SAVE) */
    bool star;  /* "*" occurred */
};

/* The whole of `text`. ERR_SYNTAX; ERR_LIMIT above max_ranges or at the arena's ceiling. Zero is no number
 * here. */
fallible imap_set_parse(struct slice text, size_t max_ranges, struct arena *arena, struct imap_set *ret_set);
/* "*" becomes `largest` (0, an empty mailbox: ranges with "*" vanish, except that UID sets name nothing
 * either); then sorted and merged in place. */
void imap_set_resolve(struct imap_set *set, uint32_t largest);
/* On a resolved set. */
bool imap_set_has(const struct imap_set *set, uint32_t number);
/* The largest number as written, "*" left aside; 0 when there is none: sequence numbers above EXISTS are BAD.
 */
uint32_t imap_set_largest(const struct imap_set *set);
/* Collects ascending numbers into runs and writes them as a set, "1:3,7", while they come: no memory for a million. What COPYUID
 * and MODIFIED carry. */
struct imap_set_writer {
    struct buf *out;
    uint32_t first, last;
    bool any;
};
void imap_set_writer_init(struct imap_set_writer *w, struct buf *out);
void imap_set_writer_add(struct imap_set_writer *w, uint32_t number);
void imap_set_writer_done(struct imap_set_writer *w);

#endif
