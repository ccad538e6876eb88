/* grants.h - sign-ins that the vault allowed and the gate has not yet brought.   room: keeper   runs in: keeper
 *
 * A grant waits under its ticket (256 random bits made by the vault) for LIMIT_TICKET_LIFE and can be taken
 * once. The gate only carries the ticket, so a gate can bring nobody who did not sign in (INV-36, T-330).
 *
 * The limits of the credential are read when the grant comes, and a grant with a limit that this keeper does not know is
 * refused: what cannot be enforced opens nothing (INV-37, INV-V3).
 */
#ifndef KEEPER_GRANTS_H
#define KEEPER_GRANTS_H

#include "ipc/messages.h"
#include "loop/loop.h"
#include "scope/scope.h"

enum { TICKET_OCTETS = 32 };

/* The limits of one grant, shared by the sessions and arrivals that act on it. */
struct grant_limits;

/* Who a session acts for and what it may do: a copy of the vault's message that lives as long as the session. Copying one
 * takes grant_ref, the end of a copy grant_done. */
struct grant {
    struct account_id account;
    uint8_t slot;
    uint64_t credential;
    uint32_t version;
    enum ipc_service service;
    bool can_receive, can_send;
    int64_t expires_s; /* 0: never */
    uint64_t quota_bytes;
    char address[321];
    char language[9];
    struct grant_limits *limits; /* NULL: none */
};
/* What the credential may do; never NULL, and good as long as the grant. */
const struct scope *grant_scope(const struct grant *g);
struct grant grant_ref(const struct grant *g);
void grant_done(struct grant *g);

struct grants;
struct grants *grants_new(struct loop *loop);
void grants_free(struct grants **g);
/* ERR_LIMIT when too many wait; ERR_SYNTAX for a ticket of the wrong length or limits that are none; ERR_UNSUPPORTED for a
 * limit that is not known here; ERR_EXISTS for a ticket seen before. */
fallible grants_add(struct grants *g, const struct msg_grant *m);
/* ERR_NOT_FOUND (unknown, used, too late), ERR_DENIED (for another service: then it is used up, too). The caller ends the
 * grant with grant_done. */
fallible
grants_take(struct grants *g, struct slice ticket, enum ipc_service service, struct grant *ret_grant);
/* Forgets waiting grants of a credential below `version` (credential 0: all of the account). */
void grants_revoke(struct grants *g, const struct account_id *account, uint64_t credential, uint32_t version);

#endif
