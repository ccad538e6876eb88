/* hint.h - the next command, as it has to be typed here.                                    room: cli   runs in: cli
 *
 * Many answers end with the command that comes next, on a line of its own. It must work when it is copied: where this one was
 * told its folder, that one is told it with --dir. Only lines that begin with "  letterlock " are looked at.
 */
#ifndef CLI_HINT_H
#define CLI_HINT_H

#include "cli/cli.h"

/* Puts `text`, with --dir behind each command in it that needs the folder. */
void hint_put(struct cli *c, struct slice text, struct buf *out);

#endif
