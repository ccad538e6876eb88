/* vault_admin.c - `letterlock` commands: connections of the control socket, and domains, accounts and aliases.
 *
 * A command is a peer of role cli, on a connection that the supervisor accepted by the kernel's word about its user; or,
 * for a vault that a command started alone, the process that started it. Each request ends with `done`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/directory.h"
#include "vault/mailbox.h"

/* ---- connections ---- */

struct control {
    struct list link;
    struct vault_process *vp;
    struct channel *channel;
    char actor[VAULT_ACTOR];
};

static void control_free(struct control *c)
{
    LIST_EACH (&c->vp->waits, struct asker_wait, link, w)
        if (w->asked.from == c->channel)
            w->asked.from = NULL;
    channel_close(&c->channel);
    list_drop(&c->link);
    c->vp->control_count--;
    free(c);
}

static void on_control_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct control *c = owner;
    vault_set_actor(c->vp->vault, slice_str(c->actor));
    (void)vault_admin_message(c->vp, ch, m);
    vault_set_actor(c->vp->vault, SLICE_EMPTY);
}

static void on_control_closed(struct channel *ch, enum err why, void *owner)
{
    (void)ch;
    (void)why;
    control_free(owner);
}

void vault_on_control(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    static const struct channel_events events = {on_control_message, on_control_closed};
    (void)from;
    if (vp->control_count >= LIMIT_CONTROL_CONNECTIONS) {
        log_event(LOG_WARN, "control.full", LOG_NUM("uid", m->u.control.uid));
        return; /* the descriptor is closed behind us */
    }
    struct control *c = NEW(struct control);
    c->vp = vp;
    snprintf(c->actor, sizeof c->actor, "uid %u", (unsigned)m->u.control.uid);
    int fd = TAKE(m->fds[MSG_CONTROL_FD_CONNECTION], -1);
    c->channel = channel_new(vp->proc->loop, fd, ROLE_VAULT, ROLE_CLI, 0, &events, c);
    list_add(&vp->controls, &c->link);
    vp->control_count++;
}

void vault_controls_close(struct vault_process *vp)
{
    LIST_EACH (&vp->controls, struct control, link, c)
        control_free(c);
    LIST_EACH (&vp->waits, struct asker_wait, link, w)
        w->asked.from = NULL;
}

/* ---- answering ---- */

void asked_item(struct asked *a, struct ipc_msg *item)
{
    if (a->overflow || !a->from || channel_answer(a->from, a->id, item) != OK)
        a->overflow = true;
}

static enum ipc_admin_outcome outcome_of(enum err e)
{
    switch (e) {
    case OK:
        return ADMIN_OUTCOME_OK;
    case ERR_NOT_FOUND:
        return ADMIN_OUTCOME_NOT_FOUND;
    case ERR_EXISTS:
        return ADMIN_OUTCOME_EXISTS;
    case ERR_DENIED:
        return ADMIN_OUTCOME_DENIED;
    case ERR_SYNTAX:
    case ERR_STATE:
    case ERR_BUSY:
    case ERR_UNSUPPORTED:
        return ADMIN_OUTCOME_INVALID;
    case ERR_LIMIT:
        return ADMIN_OUTCOME_LIMIT;
    case ERR_GONE:
        return ADMIN_OUTCOME_RESTING;
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_DISK_FULL:
        return ADMIN_OUTCOME_UNAVAILABLE;
    default:
        return ADMIN_OUTCOME_FAILED;
    }
}

void asked_done(struct asked *a, enum err e, struct slice what, struct slice text)
{
    if (e == OK && a->overflow) {
        e = ERR_LIMIT;
        text = S("the list is longer than one answer can be: ask by domain");
    }
    if (e != OK && !text.n)
        text = vault_problem(a->vp->vault);
    if (e != OK && !text.n)
        text = slice_str(err_text(e));
    struct ipc_msg m = {.type = MSG_DONE};
    m.u.done = (struct msg_done){
        .outcome = outcome_of(e), .text = slice_sub(text, 0, 1024), .what = slice_sub(what, 0, 320)};
    if (a->from)
        IGNORE(channel_answer(a->from, a->id, &m), "a command that is gone needs no answer");
}

void asker_wait_add(struct vault_process *vp, struct asker_wait *w)
{
    list_add(&vp->waits, &w->link);
}

void asker_wait_drop(struct asker_wait *w)
{
    list_drop(&w->link);
}

/* ---- domains ---- */

static enum err do_domain_add(struct asked *a, struct ipc_msg *m)
{
    return vault_domain_add(a->vp->vault, m->u.domain_add.name);
}

static enum err do_domain_remove(struct asked *a, struct ipc_msg *m)
{
    return vault_domain_remove(a->vp->vault, m->u.domain_remove.name);
}

static void put_domain(void *owner, struct slice name, uint32_t accounts, uint32_t aliases)
{
    struct ipc_msg item = {.type = MSG_DOMAIN_ITEM};
    item.u.domain_item = (struct msg_domain_item){.name = name, .accounts = accounts, .aliases = aliases};
    asked_item(owner, &item);
}

