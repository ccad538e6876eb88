/* doctor_row.h - the doctor's answers for people, row by row: a label, a text, evidence.       room: cli   runs in: cli
 *
 * 80 columns; foreign texts are made safe here.
 */
#ifndef CLI_DOCTOR_ROW_H
#define CLI_DOCTOR_ROW_H

#include "cli/cli.h"

enum { DOCTOR_WIDTH = 80, DOCTOR_PROOF_SHOWN = 400 /* octets */ };

/* The text without what could fool a terminal, in the cli's arena. */
struct slice doctor_safe(struct cli *c, struct slice text);
void doctor_put_blanks(struct cli *c, size_t n);
/* Safe, in lines of 80 columns, each but the first behind `indent` blanks, and the end of the line. */
void doctor_put_text(struct cli *c, struct slice text, size_t indent);
/* "Cause        wrong password": a bold label in a column of its own, and a text. */
void doctor_put_row(struct cli *c, struct lang_text label, struct slice text);
/* What was said or pasted, in quotation marks. */
void doctor_put_proof(struct cli *c, struct lang_text label, struct slice proof);

#endif
