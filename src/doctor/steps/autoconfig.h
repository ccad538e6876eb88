/* autoconfig.h - what the two files that domains publish for mail programs say.        room: doctor/steps   runs in: cli
 *
 * Mozilla's autoconfig ("clientConfig", version 1.1) and Microsoft's Autodiscover for programs without Exchange ("Autodiscover",
 * 2006 response schema). Both are foreign; what makes no sense in them is left out and counted (candidates.h). Pure.
 */
#ifndef DOCTOR_STEPS_AUTOCONFIG_H
#define DOCTOR_STEPS_AUTOCONFIG_H

#include "doctor/steps/candidates.h"

/* For whom: fills the file's placeholders. Address and local part are empty where a domain alone is asked for: a name to sign in with
 * that needs them is left out. */
struct autoconfig_who {
    struct slice address, local, domain;
};
/* ERR_SYNTAX: no XML, or another kind of file; ERR_LIMIT: too much of it; ERR_DENIED: a file made to harm (xml.h). The texts of
 * `ret_candidates` are in the arena; `trusted` is false. */
fallible autoconfig_read(
    struct slice file, const struct autoconfig_who *who, struct arena *arena,
    struct candidates *ret_candidates);
/* *ret_next: another URL of the same service to ask instead; empty: none. */
fallible autodiscover_read(
    struct slice file, const struct autoconfig_who *who, struct arena *arena,
    struct candidates *ret_candidates, struct slice *ret_next);
/* What is posted to ask for it; the address is escaped. */
struct slice autodiscover_question(const struct autoconfig_who *who, struct arena *arena);

#endif
