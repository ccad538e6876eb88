/* doctor_line.h - one JSON object on a line of its own, for answers that come little by little.     room: cli   runs in: cli
 *
 * --watch and --batch tell each thing when it is known: every line of standard output is then an object, the last one of them
 * the outcome of the command that all commands have.
 */
#ifndef CLI_DOCTOR_LINE_H
#define CLI_DOCTOR_LINE_H

#include "cli/json.h"

struct doctor_line {
    struct buf buf;
    struct json j; /* its object is open */
};
void doctor_line_start(struct doctor_line *line);
/* Closes the object; the line is in the buffer. */
struct slice doctor_line_text(struct doctor_line *line);
/* The same, written to standard output, and the memory freed. */
void doctor_line_end(struct doctor_line *line);

#endif
