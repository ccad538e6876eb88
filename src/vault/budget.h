/* budget.h - what a credential may use up in an hour and a day.                    room: vault   runs in: vault
 *
 * The keeper asks before it sends a message or gives out more octets; here it is counted. Windows slide in steps (five minutes
 * of the hour, one hour of the day) and are counted generously: never more than the limit within any hour or day. What would
 * exceed a limit is not done: the credential is frozen on the spot, on disk before the answer, its sessions end, its owner and
 * the journal are told. Other credentials of the account go on.
 *
 * A recipient is new until the account has sent to it through a credential that was asked about here; it is kept as a keyed
 * hash, LIMIT_RECIPIENTS_KNOWN for each account, for LIMIT_RECIPIENT_KNOWN.
 *
 * INV-V4's exception: what was used is written within LIMIT_VAULT_FLUSH; a vault that dies forgets at most that much.
 * Fails: as db/ does; then nothing was counted, and the answer is "later".
 */
#ifndef VAULT_BUDGET_H
#define VAULT_BUDGET_H

#include "base/ids.h"
#include "base/limits.h"
#include "vault/vault.h"

enum spend_verdict { SPEND_OK, SPEND_FROZEN };

struct vault_spending {
    uint32_t messages;
    struct slice recipients; /* LIMIT_SPEND_RECIPIENT octets each: a hash of the address's key */
    uint64_t octets;
};
/* FROZEN also for a credential that is frozen, revoked or unknown. VAULT_MAILBOX_CREDENTIAL has no budget: OK. */
fallible vault_spend(
    struct vault *v, const struct account_id *account, uint64_t credential,
    const struct vault_spending *spending, int64_t now_s, enum spend_verdict *ret_verdict);

/* What was used lately, for `letterlock client show`. */
struct vault_spent {
    uint32_t messages_hour, messages_day, recipients_day;
    uint64_t octets_day;
};
fallible vault_spent(struct vault *v, uint64_t credential, int64_t now_s, struct vault_spent *ret_spent);

#endif