static enum err do_domain_list(struct asked *a, struct ipc_msg *m)
{
    (void)m;
    return vault_domain_list(a->vp->vault, put_domain, a);
}

/* ---- accounts ---- */

void vault_put_account(void *owner, const struct vault_account *account)
{
    struct asked *a = owner;
    uint32_t clients = 0;
    char person[LIMIT_DIRECTORY_ID + 1];
    IGNORE(vault_client_count(a->vp->vault, &account->id, &clients), "then it shows none");
    struct ipc_msg item = {.type = MSG_ACCOUNT_ITEM};
    item.u.account_item = (struct msg_account_item){
        .address = slice_str(account->address),
        .name = slice_str(account->name),
        .language = slice_str(account->language),
        .status = account->status == ACCOUNT_ACTIVE ? S("active") : S("locked"),
        .quota_bytes = account->quota_bytes,
        .clients = clients,
        .has_password = account->has_password,
        .created_s = account->created_s,
        .account = account->id,
        .slot = account->slot,
        .group = slice_str(account->group),
        .source = vault_directory_id(a->vp->vault, &account->id, person) == OK ? S("directory") : SLICE_EMPTY,
    };
    asked_item(a, &item);
}

static enum err do_account_list(struct asked *a, struct ipc_msg *m)
{
    return vault_account_list(a->vp->vault, m->u.account_list.domain, vault_put_account, a);
}

static void put_client(void *owner, const struct vault_client *c)
{
    vault_put_client(owner, c, SLICE_EMPTY);
}

static enum err do_account_show(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, m->u.account_show.address, &account));
    vault_put_account(a, &account);
    return vault_client_list(a->vp->vault, &account.id, put_client, a);
}

static enum err do_account_remove(struct asked *a, struct ipc_msg *m)
{
    return vault_account_remove(a->vp->vault, m->u.account_remove.address);
}

static enum err do_account_set_status(struct asked *a, struct ipc_msg *m)
{
    const struct msg_account_set_status *s = &m->u.account_set_status;
    bool locks = slice_eq(s->status, S("locked"));
    if (!locks && !slice_eq(s->status, S("active")))
        return ERR_SYNTAX;
    return vault_account_set_status(a->vp->vault, s->address, locks ? ACCOUNT_LOCKED : ACCOUNT_ACTIVE);
}

static enum err do_account_must_change(struct asked *a, struct ipc_msg *m)
{
    return vault_password_must_change(a->vp->vault, m->u.account_must_change.address);
}

const char *vault_actor_of(const struct asked *a)
{
    LIST_EACH (&a->vp->controls, struct control, link, c)
        if (c->channel == a->from)
            return c->actor;
    return "offline";
}

/* ---- aliases ---- */

static enum err do_alias_add(struct asked *a, struct ipc_msg *m)
{
    return vault_alias_add(a->vp->vault, m->u.alias_add.address, m->u.alias_add.target);
}

static enum err do_alias_remove(struct asked *a, struct ipc_msg *m)
{
    return vault_alias_remove(a->vp->vault, m->u.alias_remove.address, m->u.alias_remove.target);
}

static void put_alias(void *owner, struct slice address, struct slice target)
{
    struct ipc_msg item = {.type = MSG_ALIAS_ITEM};
    item.u.alias_item = (struct msg_alias_item){.address = address, .target = target};
    asked_item(owner, &item);
}

static enum err do_alias_list(struct asked *a, struct ipc_msg *m)
{
    return vault_alias_list(a->vp->vault, m->u.alias_list.domain, put_alias, a);
}

/* ---- addresses that rest ---- */

static void put_address(void *owner, struct slice address, int64_t left_s, int64_t until_s)
{
    struct ipc_msg item = {.type = MSG_ADDRESS_ITEM};
    item.u.address_item = (struct msg_address_item){.address = address, .left_s = left_s, .until_s = until_s};
    asked_item(owner, &item);
}

static enum err do_address_resting(struct asked *a, struct ipc_msg *m)
{
    return vault_resting_list(a->vp->vault, m->u.address_resting.domain, put_address, a);
}

static enum err do_address_release(struct asked *a, struct ipc_msg *m)
{
    return vault_resting_release(a->vp->vault, m->u.address_release.address);
}

/* ---- the table of commands ---- */

