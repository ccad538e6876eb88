/* notice.h - mail that the server itself writes to an account of ours.         room: smtp/session   runs in: keeper
 *
 * On behalf of the vault: written (notice_text.h), stored like any arriving message under the delivery id that the vault
 * gave, also in a full mailbox, and answered when it is on disk. The vault asks again until then; the id makes that harmless.
 */
#ifndef SMTP_SESSION_NOTICE_H
#define SMTP_SESSION_NOTICE_H

#include "ipc/channel.h"
#include "smtp/session/arrivals.h"

void notice_take(struct arrivals *a, struct channel *from, struct ipc_msg *m);
/* The keeper's main is going: nobody is answered any more. */
void notices_drop(struct arrivals *a);
/* The vault has gone: it asks again. */
void notices_vault_down(struct arrivals *a);

#endif
