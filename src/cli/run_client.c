/* run_client.c - client passwords: made and shown once with the settings of a mail program, listed, ended, tested. */
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/link.h"
#include "cli/reasons.h"
#include "cli/run.h"
#include "cli/view.h"

enum { SLAB = 65536 };

/* ------------------------------------------------------------------------------------------------------------- add */

/* What a mail program asks for, and what to type there. */
static const struct {
    enum config_door door;
    bool sends;
    struct lang_text what, security;
} settings[] = {
    {DOOR_IMAPS, false, {{"Incoming mail (IMAP)", "收信（IMAP）"}}, {{"SSL/TLS", "SSL/TLS"}}},
    {DOOR_IMAP, false, {{"Incoming mail (IMAP)", "收信（IMAP）"}}, {{"STARTTLS", "STARTTLS"}}},
    {DOOR_POP3S,
     false,
     {{"Incoming mail (POP3, if asked for)", "收信（POP3，需要时）"}},
     {{"SSL/TLS", "SSL/TLS"}}},
    {DOOR_POP3,
     false,
     {{"Incoming mail (POP3, if asked for)", "收信（POP3，需要时）"}},
     {{"STARTTLS", "STARTTLS"}}},
    {DOOR_SUBMISSIONS, true, {{"Outgoing mail (SMTP)", "发信（SMTP）"}}, {{"SSL/TLS", "SSL/TLS"}}},
    {DOOR_SUBMISSION, true, {{"Outgoing mail (SMTP)", "发信（SMTP）"}}, {{"STARTTLS", "STARTTLS"}}},
};

static const struct config_listener *listener_of(const struct config *config, enum config_door door)
{
    for (size_t i = 0; i < config_listeners(config); i++)
        if (config_listener(config, i)->door == door)
            return config_listener(config, i);
    return NULL;
}

/* Doors with TLS from the first octet come first; those with STARTTLS are named only where there is no such one. */
static bool is_second_choice(const struct cli *c, size_t i)
{
    return i % 2 == 1 && listener_of(c->config, settings[i - 1].door) != NULL;
}

static void json_settings(struct cli *c, bool receives, bool sends)
{
    json_key(&c->j, "user_name");
    json_text(&c->j, args_text(&c->args, "ADDRESS"));
    json_key(&c->j, "server");
    json_text(&c->j, config_text(c->config, CONFIG_HOSTNAME));
    json_key(&c->j, "settings");
    json_open(&c->j, '[');
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct config_listener *l = listener_of(c->config, settings[i].door);
        if (!l || !(settings[i].sends ? sends : receives))
            continue;
        json_open(&c->j, '{');
        json_key(&c->j, "door");
        json_text(&c->j, slice_str(config_door_name(l->door)));
        json_key(&c->j, "port");
        json_u64(&c->j, l->port);
        json_key(&c->j, "security");
        json_text(&c->j, slice_str(settings[i].security.in[LANG_EN]));
        json_close(&c->j, '}');
    }
    json_close(&c->j, ']');
}

static void put_settings(struct cli *c, bool receives, bool sends)
{
    struct slice cells[4 * sizeof settings / sizeof *settings];
    struct slice titles[4] = {
        slice_str(say_text(c->lang, SAY_COLUMN_FOR)), slice_str(say_text(c->lang, SAY_COLUMN_SERVER)),
        slice_str(say_text(c->lang, SAY_COLUMN_PORT)), slice_str(say_text(c->lang, SAY_COLUMN_SECURITY))};
    size_t rows = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct config_listener *l = listener_of(c->config, settings[i].door);
        if (!l || !(settings[i].sends ? sends : receives) || is_second_choice(c, i))
            continue;
        struct slice *row = &cells[4 * rows++];
        row[0] = slice_str(settings[i].what.in[c->lang]);
        row[1] = config_text(c->config, CONFIG_HOSTNAME);
        row[2] = arena_printf(&c->arena, "%u", l->port);
        row[3] = slice_str(settings[i].security.in[c->lang]);
    }
    view_table(c, titles, 4, cells, rows);
}

struct made {
    struct cli *c;
    struct secret_slab *slab;
    struct secret secret;
    uint64_t credential;
};

static void take_secret(struct ipc_msg *m, void *owner)
{
    struct made *made = owner;
    if (m->type != MSG_CLIENT_SECRET || made->secret.bytes)
        return;
    made->credential = m->u.client_secret.credential;
    IGNORE(secret_copy(made->slab, m->u.client_secret.secret, &made->secret), "missing: told below");
    secret_wipe((void *)m->u.client_secret.secret.p, m->u.client_secret.secret.n);
}

static void show_made(struct cli *c, const struct made *made, bool receives, bool sends)
{
    struct slice secret = secret_reveal(&made->secret), none = SLICE_EMPTY;
    if (c->json) {
        json_key(&c->j, "credential");
        json_u64(&c->j, made->credential);
        json_key(&c->j, "secret");
        json_text(&c->j, secret);
        json_key(&c->j, "items");
        json_open(&c->j, '[');
        json_open(&c->j, '{');
        json_key(&c->j, "credential");
        json_u64(&c->j, made->credential);
        json_key(&c->j, "secret");
        json_text(&c->j, secret);
        json_close(&c->j, '}');
        json_close(&c->j, ']');
        json_settings(c, receives, sends);
        return;
    }
    cli_say(c, SAY_CLIENT_MADE, args_text(&c->args, "LABEL"), args_text(&c->args, "ADDRESS"), none);
    buf_put_char(&c->out, '\n');
    cli_say(c, SAY_CLIENT_USER, args_text(&c->args, "ADDRESS"), none, none);
    buf_put_str(&c->out, say_text(c->lang, SAY_CLIENT_PASSWORD));
    cli_style(c, "1");
    buf_put(&c->out, secret);
    cli_style_end(c);
    buf_put_str(&c->out, "\n\n");
    put_settings(c, receives, sends);
    buf_put_char(&c->out, '\n');
    cli_say(
        c, SAY_CLIENT_ADVICE, arena_printf(&c->arena, "%llu", (unsigned long long)made->credential),
        args_text(&c->args, "ADDRESS"), none);
}

