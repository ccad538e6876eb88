/* network.h - names, addresses and connections.                                     room: doctor/steps   runs in: cli
 *
 * The third step of an examination: from a server's name to a connection, or to the reason why there is none. With a proxy the
 * name is the proxy's business, and the proxy's answer is what is looked at.
 */
#ifndef DOCTOR_STEPS_NETWORK_H
#define DOCTOR_STEPS_NETWORK_H

#include "doctor/steps/visit.h"

/* One server (visit.h). */
void network_look(struct visit *v);
/* The network as a whole, after all visits: when no server was reached it asks whether anything can be, and whether somebody
 * stands in between (a captive portal, blocked mail ports). Notes go to x->general. Asks one or two public pages by plain HTTP,
 * and only then, and not where the settings alone explain it. Takes at most the wishes' patience. */
void network_look_around(const struct wishes *wishes, struct dns *dns, struct examination *x);

#endif
