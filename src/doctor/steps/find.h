/* find.h - which servers are those of an address.                                   room: doctor/steps   runs in: cli
 *
 * Asks what mail programs ask, the surest first: the table of providers, the domain's own files and records (autoconfig, SRV,
 * Autodiscover), the provider that its MX shows, and common names that answer. Sources are asked side by side. Where the person
 * named servers, none are added; those are held against what the domain says, and only the DNS is asked, and nobody behind a proxy.
 *
 * `trusted` is set for what nobody on the way can forge: the table, files that came by https from the domain itself, records
 * that DNSSEC proves, and hosts inside the domain, which their certificate proves later on. Not where the domain itself is
 * doubted (a slip away from a well-known one). The full address is never sent in clear.
 */
#ifndef DOCTOR_STEPS_FIND_H
#define DOCTOR_STEPS_FIND_H

#include "doctor/steps/visit.h"

/* Sets address, domain and provider of the examination, adds servers, and notes (STEP_FIND) in `general` and with the servers that
 * were there. OK also when nothing is found. ERR_LIMIT: there is no room for texts; ERR_MEMORY. */
fallible find_servers(const struct wishes *wishes, struct dns *dns, struct examination *x);

#endif
