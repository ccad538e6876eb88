/* change.h - how news of a mailbox travels to the sessions that look at it.     room: store   runs in: keeper
 *
 * A watch is a nudge, not a message: it says that its mailbox changed, once per commit. The session then asks, when its
 * protocol allows it to speak, what changed since the last MODSEQ it knows. So nothing is queued for the slow, and a
 * session that slept (or whose account was closed meanwhile) asks the same question. What it renders carries the
 * account_committed of that moment like any other output (INV-10).
 *
 * INV-23  changes_since(m) names every row that changed and every uid that went after m, unless it says ERR_LIMIT.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/message.h"

/* Embedded; zero it before first use. May live while the account is closed. */
struct change_watch {
    struct list link;
    struct mailbox_id box;
    bool marked; /* private */
    /* After the commit, on the same stack: only note it. The session that made the change is told too. */
    void (*changed)(struct change_watch *w);
    void *owner;
};
void change_watch_start(struct change_watch *w, struct account *a, struct mailbox_id box);
void change_watch_stop(struct change_watch *w);

struct change_visitor {
    /* Uids that are no more, in ascending order of modseq; ranges may name uids that never were or that one never saw. */
    void (*expunged)(void *owner, struct uid_range gone, uint64_t modseq);
    /* Rows whose modseq is higher, new ones included, ascending by uid. After all `expunged`. */
    void (*message)(void *owner, const struct message *m);
    void *owner;
};
/* ERR_GONE: the mailbox was deleted. ERR_LIMIT: so old that expunges are not remembered any more: compare with the rows.
 * Either callback may be NULL. The callbacks may only collect. */
fallible changes_since(
    struct account *a, struct mailbox_id box, uint64_t modseq, struct uid_range range,
    const struct change_visitor *visitor);

#endif
