/* settings_given.h - what the person's mail program has, against what can be right.       room: doctor   runs in: cli
 *
 * Looks at a server that the person named: the field as it was typed, host and port and encryption against each other, against
 * the provider of the address, and against what the domain publishes. All notes are of the server's own and no faults: whether
 * it was the mistake, the steps with the server show. Pure.
 */
#ifndef DOCTOR_SETTINGS_GIVEN_H
#define DOCTOR_SETTINGS_GIVEN_H

#include "doctor/examination.h"

/* The field of the server as it stands in the mail program, before host and port were cut out of it. */
void settings_typed_look(struct slice typed, struct checked *c);
/* The server against what is known without asking anybody. `x`: the address and its provider. */
void settings_given_look(const struct examination *x, struct checked *c);
/* The server against those that the domain publishes, of all services. */
void settings_published_look(struct checked *c, const struct endpoint *published, size_t count);

#endif
