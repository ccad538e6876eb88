/* limits_given.h - the limits of a credential as flags of the command line, brought into the lines of scope/scope.h.
 *                                                                                  room: cli   runs in: cli
 *
 * --limit name=value, --network (another way to say network=...) and --canary. Each value is checked and made canonical
 * here, so that what is wrong with it is told before anything is asked. Functions return exit codes; troubles are told.
 */
#ifndef CLI_LIMITS_GIVEN_H
#define CLI_LIMITS_GIVEN_H

#include "cli/cli.h"

/* Lines of the flags given, in the arena. */
int limits_given(struct cli *c, struct slice *ret_lines);
/* The lines that stand, without those whose name is given anew or taken away (--no-limit), and the given ones. */
int limits_changed(struct cli *c, struct slice standing, struct slice *ret_lines);
/* The doors of --door, separated by blanks; empty when none is given. */
struct slice doors_given(struct cli *c);
/* Is there anything left that it may do? Else it is told that these doors and this direction do not go together. */
int doors_check(struct cli *c, bool receives, bool sends, struct slice doors);

#endif
