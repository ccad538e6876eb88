/* md5.h - HMAC-MD5, for CRAM-MD5 alone.                                          room: crypto   runs in: vault cli
 *
 * MD5 is broken as a hash; under HMAC it still serves RFC 2195, which older programs know. Nothing else may use it.
 */
#ifndef CRYPTO_MD5_H
#define CRYPTO_MD5_H

#include "base/slice.h"

enum { MD5_LEN = 16 };

/* RFC 2104. Key of any length. */
void hmac_md5(struct slice key, struct slice data, uint8_t out[MD5_LEN]);

#endif
