/* private.h - what the files of smtp/session share of `struct arrivals`.       room: smtp/session   runs in: keeper */
#ifndef SMTP_SESSION_PRIVATE_H
#define SMTP_SESSION_PRIVATE_H

#include "base/ids.h"
#include "smtp/session/arrival.h"
#include "store/transit.h"

struct arrivals {
    struct keeper_env *env;
    struct pool *pool;
    int root;
    struct list arriving; /* struct arrival */
    struct list inbound;  /* struct inbound: copies other keepers gave us */
    struct list notices;  /* struct noticing: mail of our own being stored */
    struct transit *transit[SLOTS];
    bool transit_live[SLOTS]; /* hand-overs stand there, or may */
    struct list handovers;    /* struct handover: being tried */
    struct timer transit_timer;
};

/* ---- handover.c: hand-overs of our slots that wait in transit.db ---- */

struct transit *arrivals_transit(struct arrivals *a, uint8_t slot);
/* New hand-overs stand in the slot. */
void handover_wake(struct arrivals *a, uint8_t slot);
void handover_start(struct arrivals *a);
void handover_stop(struct arrivals *a);
void handover_keeper_gone(struct arrivals *a, unsigned index);
/* What transit keeps for us beside the ids: slot, quota, prefix. */
struct slice handover_meta(struct arena *mem, uint8_t slot, uint64_t quota_bytes, struct slice prefix);

/* Sends `deliver` to the owner of the slot; the descriptor of the octets is duplicated. */
fallible deliver_to_keeper(
    struct arrivals *a, uint8_t slot, const struct deposit_what *what, channel_answer_fn *fn, void *owner,
    struct channel **ret_keeper, uint64_t *ret_request);

#endif
