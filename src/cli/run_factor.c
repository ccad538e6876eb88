/* run_factor.c - second factors of the mailbox password, and new keys for the vault. */
#include "base/file.h"
#include "cli/ask.h"
#include "cli/link.h"
#include "cli/progress.h"
#include "cli/qr.h"
#include "cli/request.h"
#include "cli/run.h"

enum { SLAB = 65536 };

/* ------------------------------------------------------------------------------------------------------- enrolment */

struct enrolled {
    struct cli *c;
    bool any;
    int code;
};

static int put_enrolled(struct cli *c, const struct msg_factor_secret *s)
{
    struct slice id = arena_printf(&c->arena, "%llu", (unsigned long long)s->factor);
    cli_say(c, SAY_TOTP_MADE, args_text(&c->args, "ADDRESS"), id, SLICE_EMPTY);
    buf_put_char(&c->out, '\n');
    int code = CLI_OK;
    if (!args_has(&c->args, "no-qr")) {
        code = qr_show(c, s->uri);
        buf_put_char(&c->out, '\n');
    }
    buf_put_str(&c->out, say_text(c->lang, SAY_TOTP_KEY));
    cli_style(c, "1");
    buf_put(&c->out, s->secret);
    cli_style_end(c);
    buf_put_str(&c->out, "\n\n");
    cli_say(c, SAY_TOTP_ADVICE, args_text(&c->args, "ADDRESS"), id, SLICE_EMPTY);
    return code;
}

static void show_enrolled(struct ipc_msg *m, void *owner)
{
    struct enrolled *e = owner;
    struct cli *c = e->c;
    struct msg_factor_secret *s = &m->u.factor_secret;
    if (m->type != MSG_FACTOR_SECRET || e->any)
        return;
    e->any = true;
    if (c->json) {
        json_key(&c->j, "factor");
        json_u64(&c->j, s->factor);
        json_key(&c->j, "uri");
        json_text(&c->j, s->uri);
        json_key(&c->j, "secret");
        json_text(&c->j, s->secret);
    } else {
        e->code = put_enrolled(c, s);
    }
    secret_wipe((void *)s->uri.p, s->uri.n);
    secret_wipe((void *)s->secret.p, s->secret.n);
}

int run_factor_totp(struct cli *c)
{
    struct enrolled enrolled = {.c = c, .code = CLI_OK};
    struct ipc_msg m = {.type = MSG_FACTOR_ENROL_TOTP};
    m.u.factor_enrol_totp.address = args_text(&c->args, "ADDRESS");
    m.u.factor_enrol_totp.label = args_text(&c->args, "LABEL");
    if (!m.u.factor_enrol_totp.label.n)
        m.u.factor_enrol_totp.label = slice_str(say_text(c->lang, SAY_TOTP_LABEL));
    int code = request_do(c, &m, show_enrolled, &enrolled);
    if (code == CLI_OK && !enrolled.any)
        code = cli_fail(c, CLI_FAILED, SAY_NO_FACTOR, SAY_SERVER_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return code == CLI_OK ? enrolled.code : code;
}

int run_factor_confirm(struct cli *c)
{
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret typed = SECRET_NONE;
    struct ipc_msg m = {.type = MSG_FACTOR_CONFIRM};
    int code = ask_secret(c, slab, SAY_PROMPT_TOTP, false, &typed);
    m.u.factor_confirm.address = args_text(&c->args, "ADDRESS");
    m.u.factor_confirm.factor = args_number(&c->args, "ID", 0);
    m.u.factor_confirm.code = secret_reveal(&typed);
    if (code == CLI_OK)
        code = request_change(c, &m, SAY_FACTOR_CONFIRMED, m.u.factor_confirm.address, SLICE_EMPTY);
    secret_free(&typed);
    secret_slab_free(&slab);
    return code;
}

/* ------------------------------------------------------------------------------------------------------ the others */

int run_factor_list(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_FACTOR_LIST};
    m.u.factor_list.address = args_text(&c->args, "ADDRESS");
    return request_list(c, &m, MSG_FACTOR_ITEM, "factor kind label status left created_s last_used_s", NULL);
}

int run_factor_remove(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_FACTOR_REMOVE};
    m.u.factor_remove.address = args_text(&c->args, "ADDRESS");
    m.u.factor_remove.factor = args_number(&c->args, "ID", 0);
    return request_change(c, &m, SAY_FACTOR_REMOVED, args_text(&c->args, "ID"), m.u.factor_remove.address);
}

static void put_recovery(struct ipc_msg *m, void *owner)
{
    struct enrolled *e = owner;
    struct cli *c = e->c;
    if (m->type != MSG_RECOVERY_CODE)
        return;
    if (!e->any && !c->json) {
        cli_say(c, SAY_RECOVERY_MADE, args_text(&c->args, "ADDRESS"), SLICE_EMPTY, SLICE_EMPTY);
        buf_put_char(&c->out, '\n');
    }
    e->any = true;
    if (c->json) {
        json_text(&c->j, m->u.recovery_code.code);
    } else {
        buf_put_str(&c->out, "    ");
        buf_put(&c->out, m->u.recovery_code.code);
        buf_put_char(&c->out, '\n');
    }
    secret_wipe((void *)m->u.recovery_code.code.p, m->u.recovery_code.code.n);
}

int run_factor_recovery(struct cli *c)
{
    struct enrolled codes = {.c = c};
    struct link_answer answer;
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_FACTOR_RECOVERY};
    m.u.factor_recovery.address = args_text(&c->args, "ADDRESS");
    int code = link_open(c, false, &link);
    if (code != CLI_OK)
        return code;
    if (c->json) {
        json_key(&c->j, "codes");
        json_open(&c->j, '[');
    }
    code = link_ask(link, &m, put_recovery, &codes, &answer);
    if (c->json)
        json_close(&c->j, ']');
    if (code == CLI_OK)
        code = link_outcome(&answer);
    link_close(&link);
    if (code == CLI_OK && !c->json) {
        buf_put_char(&c->out, '\n');
        cli_say(c, SAY_RECOVERY_ADVICE, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    }
    return code;
}

/* ------------------------------------------------------------------------------------------------- the vault's keys */

struct rotating {
    struct progress progress;
    uint64_t total;
};

static void show_progress(struct ipc_msg *m, void *owner)
{
    struct rotating *r = owner;
    if (m->type != MSG_PROGRESS)
        return;
    r->total = m->u.progress.total;
    progress_show(&r->progress, m->u.progress.done, m->u.progress.total);
}

int run_vault_rotate(struct cli *c)
{
    struct rotating r = {.progress = {0}};
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_VAULT_ROTATE};
    m.u.vault_rotate.container = args_text(&c->args, "CONTAINER");
    int code = link_open(c, false, &link);
    progress_start(&r.progress, c);
    if (code == CLI_OK)
        code = link_do(link, &m, show_progress, &r);
    progress_end(&r.progress);
    link_close(&link);
    if (code != CLI_OK)
        return code;
    cli_say(c, SAY_VAULT_ROTATED, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    return CLI_OK;
}
