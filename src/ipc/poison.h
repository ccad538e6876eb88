/* poison.h - the page on which a keeper writes what it is about to touch.       room: ipc   runs in: keeper
 * supervisor
 *
 * Before a keeper parses or runs anything of a stranger's making it writes (account, message, operation)
 * here; after it came through, it takes the entry off. The page is memory shared with the supervisor, so it
 * survives the keeper: when the keeper dies with an entry set, the supervisor counts a death on that entry,
 * and after three of them tells the keeper to serve that message as an opaque blob (MSG_POISONED). A keeper
 * is one loop, so one entry is enough; nested work keeps the outer entry. The supervisor believes nothing of
 * the page but these fixed fields, cut to their size.
 */
#ifndef IPC_POISON_H
#define IPC_POISON_H

#include <stdatomic.h>

#include "base/ids.h"

struct poison_entry {
    struct account_id account;
    uint64_t message;   /* 0: the account as a whole */
    char operation[32]; /* "parse", "search": a literal of ours, for the log */
};

struct poison_page {
    atomic_uint depth; /* above 0: the entry is set */
    struct poison_entry entry;
};

/* A page may be NULL (tests, tools): then nothing is noted. Calls nest; each enter needs its leave. */
static inline void poison_enter(
    struct poison_page *page, const struct account_id *account, uint64_t message, const char *operation)
{
    if (!page)
        return;
    if (atomic_load_explicit(&page->depth, memory_order_relaxed) == 0) {
        page->entry.account = *account;
        page->entry.message = message;
        size_t n = strnlen(operation, sizeof page->entry.operation - 1);
        memcpy(page->entry.operation, operation, n);
        memset(page->entry.operation + n, 0, sizeof page->entry.operation - n);
    }
    atomic_fetch_add_explicit(&page->depth, 1, memory_order_release);
}

static inline void poison_leave(struct poison_page *page)
{
    if (page)
        atomic_fetch_sub_explicit(&page->depth, 1, memory_order_release);
}

#endif