/* The limits of all flags, as lines (scope/scope.h). */
static struct slice limits_text(struct cli *c)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    struct slice part, word;
    for (size_t i = 0; args_next(&c->args, "network", i, &part); i++)
        while (slice_cut(&part, ',', &word)) {
            buf_put_str(&out, "network=");
            buf_put(&out, slice_trim(word));
            buf_put_char(&out, '\n');
        }
    return arena_copy(&c->arena, buf_slice(&out));
}

int run_client_add(struct cli *c)
{
    bool both = !args_has(&c->args, "receive") && !args_has(&c->args, "send");
    bool receives = both || args_has(&c->args, "receive"), sends = both || args_has(&c->args, "send");
    struct made made = {.c = c, .slab = secret_slab_new(SLAB)};
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_CLIENT_ADD};
    m.u.client_add = (struct msg_client_add){
        .address = args_text(&c->args, "ADDRESS"),
        .label = args_text(&c->args, "LABEL"),
        .can_receive = receives,
        .can_send = sends,
        .expires_s = (int64_t)args_number(&c->args, "expires", 0),
        .limits = limits_text(c),
    };
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = link_do(link, &m, take_secret, &made);
    link_close(&link);
    if (code == CLI_OK && made.secret.bytes)
        show_made(c, &made, receives, sends);
    else if (code == CLI_OK)
        code = cli_fail(c, CLI_FAILED, SAY_NO_CLIENT_SECRET, SAY_SERVER_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    secret_free(&made.secret);
    secret_slab_free(&made.slab);
    return code;
}

/* ------------------------------------------------------------------------------------------------- list, show, end */

static void to_view(struct ipc_msg *m, void *owner)
{
    if (m->type == MSG_CLIENT_ITEM)
        view_add(owner, m);
}

int run_client_list(struct cli *c)
{
    struct link *link = NULL;
    struct link_answer answer;
    struct view v;
    struct ipc_msg m = {.type = MSG_CLIENT_LIST};
    m.u.client_list.address = args_text(&c->args, "ADDRESS");
    int code = link_open(c, false, &link);
    if (code != CLI_OK)
        return code;
    view_start(
        &v, c, MSG_CLIENT_ITEM, "items",
        "credential label status can_receive can_send last_used_s last_from last_program expires_s");
    code = link_ask(link, &m, to_view, &v, &answer);
    if (c->json || (code == CLI_OK && answer.outcome == ADMIN_OUTCOME_OK))
        view_end(&v);
    if (code == CLI_OK)
        code = link_outcome(&answer);
    link_close(&link);
    return code;
}

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
    view_record(c, m, "credential address label status can_receive can_send created_s expires_s limits");
    view_record(c, m, "last_used_s last_from last_program");
}

int run_client_show(struct cli *c)
{
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_CLIENT_SHOW};
    m.u.client_show.address = args_text(&c->args, "ADDRESS");
    m.u.client_show.credential = args_number(&c->args, "ID", 0);
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = link_do(link, &m, show_client, c);
    link_close(&link);
    return code;
}

static int end_client(struct cli *c, struct ipc_msg *m, enum say_id said)
{
    struct link *link = NULL;
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = link_do(link, m, NULL, NULL);
    link_close(&link);
    if (code == CLI_OK)
        cli_say(c, said, args_text(&c->args, "ID"), args_text(&c->args, "ADDRESS"), SLICE_EMPTY);
    return code;
}

int run_client_revoke(struct cli *c)
{
    struct ipc_msg m = {.type = MSG_CLIENT_REVOKE};
    m.u.client_revoke.address = args_text(&c->args, "ADDRESS");
    m.u.client_revoke.credential = args_number(&c->args, "ID", 0);
    return end_client(c, &m, SAY_CLIENT_REVOKED);
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
    } doors[] = {{"imap", SERVICE_IMAP}, {"pop3", SERVICE_POP3}, {"submission", SERVICE_SUBMISSION}};
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret secret = SECRET_NONE;
    struct tested tested = {.c = c};
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_CLIENT_TEST};
    m.u.client_test.address = args_text(&c->args, "ADDRESS");
    m.u.client_test.service = SERVICE_IMAP;
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (slice_eq(args_text(&c->args, "door"), slice_str(doors[i].door)))
            m.u.client_test.service = doors[i].service;
    int code = ask_secret(c, slab, SAY_PROMPT_TESTED, false, &secret);
    if (code == CLI_OK)
        code = link_open(c, false, &link);
    m.u.client_test.secret = secret_reveal(&secret);
    if (code == CLI_OK)
        code = link_do(link, &m, show_tested, &tested);
    link_close(&link);
    secret_free(&secret);
    secret_slab_free(&slab);
    if (code == CLI_OK && !tested.yes)
        return CLI_NO;
    return code;
}
