/* run_help.c - help, the manual pages and the completion scripts. */
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/meant.h"
#include "cli/run.h"

int run_completion(struct cli *c)
{
    complete_put(args_text(&c->args, "SHELL"), &c->out);
    return CLI_OK;
}

static int man_page(struct cli *c)
{
    struct slice page = args_text(&c->args, "COMMAND");
    struct slice dashed = arena_printf(&c->arena, "letterlock-" SLICE_FMT, SLICE_ARG(page));
    if (!page.n)
        page = S("letterlock");
    if (man_put(page, c->lang, &c->out) == OK || man_put(dashed, c->lang, &c->out) == OK)
        return CLI_OK;
    return cli_fail(c, CLI_NOT_FOUND, SAY_NO_PAGE, SAY_NO_PAGE_REMEDY, page, SLICE_EMPTY);
}

static int no_such_help(struct cli *c, struct slice first, struct slice second, struct slice name)
{
    bool in_group = command_group(first) != NULL;
    struct slice meant =
        in_group ? meant_command(first, second, SLICE_EMPTY) : meant_command(SLICE_EMPTY, first, second);
    if (meant.n)
        return cli_fail(
            c, CLI_USAGE, SAY_UNKNOWN_COMMAND, SAY_MEANT_COMMAND, name,
            arena_printf(&c->arena, "help " SLICE_FMT, SLICE_ARG(meant)));
    return cli_fail(
        c, CLI_USAGE, SAY_UNKNOWN_COMMAND, in_group ? SAY_SEE_COMMAND_LIST : SAY_SEE_HELP, name, first);
}

int run_help(struct cli *c)
{
    struct slice first = args_text(&c->args, "COMMAND"), second = SLICE_EMPTY;
    bool two = args_next(&c->args, "COMMAND", 1, &second);
    if (args_has(&c->args, "list")) {
        man_put_list(&c->out);
        return CLI_OK;
    }
    if (args_has(&c->args, "man"))
        return man_page(c);
    struct slice name =
        two ? arena_printf(&c->arena, SLICE_FMT " " SLICE_FMT, SLICE_ARG(first), SLICE_ARG(second)) : first;
    const struct command *command = command_find(name);
    if (command)
        help_put_command(command, c->lang, c->colour, &c->out);
    else if (!two && (!first.n || command_group(first)))
        help_put_overview(first, c->lang, c->colour, &c->out);
    else
        return no_such_help(c, first, second, name);
    return CLI_OK;
}
