/* accounts.h - the accounts of one keeper: who is open, who must wait, what is on disk.       room: store   runs in: keeper
 *
 * An account's mail is one folder, AB/ACCOUNT below the root (AB: the slot in hex): mail.db and large/. It is made at the
 * first use; the vault vouches that the account exists. A handle (account_ref) is small and may be kept for ever; the
 * database behind it is opened when somebody enters, on a pool thread, and closed when others need the place or nobody has
 * entered for a while: sessions that only wait hold a handle, a watch and what they know, nothing more.
 *
 * How a session works: account_enter at the start of each command and of each slice of a long one. OK means: until this
 * callback returns to the loop, all functions of store/ may be called, and they do not block. ERR_AGAIN means that the
 * account is being opened or checkpointed: `ready` comes later, and then one enters again. Nothing obtained from the store
 * by pointer (mailboxes, rows, iterators) is good beyond the callback; ids, uids and bodies being written or read are.
 *
 * Output commit. Each commit raises account_committed; the logs that changed are synced by the pool after the turn, and
 * account_synced follows. Output made while looking at an account must not leave before synced has reached the committed of
 * that moment: synced_wait_start.
 *
 * INV-10  Nothing is said to be synced before an fdatasync of the log, begun after the commit, has succeeded.
 * INV-11  After a failed sync or checkpoint the account is poisoned: guests are ended, waits answered ERR_UNAVAILABLE, the
 *         connection closed without checkpoint; it serves again only after its log was rewritten, synced and checkpointed.
 * INV-12  One thread uses a connection at a time: while a pool job has it, account_enter answers ERR_AGAIN.
 * INV-13  At most `open_max` databases are open, plus those in use.
 *
 * Owns:   handles are counted; every embedded wait or guest must be stopped before its memory goes.
 * Fails:  ERR_AGAIN (wait), ERR_UNAVAILABLE (poisoned, pool full), ERR_GONE (removed), ERR_CORRUPT (damaged, set aside;
 *         nothing is deleted), ERR_DISK_FULL, ERR_BUSY (another process has the file). Never logs: see `event`.
 */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include "base/buf.h"
#include "base/ids.h"
#include "loop/pool.h"

struct accounts;
struct account;

struct accounts_options {
    int root;                 /* the folder accounts/; borrowed */
    unsigned open_max;        /* 0: LIMIT_OPEN_ACCOUNTS */
    unsigned inline_max;      /* 0: LIMIT_INLINE_MAX */
    uint64_t checkpoint_size; /* 0: LIMIT_WAL_CHECKPOINT */
    uint64_t
        idle_ms; /* checkpoint after so long without a commit, close without an entry; 0: LIMIT_STORE_IDLE */
    /* What the border logs: "opened", "made", "poisoned", "healed", "damaged", ... `why` is OK or the reason, `text` SQLite's words. */
    void (*event)(
        void *owner, const struct account_id *id, const char *what, enum err why, struct slice text);
    void *owner;
};
/* Before the sandbox: the database library, compression. */
void store_init(void);
struct accounts *accounts_new(struct loop *loop, struct pool *pool, const struct accounts_options *options);
/* Closes all databases by the pool, running syncs first; no one may enter any more (ERR_UNAVAILABLE). Calls once. */
void accounts_stop(struct accounts *as, void (*stopped)(void *owner), void *owner);
/* After `stopped`, or at once in an emergency: then open databases are abandoned. All handles must be gone. */
void accounts_free(struct accounts **as);
struct accounts_status {
    size_t known, open, waiting, poisoned;
};
struct accounts_status accounts_status(const struct accounts *as);

/* Finds or makes the handle; opens nothing. Never NULL. */
struct account *account_ref(struct accounts *as, const struct account_id *id);
void account_unref(struct account **a);
const struct account_id *account_id(const struct account *a);
/* The account was removed in the vault: ends its guests (ERR_GONE), closes, and deletes its mail. */
void account_remove(struct account *a);

/* A place in line. Embedded; zero it before first use. */
struct account_wait {
    struct list link;
    void (*ready)(struct account_wait *w); /* enter again: it may say OK, ERR_AGAIN or why not */
    void *owner;
};
/* OK, or ERR_AGAIN and w->ready (set by the caller) will be called once. Entering twice is fine. */
fallible account_enter(struct account *a, struct account_wait *w);
void account_wait_stop(struct account_wait *w);

/* Whoever must end when the account does: each session. */
struct account_guest {
    struct list link;
    void (*ended)(struct account_guest *g, enum err why); /* ERR_UNAVAILABLE: poisoned; ERR_GONE: removed */
    void *owner;
};
void account_guest_add(struct account *a, struct account_guest *g);
void account_guest_drop(struct account_guest *g);

/* Several changes as one commit, and so one sync and one state for watchers: each command that changes. Nests. Without it
 * each changing function is a commit of its own. When anything in between fails, the outermost commit rolls all back and
 * answers that error. */
fallible account_begin(struct account *a);
fallible account_commit(struct account *a);
void account_rollback(struct account *a);

uint64_t account_committed(const struct account *a);
uint64_t account_synced(const struct account *a);
/* Embedded; zero it before first use. */
struct synced_wait {
    struct list link;
    uint64_t upto;
    void (*synced)(
        struct synced_wait *w, enum err e); /* OK, or ERR_UNAVAILABLE: it may be lost, never say it */
    void *owner;
};
/* Calls `synced` later, never from inside, in the order of `upto`; restarts when waiting. */
void synced_wait_start(struct synced_wait *w, struct account *a, uint64_t upto);
void synced_wait_stop(struct synced_wait *w);

/* ERR_DISK_FULL when `size` octets more would touch the reserve (LIMIT_DISK_RESERVE): ask before accepting a body. */
fallible accounts_has_room(const struct accounts *as, uint64_t size);

#endif
