/* run_client.c - client passwords and tokens: listed, shown, changed, ended, tested. What makes them is in run_make.c. */
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/limits_given.h"
#include "cli/link.h"
#include "cli/reasons.h"
#include "cli/request.h"
#include "cli/run.h"
#include "cli/settings.h"
#include "cli/view.h"

enum { SLAB = 65536 };

/* ------------------------------------------------------------------------------------------------- list, show, end */

static bool is_token(const struct ipc_msg *m)
{
    return slice_eq(m->u.client_item.kind, S("token"));
}

static bool is_no_token(const struct ipc_msg *m)
{
    return !is_token(m);
}

static int list(struct cli *c, bool (*wants)(const struct ipc_msg *m))
{
    struct ipc_msg m = {.type = MSG_CLIENT_LIST};
    m.u.client_list.address = args_text(&c->args, "ADDRESS");
    return request_list(
        c, &m, MSG_CLIENT_ITEM,
        "credential label status can_receive can_send last_used_s last_from expires_s", wants);
}

int run_client_list(struct cli *c)
{
    return list(c, is_no_token);
}

int run_token_list(struct cli *c)
{
    return list(c, is_token);
}

/* The doors that stand, without those that its direction keeps shut: a password that only sends opens no IMAP. What the door
 * of programs ("api") lets in is not a matter of direction. */
static struct slice opened_doors(struct cli *c, const struct msg_client_item *item)
{
    struct buf out CLEANUP_BUF = BUF_INIT(256);
    struct may may = may_of(item->can_receive, item->can_send, item->doors);
    struct slice doors = item->doors, one;
    while (slice_cut(&doors, ' ', &one)) {
        bool opens = slice_eq(one, S("imap"))   ? may.imap
                     : slice_eq(one, S("pop3")) ? may.pop3
                     : slice_eq(one, S("smtp")) ? may.smtp
                                                : true;
        if (!opens)
            continue;
        buf_put_str(&out, out.n ? " " : "");
        buf_put(&out, one);
    }
    return arena_copy(&c->arena, buf_slice(&out));
}

/* Programs get the doors and the directions as they are stored, people the doors that come of them. */
static void show_client(struct ipc_msg *m, void *owner)
{
    struct cli *c = owner;
    if (m->type != MSG_CLIENT_ITEM)
        return;
    if (c->json) {
        json_key(&c->j, "client");
        json_open(&c->j, '{');
        view_json_members(&c->j, m);
        json_close(&c->j, '}');
        return;
    }
    m->u.client_item.doors = opened_doors(c, &m->u.client_item);
    view_record(
        c, m,
        "credential address label kind status doors can_receive can_send created_s created_by expires_s "
        "limits"
        " last_used_s last_from last_program last_tls");
}

int run_client_show(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_CLIENT_SHOW};
    m.u.client_show.address = args_text(&c->args, "ADDRESS");
    m.u.client_show.credential = args_number(&c->args, "ID", 0);
    return request_do(c, &m, show_client, c);
}

static int end_client(struct cli *c, struct ipc_msg *m, enum say_id said)
{
    return request_change(c, m, said, args_text(&c->args, "ID"), args_text(&c->args, "ADDRESS"));
}

static int revoke(struct cli *c, enum say_id said)
{
    struct ipc_msg m = {.type = MSG_CLIENT_REVOKE};
    m.u.client_revoke.address = args_text(&c->args, "ADDRESS");
    m.u.client_revoke.credential = args_number(&c->args, "ID", 0);
    return end_client(c, &m, said);
}

int run_client_revoke(struct cli *c)
{
    return revoke(c, SAY_CLIENT_REVOKED);
}

int run_token_revoke(struct cli *c)
{
    return revoke(c, SAY_TOKEN_REVOKED);
}

int run_client_thaw(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_CLIENT_THAW};
    m.u.client_thaw.address = args_text(&c->args, "ADDRESS");
    m.u.client_thaw.credential = args_number(&c->args, "ID", 0);
    return end_client(c, &m, SAY_CLIENT_THAWED);
}

/* What stands now, to be changed by what is given. */
struct standing {
    struct cli *c;
    bool any;
    struct msg_client_change change;
};

static void take_standing(struct ipc_msg *m, void *owner)
{
    struct standing *s = owner;
    const struct msg_client_item *item = &m->u.client_item;
    if (m->type != MSG_CLIENT_ITEM)
        return;
    s->any = true;
    s->change.can_receive = item->can_receive;
    s->change.can_send = item->can_send;
    s->change.expires_s = item->expires_s;
    s->change.doors = arena_copy(&s->c->arena, item->doors);
    s->change.limits = arena_copy(&s->c->arena, item->limits);
}

