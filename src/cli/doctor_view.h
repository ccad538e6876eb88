/* doctor_view.h - what the doctor found, for people: 80 columns, readable without colours.     room: cli   runs in: cli
 *
 * Foreign texts are made safe here.
 */
#ifndef CLI_DOCTOR_VIEW_H
#define CLI_DOCTOR_VIEW_H

#include "cli/cli.h"
#include "doctor/grade.h"
#include "doctor/verdict.h"

/* The verdict alone: sentence, remedy, cause, evidence, confidence, what else it could be. */
void doctor_put_verdict(struct cli *c, const struct verdict *v);
/* Everything: the verdict, each server's steps, what else was noticed, the grade. */
void doctor_put_all(
    struct cli *c, const struct examination *x, const struct verdict *v, const struct grading *g);

#endif
