/* keeper.h - the keeper process: its state, and what it answers to other processes.          room: proc   runs in: keeper
 *
 * keeper_main.c opens the process, keeper_signin.c brings sessions in and throws them out, keeper_mail.c answers for the
 * mail of the accounts. The sessions themselves live in their protocols' rooms.
 */
#ifndef PROC_KEEPER_H
#define PROC_KEEPER_H

#include "keeper/env.h"
#include "keeper/session.h"
#include "proc/child.h"
#include "smtp/session/arrivals.h"
#include "store/accounts.h"

struct keeper {
    struct proc *proc;
    struct keeper_env env;
    struct channel *peers[LIMIT_KEEPERS];
    struct arrivals *arrivals; /* messages that are coming in (smtp/session) */
    struct list questions;     /* requests of other processes that are being answered */
    struct timer stop_timer;
    struct charsets *charsets;
    int root; /* accounts/ */
};

/* A request whose answer needs the account, or takes time: it lives until it is answered, or longer than its asker. */
struct question {
    struct list link;
    struct keeper *keeper;
    struct channel *asker; /* NULL once it has gone */
    enum ipc_role asker_role;
    unsigned asker_index;
    uint64_t request;
    struct account *account; /* NULL: it is about a slot */
    struct account_wait wait;
    void (*work)(
        struct question *q, enum err e); /* with the account entered, or why not; ends with question_answer */
    uint64_t size, quota_bytes;
    uint8_t slot;
    struct snapshot *snapshot;
};
/* The process that asked has gone. */
void questions_forget(struct keeper *k, enum ipc_role role, unsigned index);

typedef void keeper_handler(struct keeper *k, struct channel *from, struct ipc_msg *m);
keeper_handler keeper_on_grant, keeper_on_attach, keeper_on_revoke, keeper_on_recipient_check,
    keeper_on_snapshot, keeper_on_snapshot_transit, keeper_on_account_removed;
/* The vault is there (again): live credentials are confirmed, the rest ends within LIMIT_CREDENTIAL_CHECK. */
void keeper_confirm_credentials(struct keeper *k);

#endif
