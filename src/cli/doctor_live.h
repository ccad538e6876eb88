/* doctor_live.h - the line on a terminal that says which step is being taken.                  room: cli   runs in: cli
 *
 * On standard error, and only when that is a terminal and --json was not asked for.
 */
#ifndef CLI_DOCTOR_LIVE_H
#define CLI_DOCTOR_LIVE_H

#include "cli/cli.h"
#include "doctor/examination.h"

struct doctor_live {
    struct cli *c;
    bool on, drawn;
};
void doctor_live_start(struct doctor_live *live, struct cli *c);
/* An examine_told_fn; owner is the doctor_live. */
void doctor_live_told(void *owner, enum step step, const struct checked *server, size_t done, size_t total);
/* Takes the line away: before a question, and at the end. */
void doctor_live_clear(struct doctor_live *live);

#endif
