/* run_password.c - mailbox passwords: set, reset by a code, judged; groups and policies. */
#include "base/utf8.h"
#include "cli/ask.h"
#include "cli/link.h"
#include "cli/qr.h"
#include "cli/request.h"
#include "cli/run.h"
#include "cli/view.h"

enum { SLAB = 65536 };

/* ------------------------------------------------------------------------------------------------- mailbox passwords */

static int set_password(struct cli *c, const struct secret *first, const struct secret *password)
{
    struct slice address = args_text(&c->args, "ADDRESS");
    struct ipc_msg m = {.type = MSG_ACCOUNT_SET_PASSWORD};
    if (args_has(&c->args, "code")) {
        m.type = MSG_ACCOUNT_USE_RESET;
        m.u.account_use_reset = (struct msg_account_use_reset){
            .address = address, .code = secret_reveal(first), .password = secret_reveal(password)};
    } else if (args_has(&c->args, "old")) {
        m.type = MSG_ACCOUNT_CHANGE_PASSWORD;
        m.u.account_change_password = (struct msg_account_change_password){
            .address = address, .old = secret_reveal(first), .password = secret_reveal(password)};
    } else {
        m.u.account_set_password.address = address;
        m.u.account_set_password.password = secret_reveal(password);
    }
    struct link *link = NULL;
    struct link_answer answer;
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = link_ask(link, &m, NULL, NULL, &answer);
    link_close(&link);
    if (code != CLI_OK)
        return code;
    if (answer.outcome == ADMIN_OUTCOME_DENIED)
        return cli_fail(c, CLI_DENIED, SAY_PASSWORD_DENIED, SAY_PASSWORD_DENIED_REMEDY, address, answer.text);
    code = link_outcome(&answer);
    if (code == CLI_OK)
        cli_say(c, SAY_PASSWORD_SET, address, SLICE_EMPTY, SLICE_EMPTY);
    return code;
}

static int must_change(struct cli *c, bool and_more)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_MUST_CHANGE};
    m.u.account_must_change.address = args_text(&c->args, "ADDRESS");
    if (and_more)
        return cli_fail(c, CLI_USAGE, SAY_ONE_WAY, SAY_CODE_OR_OLD_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return request_change(c, &m, SAY_MUST_CHANGE_SET, m.u.account_must_change.address, SLICE_EMPTY);
}

