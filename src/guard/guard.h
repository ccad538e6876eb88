/* guard.h - who may try again, and who must wait.                                 room: guard   runs in: vault
 *
 * Counts *different* wrong secrets: a phone that repeats one stale password is one strike however often it comes; a
 * guesser is stopped after LIMIT_GUARD_STRIKES. Three tables, all bounded (table.h):
 *
 *   pair    (name, client network): strikes of one network against one name. Somebody else's guesses never count against
 *           the owner, who comes from another network.
 *   network strikes of one client network over all names: spraying. Networks from which a name has signed in lately
 *           (LIMIT_GUARD_KNOWN) stay open for that name.
 *   harvest unknown recipients asked for by one client network within an hour (T-050).
 *
 * A client network is an IPv4 address or an IPv6 /64 (ip_limit_net). Of a wrong secret 16 bits of a keyed hash over name
 * and secret are kept, in memory only, at most a day (T-246): enough to tell repeats, useless to anyone else. Names are
 * kept as keyed hashes. Whether a name exists plays no part, so "wait" teaches nothing.
 *
 * Time is the caller's, in milliseconds of a clock that only grows. Never logs, cannot fail.
 */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include "base/ip.h"
#include "crypto/secret.h"

struct guard;
/* The key (32 octets) stays the caller's. */
struct guard *guard_new(const struct secret *key);
void guard_free(struct guard **guard);

/* True: this one has guessed too much and must wait. Ask before the secret is looked at. */
bool guard_must_wait(struct guard *g, uint64_t now_ms, struct slice name, const struct ip *client);
/* A wrong secret. True when it was a new strike, false when it repeats one that was counted. */
bool guard_count_wrong(
    struct guard *g, uint64_t now_ms, struct slice name, const struct ip *client, struct slice secret);
/* A sign-in: the pair's strikes are forgotten, the network is known to this name. */
void guard_count_right(struct guard *g, uint64_t now_ms, struct slice name, const struct ip *client);

/* True: this network has asked for too many unknown recipients; answer "later" to all it asks. */
bool guard_is_harvesting(struct guard *g, uint64_t now_ms, const struct ip *client);
void guard_count_unknown(struct guard *g, uint64_t now_ms, const struct ip *client);

#endif
