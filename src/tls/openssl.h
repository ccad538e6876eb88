/* openssl.h - the library's headers, whose ERR_STATE is a type and would hide ours.      room: tls   runs in: gate
 *
 * Internal: only this room's files include it.
 */
#ifndef TLS_OPENSSL_H
#define TLS_OPENSSL_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#endif
