/* help.h - what --help prints, made from the table.                                  room: cli   runs in: cli */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "cli/command.h"

/* All commands in a line each, or those of one group ("account") when `group` is not empty. */
void help_put_overview(struct slice group, enum lang lang, bool colour, struct buf *out);
void help_put_command(const struct command *command, enum lang lang, bool colour, struct buf *out);
/* Text in lines of at most `width` columns, each behind `indent` blanks; the first line starts where we are. */
void help_put_wrapped(struct slice text, size_t indent, size_t width, struct buf *out);

#endif
