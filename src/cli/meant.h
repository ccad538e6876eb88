/* meant.h - "did you mean": commands and limits that somebody who wrote another word may have wanted.   room: cli
 *                                                                                              runs in: cli
 *
 * Words that are nearly right (config/nearest.h), words of other programs for the same thing ("delete"), words in the wrong
 * order ("add client"), and limits that were written as flags. Guesses only, to be shown: nothing is run because of them.
 */
#ifndef CLI_MEANT_H
#define CLI_MEANT_H

#include "base/buf.h"
#include "base/slice.h"

/* The command, or the group of commands, that `word` may stand for: within `group`, or at the beginning of the line when that is
 * empty; `next` is the word behind it. Lives as long as the table; empty: none is near. */
struct slice meant_command(struct slice group, struct slice word, struct slice next);
/* Puts `--limit "days=30"` for "days", "day" or "--days", and `--limit "access=read-only"` for "read-only". False, with nothing
 * put, when no limit is near. */
bool meant_limit(struct slice word, struct buf *out);

#endif
