/* client_data.h - what a browser says of a ceremony: clientDataJSON (WebAuthn L2 5.8.1).       room: factor   runs in: vault
 *
 * JSON is read by jansson, strictly: an object, no key twice, nothing behind it, at most LIMIT_CLIENT_DATA octets. It nests as
 * far as a stranger likes, up to that length, and escapes and numbers have more corners than a reader of our own would be
 * right to have anew. Every expected value comes from the caller, never from what is checked.
 *
 * Pure. The browser vouches for this text; what binds it to the key is the signature over its hash (verify.h).
 */
#ifndef FACTOR_CLIENT_DATA_H
#define FACTOR_CLIENT_DATA_H

#include "factor/ceremony.h"

/* FLAW_NONE; FLAW_CLIENT_DATA: not such a text; or what of it is wrong. */
enum flaw client_data_check(struct slice json, const struct ceremony *expected);

#endif
