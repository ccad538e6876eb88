/* known.h - the client networks where an account signed in lately.                room: vault   runs in: vault
 *
 * Who comes from such a network passes the limits that strangers' guesses fill (guard/guard.h), so that nobody can lock an
 * owner out (T-241); that must outlive a restart. Kept for each account: an IPv4 address or an IPv6 /64 (ip_limit_net) and
 * when, for LIMIT_GUARD_KNOWN, at most LIMIT_KNOWN_NETWORKS of them; no name, no secret, no program. Gone with the account.
 *
 * Noted in memory, written by vault_flush; a network that was noted within LIMIT_KNOWN_AGAIN is not written again.
 */
#ifndef VAULT_KNOWN_H
#define VAULT_KNOWN_H

#include "base/ids.h"
#include "base/ip.h"
#include "vault/vault.h"

/* False also when it cannot be read: then the limits hold. */
bool vault_is_known(
    struct vault *v, const struct account_id *account, const struct ip *client, int64_t now_s);
void vault_known_note(
    struct vault *v, const struct account_id *account, const struct ip *client, int64_t now_s);

#endif
