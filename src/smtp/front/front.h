/* front.h - SMTP behind a gate's doors: smtp (25), submission (587) and submissions (465).  room: smtp/front
 *                                                                                          runs in: gate
 * Glue between a connection of the gate and the dialogue: its octets, the vault, the keepers, the clock.
 */
#ifndef SMTP_FRONT_FRONT_H
#define SMTP_FRONT_FRONT_H

#include "gate/connection.h"

extern const struct front smtp_front;

#endif
