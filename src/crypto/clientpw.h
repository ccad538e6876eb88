/* clientpw.h - the form of a client password.                                      room: crypto   runs in: vault cli
 *
 * "ab3de7g-hjkm4pq-rstu8wx-yz29iab": 28 symbols of an alphabet of 32 (lower-case letters and digits without 0, 1, l, o),
 * in four groups of seven, 31 characters as shown. The first 26 symbols are 130 random bits; the last two are check
 * symbols of a Reed-Solomon code over GF(32), whose words differ in at least three places: every single wrong symbol, every
 * two wrong symbols and every exchange of two symbols is noticed, so that a typing slip is told from a wrong secret.
 * That is for the owner's eyes only; the wire never learns it.
 *
 * Typed forms are forgiving: blanks, hyphens and dashes anywhere, capitals, full-width letters and digits (an input method
 * left on); 1 and l are taken for i, which is the one they can have been read for.
 */
#ifndef CRYPTO_CLIENTPW_H
#define CRYPTO_CLIENTPW_H

#include "base/slice.h"

enum {
    CLIENTPW_RANDOM = 26,
    CLIENTPW_CHECK = 2,
    CLIENTPW_SYMBOLS = CLIENTPW_RANDOM + CLIENTPW_CHECK,
    CLIENTPW_GROUP = 7,
    CLIENTPW_SHOWN = CLIENTPW_SYMBOLS + CLIENTPW_SYMBOLS / CLIENTPW_GROUP - 1,
};

/* The symbols without separators: what is hashed. Holds a secret: wipe it. No NUL behind. */
struct clientpw {
    char symbols[CLIENTPW_SYMBOLS];
};
static inline struct slice clientpw_slice(const struct clientpw *pw)
{
    return slice_of(pw->symbols, sizeof pw->symbols);
}

void clientpw_make(struct clientpw *ret_pw);
/* As shown to its owner, once. No NUL behind. */
void clientpw_show(const struct clientpw *pw, char out[CLIENTPW_SHOWN]);

enum clientpw_look {
    CLIENTPW_GOOD,  /* right form, right check symbols */
    CLIENTPW_SLIP,  /* nearly: up to two symbols too many or missing, or the check symbols don't fit */
    CLIENTPW_OTHER, /* something else: a password that a person chose */
};
/* Reads what was typed. *ret_pw is set only for CLIENTPW_GOOD. */
enum clientpw_look clientpw_read(struct slice typed, struct clientpw *ret_pw);

#endif
