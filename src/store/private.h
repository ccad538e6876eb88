/* private.h - the inside of an account, shared by the files of this room.      room: store   runs in: keeper
 *
 * Who may change what: accounts.c owns the table, the states and the waits; durable.c runs the pool's jobs and moves
 * `synced`; change_set.c runs transactions and owns `committed`, the counters and the mailboxes in memory. The other files
 * change rows, and boxes through box_touch.
 */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include <assert.h>
#include <zstd.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "db/db.h"
#include "store/body.h"
#include "store/change.h"

/* CLOSED --enter--> BUSY(open) --> OPEN --> BUSY(checkpoint, copy step) --> OPEN --> BUSY(close) --> CLOSED
 * OPEN, BUSY --failed sync--> POISONED --enter, after a while--> BUSY(open: heals) --> OPEN or POISONED
 * BUSY(open) --corrupt--> DAMAGED (until the handle goes); any --account_remove--> BUSY(delete) --> GONE
 * All transitions are made by account_set_state. */
enum account_state {
    ACCOUNT_CLOSED,
    ACCOUNT_BUSY,
    ACCOUNT_OPEN,
    ACCOUNT_POISONED,
    ACCOUNT_DAMAGED,
    ACCOUNT_GONE
};

enum { ACCOUNT_PATH = 36 /* "AB/" and 32 digits */, ACCOUNT_PATH_MAX = 96 /* and what is below */ };

/* What the pool shall do with the account's only connection; one at a time. */
enum account_job { JOB_NONE, JOB_OPEN, JOB_CHECKPOINT, JOB_COPY, JOB_CLOSE, JOB_DELETE, JOBS };

struct box {
    struct mailbox pub; /* first: a const struct mailbox * is a struct box * */
    uint64_t id_key;    /* pub.id, for the map */
    char *name;
    uint32_t recent;     /* first uid nobody was told of as recent */
    uint64_t floor;      /* expunges up to this modseq are forgotten */
    struct list touched; /* in account.touched: counters differ from the row */
    char *keywords[LIMIT_KEYWORDS];
    uint64_t keyword_mask;
};

/* A file of large/ that no row names any more: removed once `after` is synced. */
struct removal {
    struct list link;
    uint64_t after;
    uint64_t name;
};

struct snapshot;
struct account {
    uint32_t magic;
    struct accounts *all;
    struct account_id id;
    unsigned refs;
    enum account_state state;
    char path[ACCOUNT_PATH]; /* "AB/ACCOUNT" */

    struct list lru;       /* in all->lru while OPEN or BUSY with a connection */
    struct list attention; /* in all->attention: looked at at the end of the turn */
    struct list waits, guests, synced_waits, watches;
    struct list removals; /* wait for their commit to be synced */
    struct list due;      /* with the running job */

    /* The connection: the loop's, or the running job's. */
    struct db *db;
    bool is_open; /* counts in all->open */
    bool swept;   /* files without rows were removed since the handle exists */

    /* Output commit. */
    uint64_t committed, synced;
    struct job sync;
    bool sync_runs;
    uint64_t sync_upto;
    int sync_fd;
    enum err sync_error;

    /* The job that has the connection, and those that want it. */
    struct job job;
    enum account_job job_kind;
    enum err job_error;
    char job_why[128];
    bool made;      /* JOB_OPEN made the folder */
    bool sync_last; /* what ran last was a sync: a job that waits comes first */
    bool want_open, want_checkpoint, want_close, want_delete;
    enum err want_poison;   /* found out inside a callback: done at the end of the turn */
    struct list snapshots;  /* that want JOB_COPY */
    unsigned pins;          /* snapshots that need the large files */
    uint64_t idle_since_ms; /* the last commit, or opening */
    uint64_t entered_ms;    /* the last time somebody came in */
    uint64_t checkpointed;  /* `committed` at the last checkpoint */
    bool job_idle;          /* JOB_CHECKPOINT for idleness: tidies up, too */
    bool wake;              /* somebody waits who has not tried to enter */
    bool graves;            /* there may be messages of deleted mailboxes left to remove */
    uint64_t heal_at_ms;
    uint64_t checkpoint_after_ms;
    enum err failure; /* why POISONED or DAMAGED */

    /* A transaction. */
    unsigned depth;
    enum err tx_error;
    bool tx_changed;
    bool tx_row; /* the account's own row changed */
    uint64_t tx_modseq;
    struct list touched; /* boxes */
    unsigned iters;      /* running message_iters */