/* `name`: which field says what it was about, for `done`. */
#define NAME(type, field) offsetof(struct ipc_msg, u.type.field)
enum { NO_NAME = 0 };
static const struct {
    enum ipc_type type;
    vault_command *run;
    size_t name;
} commands[] = {
    {MSG_DOMAIN_ADD, do_domain_add, NAME(domain_add, name)},
    {MSG_DOMAIN_REMOVE, do_domain_remove, NAME(domain_remove, name)},
    {MSG_DOMAIN_LIST, do_domain_list, NO_NAME},
    {MSG_ACCOUNT_ADD, vault_do_account_add, NAME(account_add, address)},
    {MSG_ACCOUNT_LIST, do_account_list, NAME(account_list, domain)},
    {MSG_ACCOUNT_SHOW, do_account_show, NAME(account_show, address)},
    {MSG_ACCOUNT_REMOVE, do_account_remove, NAME(account_remove, address)},
    {MSG_ACCOUNT_SET_STATUS, do_account_set_status, NAME(account_set_status, address)},
    {MSG_ACCOUNT_SET_PASSWORD, vault_do_account_set_password, NAME(account_set_password, address)},
    {MSG_ACCOUNT_CHANGE_PASSWORD, vault_do_account_change_password, NAME(account_change_password, address)},
    {MSG_ACCOUNT_RESET, vault_do_account_reset, NAME(account_reset, address)},
    {MSG_ACCOUNT_USE_RESET, vault_do_account_use_reset, NAME(account_use_reset, address)},
    {MSG_ACCOUNT_MUST_CHANGE, do_account_must_change, NAME(account_must_change, address)},
    {MSG_ACCOUNT_SET_GROUP, vault_do_account_set_group, NAME(account_set_group, address)},
    {MSG_PASSWORD_CHECK, vault_do_password_check, NAME(password_check, address)},
    {MSG_POLICY_SET, vault_do_policy_set, NAME(policy_set, key)},
    {MSG_POLICY_SHOW, vault_do_policy_show, NAME(policy_show, subject)},
    {MSG_ALIAS_ADD, do_alias_add, NAME(alias_add, address)},
    {MSG_ALIAS_LIST, do_alias_list, NAME(alias_list, domain)},
    {MSG_ALIAS_REMOVE, do_alias_remove, NAME(alias_remove, address)},
    {MSG_ADDRESS_RESTING, do_address_resting, NAME(address_resting, domain)},
    {MSG_ADDRESS_RELEASE, do_address_release, NAME(address_release, address)},
    {MSG_CLIENT_ADD, vault_do_client_add, NAME(client_add, address)},
    {MSG_CLIENT_LIST, vault_do_client_list, NAME(client_list, address)},
    {MSG_CLIENT_SHOW, vault_do_client_show, NAME(client_show, address)},
    {MSG_CLIENT_REVOKE, vault_do_client_revoke, NAME(client_revoke, address)},
    {MSG_CLIENT_REMOVE, vault_do_client_remove, NAME(client_remove, address)},
    {MSG_CLIENT_CHANGE, vault_do_client_change, NAME(client_change, address)},
    {MSG_CLIENT_ROTATE, vault_do_client_rotate, NAME(client_rotate, address)},
    {MSG_CLIENT_THAW, vault_do_client_thaw, NAME(client_thaw, address)},
    {MSG_CLIENT_AUDIT, vault_do_client_audit, NAME(client_audit, account)},
    {MSG_VAULT_ROTATE, vault_do_rotate, NO_NAME},
    {MSG_CLIENT_TEST, vault_do_client_test, NAME(client_test, address)},
    {MSG_FACTOR_ENROL_TOTP, vault_do_factor_enrol_totp, NAME(factor_enrol_totp, address)},
    {MSG_FACTOR_CONFIRM, vault_do_factor_confirm, NAME(factor_confirm, address)},
    {MSG_FACTOR_LIST, vault_do_factor_list, NAME(factor_list, address)},
    {MSG_FACTOR_REMOVE, vault_do_factor_remove, NAME(factor_remove, address)},
    {MSG_FACTOR_RECOVERY, vault_do_factor_recovery, NAME(factor_recovery, address)},
    {MSG_WHY, vault_do_why, NAME(why, address)},
    {MSG_STATUS, vault_do_status, NO_NAME},
    {MSG_DIRECTORY_TEST, vault_do_directory_test, NAME(directory_test, address)},
    {MSG_DIRECTORY_SYNC, vault_do_directory_sync, NO_NAME},
    {MSG_BATCH_ROW, vault_do_batch_row, NAME(batch_row, address)},
    {MSG_BACKUP_VAULT, vault_do_backup_vault, NO_NAME},
    {MSG_BACKUP_ACCOUNT, vault_do_backup_account, NO_NAME},
    {MSG_BACKUP_TRANSIT, vault_do_backup_transit, NO_NAME},
};

bool vault_admin_message(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].type != m->type)
            continue;
        struct asked a = {.vp = vp, .from = from, .id = m->id};
        vault_forget_problem(vp->vault);
        enum err e = commands[i].run(&a, m);
        if (e == ERR_AGAIN)
            return true;
        struct slice what = SLICE_EMPTY;
        if (commands[i].name != NO_NAME)
            memcpy(&what, (const char *)m + commands[i].name, sizeof what);
        asked_done(&a, e, what, SLICE_EMPTY);
        return true;
    }
    return false;
}
