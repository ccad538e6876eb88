/* verdict.h - what is wrong: one cause, its proof and its remedy, out of all that was seen.  room: doctor   runs in: cli
 *
 * Every note that names a diagnosis becomes a finding; the same one at several servers is one finding. Findings are put in
 * order, and when the work as a whole did not succeed, the first of them is the verdict. The order, in words:
 *
 *  - faults before warnings, warnings before notes;
 *  - somebody in between (a device, a stripped STARTTLS) before everything else;
 *  - a server that the person named before those that were found, published ones before guessed ones;
 *  - receiving before sending; of several servers for the same service the one that got furthest;
 *  - within a server the earlier step; within a step the server's own words before a condition the doctor noticed, and what is
 *    surer before what is less sure.
 *
 * What a server says may be too little ("authentication failed"). When something seen before explains it, such as a blank behind the
 * password, that is the verdict, the reply its evidence and the reply's plain meaning the alternative. A fault of a server that is
 * not needed, because another one does the same service as well, is only listed.
 *
 * Borrows the examination, which must stay as it is. Owns: its lists (verdict_done). Never fails. Pure.
 */
#ifndef DOCTOR_VERDICT_H
#define DOCTOR_VERDICT_H

#include "doctor/examination.h"

enum verdict_kind {
    VERDICT_HEALTHY,     /* all that was asked for works */
    VERDICT_NO_PASSWORD, /* all but the sign-in, because no password was given, works */
    VERDICT_UNCLEAR,     /* nothing wrong was seen, but not everything was done either */
    VERDICT_TROUBLE,     /* findings[0] says what is wrong */
    VERDICT_N
};
const char *verdict_kind_name(enum verdict_kind kind); /* "healthy" */

/* What the verdict is about, when the rest works. */
enum scope { SCOPE_WHOLE, SCOPE_RECEIVING, SCOPE_SENDING, SCOPE_N };
const char *scope_name(enum scope scope); /* "sending" */
/* A sentence; empty for SCOPE_WHOLE. */
const char *scope_words(enum scope scope, enum lang lang);

struct judged {
    const struct observation
        *note; /* of the first server that it was seen at; has a diagnosis, or is a fact of warning tone */
    const struct checked *server; /* that first server; NULL: of no server */
    uint64_t servers;             /* bit i: servers[i] of the examination says the same */
    bool aside;                   /* at servers that are not needed */
};
struct evidence {
    const struct observation *note; /* its proof, or the fact's words */
    const struct checked *server;   /* or NULL */
};
enum { VERDICT_EVIDENCE = 4 };

struct verdict {
    enum verdict_kind kind;
    enum scope scope;
    /* One sentence, what to do about it, and the cause, for every kind. */
    struct slice says[LANG_N], remedy[LANG_N];
    const char *cause_name; /* of cause.def; "none" unless VERDICT_TROUBLE */
    enum sure sure;
    const struct diagnosis *diagnosis;   /* NULL unless VERDICT_TROUBLE */
    const struct diagnosis *alternative; /* cannot be told apart from it from outside; or NULL */
    const struct checked *server;        /* where; NULL: at none, or nothing is wrong */
    enum step step;                      /* where; STEP_N when nothing is wrong */
    const struct checked *instead;       /* does the same service without a fault; or NULL */
    struct evidence evidence[VERDICT_EVIDENCE];
    size_t evidence_count;
    struct judged *
        findings; /* most important first; with VERDICT_TROUBLE the first is the verdict, the rest was noticed */
    size_t finding_count;
    struct arena arena;
};
void verdict_init(struct verdict *v, const struct examination *x);
void verdict_done(struct verdict *v);
/* What was noticed besides: findings without the one that is the verdict. */
const struct judged *verdict_noticed(const struct verdict *v, size_t *ret_count);
/* For scripts: 0 all well, 1 something is wrong or could not be tried. */
int verdict_exit_code(const struct verdict *v);
/* "imap.example.org:993", with brackets around an IPv6 literal; foreign text. */
struct slice endpoint_label(struct arena *a, const struct endpoint *e);
/* Of a fact, with its arguments put in; of a diagnosis, its sentence. Foreign text. */
struct slice observation_words(struct arena *a, const struct observation *o, enum lang lang);
/* The doctor's own words in that language, else what somebody else said, as it came. */
struct slice observation_proof(const struct observation *o, enum lang lang);

#endif
