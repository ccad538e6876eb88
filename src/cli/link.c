#include "cli/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/answers.h"
#include "ipc/channel.h"
#include "net/listen.h"
#include "proc/launch.h"

enum { START_MS = 20000, ANSWER_MS = 600000 };

struct link {
    struct cli *c;
    struct loop *loop;
    struct channel *channel;
    struct config *quiet;  /* the offline vault's settings */
    struct launched child; /* pid 0: none */
    int folder;            /* the vault's, with its lock; -1 */
    /* the answer being waited for */
    bool done;
    enum err why;
    void (*item)(struct ipc_msg *m, void *owner);
    void *owner;
    struct link_answer *answer;
};

static void on_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    /* the vault sends a command nothing but answers */
    (void)ch, (void)m, (void)owner;
}

static void on_closed(struct channel *ch, enum err why, void *owner)
{
    struct link *link = owner;
    (void)ch;
    channel_close(&link->channel);
    if (!link->done)
        link->why = why;
    link->done = true;
    loop_stop(link->loop);
}

static const struct channel_events events = {on_message, on_closed};

static void on_answer(void *owner, enum err why, struct ipc_msg *m)
{
    struct link *link = owner;
    if (why == OK && m->type != MSG_DONE && m->type != MSG_STATUS_END && m->type != MSG_READY) {
        if (link->item)
            link->item(m, link->owner);
        return;
    }
    link->done = true;
    link->why = why;
    if (why == OK && m->type == MSG_DONE && link->answer) {
        link->answer->outcome = m->u.done.outcome;
        link->answer->text = arena_copy(&link->c->arena, m->u.done.text);
        link->answer->what = arena_copy(&link->c->arena, m->u.done.what);
    }
    loop_stop(link->loop);
}

static fallible ask(struct link *link, struct ipc_msg *request, uint64_t within_ms)
{
    link->done = false;
    link->why = OK;
    if (!link->channel)
        return ERR_CLOSED;
    TRY(channel_request(link->channel, request, within_ms, on_answer, link, NULL));
    if (!link->done)
        TRY(loop_run(link->loop));
    return link->why;
}

/* ------------------------------------------------------------------------------------------------ the running server */

/* ERR_NOT_FOUND: no server is running. */
static fallible connect_control(struct link *link)
{
    char path[64];
    int fd = -1;
    struct buf out CLEANUP_BUF = BUF_INIT(sizeof path);
    buf_printf(&out, "/proc/self/fd/%d/control", link->c->dir_fd);
    TRY(buf_check(&out));
    TRY(net_connect_unix(buf_cstr(&out), &fd));
    link->channel = channel_new(link->loop, fd, ROLE_CLI, ROLE_VAULT, 0, &events, link);
    return OK;
}

/* --------------------------------------------------------------------------------------------------- a vault alone */

static enum err take_setting(struct slice key, struct slice value, void *arg)
{
    return slice_eq(key, S("log_level")) ? OK : config_set_text(arg, key, value);
}

/* A vault that serves one command tells troubles only. */
static fallible quiet_settings(struct link *link)
{
    link->quiet = config_new();
    TRY(config_each(link->c->config, CONFIG_FOR_ALL, take_setting, link->quiet));
    return config_set_text(link->quiet, S("log_level"), S("warning"));
}

static int cannot_start(struct cli *c, enum err e, const struct launch_problem *problem)
{
    if (problem && problem->text[0])
        return cli_fail_text(
            c, e == ERR_DENIED ? CLI_DENIED : CLI_UNAVAILABLE, err_name(e), slice_str(problem->text),
            slice_str(problem->remedy));
    return cli_fail(
        c, CLI_UNAVAILABLE, SAY_NO_VAULT, SAY_NO_VAULT_REMEDY, cli_error(c, e), slice_str(c->dir));
}

