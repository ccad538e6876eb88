/* sign_in.h - signing in at a server, by every way that it offers, without doing harm.  room: doctor/steps   runs in: cli
 *
 * doctor/attempts.h decides what may be tried, dialogue.h how it is said; here both are brought together: each try gets a fresh
 * connection and is noted (STEP_SIGN_IN). On the connection of the first success dialogue.use follows at once, before other ways
 * are tried: a POP3 server lets one in at a time.
 *
 * The secret goes over TLS that was verified for the name that was asked for, to a server that was found in a way nobody can
 * forge; or where the wishes allow more, or the person agrees when asked. On the main thread only: one server after the other.
 */
#ifndef DOCTOR_STEPS_SIGN_IN_H
#define DOCTOR_STEPS_SIGN_IN_H

#include "doctor/attempts.h"
#include "doctor/steps/visit.h"

/* Does nothing without a secret, and nothing with a server that did not greet. Sets standing.tried and .signed_in. */
void sign_in_look(struct visit *v, struct attempts *a);

#endif
