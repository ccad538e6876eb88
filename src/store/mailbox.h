/* mailbox.h - the mailboxes of an account: names, counts, subscriptions.       room: store   runs in: keeper
 *
 * A mailbox is a list of messages with uids that only grow. Names are UTF-8 in NFC, levels separated by '/', INBOX in any
 * case (also as first level) is INBOX. A name is a database key only, never a path (T-160). What a name that only has
 * children is (RFC 9051 \NonExistent) follows from the names; it has no row. Every function that takes a name accepts it as
 * decoded from the wire and normalises it itself.
 *
 * INV-14  UIDVALIDITY is never used twice in an account, whatever is deleted, created or renamed.
 * INV-15  In one mailbox UIDs are given in ascending order and never twice; UIDNEXT never falls.
 * INV-16  MODSEQ: every change of a mailbox gets a number above all earlier ones of the account; `modseq` is the highest.
 * INV-17  messages, unseen, deleted and bytes are what counting the rows would give.
 *
 * Call with the account entered. A `const struct mailbox *` is good until the next change of mailboxes, at most to the
 * end of the callback; keep the id.
 *
 * Fails:  ERR_NOT_FOUND, ERR_SYNTAX (no valid name), ERR_EXISTS, ERR_LIMIT (LIMIT_MAILBOXES, _MAILBOX_NAME, _LEVELS),
 *         ERR_DENIED (INBOX cannot be deleted), and those of the disk. Never logs.
 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "base/arena.h"
#include "store/accounts.h"

struct mailbox_id {
    int64_t v; /* never used again in this account */
};
struct uid {
    uint32_t v; /* 1 .. 2^32-1 */
};
struct uid_range {
    uint32_t first, last; /* inclusive */
};

enum special_use {
    USE_NONE = 0,
    USE_ALL = 1,
    USE_ARCHIVE = 2,
    USE_DRAFTS = 4,
    USE_FLAGGED = 8,
    USE_JUNK = 16,
    USE_SENT = 32,
    USE_TRASH = 64
};

struct mailbox {
    struct mailbox_id id;
    struct slice name;
    uint32_t uidvalidity;
    uint32_t uidnext;
    uint64_t modseq; /* HIGHESTMODSEQ; at least 1 */
    uint32_t messages, unseen, deleted;
    uint64_t bytes;
    uint64_t object_id; /* MAILBOXID: random, survives a rename */
    unsigned use;       /* enum special_use */
    bool subscribed;
};

/* The canonical form, into the arena. ERR_SYNTAX: invalid UTF-8, an empty level, a control character, '%' or '*', empty; ERR_LIMIT. */
fallible mailbox_name_check(struct slice name, struct arena *a, struct slice *ret_name);
/* RFC 3501 6.3.8: does the pattern ('*' anything, '%' anything but '/') match? Linear in name times pattern. */
bool mailbox_name_matches(struct slice pattern, struct slice name);

fallible mailbox_find(struct account *a, struct slice name, const struct mailbox **ret_box);
/* ERR_GONE when it was deleted. */
fallible mailbox_by_id(struct account *a, struct mailbox_id id, const struct mailbox **ret_box);

/* Makes missing parents too (RFC 9051 6.3.4); one trailing '/' is ignored. */
fallible mailbox_create(struct account *a, struct slice name, unsigned use, struct mailbox_id *ret_id);
/* With its messages. Children stay. INBOX: ERR_DENIED; a name that only has children: ERR_NOT_FOUND. */
fallible mailbox_delete(struct account *a, struct slice name);
/* With its children; missing parents of the new name are made. INBOX: its messages move to a new mailbox, INBOX stays, its
 * children stay (RFC 9051 6.3.6). ERR_EXISTS; ERR_DENIED below itself. */
fallible mailbox_rename(struct account *a, struct slice from, struct slice to);
/* The name need not exist (RFC 9051 6.3.7). Subscribing twice, or unsubscribing what is not: OK. */
fallible mailbox_subscribe(struct account *a, struct slice name, bool on);

struct mailbox_entry {
    struct slice name;
    const struct mailbox *box; /* NULL: \NonExistent, either subscribed or a parent of others */
    bool subscribed;
    bool has_children;
};
/* All of them sorted by name, INBOX first, in the arena. */
fallible
mailbox_list(struct account *a, struct arena *mem, struct mailbox_entry **ret_entries, size_t *ret_count);

/* RFC 3501 \Recent: the first UID that no session was told of as recent; it is moved to UIDNEXT when `claim`. */
fallible mailbox_recent(struct account *a, struct mailbox_id id, bool claim, struct uid *ret_first);

/* Keywords of a mailbox (LIMIT_KEYWORDS), numbered 0..63: bits of struct flags. Compared without ASCII case, kept as first
 * spelled. `make`: adds it (a commit); otherwise ERR_NOT_FOUND. Checks the characters: ERR_SYNTAX. */
fallible
mailbox_keyword(struct account *a, struct mailbox_id id, struct slice name, bool make, unsigned *ret_bit);
/* The empty slice when there is no such keyword. */
struct slice mailbox_keyword_name(struct account *a, struct mailbox_id id, unsigned bit);
/* Bits in use as names. */
uint64_t mailbox_keywords(struct account *a, struct mailbox_id id);

#endif
