/* ids.h - ids are types: an account, a session, a delivery.                    room: base   runs in: all */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* 128 random bits; written as 32 lower-case hex digits in paths and logs. */
struct account_id {
    uint8_t b[16];
};
struct delivery_id {
    uint8_t b[16];
};
#define ID_HEX_LEN 32

static inline bool account_id_eq(const struct account_id *a, const struct account_id *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* An account's slot is the first octet of BLAKE2b of its id. Keeper i of k owns the run of slots that begins at
 * slot_first(i, k) and ends before slot_first(i + 1, k). */
enum { SLOTS = 256 };
static inline unsigned slot_first(unsigned keeper, unsigned keepers)
{
    return keeper * SLOTS / keepers;
}
static inline unsigned slot_owner(uint8_t slot, unsigned keepers)
{
    return ((slot + 1u) * keepers - 1) / SLOTS;
}

#endif
