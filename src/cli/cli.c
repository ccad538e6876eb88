#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "cli/help.h"
#include "cli/hint.h"
#include "cli/run.h"

static const char default_dir[] = "/var/lib/letterlock";

/* ------------------------------------------------------------------------------------------------------- speaking */

struct slice cli_safe(struct cli *c, struct slice s)
{
    struct buf out CLEANUP_BUF = BUF_INIT(65536);
    utf8_put_safe(&out, s);
    return arena_copy(&c->arena, buf_slice(&out));
}

static void say_safely(
    struct cli *c, struct buf *out, enum say_id id, struct slice one, struct slice two, struct slice three)
{
    say_put(out, c->lang, id, cli_safe(c, one), cli_safe(c, two), cli_safe(c, three));
}

void cli_say(struct cli *c, enum say_id id, struct slice one, struct slice two, struct slice three)
{
    if (c->json)
        return;
    struct buf text CLEANUP_BUF = BUF_INIT(65536);
    say_safely(c, &text, id, one, two, three);
    hint_put(c, buf_slice(&text), &c->out);
    buf_put_char(&c->out, '\n');
}

static void put_err(struct slice text)
{
    IGNORE(file_write_all(STDERR_FILENO, text), "nobody is left to tell");
}

void cli_note(struct cli *c, enum say_id id, struct slice one, struct slice two, struct slice three)
{
    struct buf line CLEANUP_BUF = BUF_INIT(65536);
    say_safely(c, &line, id, one, two, three);
    buf_put_char(&line, '\n');
    put_err(buf_slice(&line));
}

