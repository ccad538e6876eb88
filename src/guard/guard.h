/* guard.h - who may try again, and who must wait.                                 room: guard   runs in: vault
 *
 * Counts *different* wrong secrets: a phone that repeats one stale password is one strike however often it comes; a
 * guesser is stopped after a few. Tables, all bounded (table.h):
 *
 *   pair     (name, client network or device): different wrong secrets. Somebody else's guesses never count against the
 *            owner, who comes from another network.
 *   network  different names that failed from one client network within an hour: spraying.
 *   name     different wrong secrets for one name from all unknown networks within a day.
 *   secret   different names that one wrong secret was tried on within an hour, from wherever: it is delayed everywhere (T-240).
 *   harvest  unknown recipients asked for by one client network within an hour (T-050).
 *
 * A name that signed in from a network lately (guard_who.is_known; the caller keeps that on disk) passes all but the first, so
 * that the owner always has a way in (T-241). A device that proved itself is counted for itself, not with its network.
 *
 * Two kinds of strike never mix: of secrets that came as typed, and of proofs (SCRAM, CRAM-MD5), which only random secrets can
 * pass. A program that keeps sending a wrong proof looks different each time, because each proof has a nonce; what it earns
 * is that proofs must wait, and the person beside it who types a password does not.
 *
 * A client network is an IPv4 address or an IPv6 /64 (ip_limit_net). Of a wrong secret 16 bits of a keyed hash are kept, in
 * memory only, a day at most (T-246): enough to tell repeats, useless to anyone else. With the name hashed in, two
 * accounts with one wrong secret cannot be told by it; only the table of sprayed secrets leaves the name out. Names are kept as
 * keyed hashes. Whether a name exists, and whether a secret was right, plays no part, so "wait" teaches nothing.
 *
 * Time is the caller's, in milliseconds of a clock that only grows. Never logs, cannot fail.
 */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include "base/ip.h"
#include "crypto/secret.h"

struct guard_limits {
    unsigned strikes;      /* different wrong secrets of a pair before it must wait, 1 .. 100 */
    uint64_t window_ms;    /* how long they count after the last one */
    uint64_t pause_max_ms; /* the pause doubles from LIMIT_GUARD_PAUSE up to this */
    unsigned day;          /* wrong secrets a day for one name from all unknown networks, up to 10,000 */
    unsigned spray;        /* names that may fail from one network in an hour, up to 1,000 */
};

struct guard;
/* The key (32 octets) stays the caller's. */
struct guard *guard_new(const struct secret *key, const struct guard_limits *limits);
void guard_free(struct guard **guard);
/* New limits count from the next failure on. */
void guard_set_limits(struct guard *g, const struct guard_limits *limits);

struct guard_who {
    struct slice name; /* one spelling for one name: an address key */
    struct ip client;
    struct slice device; /* one that proved itself (a remembered browser); empty: none */
    bool is_known;       /* this name signed in from this network within LIMIT_GUARD_KNOWN */
    bool is_exempt;      /* from the limit by network: an office behind one address */
    bool is_proof;       /* it came with a proof, not with the secret */
};

/* True: this one has guessed too much and must wait. Ask before the secret is looked at. `secret`: as typed; empty for a proof. */
bool guard_must_wait(struct guard *g, uint64_t now_ms, const struct guard_who *who, struct slice secret);
/* A wrong secret. True when it was a new strike, false when it repeats one that was counted. Of a proof: what it was recognised
 * as (a revoked password, say), the same octets each time; empty: it was not, then each one is new. */
bool guard_count_wrong(struct guard *g, uint64_t now_ms, const struct guard_who *who, struct slice secret);
/* A person's own password was right: strikes of that kind by the pair are forgotten. Not to be called for a secret that the
 * server made, or a mail program that signs in every minute would give a guesser beside it new tries every minute. */
void guard_count_right(struct guard *g, uint64_t now_ms, const struct guard_who *who);
/* Forgets what is a day old. Call it now and then; more often than every LIMIT_GUARD_TIDY costs nothing. */
void guard_tidy(struct guard *g, uint64_t now_ms);

/* True: this network has asked for too many unknown recipients; answer "later" to all it asks. */
bool guard_is_harvesting(struct guard *g, uint64_t now_ms, const struct ip *client);
void guard_count_unknown(struct guard *g, uint64_t now_ms, const struct ip *client);

#endif