static fallible start_vault(struct link *link, uid_t uid, bool as_root, struct launch_problem *problem)
{
    char path[LAUNCH_PATH_MAX];
    TRY(launch_program_path(ROLE_VAULT, path));
    TRY(quiet_settings(link));
    TRY(launch_program(path, LAUNCH_OFFLINE, &link->child));
    link->channel = channel_new(link->loop, link->child.channel, ROLE_CLI, ROLE_VAULT, 0, &events, link);
    const struct launch_who who = {
        .role = ROLE_VAULT,
        .as_root = as_root,
        .offline = true,
        .uid = uid,
        .folder_fd = link->folder,
        .config = link->quiet};
    TRY(launch_introduce(link->channel, &who));
    TRY(launch_keys(link->channel, link->c->dir_fd, link->c->config, problem));
    struct ipc_msg go = {.type = MSG_GO};
    return ask(link, &go, START_MS);
}

/* The vault's folder belongs to its user; without root, only that user can do this. */
static int open_offline(struct link *link)
{
    struct cli *c = link->c;
    struct launch_problem problem = {{0}, {0}};
    bool as_root = geteuid() == 0;
    uid_t uid = launch_user(ROLE_VAULT, as_root, c->config);
    enum err e = launch_folder(c->dir_fd, ROLE_VAULT, as_root, uid, &problem, &link->folder);
    if (e != OK)
        return cannot_start(c, e, &problem);
    e = start_vault(link, uid, as_root, &problem);
    return e == OK ? CLI_OK : cannot_start(c, e, &problem);
}

int link_open(struct cli *c, bool needs_server, struct link **ret_link)
{
    struct link *link = NEW(struct link);
    link->c = c;
    link->folder = -1;
    link->loop = loop_new();
    int code = CLI_OK;
    struct slice dir = slice_str(c->dir);
    enum err e = connect_control(link);
    if (e == ERR_NOT_FOUND && needs_server)
        code = cli_fail(c, CLI_UNAVAILABLE, SAY_NO_SERVER, SAY_NO_SERVER_REMEDY, dir, SLICE_EMPTY);
    else if (e == ERR_NOT_FOUND)
        code = open_offline(link);
    else if (e == ERR_DENIED)
        code = cli_fail(c, CLI_DENIED, SAY_CONTROL_DENIED, SAY_FOLDER_DENIED_REMEDY, dir, SLICE_EMPTY);
    else if (e != OK)
        code = cli_fail(c, CLI_UNAVAILABLE, SAY_CONTROL_TROUBLE, SAY_SERVER_REMEDY, cli_error(c, e), dir);
    if (code != CLI_OK)
        link_close(&link);
    else
        *ret_link = link;
    return code;
}

/* The end of the channel is the vault's sign to write what is pending and to end. */
static void child_finish(struct link *link)
{
    siginfo_t info;
    if (link->child.pid == 0)
        return;
    while (waitid(P_PID, (id_t)link->child.pid, &info, WEXITED) != 0 && errno == EINTR)
        continue;
    file_close(&link->child.pidfd);
}

void link_close(struct link **link)
{
    struct link *l = *link;
    if (!l)
        return;
    channel_close(&l->channel);
    child_finish(l);
    file_close(&l->folder);
    config_free(&l->quiet);
    loop_free(&l->loop);
    mem_free(link);
}

/* Through a running server? */
static bool link_is_live(const struct link *link)
{
    return link->child.pid == 0;
}

/* ------------------------------------------------------------------------------------------------------- asking */

fallible link_try(
    struct link *link, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner,
    struct link_answer *ret_answer)
{
    struct link_answer answer = {.c = link->c, .outcome = ADMIN_OUTCOME_OK};
    link->item = item;
    link->owner = owner;
    link->answer = &answer;
    enum err e = ask(link, request, ANSWER_MS);
    link->item = NULL;
    link->answer = NULL;
    if (e == OK)
        *ret_answer = answer;
    return e;
}

