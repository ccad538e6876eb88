/* why.h - what the server on this machine decided about an address, as a part of an answer.   room: cli   runs in: cli
 *
 * The story of `letterlock why`, for that command and for the doctor. DIR must be open and its configuration read.
 */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "cli/cli.h"

enum { WHY_PRESET = 20 };
/* The last decisions, on standard output or as a JSON list of that key. Returns an exit code. */
int why_show(struct cli *c, struct slice address, const char *key);
/* Does a server run in DIR, as far as its control socket shows? Tells nothing. */
bool why_is_near(struct cli *c);

#endif
