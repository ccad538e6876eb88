/* front.h - IMAP before sign-in.                                             room: imap/front   runs in: gate
 *
 *   COMMAND --AUTHENTICATE, LOGIN--> (vault) --challenge--> RESPONSE --line--> (vault) ...
 *                                      |--no, later--> COMMAND
 *                                      '--ok--> (keeper) --ok--> handed over; the keeper answers the tag
 *   COMMAND --STARTTLS--> (handshake) --> COMMAND, with all that was said forgotten
 *
 * The not-authenticated state of RFC 3501 3.1 and nothing else; which command is legal where stands in imap/wire's table.
 * In the clear no secret is taken (LOGINDISABLED, [PRIVACYREQUIRED]). Budgets: imap_limits_preauth, LIMIT_IMAP_BAD.
 * Never logs; the gate does.
 */
#ifndef IMAP_FRONT_FRONT_H
#define IMAP_FRONT_FRONT_H

#include "gate/gate.h"

extern const struct front imap_front;

#endif
