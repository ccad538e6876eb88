#include "cli/limits_given.h"

#include "base/limits.h"
#include "cli/settings.h"
#include "scope/scope.h"

static int add_line(struct cli *c, const struct scope_kind_row *kind, struct slice value, struct buf *out)
{
    struct buf normal CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT), problem CLEANUP_BUF = BUF_INIT(1024);
    if (scope_value_normal(kind, value, &normal, &problem) != OK) {
        struct slice example = arena_printf(&c->arena, "--limit \"%s=%s\"", kind->name, kind->value);
        return cli_fail(
            c, CLI_USAGE, SAY_BAD_LIMIT, SAY_BAD_LIMIT_REMEDY,
            arena_printf(&c->arena, "%s=" SLICE_FMT, kind->name, SLICE_ARG(value)), example);
    }
    buf_printf(out, "%s=", kind->name);
    buf_put(out, buf_slice(&normal));
    buf_put_char(out, '\n');
    return CLI_OK;
}

static int add_limits(struct cli *c, struct buf *out)
{
    struct slice text;
    int code = CLI_OK;
    for (size_t i = 0; code == CLI_OK && args_next(&c->args, "limit", i, &text); i++) {
        size_t equals = slice_find(text, '=');
        const struct scope_kind_row *kind = scope_kind_by_name(slice_sub(text, 0, equals));
        code = add_line(c, kind, slice_trim(slice_from(text, equals + 1)), out);
    }
    return code;
}

static int add_networks(struct cli *c, struct buf *out)
{
    struct slice part, word;
    int code = CLI_OK;
    for (size_t i = 0; code == CLI_OK && args_next(&c->args, "network", i, &part); i++)
        while (code == CLI_OK && slice_cut(&part, ',', &word))
            code = add_line(c, scope_kind_by_number(SCOPE_NETWORK), slice_trim(word), out);
    return code;
}

/* What stands and what is given must make sense together. */
static int check_together(struct cli *c, struct slice lines)
{
    struct scope scope;
    struct buf problem CLEANUP_BUF = BUF_INIT(1024);
    if (scope_parse(lines, &c->arena, &scope, &problem) == OK)
        return CLI_OK;
    return cli_fail(
        c, CLI_USAGE, SAY_BAD_LIMITS, SAY_BAD_LIMITS_REMEDY, buf_slice(&problem),
        slice_str(c->args.command->name));
}

static int put_given(struct cli *c, struct buf *out)
{
    int code = add_limits(c, out);
    if (code == CLI_OK)
        code = add_networks(c, out);
    if (code == CLI_OK && args_has(&c->args, "canary"))
        code = add_line(c, scope_kind_by_number(SCOPE_CANARY), S("alarm"), out);
    return code;
}

int limits_given(struct cli *c, struct slice *ret_lines)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4 * LIMIT_SCOPE_TEXT);
    int code = put_given(c, &out);
    if (code == CLI_OK)
        code = check_together(c, buf_slice(&out));
    if (code == CLI_OK)
        *ret_lines = arena_copy(&c->arena, buf_slice(&out));
    return code;
}

/* Is a line of this name among them? */
static bool has_name(struct slice lines, struct slice name)
{
    struct slice line;
    while (slice_cut(&lines, '\n', &line))
        if (slice_eq(slice_sub(line, 0, slice_find(line, '=')), name))
            return true;
    return false;
}

static bool is_taken_away(struct cli *c, struct slice name)
{
    struct slice one;
    for (size_t i = 0; args_next(&c->args, "no-limit", i, &one); i++)
        if (slice_eq(one, name) || slice_eq(one, S("all")))
            return true;
    return false;
}

static int check_taken_away(struct cli *c)
{
    struct slice one;
    for (size_t i = 0; args_next(&c->args, "no-limit", i, &one); i++)
        if (!slice_eq(one, S("all")) && !scope_kind_by_name(one))
            return cli_fail(
                c, CLI_USAGE, SAY_NO_SUCH_LIMIT, SAY_SEE_COMMAND_HELP, one, slice_str(c->args.command->name));
    return CLI_OK;
}

int limits_changed(struct cli *c, struct slice standing, struct slice *ret_lines)
{
    struct buf given CLEANUP_BUF = BUF_INIT(4 * LIMIT_SCOPE_TEXT),
                     out CLEANUP_BUF = BUF_INIT(4 * LIMIT_SCOPE_TEXT);
    struct slice line;
    int code = check_taken_away(c);
    if (code == CLI_OK)
        code = put_given(c, &given);
    while (code == CLI_OK && slice_cut(&standing, '\n', &line)) {
        struct slice name = slice_sub(line, 0, slice_find(line, '='));
        if (line.n == 0 || has_name(buf_slice(&given), name) || is_taken_away(c, name))
            continue;
        buf_put(&out, line);
        buf_put_char(&out, '\n');
    }
    buf_put(&out, buf_slice(&given));
    if (code == CLI_OK)
        code = check_together(c, buf_slice(&out));
    if (code == CLI_OK)
        *ret_lines = arena_copy(&c->arena, buf_slice(&out));
    return code;
}

struct slice doors_given(struct cli *c)
{
    struct buf out CLEANUP_BUF = BUF_INIT(256);
    struct slice one;
    for (size_t i = 0; args_next(&c->args, "door", i, &one); i++) {
        buf_put_str(&out, i ? " " : "");
        buf_put(&out, one);
    }
    return arena_copy(&c->arena, buf_slice(&out));
}

int doors_check(struct cli *c, bool receives, bool sends, struct slice doors)
{
    struct may may = may_of(receives, sends, doors);
    if (may.imap || may.pop3 || may.smtp || slice_search(doors, S("api")) != SLICE_NPOS)
        return CLI_OK;
    return cli_fail(c, CLI_USAGE, SAY_NO_DOOR_LEFT, SAY_NO_DOOR_LEFT_REMEDY, doors, SLICE_EMPTY);
}
