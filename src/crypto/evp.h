/* evp.h - libcrypto's headers, whose ERR_STATE is a type and would hide ours.     room: crypto   runs in: all
 *
 * Internal: only this room's C files include it.
 */
#ifndef CRYPTO_EVP_H
#define CRYPTO_EVP_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE

#endif
