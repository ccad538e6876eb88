/* view.h - what one session knows of the mailbox it has selected.        room: imap/session   runs in: keeper
 *
 * The view is the list of UIDs the client was told of, in order: a message's sequence number is its place. The view
 * changes only when the client is told, so that numbers mean the same on both sides; the store may be ahead of it. News
 * are fetched from the store by MODSEQ when the client may hear them: expunges have a mark of their own, since they
 * must wait while FETCH, STORE and SEARCH run (RFC 3501 7.4.1). An idle session keeps nothing but this.
 *
 * When the credential sees a window of days, the view also knows when its messages arrived, and which UIDs of the mailbox are
 * hidden: those stand between its own without being in it, and no command may touch them.
 *
 * Owns: its arrays. Knows no commands and no output.
 */
#ifndef IMAP_SESSION_VIEW_H
#define IMAP_SESSION_VIEW_H

#include "base/arena.h"
#include "imap/wire/set.h"
#include "store/change.h"

enum { VIEW_RECENT_RANGES = 32 };

struct view {
    struct mailbox_id box;
    bool readonly;
    bool dirty; /* the mailbox changed since the last news */
    bool is_window;
    uint32_t *uids;
    int64_t *arrived; /* beside uids, in a window */
    size_t n, cap;
    int64_t oldest;           /* no message of the view arrived before it */
    struct uid_range *hidden; /* ascending; between two of them there is a message of the view */
    size_t hidden_n, hidden_cap;
    uint64_t told_messages; /* MODSEQ up to which flags and arrivals were told */
    uint64_t told_expunges; /* and expunges */
    uint32_t telling;       /* a round of flag news is half told: the uid to go on with */
    uint64_t telling_upto;  /* and the MODSEQ it covers */
    uint64_t told_keywords; /* bits of the keywords that FLAGS named */
    struct uid_range recent[VIEW_RECENT_RANGES]; /* \Recent in this session; the oldest are forgotten */
    size_t recent_n;
    struct change_watch watch;
};

void view_done(struct view *v);
/* A message that is told of now: uid above all others. */
void view_add(struct view *v, uint32_t uid, int64_t arrived_s);
/* A message of the mailbox that is not in the view, or not any more. */
void view_hide(struct view *v, uint32_t uid);
static inline uint32_t view_last_uid(const struct view *v)
{
    return v->n ? v->uids[v->n - 1] : 0;
}
/* Index of the first uid that is at least `uid`; v->n when there is none. */
size_t view_at_least(const struct view *v, uint32_t uid);
/* Sequence number, 0 when the client does not know that uid. */
uint32_t view_sequence(const struct view *v, uint32_t uid);
void view_add_recent(struct view *v, uint32_t first, uint32_t last);
bool view_is_recent(const struct view *v, uint32_t uid);
size_t view_count_recent(const struct view *v);
/* Takes the uids of a resolved set out, in one pass; `told` is called with each sequence number as EXPUNGE wants it:
 * ascending, counted after the removals before it (RFC 3501 7.4.1). */
void view_remove(
    struct view *v, const struct imap_set *gone, void (*told)(void *owner, uint32_t sequence), void *owner);

/* A command's set as UID ranges that the client knows of: sorted, merged, no "*". ERR_SYNTAX: a sequence number beyond
 * the mailbox. ERR_LIMIT: the arena. */
struct view_ranges {
    struct uid_range *at;
    size_t n;
};
fallible view_resolve(
    const struct view *v, const struct imap_set *set, bool by_uid, struct arena *mem,
    struct view_ranges *ret_ranges);
/* The whole view. ERR_LIMIT. */
fallible view_all(const struct view *v, struct arena *mem, struct view_ranges *ret_ranges);
/* The part of the ranges from uid `from` on that covers at most `most` messages of the view, into `ret_part` (its ranges
 * in the arena); *ret_next is where to go on, 0 when that was all. */
fallible view_portion(
    const struct view *v, const struct view_ranges *ranges, uint32_t from, size_t most, struct arena *mem,
    struct view_ranges *ret_part, uint32_t *ret_next);

#endif
