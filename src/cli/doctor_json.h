/* doctor_json.h - what the doctor found, for programs.                                 room: cli   runs in: cli
 *
 * Members of the object that is open: verdict, servers, steps, notes, noticed, tree, grade. Names are those of examination.h,
 * cause.def, facts.def, verdict.h and grade.h and never change; texts stand there in both languages ({"en","zh"}); what is not
 * there is an empty text or list. docs/doctor.md describes it.
 */
#ifndef CLI_DOCTOR_JSON_H
#define CLI_DOCTOR_JSON_H

#include "cli/json.h"
#include "doctor/grade.h"
#include "doctor/verdict.h"

void doctor_json_put(
    struct json *j, const struct examination *x, const struct verdict *v, const struct grading *g);
/* The "servers" alone, without their notes, and the "verdict" alone, for lists of many. */
void doctor_json_verdict(struct json *j, const struct verdict *v);
void doctor_json_servers(struct json *j, const struct examination *x, const struct grading *g);

#endif
