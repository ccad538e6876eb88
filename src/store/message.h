/* message.h - messages of a mailbox: append, flags, copy, move, expunge, rows.   room: store   runs in: keeper
 *
 * A row is (mailbox, uid) and what may change: flags and modseq. What never changes (octets, structure) is a body (body.h)
 * that copies share. Each changing function is one transaction, all or nothing, with one MODSEQ for all it changed (T-174,
 * T-176). Sessions keep their own map of uids, built from message_iter; store/ knows no sequence numbers.
 *
 * INV-18  A flag, once acknowledged, stays; STORE with unchanged_since never changes a row that changed after it.
 * INV-19  COPY and MOVE never lose: source and target change in one commit.
 * INV-20  A message is expunged at most once, and its uid range is remembered (change.h).
 *
 * Call with the account entered. Fails: ERR_GONE (mailbox deleted), ERR_QUOTA, ERR_LIMIT (uids or messages used up),
 * ERR_DISK_FULL, ERR_CORRUPT, ERR_IO. Never logs.
 */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include "store/mailbox.h"

enum {
    FLAG_SEEN = 1,
    FLAG_ANSWERED = 2,
    FLAG_FLAGGED = 4,
    FLAG_DELETED = 8,
    FLAG_DRAFT = 16,
    FLAGS_SYSTEM = 31
};
struct flags {
    uint32_t system;   /* FLAG_... */
    uint64_t keywords; /* bit n: keyword n of the mailbox */
};

struct body_id {
    int64_t v;
};

struct message {
    struct uid uid;
    uint64_t modseq;
    struct flags flags;
    int64_t internal_date; /* unix seconds */
    int64_t sent_date;     /* of the Date field; the internal date when it has none that can be read */
    uint64_t size;         /* RFC822.SIZE */
    struct body_id body;
    uint64_t email_id, thread_id; /* random, never 0; a copy keeps them */
    struct slice structure; /* with MESSAGE_STRUCTURE: the blob of mail/structure.h, until the next step */
};

/* Rows in ascending order of uid. One stops it before the callback ends (asserted); do not change this account while one
 * runs: collect, stop, change. */
enum message_what { MESSAGE_ROW = 0, MESSAGE_STRUCTURE = 1 };
struct stmt;
struct message_iter {
    struct account *account;
    struct stmt *st;
    enum message_what what;
    bool own;
};
fallible message_iter_start(
    struct message_iter *it, struct account *a, struct mailbox_id box, struct uid_range range,
    enum message_what what);
/* ERR_NOT_FOUND at the end. */
fallible message_iter_next(struct message_iter *it, struct message *ret_message);
void message_iter_stop(struct message_iter *it);
/* One row; `structure` is copied into `mem` (NULL: not wanted). ERR_NOT_FOUND. */
fallible message_find(
    struct account *a, struct mailbox_id box, struct uid uid, struct arena *mem, struct message *ret_message);

/* Adds a message made of a finished body (body.h), which is used up: body_writer_free is still the caller's. */
struct body_writer;
struct append {
    struct body_writer *body;
    struct flags flags;
    int64_t internal_date; /* unix seconds */
    bool beyond_quota;     /* quota was decided before: deliveries */
};
fallible
message_append(struct account *a, struct mailbox_id box, const struct append *what, struct uid *ret_uid);

enum flags_how { FLAGS_REPLACE, FLAGS_ADD, FLAGS_REMOVE };
struct flags_change {
    enum flags_how how;
    struct flags flags;
    uint64_t
        unchanged_since; /* CONDSTORE: rows with a higher modseq are left alone; MODSEQ_ANY: no condition */
};
#define MODSEQ_ANY UINT64_MAX
struct flags_result {
    struct uid uid;
    struct flags flags; /* as they are now */
    uint64_t modseq;
    enum { FLAGS_CHANGED, FLAGS_SAME, FLAGS_MODIFIED /* changed since: not touched */ } outcome;
};
/* The ranges are ascending and disjoint, here and below. Calls `result` (may be NULL) for each row met, ascending, while the
 * transaction runs: it may only collect. Uids without a message are skipped. */
fallible message_store_flags(
    struct account *a, struct mailbox_id box, const struct uid_range *ranges, size_t count,
    const struct flags_change *change, void (*result)(void *owner, const struct flags_result *r),
    void *owner);

/* Removes the messages; with only_deleted those that have \Deleted. `gone` (may be NULL) as above. The same transaction
 * frees bodies that nobody shares; files go after it is synced. */
fallible message_expunge(
    struct account *a, struct mailbox_id box, const struct uid_range *ranges, size_t count, bool only_deleted,
    void (*gone)(void *owner, struct uid uid), void *owner);

/* Copies in ascending order; keywords are carried over by name (those beyond LIMIT_KEYWORDS are dropped). `copied` gives
 * both uids for COPYUID. Move: also expunges. ERR_QUOTA for a copy. From and to may be the same mailbox. */
fallible message_copy(
    struct account *a, struct mailbox_id from, const struct uid_range *ranges, size_t count,
    struct mailbox_id to, bool move, void (*copied)(void *owner, struct uid from, struct uid to),
    void *owner);

#endif
