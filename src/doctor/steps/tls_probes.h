/* tls_probes.h - which versions, groups and suites a server accepts, by asking it.      room: doctor/steps   runs in: cli
 *
 * Each question is a hello of tls/probe.h on a connection of its own; the answer to one decides the next: what the server chose is
 * taken out of the offer and the rest is asked again, until it refuses. A server that is set up well answers after about eight.
 *
 * At most LIMIT_DOCTOR_PROBES questions; the first that gets no answer ends it, and what was not asked stays unsaid.
 */
#ifndef DOCTOR_STEPS_TLS_PROBES_H
#define DOCTOR_STEPS_TLS_PROBES_H

#include "doctor/tls_facts.h"
#include "tls/probe.h"

/* Asks once, on a connection of its own. ERR_CLOSED: the server hung up after the hello, which is a no as well; other errors: no
 * answer. */
typedef fallible
probe_asks_fn(void *owner, const struct probe_ask *ask, bool exchange, struct probe_answer *ret_answer);
/* Fills in the last part of the profile; what its session already shows is not asked again. `host`: the name to ask for, empty
 * for an address. */
void tls_probes_run(struct tls_profile *profile, struct slice host, probe_asks_fn *asks, void *owner);

#endif
