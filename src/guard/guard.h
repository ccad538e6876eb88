/* guard.h - who may try again, and who must wait.                                 room: guard   runs in: vault
 *
 * Counts *different* wrong secrets: a phone that repeats one stale password is one strike however often it comes; a
 * guesser is stopped after a few. Tables, all bounded (table.h):
 *
 *   pair     (name, client network): different wrong secrets of one network for one name. Somebody else's guesses never
 *            count against the owner, who comes from another network.
 *   network  different names that failed from one client network within an hour: spraying.
 *   name     different wrong secrets for one name from all unknown networks within a day.
 *   known    (name, client network) pairs that signed in within LIMIT_GUARD_KNOWN: they pass the last two limits.
 *   harvest  unknown recipients asked for by one client network within an hour (T-050).
 *
 * A client network is an IPv4 address or an IPv6 /64 (ip_limit_net). Of a wrong secret 16 bits of a keyed hash over name
 * and secret are kept, in memory only, a day at most (T-246): enough to tell repeats, useless to anyone else. Names are
 * kept as keyed hashes. Whether a name exists plays no part, so "wait" teaches nothing.
 *
 * Time is the caller's, in milliseconds of a clock that only grows. Never logs, cannot fail.
 */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include "base/ip.h"
#include "crypto/secret.h"

struct guard_limits {
    unsigned strikes;      /* different wrong secrets of a pair before it must wait, 1 .. 100 */
    uint64_t window_ms;    /* how long they count */
    uint64_t pause_max_ms; /* the pause doubles from LIMIT_GUARD_PAUSE up to this */
    unsigned day;          /* wrong secrets a day for one name from all unknown networks, up to 10,000 */
    unsigned spray;        /* names that may fail from one network in an hour, up to 1,000 */
};
extern const struct guard_limits guard_limits_default;

struct guard;
/* The key (32 octets) stays the caller's. */
struct guard *guard_new(const struct secret *key, const struct guard_limits *limits);
void guard_free(struct guard **guard);
/* New limits count from the next failure on. */
void guard_set_limits(struct guard *g, const struct guard_limits *limits);

struct guard_who {
    struct slice name; /* one spelling for one name: an address key */
    struct ip client;
    bool is_exempt; /* from the limit by network: an office behind one address */
};

/* True: this one has guessed too much and must wait. Ask before the secret is looked at. */
bool guard_must_wait(struct guard *g, uint64_t now_ms, const struct guard_who *who);
/* A wrong secret. True when it was a new strike, false when it repeats one that was counted. */
bool guard_count_wrong(struct guard *g, uint64_t now_ms, const struct guard_who *who, struct slice secret);
/* A sign-in: the pair's strikes are forgotten, the network is known to this name. */
void guard_count_right(struct guard *g, uint64_t now_ms, const struct guard_who *who);

/* True: this network has asked for too many unknown recipients; answer "later" to all it asks. */
bool guard_is_harvesting(struct guard *g, uint64_t now_ms, const struct ip *client);
void guard_count_unknown(struct guard *g, uint64_t now_ms, const struct ip *client);

#endif