int link_ask(
    struct link *link, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner,
    struct link_answer *ret_answer)
{
    struct cli *c = link->c;
    enum err e = link_try(link, request, item, owner, ret_answer);
    if (e == OK)
        return CLI_OK;
    if (e == ERR_LIMIT)
        return cli_fail(c, CLI_DATA, SAY_VALUE_LONG, SAY_SEE_HELP, SLICE_EMPTY, SLICE_EMPTY);
    return cli_fail(
        c, CLI_UNAVAILABLE, SAY_NO_ANSWER, link_is_live(link) ? SAY_SERVER_REMEDY : SAY_NO_VAULT_REMEDY,
        cli_error(link->c, e), slice_str(c->dir));
}

/* Is it about one of several that are told apart by number? */
static bool has_number(const struct command *command)
{
    for (const struct operand *o = command->operands; o && o->name; o++)
        if (strcmp(o->name, "ID") == 0)
            return true;
    return false;
}

int link_outcome(const struct link_answer *a)
{
    static const struct {
        enum cli_exit code;
        enum say_id says, remedy;
    } table[] = {
        [ADMIN_OUTCOME_OK] = {CLI_OK, SAY_NONE, SAY_NONE},
        [ADMIN_OUTCOME_NOT_FOUND] = {CLI_NOT_FOUND, SAY_OUT_NOT_FOUND, SAY_OUT_NOT_FOUND_REMEDY},
        [ADMIN_OUTCOME_EXISTS] = {CLI_CANNOT_CREATE, SAY_OUT_EXISTS, SAY_OUT_EXISTS_REMEDY},
        [ADMIN_OUTCOME_DENIED] = {CLI_DENIED, SAY_OUT_DENIED, SAY_OUT_DENIED_REMEDY},
        [ADMIN_OUTCOME_INVALID] = {CLI_DATA, SAY_OUT_INVALID, SAY_OUT_INVALID_REMEDY},
        [ADMIN_OUTCOME_LIMIT] = {CLI_DATA, SAY_OUT_LIMIT, SAY_OUT_LIMIT_REMEDY},
        [ADMIN_OUTCOME_UNAVAILABLE] = {CLI_UNAVAILABLE, SAY_OUT_UNAVAILABLE, SAY_SERVER_REMEDY},
        [ADMIN_OUTCOME_FAILED] = {CLI_FAILED, SAY_OUT_FAILED, SAY_SERVER_REMEDY},
        [ADMIN_OUTCOME_RESTING] = {CLI_CANNOT_CREATE, SAY_OUT_RESTING, SAY_OUT_RESTING_REMEDY},
    };
    struct cli *c = a->c;
    struct slice command = slice_str(c->args.command->name);
    struct buf says CLEANUP_BUF = BUF_INIT(65536), remedy CLEANUP_BUF = BUF_INIT(65536);
    if (a->outcome == ADMIN_OUTCOME_OK)
        return CLI_OK;
    /* what the parts of the server say of it ends with these words */
    bool full = slice_ends(a->text, slice_str(err_text(ERR_DISK_FULL)));
    struct slice what = a->what.n ? cli_safe(c, a->what) : command,
                 text = answer_words(&c->arena, c->lang, cli_safe(c, a->text));
    say_put(&says, c->lang, full ? SAY_DISK_FULL : table[a->outcome].says, what, text, SLICE_EMPTY);
    if (a->outcome == ADMIN_OUTCOME_NOT_FOUND && has_number(c->args.command))
        say_put(
            &remedy, c->lang, SAY_OUT_NO_NUMBER_REMEDY, command_first_word(c->args.command),
            cli_safe(c, args_text(&c->args, "ADDRESS")), SLICE_EMPTY);
    else
        say_put(
            &remedy, c->lang, full ? SAY_DISK_FULL_REMEDY : table[a->outcome].remedy, what, text, command);
    enum cli_exit code = full ? CLI_IO : table[a->outcome].code;
    return cli_fail_text(c, code, cli_exit_name(code), buf_slice(&says), buf_slice(&remedy));
}

int link_do(
    struct link *link, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner)
{
    struct link_answer answer = {.c = link->c};
    int code = link_ask(link, request, item, owner, &answer);
    return code == CLI_OK ? link_outcome(&answer) : code;
}
