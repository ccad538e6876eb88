/* symbols.h - letters and digits that people copy by hand.                        room: crypto   runs in: vault cli
 *
 * 32 symbols, five bits each: lower-case letters and digits without 0, 1, l, o, which look like others. Client passwords and
 * recovery codes are made of them; codes of an authenticator are read by the same forgiving reader. Pure.
 */
#ifndef CRYPTO_SYMBOLS_H
#define CRYPTO_SYMBOLS_H

#include "base/slice.h"

/* value: 0 to 31. */
char symbol_of(unsigned value);
/* -1: none of them. 1 and l are taken for i, which is the one they can have been read for. */
int symbol_value(char c);
/* n random symbols; no value is likelier than another. */
void symbols_random(char *out, size_t n);
/* The plain lower-case ASCII letters and digits of what was typed: blanks, hyphens and dashes anywhere, capitals, full-width
 * forms (an input method left on). False: something else is in between, or there are more than `max`. */
bool symbols_read(struct slice typed, char *out, size_t max, size_t *ret_n);

#endif
