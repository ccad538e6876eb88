/* utf8.h - UTF-8 by the book (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.   room: base   runs in: all */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"
#include "base/slice.h"

/* Decodes one code point at the front; returns octets used, 0 when malformed, cut or empty. */
size_t utf8_decode(struct slice s, uint32_t *ret_code);
/* Writes at most 4 octets; returns how many, 0 for what is no scalar value. */
size_t utf8_encode(uint32_t code, char out[4]);
bool utf8_is_valid(struct slice s);
bool ascii_is_all(struct slice s); /* every octet below 0x80 */
/* Appends s with each malformed octet replaced by U+FFFD. */
void utf8_put_repaired(struct buf *out, struct slice s);
/* Could it fool the reader of a terminal or of a log? Controls, separators of lines, what turns the
 * direction or hides: soft hyphens, fillers, joiners, tags (T-262). */
bool utf8_is_unsafe(uint32_t code);
/* Appends s for a terminal: what is unsafe as \uNNNN or \UNNNNNNNN, malformed octets as \xNN. */
void utf8_put_safe(struct buf *out, struct slice s);

#endif
