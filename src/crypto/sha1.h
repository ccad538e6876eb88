/* sha1.h - SHA-1, for lists of breached passwords alone.                          room: crypto   runs in: vault cli
 *
 * SHA-1 is broken where somebody gains by a collision. The lists that people publish name passwords by it, and for telling
 * whether a password is in such a list it serves. Nothing else may use it.
 */
#ifndef CRYPTO_SHA1_H
#define CRYPTO_SHA1_H

#include "base/slice.h"

enum { SHA1_LEN = 20 };

void sha1(struct slice data, uint8_t out[SHA1_LEN]);

#endif
