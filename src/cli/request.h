/* request.h - commands that are one question to the vault.                         room: cli   runs in: cli
 *
 * Most commands open the link (link.h), send one request, and close it again: with items that somebody takes, with items that
 * make one table, or with a sentence about what was done. Commands that ask twice, or look at the answer, use the link.
 *
 * All return exit codes; what went wrong has been told.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli/cli.h"
#include "cli/say.h"
#include "ipc/message.h"

/* `item` (may be NULL) gets each item. */
int request_do(
    struct cli *c, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner);
/* Changes something; `said` is what has happened then. */
int request_change(
    struct cli *c, struct ipc_msg *request, enum say_id said, struct slice one, struct slice two);
/* The items of this type as one table (view.h); of those only what `wants` says yes to, unless it is NULL. */
int request_list(
    struct cli *c, struct ipc_msg *request, enum ipc_type type, const char *columns,
    bool (*wants)(const struct ipc_msg *item));

#endif