    /* Mirrors of rows. */
    struct map by_id, by_name;
    uint64_t modseq;
    int64_t next_mailbox;
    uint32_t next_uidvalidity;
    uint64_t bytes, messages, bytes_max, messages_max;
};
enum { ACCOUNT_MAGIC = 0x4c4c6163 };

struct accounts {
    struct loop *loop;
    struct pool *pool;
    struct accounts_options options;
    struct map table; /* by id */
    struct list lru;  /* oldest first */
    struct list attention;
    size_t open, waiting, poisoned;
    struct task turn;
    bool pool_was_full;
    size_t jobs;       /* running or waiting in the pool */
    struct timer tick; /* idleness, and a pool that was full */
    bool ticking;
    bool closed_some; /* since the last tick: their memory can be given back */
    bool stopping;
    void (*stopped)(void *owner);
    void *stopped_owner;
    ZSTD_CCtx *compress;
    ZSTD_DCtx *expand;
    char *scratch; /* of compressing, on the loop thread */
    size_t scratch_room;
};

/* ---- accounts.c ---- */
void account_set_state(struct account *a, enum account_state state);
/* Look at it at the end of the turn. */
void account_attend(struct account *a);
void account_say(struct account *a, const char *what, enum err why, const char *text);
void accounts_tick_soon(struct accounts *as, uint64_t within_ms);
/* Frees the handle when nothing needs it. */
void account_settle(struct account *a);
void account_wake_waits(struct account *a);
/* Calls w->ready at the end of the turn, whatever the state. */
void account_wait_later(struct account *a, struct account_wait *w);
/* Asks the least recently used to close when too many are open. */
void accounts_make_room(struct accounts *as);
/* Entered and not with the pool: what every function that looks at rows asserts. */
static inline void account_assert_usable(const struct account *a)
{
    assert(a->magic == ACCOUNT_MAGIC && a->state == ACCOUNT_OPEN && a->db);
}

/* ---- durable.c ---- */
/* Starts what is due: sync, checkpoint, close, open, delete. */
void account_look(struct account *a);

/* ---- folder.c: on a pool thread, with nothing of the account but path and db ---- */
fallible folder_open(struct account *a); /* a->db; makes the folder when there is none */
/* Also of transit.c: syncs the entries of the slots where the jail allows it. */
fallible store_sync_slots(int root);
fallible folder_delete(struct account *a); /* all of it */
void large_path(const struct account *a, uint64_t name, char out[ACCOUNT_PATH_MAX]);

/* ---- tidy.c: on a pool thread, with the connection ---- */
/* The rows of a new account. */
fallible account_make_rows(struct account *a);
/* Forgets what is too old to be asked for, gives unused pages back. */
fallible account_tidy(struct account *a);
void removals_run(struct account *a);

/* ---- change_set.c ---- */
/* Reads the mailboxes and counters; after opening and after a rollback. */
fallible account_load(struct account *a);
void account_forget(struct account *a);
/* Ends one function's part of a transaction: commit, or rollback when e is not OK. */
fallible account_end(struct account *a, enum err e);
/* The MODSEQ of this transaction. */
uint64_t account_modseq(struct account *a);
/* Its counters or contents changed: written and told at commit, with the transaction's MODSEQ. */
void box_touch(struct account *a, struct box *b);
/* The account's own row changed. */
void account_touch(struct account *a);
/* Something without a row of its own in memory changed. */
static inline void account_changed(struct account *a)
{
    a->tx_changed = true;
}
/* Watchers of this mailbox are told after the commit. */
void watches_mark(struct account *a, struct mailbox_id box);
/* A file to remove when this transaction is synced. */
void account_remove_later(struct account *a, uint64_t name);
struct box *box_by_id(struct account *a, struct mailbox_id id);
struct box *box_new(struct account *a, struct slice name);
void box_add(struct account *a, struct box *b);  /* to the maps */
void box_drop(struct account *a, struct box *b); /* from the maps, and frees it */

/* ---- mailbox.c: inside a transaction, with canonical names ---- */
fallible mailbox_make_one(struct account *a, struct slice name, unsigned use, struct box **ret_box);
fallible mailbox_make_parents(struct account *a, struct slice name);
/* Before it: ERR_LIMIT when `name` and its missing parents would be too many. */
fallible mailbox_check_room(struct account *a, struct slice name);

