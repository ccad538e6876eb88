/* mask.h - the words of others, without a secret that they may have learnt.               room: doctor   runs in: cli
 *
 * Who was sent a secret may say it back: at once ("500 unknown command PASS hunter2"), or a round of --watch later, in a greeting, a
 * certificate, a record of the DNS; and may have told a friend. So all that is noted (notes_fact and its like) passes through the
 * mask of the examination, which puts "[...]", that tells no length, in the place of the secret: as it is, with the backslashes of a
 * quoted string, in percent signs, in hexadecimal, in either case of letters, cut by who repeats it, and each run of base64 that
 * holds it. Whoever wants to say it in a cipher of their own can: nobody would know it for what it is.
 *
 * Before the secret was sent nobody can know it. What was said until then is left as it is, then and later: a password that is a
 * common word would only be given away by the hole that it leaves. The same goes for what the person said (mask_allow).
 *
 * A mask holds no octet of the secret: it knows the forms by keyed hashes of their first part, and so can be kept when the secret is
 * wiped, and sends nothing to anybody. Owns: what it is made of. May be used by several threads at once, but for mask_start. A secret
 * of fewer than 4 octets, which stand in many a word, is not hidden. Limits: LIMIT_DOCTOR_SAID.
 */
#ifndef DOCTOR_MASK_H
#define DOCTOR_MASK_H

#include "base/arena.h"

struct mask;
struct mask *mask_new(struct slice secret);
void mask_free(struct mask **m);
/* The secret is being sent, for the first time or again: from here on somebody may know it. For the one thread that signs in. */
void mask_start(struct mask *m);
/* This very text is the person's own: it is shown as it is. */
void mask_allow(struct mask *m, struct slice text);
/* Is there nothing in the text that would be hidden? */
bool mask_is_clean(struct mask *m, struct slice text);
/* The text as it may be shown; in the arena when it is another one. NULL: everything may be. */
struct slice mask_text(struct mask *m, struct arena *arena, struct slice text);

#endif
