/* xxh64.h - XXH64, a fast hash that finds damage (not malice) in stored octets.    room: store   runs in: keeper
 *
 * The published algorithm with seed 0. Secrets and identities use BLAKE2b instead.
 */
#ifndef STORE_XXH64_H
#define STORE_XXH64_H

#include "base/slice.h"

uint64_t xxh64(struct slice data);

#endif
