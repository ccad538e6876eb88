/* link.h - the way to the vault: through the running server, or to one started alone.     room: cli   runs in: cli
 *
 * A command asks in messages of ipc/messages.schema and waits for each answer; the link turns a loop of its own meanwhile.
 * When nobody listens at DIR/control, the vault's executable is started by the process table (proc/launch.h) for the time
 * of the command; the command itself links no database. Troubles are told to the person; functions return exit codes.
 */
#ifndef CLI_LINK_H
#define CLI_LINK_H

#include "cli/cli.h"
#include "ipc/message.h"

struct link;

/* `needs_server`: an offline vault will not do. DIR must be open and the configuration read. */
int link_open(struct cli *c, bool needs_server, struct link **ret_link);
void link_close(struct link **link);

struct link_answer {
    struct cli *c;
    enum ipc_admin_outcome outcome; /* OK for answers that have none */
    struct slice text, what;        /* in the cli's arena */
};
/* Sends a request and waits. `item` (may be NULL) gets each item; its descriptors are the callee's if it takes them. An
 * exit code other than CLI_OK means that no answer came, and has been told. */
int link_ask(
    struct link *link, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner,
    struct link_answer *ret_answer);
/* The same, telling nobody: for callers that ask again. What an answer says is told by link_outcome. */
fallible link_try(
    struct link *link, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner,
    struct link_answer *ret_answer);
/* The exit code of an answer; what is not OK is told. */
int link_outcome(const struct link_answer *answer);
/* Both: asks, and tells what went wrong. */
int link_do(
    struct link *link, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner);

#endif
