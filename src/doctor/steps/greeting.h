/* greeting.h - the step of greeting and capabilities.                                 room: doctor/steps   runs in: cli
 *
 * greeting_look (visit.h) opens a conversation as a mail program would, by the endpoint's security, and notes what the server
 * says of itself and offers; or what else answers there, or why it does not come to that. It sends no secret. The talk is
 * ended politely: sign-in takes a fresh one.
 *
 * Sets standing.greeted and .letterlock. Below: the parts, for tests with scripted servers.
 */
#ifndef DOCTOR_STEPS_GREETING_H
#define DOCTOR_STEPS_GREETING_H

#include "doctor/steps/dialogue.h"

/* Notes on an opening that ended with `e`, at whatever place (dialogue_begin). May say one more line to a server that said
 * nothing, so that what speaks only when asked is recognised. */
void greeting_note(struct visit *v, struct opening *o, enum err e);

#endif