const char *cli_exit_name(enum cli_exit code)
{
    static const struct {
        enum cli_exit code;
        const char *name;
    } names[] = {
        {CLI_OK, "ok"},
        {CLI_NO, "no"},
        {CLI_USAGE, "usage"},
        {CLI_DATA, "data"},
        {CLI_NOT_FOUND, "not-found"},
        {CLI_UNAVAILABLE, "unavailable"},
        {CLI_CANNOT_CREATE, "exists"},
        {CLI_IO, "io"},
        {CLI_DENIED, "denied"},
        {CLI_CONFIG, "config"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return "failed";
}

int cli_fail_text(struct cli *c, enum cli_exit code, const char *name, struct slice says, struct slice remedy)
{
    struct buf line CLEANUP_BUF = BUF_INIT(65536);
    const char *on = c->colour_err ? "\033[1;31m" : "", *off = c->colour_err ? "\033[0m" : "";
    buf_printf(&line, "%sletterlock: " SLICE_FMT "%s\n", on, SLICE_ARG(says), off);
    if (remedy.n)
        buf_printf(
            &line, "  %s" SLICE_FMT "\n", c->lang == LANG_ZH ? "解决办法：" : "Remedy: ", SLICE_ARG(remedy));
    IGNORE(cli_flush(c) ? OK : ERR_IO, "the error is the more important news");
    put_err(buf_slice(&line));
    if (c->json) {
        json_key(&c->j, "ok");
        json_bool(&c->j, false);
        json_key(&c->j, "error");
        json_open(&c->j, '{');
        json_key(&c->j, "code");
        json_text(&c->j, slice_str(name));
        json_key(&c->j, "text");
        json_text(&c->j, says);
        json_key(&c->j, "remedy");
        json_text(&c->j, remedy);
        json_close(&c->j, '}');
    }
    return code;
}

int cli_fail(
    struct cli *c, enum cli_exit code, enum say_id says, enum say_id remedy, struct slice one,
    struct slice two)
{
    struct buf first CLEANUP_BUF = BUF_INIT(65536), second CLEANUP_BUF = BUF_INIT(65536);
    say_safely(c, &first, says, one, two, SLICE_EMPTY);
    say_safely(c, &second, remedy, one, two, SLICE_EMPTY);
    return cli_fail_text(c, code, cli_exit_name(code), buf_slice(&first), buf_slice(&second));
}

static void json_ok(struct cli *c)
{
    if (!c->json)
        return;
    json_key(&c->j, "ok");
    json_bool(&c->j, true);
}

int cli_no(struct cli *c)
{
    json_ok(c);
    return CLI_NO;
}

struct slice cli_error(const struct cli *c, enum err e)
{
    return slice_str(lang_error(e, c->lang));
}

bool cli_flush(struct cli *c)
{
    if (c->json)
        return true; /* one object, at the end */
    bool good = buf_check(&c->out) == OK && file_write_all(STDOUT_FILENO, buf_slice(&c->out)) == OK;
    buf_clear(&c->out);
    return good;
}

void cli_style(struct cli *c, const char *code)
{
    if (c->colour)
        buf_printf(&c->out, "\033[%sm", code);
}

void cli_style_end(struct cli *c)
{
    cli_style(c, "0");
}

/* --------------------------------------------------------------------------------------------------- the folder */

const char *cli_dir_path(struct cli *c)
{
    bool operand = false;
    for (const struct operand *o = c->args.command->operands; o && o->name; o++)
        operand |= strcmp(o->name, "DIR") == 0;
    struct slice dir = operand ? args_text(&c->args, "DIR") : SLICE_EMPTY;
    if (!dir.n)
        dir = args_text(&c->args, "dir");
    if (!dir.n)
        dir = slice_str(getenv("LETTERLOCK_DIR"));
    if (!dir.n)
        dir = slice_str(default_dir);
    return arena_cstr(&c->arena, dir);
}

int cli_folder(struct cli *c)
{
    c->dir = cli_dir_path(c);
    struct slice dir = slice_str(c->dir);
    c->dir_fd = open(c->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (c->dir_fd >= 0)
        return CLI_OK;
    if (errno == EACCES)
        return cli_fail(c, CLI_DENIED, SAY_FOLDER_DENIED, SAY_FOLDER_DENIED_REMEDY, dir, SLICE_EMPTY);
    return cli_fail(c, CLI_NOT_FOUND, SAY_NO_FOLDER, SAY_NO_FOLDER_REMEDY, dir, SLICE_EMPTY);
}

/* "DIR/letterlock.conf:12:9: says" and the remedy below. */
static void put_config_error(
    struct cli *c, const struct config_error *e, struct slice path, struct buf *says, struct buf *remedy)
{
    struct buf lines CLEANUP_BUF = BUF_INIT(65536);
    config_error_put(e, c->lang, says);
    config_error_put_remedy(e, c->lang, remedy);
    buf_put(&lines, cli_safe(c, path));
    if (e->line)
        buf_printf(&lines, ":%u:%u", e->line, e->column);
    buf_printf(&lines, ": " SLICE_FMT "\n", SLICE_ARG(buf_slice(says)));
    buf_printf(
        &lines, "  %s" SLICE_FMT "\n",
        c->lang == LANG_ZH ? "解决办法：" : "Remedy: ", SLICE_ARG(buf_slice(remedy)));
    put_err(buf_slice(&lines));
}

void cli_config_errors(struct cli *c, const struct config_errors *errors, struct slice path)
{
    for (size_t i = 0; i < config_error_count(errors); i++) {
        const struct config_error *e = config_error(errors, i);
        struct buf says CLEANUP_BUF = BUF_INIT(16384), remedy CLEANUP_BUF = BUF_INIT(16384);
        put_config_error(c, e, path, &says, &remedy);
        if (!c->json)
            continue;
        json_open(&c->j, '{');
        json_key(&c->j, "level");
        json_text(&c->j, S("error"));
        json_key(&c->j, "code");
        json_text(&c->j, slice_str(config_error_name(e)));
        json_key(&c->j, "file");
        json_text(&c->j, path);
        json_key(&c->j, "line");
        json_u64(&c->j, e->line);
        json_key(&c->j, "column");
        json_u64(&c->j, e->column);
        json_key(&c->j, "text");
        json_text(&c->j, buf_slice(&says));
        json_key(&c->j, "remedy");
        json_text(&c->j, buf_slice(&remedy));
        json_close(&c->j, '}');
    }
    if (config_errors_dropped(errors))
        cli_note(c, SAY_MORE_ERRORS, slice_str(""), SLICE_EMPTY, SLICE_EMPTY);
}

/* The path through a descriptor, for calls that want one; DIR may be renamed meanwhile. */
static const char *conf_path(struct cli *c)
{
    return arena_cstr(&c->arena, arena_printf(&c->arena, "/proc/self/fd/%d/letterlock.conf", c->dir_fd));
}

int cli_config(struct cli *c)
{
    int code = cli_folder(c);
    if (code != CLI_OK)
        return code;
    struct config_errors *errors = config_errors_new();
    struct slice shown = arena_printf(&c->arena, "%s/letterlock.conf", c->dir);
    enum err e = config_load(conf_path(c), errors, &c->config);
    bool told = config_error_count(errors) > 0;
    if (told && c->json) {
        json_key(&c->j, "problems");
        json_open(&c->j, '[');
    }
    cli_config_errors(c, errors, shown);
    if (told && c->json)
        json_close(&c->j, ']');
    config_errors_free(&errors);
    if (e == OK)
        return CLI_OK;
    if (told)
        return cli_fail(c, CLI_CONFIG, SAY_CONFIG_WRONG, SAY_CONFIG_WRONG_REMEDY, shown, SLICE_EMPTY);
    if (e == ERR_NOT_FOUND)
        return cli_fail(c, CLI_CONFIG, SAY_NO_CONFIG, SAY_NO_CONFIG_REMEDY, shown, slice_str(c->dir));
    return cli_fail(
        c, e == ERR_DENIED ? CLI_DENIED : CLI_IO, SAY_CONFIG_UNREADABLE, SAY_FOLDER_DENIED_REMEDY, shown,
        cli_error(c, e));
}

/* ------------------------------------------------------------------------------------------------------ the command */

static bool takes_colours(int fd)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(fd) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

static int prepare_and_run(struct cli *c)
{
    const struct command *command = c->args.command;
    int code = CLI_OK;
    if (command->need != NEED_NOTHING)
        code = cli_config(c);
    if (code == CLI_OK)
        code = command->run(c);
    if (code == CLI_OK)
        json_ok(c);
    return code;
}

static int run_parsed(struct cli *c)
{
    const struct args *a = &c->args;
    if (a->version)
        return run_version(c);
    if (a->command && !a->help)
        return prepare_and_run(c);
    if (a->command)
        help_put_command(a->command, c->lang, c->colour, &c->out);
    else if (!c->json)
        help_put_overview(a->group, c->lang, c->colour, &c->out);
    if (a->help)
        return CLI_OK;
    return a->group.n ? cli_fail(c, CLI_USAGE, SAY_GROUP_NEEDS_WORD, SAY_SEE_COMMAND_LIST, a->group, a->group)
                      : cli_fail(c, CLI_USAGE, SAY_NO_COMMAND, SAY_SEE_HELP, SLICE_EMPTY, SLICE_EMPTY);
}

static bool words_ask_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

/* Help and scripts are text in any case; every other answer to --json is one object. */
static bool speaks_json(const struct cli *c, enum err parsed, int argc, char **argv)
{
    const struct args *a = &c->args;
    if (parsed != OK || (!a->command && !a->help && !a->version))
        return words_ask_json(argc, argv);
    return args_has(a, "json") && !a->help && !a->version && a->command->run != run_help &&
           a->command->run != run_completion;
}

static int finish(struct cli *c, int code)
{
    if (c->json) {
        json_close(&c->j, '}');
        buf_put_char(&c->out, '\n');
    }
    c->json = false;
    if (!cli_flush(c) && code == CLI_OK)
        code = CLI_IO;
    config_free(&c->config);
    file_close(&c->dir_fd);
    buf_wipe(&c->out);     /* a client password may have been shown */
    arena_wipe(&c->arena); /* or a reset code, or the results of a batch */
    arena_done(&c->arena);
    return code;
}

static void start_json(struct cli *c)
{
    c->json = true;
    c->colour = false;
    json_start(&c->j, &c->out);
    json_open(&c->j, '{');
}

int cli_main(int argc, char **argv)
{
    struct cli c = {
        .terminal = isatty(STDOUT_FILENO),
        .colour = takes_colours(STDOUT_FILENO),
        .colour_err = takes_colours(STDERR_FILENO),
        .dir_fd = -1,
    };
    struct args_trouble trouble = {BUF_INIT(16384), BUF_INIT(16384)};
    int code;
    arena_init(&c.arena, CLI_ARENA_MAX);
    buf_init(&c.out, CLI_OUT_MAX);
    enum err e = args_parse(
        argc - 1, argv + 1, lang_of_environment(), clock_unix_s(), &c.arena, &c.args, &c.lang, &trouble);
    if (speaks_json(&c, e, argc, argv))
        start_json(&c);
    if (e == OK)
        code = run_parsed(&c);
    else
        code = cli_fail_text(&c, CLI_USAGE, "usage", buf_slice(&trouble.says), buf_slice(&trouble.remedy));
    buf_done(&trouble.says);
    buf_done(&trouble.remedy);
    return finish(&c, code);
}
