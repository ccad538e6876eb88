/* transit.h - hand-overs of a slot that must be retried until they are stored.    room: store   runs in: keeper
 *
 * When a message is stored for some recipients and not for others, what is missing goes here with the octets, synced,
 * before the 250. One database a slot, AB/transit.db, opened by the pool at first need (the keeper looks at each of its slots
 * at start). Every function is a job of the pool and answers by callback; they run in the order called.
 *
 * INV-25  transit_put has answered OK: the hand-overs survive anything and are offered until transit_done.
 *
 * Fails:  ERR_DISK_FULL, ERR_IO, ERR_CORRUPT, ERR_BUSY, ERR_LIMIT (pool full: then the callback
 *         may come from inside the call). Never logs.
 */
#ifndef STORE_TRANSIT_H
#define STORE_TRANSIT_H

#include "crypto/hash.h"
#include "loop/pool.h"

struct transit;
/* Opens nothing yet. `root` is the folder accounts/, borrowed. */
struct transit *transit_new(struct pool *pool, int root, uint8_t slot);
/* Waiting callbacks do not come any more. */
void transit_free(struct transit **t);

struct transit_item {
    uint64_t id; /* of the hand-over, given by transit_put */
    struct delivery_id delivery;
    struct account_id account;
    struct hash octets;
    uint64_t size;
    int64_t received_ms;
    struct slice
        meta; /* what the owner of the protocol wants back: prefix, reverse-path, ... at most LIMIT_TRANSIT_META */
    int64_t next_try_ms; /* unix */
    unsigned tries;
};
/* The octets of `fd` (pread, to its end) and one hand-over for each item (id, size and tries are not read). The
 * descriptor must stay open until `done`; the items are copied. */
void transit_put(
    struct transit *t, int fd, const struct transit_item *items, size_t count,
    void (*done)(void *owner, enum err e), void *owner);
/* Up to `count` items that are due, soonest first, copied for the time of the callback. */
void transit_due(
    struct transit *t, int64_t now_ms, size_t count,
    void (*done)(void *owner, enum err e, const struct transit_item *items, size_t count), void *owner);
/* The octets of an item as a read-only descriptor of a nameless file, which is then the caller's. */
void transit_octets(
    struct transit *t, uint64_t id, void (*done)(void *owner, enum err e, int fd), void *owner);
/* A copy of the whole as of one moment, for backup: read-only, nameless, and the caller's. */
void transit_snapshot(struct transit *t, void (*done)(void *owner, enum err e, int fd), void *owner);
/* Stored (or the account is gone): forget it, and the octets with the last of their items. */
void transit_done(struct transit *t, uint64_t id, void (*done)(void *owner, enum err e), void *owner);
/* Not yet: try again at. */
void transit_later(
    struct transit *t, uint64_t id, int64_t next_try_ms, void (*done)(void *owner, enum err e), void *owner);

#endif
