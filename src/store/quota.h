/* quota.h - how much an account holds and may hold.                            room: store   runs in: keeper
 *
 * Octets and messages of all mailboxes, kept incrementally (INV-17); a copy counts again. The ceiling comes from the vault
 * with each grant and delivery; the last one is kept. Zero: none. Call with the account entered.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/accounts.h"

struct quota {
    uint64_t bytes, messages;         /* in use */
    uint64_t bytes_max, messages_max; /* 0: no ceiling */
};
struct quota quota_of(const struct account *a);
/* A commit when it changes. */
fallible quota_set(struct account *a, uint64_t bytes_max, uint64_t messages_max);
/* ERR_QUOTA when `bytes` in `messages` more would be too much. */
fallible quota_check(const struct account *a, uint64_t bytes, uint64_t messages);

#endif
