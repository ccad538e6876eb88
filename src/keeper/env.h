/* env.h - what every session of a keeper may use, filled by the keeper's main.   room: keeper   runs in: keeper
 *
 * One struct per process, passed down. The channels change when another process was restarted; NULL while it
 * is away.
 */
#ifndef KEEPER_ENV_H
#define KEEPER_ENV_H

#include "ipc/channel.h"
#include "loop/loop.h"

struct accounts;
struct sessions;
struct grants;
struct poison_page;
struct poisoned_set;
struct charsets;

struct keeper_env {
    struct loop *loop;
    struct accounts *accounts; /* store: the open accounts, and through them the sync pool */
    struct sessions *sessions;
    struct grants *grants;
    unsigned index, keepers;         /* this is keeper `index` of `keepers` */
    struct slice hostname;           /* for Received, Message-ID; renewed by a reload */
    uint64_t message_limit;          /* octets */
    const struct charsets *charsets; /* mail: for SEARCH and decoding */
    struct channel *vault;
    struct channel *scribe;
    struct channel **peers; /* the other keepers by index; our own is NULL */
    struct poison_page
        *poison; /* NULL in tests: note here what of a stranger's making is touched (ipc/poison.h) */
    struct poisoned_set *poisoned; /* NULL in tests: what is not looked into (keeper/poisoned.h) */
    bool stopping;
};

/* True when accounts of this slot are ours (T-337). */
static inline bool keeper_owns(const struct keeper_env *env, uint8_t slot)
{
    return slot_owner(slot, env->keepers) == env->index;
}

#endif
