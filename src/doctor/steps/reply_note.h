/* reply_note.h - notes on what a server said.                                         room: doctor/steps   runs in: cli
 *
 * What a known reply means, the knowledge tells; an unknown one gets the note that the caller names.
 */
#ifndef DOCTOR_STEPS_REPLY_NOTE_H
#define DOCTOR_STEPS_REPLY_NOTE_H

#include "doctor/steps/dialogue.h"

/* What the text means by the knowledge, if that is surer than low; else `otherwise`. */
struct observation *
reply_note(const struct visit *v, enum tone tone, struct slice text, enum observed otherwise);
/* What ended the talk after sign-in, a fault: an error of talk.h; `last` is what came last, or empty. */
void reply_note_break(const struct visit *v, enum err e, struct slice last);

#endif
