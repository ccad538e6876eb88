/* progress.h - a bar on the terminal while something long goes on.                  room: cli   runs in: cli
 *
 * On standard error, and only when it is a terminal and --json was not asked for; redrawn at most ten times a second.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/cli.h"

struct progress {
    bool on, drawn;
    uint64_t drawn_ms; /* of the monotonic clock */
};
void progress_start(struct progress *p, struct cli *c);
void progress_show(struct progress *p, uint64_t done, uint64_t total);
/* Takes the bar away. */
void progress_end(struct progress *p);

#endif
