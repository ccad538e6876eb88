/* refusal.h - what the system's reasons for a failed connection mean.                 room: net   runs in: relay cli
 *
 * Private to the room: dial.c and connect.c answer alike.
 */
#ifndef NET_REFUSAL_H
#define NET_REFUSAL_H

#include "base/err.h"

/* ERR_DENIED, ERR_TIMEOUT, ERR_NOT_FOUND (no route), ERR_LIMIT, or ERR_IO. */
fallible refusal_of_errno(int e);

#endif
