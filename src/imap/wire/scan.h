/* scan.h - the words of a command's text, one after the other.                 room: imap/wire   runs in: gate keeper
 *
 * Used by the parsers of this room only. Each function takes what it names from the front, or fails with ERR_SYNTAX (or
 * ERR_LIMIT for a budget) and says why in `problem`; after a failure the place in the text means nothing. Words point
 * into the text where they stand there as they are; escaped quoted strings are copied to the arena.
 */
#ifndef IMAP_WIRE_SCAN_H
#define IMAP_WIRE_SCAN_H

#include "base/arena.h"
#include "imap/wire/literal.h"
#include "imap/wire/reader.h"

struct imap_scan {
    struct slice rest;
    const struct imap_limits *limits;
    struct arena *arena;
    bool utf8; /* quoted strings may hold UTF-8 */
    size_t depth;
    const char *problem;
};

/* Notes the reason and returns ERR_SYNTAX (ERR_LIMIT). */
fallible scan_bad(struct imap_scan *s, const char *problem);
fallible scan_limit(struct imap_scan *s, const char *problem);
/* ERR_LIMIT with a reason when the arena's ceiling was met. */
fallible scan_memory(struct imap_scan *s);

static inline bool scan_sees(const struct imap_scan *s, char c)
{
    return s->rest.n > 0 && s->rest.p[0] == c;
}
static inline bool scan_at_end(const struct imap_scan *s)
{
    return s->rest.n == 0;
}
/* Takes `c` when it is next. */
bool scan_take(struct imap_scan *s, char c);
/* Takes the word when it is next, in any case of letters, whatever follows. */
bool scan_take_word(struct imap_scan *s, const char *word);
fallible scan_char(struct imap_scan *s, char c);
fallible scan_space(struct imap_scan *s);
fallible scan_end(struct imap_scan *s);
/* One or more octets for which `is` holds. */
fallible scan_run(struct imap_scan *s, bool (*is)(char), struct slice *ret_word);
fallible scan_atom(struct imap_scan *s, struct slice *ret_word);
/* Letters, digits, ".", "-", "=": the keywords of our own tables, not beyond "[" or "(". */
fallible scan_keyword(struct imap_scan *s, struct slice *ret_word);
fallible scan_string(struct imap_scan *s, struct slice *ret_text); /* quoted or literal */
fallible scan_astring(struct imap_scan *s, struct slice *ret_text);
fallible scan_nstring(struct imap_scan *s, struct slice *ret_text); /* NIL: p is NULL */
/* list-mailbox: an atom that may hold wildcards, or a string. */
fallible scan_list_string(struct imap_scan *s, struct slice *ret_text);
/* Decimal, at most `max`, no leading zeros beyond a single 0. */
fallible scan_number(struct imap_scan *s, uint64_t max, uint64_t *ret_number);
/* "(" and ")" of lists, counting the depth. */
fallible scan_open(struct imap_scan *s);
fallible scan_close(struct imap_scan *s);
/* For recursion without parentheses (NOT, OR): scan_deeper, then scan_shallower. */
fallible scan_deeper(struct imap_scan *s);
void scan_shallower(struct imap_scan *s);

/* An arena-backed array that doubles; `limit` members at most. */
struct scan_list {
    void *items;
    size_t n, cap, size, limit;
};
#define SCAN_LIST(type, limit_) ((struct scan_list){.size = sizeof(type), .limit = (limit_)})
/* A new zeroed member at the end; it moves when the next is added. */
fallible scan_list_add(struct imap_scan *s, struct scan_list *list, void **ret_item);

#endif
