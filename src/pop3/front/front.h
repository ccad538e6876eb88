/* front.h - POP3's AUTHORIZATION state.                                      room: pop3/front   runs in: gate
 *
 *   COMMAND --USER--> COMMAND (name kept) --PASS--> (vault) --ok--> (keeper) --ok--> handed over; the keeper says +OK
 *   COMMAND --AUTH--> (vault) --challenge--> RESPONSE --line--> (vault) ...
 *   COMMAND --STLS--> (handshake) --> COMMAND, with all that was said forgotten
 *
 * RFC 1939, 2449 (CAPA), 2595 (STLS), 5034 (AUTH), 6856 (UTF8), 3206 (AUTH-RESP-CODE). Which command is legal where stands
 * in pop3/wire's table. In the clear no secret is taken. A line that is too long ends the connection (T-175). Never logs.
 */
#ifndef POP3_FRONT_FRONT_H
#define POP3_FRONT_FRONT_H

#include "gate/gate.h"

extern const struct front pop3_front;

#endif