int run_account_password(struct cli *c)
{
    bool code_first = args_has(&c->args, "code"), old_first = args_has(&c->args, "old");
    if (code_first && old_first)
        return cli_fail(c, CLI_USAGE, SAY_CODE_OR_OLD, SAY_CODE_OR_OLD_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (args_has(&c->args, "must-change"))
        return must_change(c, code_first || old_first);
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret first = SECRET_NONE, password = SECRET_NONE;
    int code = CLI_OK;
    if (code_first || old_first)
        code = ask_secret(c, slab, code_first ? SAY_PROMPT_CODE : SAY_PROMPT_OLD, false, &first);
    if (code == CLI_OK)
        code = ask_secret(c, slab, SAY_PROMPT_PASSWORD, true, &password);
    if (code == CLI_OK)
        code = set_password(c, &first, &password);
    secret_free(&first);
    secret_free(&password);
    secret_slab_free(&slab);
    return code;
}

struct reset {
    struct cli *c;
    bool any;
    int code;
};

static int put_reset_code(struct cli *c, struct slice code, int64_t expires_s)
{
    struct slice address = args_text(&c->args, "ADDRESS");
    cli_say(c, SAY_RESET_MADE, address, view_time(&c->arena, expires_s), SLICE_EMPTY);
    buf_put_str(&c->out, "\n    ");
    cli_style(c, "1");
    buf_put(&c->out, code);
    cli_style_end(c);
    buf_put_str(&c->out, "\n\n");
    int shown = args_has(&c->args, "qr") ? qr_show(c, code) : CLI_OK;
    cli_say(c, SAY_RESET_ADVICE, address, SLICE_EMPTY, SLICE_EMPTY);
    return shown;
}

static void show_reset(struct ipc_msg *m, void *owner)
{
    struct reset *r = owner;
    struct cli *c = r->c;
    if (m->type != MSG_RESET_CODE || r->any)
        return;
    r->any = true;
    if (c->json) {
        json_key(&c->j, "code");
        json_text(&c->j, m->u.reset_code.code);
        json_key(&c->j, "expires_s");
        json_i64(&c->j, m->u.reset_code.expires_s);
    } else {
        r->code = put_reset_code(c, m->u.reset_code.code, m->u.reset_code.expires_s);
    }
    secret_wipe((void *)m->u.reset_code.code.p, m->u.reset_code.code.n);
}

int run_account_reset(struct cli *c)
{
    struct reset r = {.c = c, .code = CLI_OK};
    struct ipc_msg m = {.type = MSG_ACCOUNT_RESET};
    m.u.account_reset.address = args_text(&c->args, "ADDRESS");
    m.u.account_reset.life_s = (uint32_t)args_number(&c->args, "life", 0);
    if (args_number(&c->args, "life", 0) > UINT32_MAX)
        return cli_fail(c, CLI_USAGE, SAY_VALUE_LONG, SAY_SEE_HELP, SLICE_EMPTY, SLICE_EMPTY);
    int code = request_do(c, &m, show_reset, &r);
    if (code == CLI_OK && !r.any)
        code = cli_fail(c, CLI_FAILED, SAY_NO_RESET_CODE, SAY_SERVER_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return code == CLI_OK ? r.code : code;
}

int run_account_group(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_SET_GROUP};
    struct slice address = args_text(&c->args, "ADDRESS"), group = args_text(&c->args, "GROUP");
    m.u.account_set_group.address = address;
    m.u.account_set_group.group = group;
    return request_change(c, &m, group.n ? SAY_GROUP_SET : SAY_GROUP_NONE, address, group);
}

/* ----------------------------------------------------------------------------------------------------------- judging */

struct judged {
    struct cli *c;
    bool any, red;
};

static void show_report(struct ipc_msg *m, void *owner)
{
    static const struct {
        const char *colour, *style;
        enum say_id says;
    } colours[] = {
        {"red", "1;31", SAY_STRENGTH_RED},
        {"yellow", "1;33", SAY_STRENGTH_YELLOW},
        {"green", "1;32", SAY_STRENGTH_GREEN}};
    struct judged *judged = owner;
    struct cli *c = judged->c;
    const struct msg_password_report *r = &m->u.password_report;
    if (m->type != MSG_PASSWORD_REPORT)
        return;
    judged->any = true;
    judged->red |= slice_eq(r->colour, S("red"));
    if (c->json) {
        json_key(&c->j, "report");
        json_open(&c->j, '{');
        view_json_members(&c->j, m);
        json_close(&c->j, '}');
        return;
    }
    struct buf words CLEANUP_BUF = BUF_INIT(4096);
    utf8_put_safe(&words, r->words);
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (slice_eq(r->colour, slice_str(colours[i].colour))) {
            cli_style(c, colours[i].style);
            buf_put_str(&c->out, say_text(c->lang, colours[i].says));
            cli_style_end(c);
        }
    if (words.n)
        buf_put_str(&c->out, c->lang == LANG_ZH ? "：" : ": ");
    buf_put(&c->out, buf_slice(&words));
    buf_put_char(&c->out, '\n');
}

int run_password_check(struct cli *c)
{
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret password = SECRET_NONE;
    struct judged judged = {.c = c};
    int code = ask_secret(c, slab, SAY_PROMPT_JUDGED, false, &password);
    struct ipc_msg m = {.type = MSG_PASSWORD_CHECK};
    m.u.password_check.address = args_text(&c->args, "ADDRESS");
    m.u.password_check.password = secret_reveal(&password);
    if (code == CLI_OK)
        code = request_do(c, &m, show_report, &judged);
    secret_free(&password);
    secret_slab_free(&slab);
    return code == CLI_OK && judged.red ? cli_no(c) : code;
}

/* ---------------------------------------------------------------------------------------------------------- policies */

/* "domain example.org", "group staff", or empty: everybody. */
static int subject_of(struct cli *c, struct slice *ret_subject)
{
    struct slice domain = args_text(&c->args, "domain"), group = args_text(&c->args, "group");
    if (domain.n && group.n)
        return cli_fail(c, CLI_USAGE, SAY_DOMAIN_OR_GROUP, SAY_FLAG_TWICE_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    *ret_subject = domain.n  ? arena_printf(&c->arena, "domain " SLICE_FMT, SLICE_ARG(domain))
                   : group.n ? arena_printf(&c->arena, "group " SLICE_FMT, SLICE_ARG(group))
                             : SLICE_EMPTY;
    return CLI_OK;
}

int run_policy_set(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_POLICY_SET};
    struct slice value = args_text(&c->args, "VALUE"), subject;
    int code = subject_of(c, &subject);
    if (code != CLI_OK)
        return code;
    m.u.policy_set.subject = subject;
    m.u.policy_set.key = args_text(&c->args, "KEY");
    m.u.policy_set.value = slice_eq(value, S("inherit")) ? SLICE_EMPTY : value;
    return request_change(
        c, &m, m.u.policy_set.value.n ? SAY_POLICY_SET : SAY_POLICY_INHERITED, m.u.policy_set.key, value);
}

int run_policy_show(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_POLICY_SHOW};
    struct slice subject, address = args_text(&c->args, "ADDRESS");
    int code = subject_of(c, &subject);
    if (code == CLI_OK && subject.n && address.n)
        return cli_fail(c, CLI_USAGE, SAY_DOMAIN_OR_GROUP, SAY_FLAG_TWICE_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (code != CLI_OK)
        return code;
    m.u.policy_show.subject = address.n ? address : subject;
    return request_list(c, &m, MSG_POLICY_ITEM, "key value source", NULL);
}
