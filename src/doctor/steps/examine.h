/* examine.h - a whole examination: all steps in their order.                          room: doctor/steps   runs in: cli
 *
 * The caller makes the examination (examination_init), puts the servers in that the person named (SOURCE_GIVEN) and the
 * address, and gets it back full of notes. Nothing here judges: that is doctor/verdict.h. When wishes.stop comes, all waiting is
 * over at once, connections are closed, and what was seen up to the last step of each server that came to its end remains.
 */
#ifndef DOCTOR_STEPS_EXAMINE_H
#define DOCTOR_STEPS_EXAMINE_H

#include "doctor/steps/visit.h"

/* Called on the caller's thread: a step begins, or has done a part of it. `server` is NULL when it is about none. */
typedef void
examine_told_fn(void *owner, enum step step, const struct checked *server, size_t done, size_t total);
struct examine_way {
    struct dns_options dns;
    /* Many examinations on threads of their own ask one `struct dns`: libunbound is not made for setting up several at once.
     * NULL: the examination makes its own. */
    struct dns *shared_dns;
    unsigned at_once; /* servers side by side, each on a thread; 1: one after the other on the caller's */
    /* Refused sign-ins with the same secret in earlier examinations of this run: they count, and those of this one are added. NULL: there
     * was none. */
    unsigned *refusals;
    examine_told_fn *told; /* may be NULL */
    void *owner;           /* of told */
};
/* OK also when everything is wrong with the servers. ERR_SYNTAX: the DNS options or the authorities' file make no sense;
 * ERR_NOT_FOUND: a file is not there; ERR_MEMORY, ERR_IO. */
fallible examine(const struct wishes *wishes, const struct examine_way *way, struct examination *x);

#endif
