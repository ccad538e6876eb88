/* man.h - manual pages in troff, made from the tables of commands, exit codes and keys.       room: cli   runs in: cli
 *
 * Pages: letterlock(1), one for each first word (letterlock-account(1)), and letterlock.conf(5).
 */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "base/buf.h"
#include "config/lang.h"

/* ERR_NOT_FOUND: no page of that name. */
fallible man_put(struct slice page, enum lang lang, struct buf *out);
/* "letterlock-account.1": the names of all pages with their sections, a line each. */
void man_put_list(struct buf *out);

#endif
