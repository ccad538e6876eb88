/* encode.h - base64 (RFC 4648, strict) and hex.                                room: base   runs in: all */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/buf.h"

void base64_put(struct buf *out, struct slice data);
/* Strict: whole quanta, padding required, no white space, unused bits zero. ERR_SYNTAX; ERR_LIMIT from out.
 */
fallible base64_get(struct slice text, struct buf *out);
void hex_put(struct buf *out, struct slice data); /* lower case */
/* The same as a C string: 2 * data.n digits and a NUL into `out`. For ids in names and logs. */
void hex_text(struct slice data, char *out);
/* Exactly n octets from 2n hex digits of either case. */
fallible hex_get(struct slice text, void *out, size_t n);

#endif