/* ---- name.c ---- */
/* A name in canonical form. */
struct name {
    size_t n;
    char text[LIMIT_MAILBOX_NAME];
};
static inline struct slice name_slice(const struct name *n)
{
    return slice_of(n->text, n->n);
}
fallible name_make(struct slice from, struct name *ret_name);
bool name_is_inbox(struct slice canonical);
/* Is `name` below `parent` ("a/b" below "a")? */
bool name_is_below(struct slice name, struct slice parent);
/* Order of lists: INBOX first, children right behind their parent. */
int name_cmp(struct slice a, struct slice b);

/* ---- message.c ---- */
/* Writes a row with a new uid and counts it in. */
fallible message_insert(struct account *a, struct box *b, struct message *m);
void box_count(struct box *b, const struct message *m, int sign);
void message_read_row(struct stmt *st, struct message *ret_message);
/* Bit of the same keyword in `to`, for each of `mask`; added when there is room. */
fallible
keywords_translate(struct account *a, struct box *from, struct box *to, uint64_t mask, uint64_t *ret_mask);

/* ---- body_write.c, body_read.c ---- */
/* Writes the rows of a finished writer; the body has one reference then. */
fallible body_insert(struct account *a, struct body_writer *w, struct body_id id);
/* Its rows are gone again: the file, if any, is still the writer's. */
void body_writer_rolled_back(struct body_writer *w);
fallible body_ref(struct account *a, struct body_id id);
/* The last reference removes rows and, later, the file. */
fallible body_unref(struct account *a, struct body_id id);
int64_t body_writer_sent_date(const struct body_writer *w, int64_t otherwise);

/* ---- snapshot.c ---- */
void snapshot_step(struct snapshot *s);              /* on a pool thread */
void snapshot_stepped(struct snapshot *s);           /* on the loop */
void snapshot_fail(struct account *a, enum err why); /* all that wait */
struct snapshot *snapshot_waiting(const struct account *a);
void snapshot_stop_copies(struct account *a); /* before the connection is closed */

/* ---- schema.c ---- */
extern const struct db_schema store_schema;
enum store_statement {
    SQL_ACCOUNT_LOAD,
    SQL_ACCOUNT_SAVE,
    SQL_BOX_LOAD,
    SQL_BOX_ADD,
    SQL_BOX_SAVE,
    SQL_BOX_RENAME,
    SQL_BOX_DROP,
    SQL_KEYWORD_LOAD,
    SQL_KEYWORD_ADD,
    SQL_KEYWORD_COPY,
    SQL_KEYWORD_DROP_ALL,
    SQL_SUBSCRIPTION_LOAD,
    SQL_SUBSCRIPTION_FIND,
    SQL_SUBSCRIPTION_ADD,
    SQL_SUBSCRIPTION_DROP,
    SQL_MESSAGE_ADD,
    SQL_MESSAGE_ROWS,
    SQL_MESSAGE_ROWS_STRUCTURE,
    SQL_MESSAGE_FLAGS,
    SQL_MESSAGE_DROP,
    SQL_MESSAGE_SOME,
    SQL_MESSAGE_MOVE_ALL,
    SQL_MESSAGE_SINCE,
    SQL_EXPUNGED_ADD,
    SQL_EXPUNGED_SINCE,
    SQL_EXPUNGED_COUNT,
    SQL_EXPUNGED_OLD,
    SQL_EXPUNGED_FORGET,
    SQL_EXPUNGED_DROP_ALL,
    SQL_BODY_ADD,
    SQL_BODY_GET,
    SQL_BODY_REF,
    SQL_BODY_DROP,
    SQL_DATA_ADD,
    SQL_DATA_GET,
    SQL_DATA_DROP,
    SQL_FILE_ADD,
    SQL_FILE_FIND,
    SQL_FILE_DROP,
    SQL_FILE_LIST,
    SQL_GRAVE_ADD,
    SQL_GRAVE_FIRST,
    SQL_GRAVE_DROP,
    SQL_DELIVERY_FIND,
    SQL_DELIVERY_ADD,
    SQL_DELIVERY_CONFIRM,
    SQL_DELIVERY_FORGET,
    SQL_UNCONFIRMED_FIND,
    SQL_UNCONFIRMED_ADD,
    SQL_UNCONFIRMED_DROP,
    SQL_UNCONFIRMED_FORGET,
    STORE_STATEMENTS
};

#endif
