#include "pop3/wire/command.h"

#include <assert.h>

#include "base/limits.h"

static const struct pop3_row rows[] = {
    {"CAPA", POP3_CAPA, POP3_ARGS_NONE, POP3_AUTHORIZATION | POP3_TRANSACTION, POP3_JUNK, 0, "2449 5"},
    {"USER", POP3_USER, POP3_ARGS_REST, POP3_AUTHORIZATION, POP3_NEEDS_TLS, 0, "1939 7"},
    {"PASS", POP3_PASS, POP3_ARGS_REST, POP3_AUTHORIZATION, POP3_NEEDS_TLS | POP3_SECRET, 0, "1939 7"},
    {"AUTH", POP3_AUTH, POP3_ARGS_SASL, POP3_AUTHORIZATION, POP3_NEEDS_TLS | POP3_SECRET, 0, "5034 4"},
    {"STLS", POP3_STLS, POP3_ARGS_NONE, POP3_AUTHORIZATION, POP3_BEFORE_TLS | POP3_ENDS_GROUP, 0, "2595 4"},
    {"UTF8", POP3_UTF8, POP3_ARGS_NONE, POP3_AUTHORIZATION, POP3_JUNK, 0, "6856 2.1"},
    {"STAT", POP3_STAT, POP3_ARGS_NONE, POP3_TRANSACTION, 0, POP3_CAN_READ, "1939 5"},
    {"LIST", POP3_LIST, POP3_ARGS_MAYBE_NUMBER, POP3_TRANSACTION, 0, POP3_CAN_READ, "1939 5"},
    {"RETR", POP3_RETR, POP3_ARGS_NUMBER, POP3_TRANSACTION, 0, POP3_CAN_READ, "1939 5"},
    {"DELE", POP3_DELE, POP3_ARGS_NUMBER, POP3_TRANSACTION, 0, POP3_CAN_DELETE, "1939 5"},
    {"NOOP", POP3_NOOP, POP3_ARGS_NONE, POP3_TRANSACTION, POP3_JUNK, 0, "1939 5"},
    {"RSET", POP3_RSET, POP3_ARGS_NONE, POP3_TRANSACTION, POP3_JUNK, 0, "1939 5"},
    {"TOP", POP3_TOP, POP3_ARGS_NUMBER_LINES, POP3_TRANSACTION, 0, POP3_CAN_READ, "1939 7"},
    {"UIDL", POP3_UIDL, POP3_ARGS_MAYBE_NUMBER, POP3_TRANSACTION, 0, POP3_CAN_READ, "1939 7"},
    {"QUIT", POP3_QUIT, POP3_ARGS_NONE, POP3_AUTHORIZATION | POP3_TRANSACTION, POP3_ENDS_GROUP, 0,
     "1939 4, 6"},
};
static_assert(sizeof rows / sizeof *rows == POP3_VERBS, "a command without a row");

static const struct pop3_row *find_row(struct slice name)
{
    for (size_t i = 0; i < POP3_VERBS; i++)
        if (slice_eq_nocase(name, slice_str(rows[i].name)))
            return &rows[i];
    return NULL;
}

size_t pop3_line_most(struct slice input)
{
    struct slice name;
    struct slice front = slice_sub(input, 0, sizeof "PASS ");
    const struct pop3_row *row = slice_cut(&front, ' ', &name) ? find_row(name) : NULL;
    if (row && row->verb == POP3_PASS)
        return sizeof "PASS \r\n" - 1 + LIMIT_PASSWORD_MAX;
    return row && row->args == POP3_ARGS_SASL ? LIMIT_SASL_RESPONSE : LIMIT_POP3_COMMAND;
}

/* Digits only, so that "+1", "-1", "1.5" and "0x1" are wrong and nothing wraps (T-177). */
static fallible parse_number(struct slice word, uint32_t least, uint32_t *ret_number)
{
    uint64_t value = 0;
    enum err e = slice_to_u64(word, UINT32_MAX, &value);
    if (e == ERR_LIMIT)
        value = UINT32_MAX;
    else
        TRY(e);
    if (value < least)
        return ERR_SYNTAX;
    *ret_number = (uint32_t)value;
    return OK;
}

/* One space between words; blanks at the end of a line are forgiven, as programs send "LIST ". */
static struct slice trim_end(struct slice s)
{
    while (s.n && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

static fallible parse_sasl(struct slice rest, struct pop3_command *command)
{
    struct slice more = trim_end(rest);
    if (more.n == 0)
        return OK;
    if (!slice_cut(&more, ' ', &command->rest) || command->rest.n == 0)
        return ERR_SYNTAX;
    command->has_initial = more.p != NULL;
    command->initial = more;
    return command->has_initial && (more.n == 0 || slice_has(more, ' ')) ? ERR_SYNTAX : OK;
}

static fallible parse_numbers(struct slice rest, enum pop3_args args, struct pop3_command *command)
{
    struct slice more = trim_end(rest), word;
    if (more.n == 0)
        return args == POP3_ARGS_MAYBE_NUMBER ? OK : ERR_SYNTAX;
    if (!slice_cut(&more, ' ', &word))
        return ERR_SYNTAX;
    TRY(parse_number(word, 1, &command->number));
    command->has_number = true;
    if (args == POP3_ARGS_NUMBER_LINES)
        return parse_number(more, 0, &command->lines);
    return more.p ? ERR_SYNTAX : OK;
}

static fallible parse_args(struct slice rest, bool spaced, struct pop3_command *command)
{
    enum pop3_args args = command->row->args;
    switch (args) {
    case POP3_ARGS_NONE:
        return trim_end(rest).n ? ERR_SYNTAX : OK;
    case POP3_ARGS_REST:
        command->rest = rest;
        return spaced && rest.n ? OK : ERR_SYNTAX;
    case POP3_ARGS_SASL:
        return parse_sasl(rest, command);
    default:
        return parse_numbers(rest, args, command);
    }
}

fallible
pop3_command_parse(struct slice line, const struct pop3_row **ret_row, struct pop3_command *ret_command)
{
    if (ret_row)
        *ret_row = NULL;
    struct slice rest = line, name;
    if (!slice_cut(&rest, ' ', &name))
        return ERR_NOT_FOUND;
    struct pop3_command command = {.row = find_row(name)};
    if (!command.row)
        return ERR_NOT_FOUND;
    if (ret_row)
        *ret_row = command.row;
    if (slice_has(line, '\0') || slice_has(line, '\r') || slice_has(line, '\n'))
        return ERR_SYNTAX;
    TRY(parse_args(rest, rest.p != NULL, &command));
    *ret_command = command;
    return OK;
}
