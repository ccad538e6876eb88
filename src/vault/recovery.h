/* recovery.h - the form of a recovery code.                                       room: vault   runs in: vault
 *
 * "ab3de-7ghjk-m4pq": 14 symbols of the alphabet of client passwords (clientpw.h: 32 letters and digits without look-alikes),
 * 70 random bits, in groups. Typed forms are forgiving in the same way. There are no check symbols: a set is printed once, a
 * code is typed from paper, and a wrong one costs one of five tries.
 *
 * Pure. How codes are kept, counted and used up stands in factors.h.
 */
#ifndef VAULT_RECOVERY_H
#define VAULT_RECOVERY_H

#include "base/slice.h"

enum { RECOVERY_SYMBOLS = 14, RECOVERY_GROUP = 5, RECOVERY_SHOWN = RECOVERY_SYMBOLS + 2 };

/* Without separators: what is hashed. Holds a secret: wipe it. No NUL behind. */
struct recovery_code {
    char symbols[RECOVERY_SYMBOLS];
};
static inline struct slice recovery_slice(const struct recovery_code *code)
{
    return slice_of(code->symbols, sizeof code->symbols);
}

void recovery_make(struct recovery_code *ret_code);
/* As shown, once. No NUL behind. */
void recovery_show(const struct recovery_code *code, char out[RECOVERY_SHOWN]);
/* Reads what was typed. False: it has not the form of a recovery code. */
bool recovery_read(struct slice typed, struct recovery_code *ret_code);

#endif
