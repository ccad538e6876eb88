/* candidates.h - the servers that the sources name, and which of them are looked at.      room: doctor/steps   runs in: cli
 *
 * Every source fills a list of its own, because they are asked side by side; then the lists become one, the better source first.
 * What a source names is foreign: a host must be a name (an address in a published file serves nobody but an attacker), and a
 * port must be one where mail may be served, so that nobody can send a doctor to knock at a database. Pure. Owns: nothing, the
 * texts are where the source put them. Limit: LIMIT_DOCTOR_CANDIDATES.
 */
#ifndef DOCTOR_STEPS_CANDIDATES_H
#define DOCTOR_STEPS_CANDIDATES_H

#include "doctor/examination.h"

struct candidates {
    struct endpoint rows[LIMIT_DOCTOR_CANDIDATES];
    size_t count;
    size_t refused; /* hosts or ports that cannot be right */
};

/* May mail be served there? Below 1024 only where it always is; above, not where something else is well known to be. */
bool candidates_port_is_for_mail(uint16_t port);
/* What cannot be is counted, and not taken; the same server a second time is not taken either. `e->host` as it was published:
 * the canonical name is put in its place, in the arena. */
void candidates_add(struct candidates *c, const struct endpoint *e, struct arena *arena);
/* All of `more` behind those that are there. */
void candidates_join(struct candidates *c, const struct candidates *more);
bool candidates_have(const struct candidates *c, enum service service);
/* Of each service the servers of the first source that names any: at most two, TLS from the first octet first. */
void candidates_choose(const struct candidates *c, struct candidates *ret_chosen);
/* Do two publications of the domain (autoconfig, SRV, Autodiscover) name different hosts for one service? Those two. */
bool candidates_differ(
    const struct candidates *c, const struct endpoint **ret_one, const struct endpoint **ret_other);

#endif
