/* vault.h - the vault process: its state, and what it answers to other processes.            room: proc   runs in: vault
 *
 * vault_main.c opens the process, vault_gate.c answers gates (sign-in, recipients, senders), vault_keeper.c speaks with the
 * keepers (grants, revoking, confirming), vault_notices.c hands the outbox of notices to keepers, vault_admin.c and vault_clients.c serve `letterlock`, vault_collect.c what needs
 * other processes for it (status, backup). What is decided, and what it means, stands in src/vault.
 */
#ifndef PROC_VAULT_H
#define PROC_VAULT_H

#include "guard/guard.h"
#include "proc/child.h"
#include "vault/signin.h"
#include "vault/vault.h"

enum { VAULT_ACTOR = 64 };

struct vault_process {
    struct proc *proc;
    struct secret_slab *slab;
    struct secret guard_key;
    struct vault *vault;
    struct guard *guard;
    int key_fds[VAULT_CONTAINERS]; /* what the service manager brought, until the vault is open; -1: none */
    struct signins *signins;
    struct timer tick;    /* of the sign-ins */
    struct timer flush;   /* of what is pending in the vault */
    struct task moved;    /* mail to some address goes another way: the gates are to be told */
    struct list controls; /* of struct control: commands that are connected */
    size_t control_count;
    struct list waits; /* of struct asker_wait: commands that wait for others */
    struct {
        struct timer look, expiry;
        uint64_t at;      /* the notice that was looked at last */
        uint64_t request; /* a keeper was asked to store it; 0: none */
    } notice;             /* vault_notices.c */
    struct {
        struct timer refresh;
        struct vault_sync *sync; /* going on; NULL: none */
        struct list waiting;     /* of struct vault_sync */
        struct list questions;   /* of struct directory_question */
    } directory;                 /* vault_directory.c */
    struct {
        struct timer retry;
        struct list waiting; /* of struct revoking */
    } revoking;              /* vault_keeper.c */
    struct {
        struct timer warn;
        int64_t cursor; /* of vault_passwords_warn */
    } mailbox;          /* vault_mailbox.c */
    int folder;
    int64_t operations_trimmed_s; /* when old rows of batches were forgotten */
};

typedef void vault_handler(struct vault_process *vp, struct channel *from, struct ipc_msg *m);
vault_handler vault_on_signin_start, vault_on_signin_step, vault_on_signin_cancel, vault_on_mechanisms,
    vault_on_resolve, vault_on_owns, vault_on_refusal;
vault_handler vault_on_credential_check, vault_on_client_program, vault_on_spend;
vault_handler vault_on_control;
/* False: no message of a command. */
bool vault_admin_message(struct vault_process *vp, struct channel *from, struct ipc_msg *m);

/* ---- vault_gate.c ---- */
extern const struct signin_ops vault_signin_ops;
/* The mechanisms that the settings name. */
void vault_set_offer(struct vault_process *vp);
/* Makes the gates ask for it again. */
void vault_tell_offer(struct vault_process *vp);
/* Makes the gates forget where mail to recipients goes. */
void vault_tell_recipients(struct vault_process *vp);
/* ERR_NOT_FOUND: nobody signs in there (MX). */
fallible vault_door_of(enum ipc_service service, enum vault_door *ret_door);

/* ---- vault_keeper.c ---- */
void vault_send_grant(struct vault_process *vp, uint64_t exchange, const struct signin_grant *grant);
void vault_send_revoke(
    struct vault_process *vp, const struct account_id *account, uint64_t credential, uint32_t version);
void vault_revoking_start(struct vault_process *vp);
void vault_revoking_stop(struct vault_process *vp);
void vault_send_removed(struct vault_process *vp, const struct account_id *account);
/* A keeper is there (again): it is told of accounts that were removed while it was away. */
void vault_greet_keeper(struct vault_process *vp, struct channel *keeper, unsigned index);

/* ---- vault_notices.c: mail to owners and administrators ---- */
void vault_notices_start(struct vault_process *vp);
void vault_notices_stop(struct vault_process *vp);

/* ---- vault_mailbox.c: mailbox passwords ---- */
void vault_mailbox_start(struct vault_process *vp);
void vault_mailbox_stop(struct vault_process *vp);
/* The filter of breached passwords is looked for again. */
void vault_load_breach(struct vault_process *vp);

/* ---- vault_directory.c: accounts from an LDAP server ---- */
void vault_directory_start(struct vault_process *vp);
void vault_directory_stop(struct vault_process *vp);
/* Its process is there (again). */
void vault_directory_up(struct vault_process *vp);
/* Is this the password of that person? signin_hashed follows, as after a comparison in the pool. */
fallible vault_directory_ask(
    struct vault_process *vp, uint64_t exchange, struct slice id, struct slice address,
    const struct secret *password);

/* ---- commands ---- */

/* One command's request while it is being answered. */
struct asked {
    struct vault_process *vp;
    struct channel *from;
    uint64_t id;
    bool overflow; /* an item did not fit into the line */
};
void asked_item(struct asked *a, struct ipc_msg *item);
/* ret_text: words, or empty for the vault's own. Ends the request. */
void asked_done(struct asked *a, enum err e, struct slice what, struct slice text);

/* Who asks, for the journal: "uid 0", "offline". */
const char *vault_actor_of(const struct asked *a);

/* A request that is answered later; `from` becomes NULL when the command has gone. */
struct asker_wait {
    struct list link;
    struct asked asked;
};
void asker_wait_add(struct vault_process *vp, struct asker_wait *w);
void asker_wait_drop(struct asker_wait *w);

/* All commands are hung up on: the process ends. */
void vault_controls_close(struct vault_process *vp);

/* vault_clients.c, vault_collect.c: OK, or the error that ends the request; ERR_AGAIN: answered later. */
typedef enum err vault_command(struct asked *a, struct ipc_msg *m);
vault_command vault_do_client_change, vault_do_client_rotate, vault_do_client_thaw, vault_do_client_audit,
    vault_do_rotate;
vault_command vault_do_client_add, vault_do_client_list, vault_do_client_show, vault_do_client_revoke,
    vault_do_client_remove, vault_do_client_test, vault_do_why;
vault_command vault_do_factor_enrol_totp, vault_do_factor_confirm, vault_do_factor_list,
    vault_do_factor_remove, vault_do_factor_recovery;
vault_command vault_do_status, vault_do_backup_vault, vault_do_backup_account, vault_do_backup_transit;
vault_command vault_do_account_add, vault_do_account_set_password, vault_do_account_change_password,
    vault_do_account_reset, vault_do_account_use_reset, vault_do_password_check;     /* vault_mailbox.c */
vault_command vault_do_account_set_group, vault_do_policy_set, vault_do_policy_show; /* vault_policy.c */
vault_command vault_do_batch_row;                                                    /* vault_batch.c */
vault_command vault_do_directory_test, vault_do_directory_sync;
/* One account as an item; owner is the struct asked. */
struct vault_account;
void vault_put_account(void *owner, const struct vault_account *account);
/* One client password as an item. */
void vault_put_client(struct asked *a, const struct vault_client *c, struct slice address);

#endif
