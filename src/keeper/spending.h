/* spending.h - what a session uses of its credential's budgets.                          room: keeper   runs in: keeper
 *
 * The budgets are kept by the vault (they outlive keepers and hold for all sessions of a credential together); a keeper
 * reports what was fetched in steps of LIMIT_SPEND_STEP octets and at the end of a session, and asks before a message is sent. A
 * budget that is exceeded freezes the credential in the vault, which then revokes its sessions like those of any revoked one.
 * A session without such a budget costs nothing here.
 */
#ifndef KEEPER_SPENDING_H
#define KEEPER_SPENDING_H

#include "ipc/channel.h"
#include "keeper/env.h"
#include "keeper/session.h"

/* Octets of mail that were put into the session's output. */
void session_spend_octets(struct keeper_env *env, struct session *s, uint64_t octets);
/* The rest, when the session leaves: the keeper's main registers it with sessions_on_drop; arg is the keeper_env. */
void session_spend_rest(struct session *s, void *arg);

/* May a message go to these recipients (LIMIT_SPEND_RECIPIENT octets each)? The answer is a spend_result. ERR_UNAVAILABLE,
 * ERR_LIMIT: not now. */
fallible spending_ask(
    struct keeper_env *env, const struct grant *grant, struct slice recipients, channel_answer_fn *fn,
    void *owner, uint64_t *ret_request);
/* The 16 octets that stand for a recipient. ERR_SYNTAX: not an address. */
fallible spending_recipient(struct slice address, struct buf *out);

#endif
