/* run_admin.c - domain, account, alias and address: questions to the vault, typed as the schema says. */
#include "cli/ask.h"
#include "cli/link.h"
#include "cli/request.h"
#include "cli/run.h"
#include "cli/view.h"

/* ------------------------------------------------------------------------------------------------------- domains */

int run_domain_add(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_DOMAIN_ADD};
    m.u.domain_add.name = args_text(&c->args, "NAME");
    return request_change(c, &m, SAY_DOMAIN_ADDED, m.u.domain_add.name, SLICE_EMPTY);
}

int run_domain_list(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_DOMAIN_LIST};
    return request_list(c, &m, MSG_DOMAIN_ITEM, "name accounts aliases", NULL);
}

int run_domain_remove(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_DOMAIN_REMOVE};
    m.u.domain_remove.name = args_text(&c->args, "NAME");
    return request_change(c, &m, SAY_DOMAIN_REMOVED, m.u.domain_remove.name, SLICE_EMPTY);
}

/* ------------------------------------------------------------------------------------------------------ accounts */

enum { SLAB = 65536 };

static int add_with(struct cli *c, const struct secret *password)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_ADD};
    m.u.account_add = (struct msg_account_add){
        .address = args_text(&c->args, "ADDRESS"),
        .name = args_text(&c->args, "name"),
        .language = args_text(&c->args, "language"),
        .quota_bytes = args_number(&c->args, "quota", 0),
        .password = secret_reveal(password),
    };
    return request_change(c, &m, SAY_ACCOUNT_ADDED, m.u.account_add.address, SLICE_EMPTY);
}

int run_account_add(struct cli *c)
{
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret password = SECRET_NONE;
    int code = CLI_OK;
    if (!args_has(&c->args, "no-password"))
        code = ask_secret(c, slab, SAY_PROMPT_PASSWORD, true, &password);
    if (code == CLI_OK)
        code = add_with(c, &password);
    secret_free(&password);
    secret_slab_free(&slab);
    return code;
}

int run_account_list(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_LIST};
    m.u.account_list.domain = args_text(&c->args, "DOMAIN");
    return request_list(
        c, &m, MSG_ACCOUNT_ITEM, "address name status quota_bytes clients has_password", NULL);
}

/* The account comes first, its clients after it. */
struct shown {
    struct cli *c;
    struct view clients;
    bool account;
};

static void show_item(struct ipc_msg *m, void *owner)
{
    struct shown *s = owner;
    struct cli *c = s->c;
    if (m->type == MSG_ACCOUNT_ITEM && !s->account) {
        s->account = true;
        if (c->json) {
            json_key(&c->j, "account");
            json_open(&c->j, '{');
            view_json_members(&c->j, m);
            json_close(&c->j, '}');
        } else {
            view_record(c, m, "address name language status group source quota_bytes has_password created_s");
            buf_put_char(&c->out, '\n');
        }
        view_start(
            &s->clients, c, MSG_CLIENT_ITEM, "clients",
            "credential label status can_receive can_send last_used_s last_from last_program");
    } else if (m->type == MSG_CLIENT_ITEM && s->account) {
        view_add(&s->clients, m);
    }
}

int run_account_show(struct cli *c)
{
    struct shown shown = {.c = c};
    struct link_answer answer;
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_ACCOUNT_SHOW};
    m.u.account_show.address = args_text(&c->args, "ADDRESS");
    int code = link_open(c, false, &link);
    if (code != CLI_OK)
        return code;
    code = link_ask(link, &m, show_item, &shown, &answer);
    if (shown.account)
        view_end(&shown.clients);
    if (code == CLI_OK)
        code = link_outcome(&answer);
    link_close(&link);
    return code;
}

int run_account_remove(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_REMOVE};
    struct slice address = args_text(&c->args, "ADDRESS");
    m.u.account_remove.address = address;
    if (!args_has(&c->args, "yes") && !ask_is_possible())
        return cli_fail(c, CLI_USAGE, SAY_REMOVE_UNSURE, SAY_REMOVE_UNSURE_REMEDY, address, SLICE_EMPTY);
    if (!args_has(&c->args, "yes") && !ask_yes(c, SAY_PROMPT_REMOVE, address))
        return cli_fail(c, CLI_NO, SAY_NOT_REMOVED, SAY_NOTHING_DONE, address, SLICE_EMPTY);
    struct link *link = NULL;
    /* the mail is deleted by its keeper, which only a running server has */
    int code = link_open(c, true, &link);
    if (code == CLI_OK)
        code = link_do(link, &m, NULL, NULL);
    link_close(&link);
    if (code == CLI_OK)
        cli_say(c, SAY_ACCOUNT_REMOVED, address, SLICE_EMPTY, SLICE_EMPTY);
    return code;
}

static int set_status(struct cli *c, const char *status, enum say_id said)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_SET_STATUS};
    m.u.account_set_status.address = args_text(&c->args, "ADDRESS");
    m.u.account_set_status.status = slice_str(status);
    return request_change(c, &m, said, m.u.account_set_status.address, SLICE_EMPTY);
}

int run_account_lock(struct cli *c)
{
    return set_status(c, "locked", SAY_ACCOUNT_LOCKED);
}

int run_account_unlock(struct cli *c)
{
    return set_status(c, "active", SAY_ACCOUNT_UNLOCKED);
}

/* ------------------------------------------------------------------------------------------------------- aliases */

int run_alias_add(struct cli *c)
{
    struct link *link = NULL;
    struct slice address = args_text(&c->args, "ADDRESS"), target;
    int code = link_open(c, false, &link);
    for (size_t i = 0; code == CLI_OK && args_next(&c->args, "TARGET", i, &target); i++) {
        struct ipc_msg m = {.type = MSG_ALIAS_ADD};
        m.u.alias_add.address = address;
        m.u.alias_add.target = target;
        code = link_do(link, &m, NULL, NULL);
        if (code == CLI_OK)
            cli_say(c, SAY_ALIAS_ADDED, address, target, SLICE_EMPTY);
    }
    link_close(&link);
    return code;
}

int run_alias_list(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_ALIAS_LIST};
    m.u.alias_list.domain = args_text(&c->args, "DOMAIN");
    return request_list(c, &m, MSG_ALIAS_ITEM, "address target", NULL);
}

int run_alias_remove(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_ALIAS_REMOVE};
    m.u.alias_remove.address = args_text(&c->args, "ADDRESS");
    m.u.alias_remove.target = args_text(&c->args, "TARGET");
    bool one = m.u.alias_remove.target.n > 0;
    return request_change(
        c, &m, one ? SAY_TARGET_REMOVED : SAY_ALIAS_REMOVED, m.u.alias_remove.address,
        m.u.alias_remove.target);
}

/* ----------------------------------------------------------------------------------------------------- addresses */

int run_address_resting(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_ADDRESS_RESTING};
    m.u.address_resting.domain = args_text(&c->args, "DOMAIN");
    return request_list(c, &m, MSG_ADDRESS_ITEM, "address left_s until_s", NULL);
}

int run_address_release(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_ADDRESS_RELEASE};
    m.u.address_release.address = args_text(&c->args, "ADDRESS");
    return request_change(c, &m, SAY_ADDRESS_RELEASED, m.u.address_release.address, SLICE_EMPTY);
}
