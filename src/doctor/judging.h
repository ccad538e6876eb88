/* judging.h - what verdict.c knows while it judges; not for anybody else.               room: doctor   runs in: cli
 *
 * Each note becomes a `struct entry` with the keys it is put in order by; rules (verdict_rules.c) then say which entry explains
 * which. Pure.
 */
#ifndef DOCTOR_JUDGING_H
#define DOCTOR_JUDGING_H

#include "doctor/verdict.h"

/* How much an entry counts, most first. */
enum weight {
    WEIGHT_INTERCEPTED, /* a fault: somebody is in between */
    WEIGHT_FAULT,
    WEIGHT_WARNING,
    WEIGHT_ASIDE_FAULT, /* of a server that is not needed */
    WEIGHT_ASIDE_WARNING,
    WEIGHT_NOTE
};

struct entry {
    const struct observation *note;
    const struct checked *server; /* NULL: of none */
    enum weight weight;
    int source;  /* 0 of no server, 1 given, 2 published, 3 guessed */
    int service; /* 0 of no server, 1 IMAP, 2 POP3, 3 SMTP */
    int behind;  /* how far the server is from working; 0: it works */
    size_t order;
};

/* One service as a whole. */
struct service_state {
    int source;  /* of the servers that stand for it: 1 given, 2 published, 3 guessed; 0: there is none */
    bool wanted; /* has servers that somebody named or published, or no service has any */
    bool works;  /* given: all of them; else one of them */
};
struct judging {
    const struct examination *x;
    struct service_state services[SERVICE_N];
    bool all_work;         /* every wanted service */
    bool signed_in;        /* somewhere */
    bool tried;            /* the secret was sent somewhere */
    struct entry *entries; /* in order */
    size_t count;
};

/* Which entry is the verdict in the place of `first`, the first in order: one that explains it. The alternative (may be NULL) is
 * what remains possible. Returns `first` when nothing explains it better. */
const struct entry *
rules_explain(const struct judging *j, const struct entry *first, const struct diagnosis **ret_alternative);
/* A conclusion that what was seen at one server does not show by itself, and what may be the cause besides; NULL: none. */
const struct diagnosis *
rules_conclude(const struct judging *j, const struct entry *first, const struct diagnosis **ret_alternative);
/* What is said when nothing is wrong. */
void verdict_say(struct verdict *v, const struct judging *j);

#endif
