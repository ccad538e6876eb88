/* find_parts.h - the sources that are asked side by side.                            room: doctor/steps   runs in: cli
 *
 * Private to the step (find.c). A hunt is one source on a thread of its own: it reads the wishes and writes into itself, notes
 * included.
 */
#ifndef DOCTOR_STEPS_FIND_PARTS_H
#define DOCTOR_STEPS_FIND_PARTS_H

#include "doctor/steps/autoconfig.h"
#include "doctor/steps/visit.h"
#include "loop/pool.h"

struct hunt {
    void (*look)(struct hunt *h);
    enum service service; /* of find_guess */
    const struct wishes *wishes;
    struct dns *dns;
    struct autoconfig_who who;
    uint64_t until_ms;  /* of the monotonic clock */
    struct notes notes; /* of the hunt; its texts are in their arena, too */
    struct candidates found;
    bool not_offered[SERVICE_N]; /* find_records: "." */
    int64_t
        ahead_s; /* the clock here is before that of a web server, authenticated; 0: not known, or right */
    struct slice ahead_of; /* its name */
    /* find_exchangers: */
    enum dns_status domain; /* what the name service says of the domain itself */
    bool bogus;             /* an answer that DNSSEC refutes; find_records, too */
    bool takes_no_mail;     /* RFC 7505 */
    bool leads_nowhere;     /* no host that mail could be brought to: none is named, or none has an address */
    struct slice exchanger;
    bool exchanger_proved; /* by DNSSEC */
};

uint64_t hunt_left_ms(const struct hunt *h);

/* SRV (RFC 6186, RFC 8314). */
void find_records(struct hunt *h);
/* MX: whether the domain is there, and who takes its mail. */
void find_exchangers(struct hunt *h);
/* Autoconfig at autoconfig.DOMAIN, and at the domain's own web server. */
void find_autoconfig(struct hunt *h);
void find_well_known(struct hunt *h);
void find_autodiscover(struct hunt *h);
/* A common name that has an address and answers. */
void find_guess(struct hunt *h);

/* The records of one SRV answer as servers, by priority and weight, at most two. False: "." says that it is not offered. Pure. */
bool find_take_records(
    const struct dns_answer *answer, const struct endpoint *as, struct slice domain, struct arena *arena,
    struct candidates *found);

#endif
