/* changes.h - what is different between two examinations of the same.                     room: doctor   runs in: cli
 *
 * For who looks again and again: servers that came or went, what a server does now or no longer, diagnoses that are new or
 * gone, and the few facts that are worth a word when they change (addresses, session, certificate, mechanisms). Times and
 * greetings differ always and do not count. What was not asked on both sides (a sign-in that is not tried any more) is no
 * change. Borrows both examinations: a change is good as long as they are. Pure.
 */
#ifndef DOCTOR_CHANGES_H
#define DOCTOR_CHANGES_H

#include "doctor/examination.h"

enum change_kind {
    CHANGE_SERVER_NEW,
    CHANGE_SERVER_GONE,
    CHANGE_BEGAN, /* the server does `deed` now */
    CHANGE_ENDED, /* and did before */
    CHANGE_NEW,   /* the diagnosis of `note` */
    CHANGE_GONE,  /* was noted before */
    CHANGE_FACT,  /* `note` says it now; `before` said it before */
    CHANGE_N
};
const char *change_name(enum change_kind kind); /* "server-new": for JSON */

/* What a server does. */
enum deed { DEED_CONNECTED, DEED_VERIFIED, DEED_GREETED, DEED_SIGNED_IN, DEED_WORKS, DEED_N };
const char *deed_name(enum deed deed); /* "connected" */
const char *deed_words(enum deed deed, bool does, enum lang lang);

struct change {
    enum change_kind kind;
    const struct checked *server; /* the later one, but of SERVER_GONE; NULL: a note of no server */
    enum deed deed;
    const struct observation *note, *before;
};
/* Calls `told` for each, in the order of the later examination. Returns how many. */
size_t changes_between(
    const struct examination *before, const struct examination *after,
    void (*told)(void *owner, const struct change *change), void *owner);

#endif