static int apply_flags(struct standing *s)
{
    struct cli *c = s->c;
    struct msg_client_change *change = &s->change;
    change->label = args_text(&c->args, "label");
    if (args_has(&c->args, "receive") || args_has(&c->args, "send")) {
        change->can_receive = args_has(&c->args, "receive");
        change->can_send = args_has(&c->args, "send");
        change->doors = SLICE_EMPTY; /* all that the new direction allows, unless they are named */
    }
    if (args_has(&c->args, "door"))
        change->doors = doors_given(c);
    if (args_has(&c->args, "no-expiry"))
        change->expires_s = 0;
    if (args_has(&c->args, "expires"))
        change->expires_s = (int64_t)args_number(&c->args, "expires", 0);
    int code = doors_check(c, change->can_receive, change->can_send, change->doors);
    return code == CLI_OK ? limits_changed(c, change->limits, &change->limits) : code;
}

/* Something must be named. */
static bool changes_nothing(struct cli *c)
{
    for (const struct flag *f = c->args.command->flags; f && f->name; f++)
        if (args_has(&c->args, f->name))
            return false;
    return true;
}

int run_client_change(struct cli *c)
{
    struct standing s = {.c = c};
    struct link *link = NULL;
    struct ipc_msg show = {.type = MSG_CLIENT_SHOW}, m = {.type = MSG_CLIENT_CHANGE};
    show.u.client_show.address = args_text(&c->args, "ADDRESS");
    show.u.client_show.credential = args_number(&c->args, "ID", 0);
    if (changes_nothing(c))
        return cli_fail(
            c, CLI_USAGE, SAY_CHANGE_NOTHING, SAY_SEE_COMMAND_HELP, SLICE_EMPTY,
            slice_str(c->args.command->name));
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = link_do(link, &show, take_standing, &s);
    if (code == CLI_OK)
        code = apply_flags(&s);
    m.u.client_change = s.change;
    m.u.client_change.address = show.u.client_show.address;
    m.u.client_change.credential = show.u.client_show.credential;
    if (code == CLI_OK)
        code = link_do(link, &m, NULL, NULL);
    link_close(&link);
    if (code == CLI_OK)
        cli_say(
            c, SAY_CLIENT_CHANGED, args_text(&c->args, "ID"), args_text(&c->args, "ADDRESS"), SLICE_EMPTY);
    return code;
}

int run_client_remove(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_CLIENT_REMOVE};
    m.u.client_remove.address = args_text(&c->args, "ADDRESS");
    m.u.client_remove.credential = args_number(&c->args, "ID", 0);
    return end_client(c, &m, SAY_CLIENT_REMOVED);
}

/* ------------------------------------------------------------------------------------------------------------ test */

struct tested {
    struct cli *c;
    bool answered, yes;
};

static void show_tested(struct ipc_msg *m, void *owner)
{
    struct tested *t = owner;
    struct cli *c = t->c;
    if (m->type != MSG_WHY_ITEM || t->answered)
        return;
    t->answered = true;
    t->yes = slice_eq(m->u.why_item.outcome, S("yes")) || slice_eq(m->u.why_item.outcome, S("ok"));
    if (c->json) {
        json_key(&c->j, "accepted");
        json_bool(&c->j, t->yes);
        json_key(&c->j, "reason");
        json_text(&c->j, m->u.why_item.reason);
        json_key(&c->j, "text");
        json_text(&c->j, reason_words(LANG_EN, m->u.why_item.reason));
        return;
    }
    cli_say(
        c, t->yes ? SAY_TEST_YES : SAY_TEST_NO, reason_words(c->lang, m->u.why_item.reason), SLICE_EMPTY,
        SLICE_EMPTY);
}

int run_client_test(struct cli *c)
{
    static const struct {
        const char *door;
        enum ipc_service service;
    } doors[] = {
        {"imap", SERVICE_IMAP},
        {"pop3", SERVICE_POP3},
        {"smtp", SERVICE_SUBMISSION},
        {"submission", SERVICE_SUBMISSION}};
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret secret = SECRET_NONE;
    struct tested tested = {.c = c};
    struct ipc_msg m = {.type = MSG_CLIENT_TEST};
    m.u.client_test.address = args_text(&c->args, "ADDRESS");
    m.u.client_test.service = SERVICE_IMAP;
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (slice_eq(args_text(&c->args, "door"), slice_str(doors[i].door)))
            m.u.client_test.service = doors[i].service;
    int code = ask_secret(c, slab, SAY_PROMPT_TESTED, false, &secret);
    m.u.client_test.secret = secret_reveal(&secret);
    if (code == CLI_OK)
        code = request_do(c, &m, show_tested, &tested);
    secret_free(&secret);
    secret_slab_free(&slab);
    return code == CLI_OK && !tested.yes ? cli_no(c) : code;
}
