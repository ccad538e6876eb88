/* grade.h - how safe the servers' settings are: a mark for each and for the whole.          room: doctor   runs in: cli
 *
 * Apart from whether signing in works: TLS versions, suites, key exchange, certificate, the way in and the mechanisms. A server
 * begins with A+; every point that is not met caps the mark and says what would be better. The whole is the worst of the
 * servers that are used (guessed ones that nobody uses are marked, but do not count). A server of which too little was seen
 * (nothing answered, TLS was never tried) has no mark.
 *
 * Borrows the examination. Owns: its points (grading_done). Never fails. Pure.
 */
#ifndef DOCTOR_GRADE_H
#define DOCTOR_GRADE_H

#include "doctor/examination.h"

/* Best first. */
enum grade { GRADE_A_PLUS, GRADE_A, GRADE_B, GRADE_C, GRADE_D, GRADE_F, GRADE_NONE, GRADE_N };
const char *grade_name(enum grade grade); /* "A+"; "-" for none */

struct grade_point {
    const char *id;               /* "tls-old-versions": for JSON, never changes */
    const struct checked *server; /* of which server */
    enum grade cap;               /* the best mark that this still allows; GRADE_A_PLUS: it is well */
    struct slice reason[LANG_N];  /* what is so; may hold foreign text */
    struct slice better[LANG_N];  /* the setting that would be better; empty when it is well */
};
struct grading {
    enum grade whole;
    enum grade servers[LIMIT_DOCTOR_SERVERS]; /* by their place in the examination */
    struct grade_point *points;               /* by server, worst first */
    size_t point_count;
    struct arena arena;
};
void grading_init(struct grading *g, const struct examination *x);
void grading_done(struct grading *g);

#endif
