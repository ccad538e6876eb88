/* refusals.h - mail that was refused, told to the vault for `letterlock why`.            room: smtp/front   runs in: gate
 *
 * A refusal is told under the address of whoever would ask: the account that sends (submission), the recipient (port 25).
 * Recipients that do not exist are not told, so that nobody who guesses addresses fills the journal; and one connection
 * tells LIMIT_REFUSALS_TOLD of them at most. What the keeper refused comes by the same way, since its answer passes here.
 *
 * Owns: nothing. A refusal that cannot be sent is lost: it is news, not mail. Never logs.
 */
#ifndef SMTP_FRONT_REFUSALS_H
#define SMTP_FRONT_REFUSALS_H

#include "gate/gate.h"
#include "mail/status.h"
#include "smtp/front/envelope.h"

struct refusals {
    struct gate *gate;
    unsigned told;
};

struct refusal {
    enum ipc_service service;
    struct ip client;
    enum status why;
    struct slice account;        /* submission: who signed in; empty: nobody */
    const struct address *about; /* the recipient or sender that was refused; NULL: the message was */
    const struct smtp_envelope *envelope; /* of the transaction, as far as it came */
};
void refusals_tell(struct refusals *r, const struct refusal *what);

#endif
