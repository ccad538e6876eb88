/* reply_note.h - notes on what a server said, without the secret that it may say back.  room: doctor/steps   runs in: cli
 *
 * Servers repeat what they did not understand: "500 unknown command PASS hunter2", or the base64 of a whole sign-in. What goes
 * into a note is freed of that first. What a known reply means, the knowledge tells; an unknown one gets the note that the
 * caller names.
 */
#ifndef DOCTOR_STEPS_REPLY_NOTE_H
#define DOCTOR_STEPS_REPLY_NOTE_H

#include "doctor/steps/dialogue.h"

/* The text with "[...]", which tells no length, in the place of the secret: as it is, with the backslashes of a quoted string,
 * cut by the server, and each run of base64 that holds it. NULL, or fewer than 4 octets, which stand in many a word: the text as it is. */
struct slice reply_without_secret(const struct secret *secret, struct arena *arena, struct slice text);
/* What the text means by the knowledge, if that is surer than low; else `otherwise`. */
struct observation *
reply_note(const struct visit *v, enum tone tone, struct slice text, enum observed otherwise);
/* What ended the talk after sign-in, a fault: an error of talk.h; `last` is what came last, or empty. */
void reply_note_break(const struct visit *v, enum err e, struct slice last);

#endif
