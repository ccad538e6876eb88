/* entry_private.h - a sign-in to the portal from the inside, and who it is to the guard.   room: vault   runs in: vault
 *
 * entry.c is the machine; entry_guard.c knows what the guard, `letterlock why` and the journal hear of it.
 */
#ifndef VAULT_ENTRY_PRIVATE_H
#define VAULT_ENTRY_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "mail/address.h"
#include "vault/entry.h"

/* Every wait has a name (entries_describe). */
enum state { NAMED, HASHING, FACTOR, ENROL, CHANGE, WORKING, HELD, STATES };

struct entry {
    struct list link; /* in the order of `due` */
    uint64_t id;
    uint8_t token[ENTRY_TOKEN_LEN];
    enum state state, back; /* back: where HELD returns to */
    uint64_t reply;
    uint64_t arrived; /* when the secret that is being judged came */
    uint64_t due;
    uint64_t
        floor; /* how many ms after its arrival the password was judged: no factor is refused earlier (INV-E1) */
    struct buf name, program;
    struct ip client;
    bool has_account;
    struct vault_account account;
    bool is_step_up;
    uint64_t session; /* of a step-up */
    bool has_proved;  /* by a factor, or there is none to prove by */
    unsigned wrong;
    enum entry_answer_kind held; /* NO or LATER */
    uint64_t enrolling;
    struct secret password; /* as typed, while it is being compared */
    char device[DEVICE_TOKEN];
    bool wants_device, has_device;
};

struct entries {
    uint32_t magic;
    struct vault *vault;
    struct guard *guard;
    const struct entry_ops *ops;
    void *owner;
    struct map by_id, by_token;
    struct list all; /* by due */
    uint64_t last_id;
};

static inline uint64_t entries_now_ms(const struct entries *e)
{
    return e->ops->now_ms(e->owner);
}

static inline int64_t entries_now_s(const struct entries *e)
{
    return e->ops->now_s(e->owner);
}

/* ---- entry_guard.c ---- */

/* A decision, for `letterlock why` and the journal. */
void entry_tell(struct entries *e, struct entry *x, const char *outcome, enum reason reason);
/* Whom the guard counts; the name lies in *key. */
struct guard_who entry_guard_view(struct entries *e, const struct entry *x, struct address_key *key);
/* Is this secret one too many? */
bool entry_must_wait(struct entries *e, const struct entry *x, struct slice secret);

#endif
