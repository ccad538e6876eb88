/* random.h - random numbers, and the start of the crypto room.               room: crypto   runs in: all
 *
 * Everything comes from the kernel's generator; nothing is seeded, stored or shared over a fork. crypto_init
 * must have been called before anything else of this room: it opens what the libraries need, so that nothing
 * is loaded later.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"

/* Once per process, before the jail closes; calling again does nothing. Ends the process when the kernel
 * gives no random numbers or a library does not start. Reads no configuration file. */
void crypto_init(void);

void random_bytes(void *out, size_t n);
/* Never 0, so that 0 can mean "no id". */
uint64_t random_id64(void);
/* Evenly from 0 .. bound - 1; bound at least 1. */
uint32_t random_below(uint32_t bound);
struct account_id random_account_id(void);
struct delivery_id random_delivery_id(void);

#endif
