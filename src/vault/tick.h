/* tick.h - when a refusal is answered: at the next multiple of LIMIT_SIGNIN_TICK after the secret came.    room: vault
 * runs in: vault */
#ifndef VAULT_TICK_H
#define VAULT_TICK_H

#include <stdint.h>

#include "base/limits.h"

/* arrived: when the secret came; when: not before this. Both in milliseconds of one clock. */
static inline uint64_t tick_after(uint64_t arrived, uint64_t when)
{
    return arrived + ((when - arrived) / LIMIT_SIGNIN_TICK + 1) * LIMIT_SIGNIN_TICK;
}

#endif
