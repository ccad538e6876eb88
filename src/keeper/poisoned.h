/* poisoned.h - messages that killed a keeper too often: nobody looks into them any more.     room: keeper   runs in: keeper
 *
 * The supervisor tells them (MSG_POISONED, ipc/poison.h), before the keeper serves and later. Who would parse a message
 * asks first; one that stands here is an opaque blob: stored and sent octet for octet, shown as application/octet-stream
 * without an envelope, and found by no text. The number is the one that was noted on the poison page: a message's email
 * id, or what its octets are known by before they are stored (poisoned_mark_...).
 *
 * Owns:   its entries. Limits: LIMIT_POISON_ENTRIES; then the oldest goes. Never logs.
 */
#ifndef KEEPER_POISONED_H
#define KEEPER_POISONED_H

#include <string.h>

#include "base/ids.h"
#include "crypto/hash.h"

struct poisoned_set;
struct poisoned_set *poisoned_new(void);
void poisoned_free(struct poisoned_set **set);
/* False: it stands there already. */
bool poisoned_add(struct poisoned_set *set, const struct account_id *account, uint64_t message);
/* A set may be NULL (tests): nothing is poisoned then. */
bool poisoned_has(const struct poisoned_set *set, const struct account_id *account, uint64_t message);

/* A delivery that comes again has the same octets, whoever cuts them how. */
static inline uint64_t poisoned_mark_delivery(const struct hash *octets)
{
    uint64_t mark;
    memcpy(&mark, octets->b, sizeof mark);
    return mark;
}

/* Of an APPEND only the size is known before its octets come. Others of that size in the account share the mark: being
 * stored unread is all that happens to them. The top bit keeps it apart from small numbers of another meaning. */
static inline uint64_t poisoned_mark_append(uint64_t size)
{
    return size | UINT64_C(1) << 63;
}

#endif
