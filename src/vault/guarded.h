/* guarded.h - how the guard sees whoever signs in, by whichever way.                  room: vault   runs in: vault
 *
 * Mail programs (signin.h) and the portal (entry.h) must be counted as one: a guess at one door counts at the other. So both come
 * through here for the name's one spelling and for what is known of the network.
 */
#ifndef VAULT_GUARDED_H
#define VAULT_GUARDED_H

#include "guard/guard.h"
#include "mail/address.h"
#include "vault/vault.h"

/* A name that is no address gets a key all the same. `account`: NULL when there is none of that name; the same is done then.
 * What is the way's own (is_exempt, is_proof, device) is left to the caller. ret_key is where the name stands: it lives as long. */
struct guard_who vault_guarded(
    struct vault *v, struct slice name, const struct account_id *account, const struct ip *client,
    int64_t now_s, struct address_key *ret_key);

#endif
