#include "cli/complete.h"

#include "cli/command.h"
#include "scope/scope.h"

/* -------------------------------------------------------------------------------------------------- the table */

/* Second words of a group, separated by blanks. */
static void put_second_words(struct slice group, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < command_count(); i++) {
        struct slice first = command_first_word(command_at(i));
        struct slice name = slice_str(command_at(i)->name);
        if (!slice_eq(first, group) || first.n == name.n)
            continue;
        buf_put_str(out, any ? " " : "");
        buf_put(out, slice_from(name, first.n + 1));
        any = true;
    }
}

/* Is this the first row with its first word? */
static bool is_first_of_group(size_t i)
{
    return i == 0 || !slice_eq(command_first_word(command_at(i)), command_first_word(command_at(i - 1)));
}

static void put_first_words(struct buf *out)
{
    for (size_t i = 0; i < command_count(); i++)
        if (is_first_of_group(i)) {
            buf_put_str(out, i ? " " : "");
            buf_put(out, command_first_word(command_at(i)));
        }
}

static bool is_folder(enum value_kind kind)
{
    return kind == VALUE_FOLDER;
}

/* "network= access=read-only access=append-only ...": what --limit takes. */
static void put_limits(struct buf *out)
{
    size_t count;
    const struct scope_kind_row *kinds = scope_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        struct slice rest = slice_str(kinds[i].value), word;
        bool choices = slice_has(rest, '|') || kinds[i].kind == SCOPE_ATTACHMENTS;
        if (!choices)
            buf_printf(out, "%s%s=", i ? " " : "", kinds[i].name);
        while (choices && slice_cut(&rest, '|', &word))
            buf_printf(out, " %s=" SLICE_FMT, kinds[i].name, SLICE_ARG(word));
    }
}

/* Texts in single quotes of a shell. */
static void put_quoted(const char *text, struct buf *out)
{
    buf_put_char(out, '\'');
    for (const char *p = text; *p; p++)
        if (*p == '\'')
            buf_put_str(out, "'\\''");
        else
            buf_put_char(out, *p);
    buf_put_char(out, '\'');
}

/* ------------------------------------------------------------------------------------------------------------- bash */

/* "batch FILE" beside "batch key": a group whose first word alone is a command, too. */
static bool stands_alone(struct slice group)
{
    return command_find(group) != NULL;
}

static void bash_groups(struct buf *out)
{
    buf_put_str(out, "    case $first in\n");
    for (size_t i = 0; i < command_count(); i++) {
        struct slice first = command_first_word(command_at(i));
        if (!is_first_of_group(i) || !command_group(first))
            continue;
        buf_printf(out, "    " SLICE_FMT ")\n        words='", SLICE_ARG(first));
        put_second_words(first, out);
        buf_put_str(out, "'\n");
        if (stands_alone(first))
            buf_put_str(out, "        [[ \" $words \" == *\" $second \"* ]] && command=\"$first $second\"\n");
        else
            buf_put_str(out, "        command=\"$first $second\"\n");
        buf_put_str(
            out, "        if ((place == 1)); then\n"
                 "            COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n");
        buf_put_str(out, stands_alone(first) ? "        fi ;;\n" : "            return\n        fi ;;\n");
    }
    buf_put_str(out, "    esac\n");
}

static void bash_values(const struct flag *flags, const char *command, struct buf *out)
{
    for (const struct flag *f = flags; f && f->name; f++) {
        if (f->kind == VALUE_NONE)
            continue;
        buf_printf(out, "    '%s --%s') ", command, f->name);
        if (f->kind == VALUE_CHOICE)
            buf_printf(
                out, "COMPREPLY=($(compgen -P \"$prefix\" -W '%s' -- \"$cur\")); return ;;\n", f->choices);
        else if (f->kind == VALUE_LIMIT) {
            buf_put_str(out, "compopt -o nospace 2>/dev/null; COMPREPLY=($(compgen -P \"$prefix\" -W '");
            put_limits(out);
            buf_put_str(out, "' -- \"$cur\")); return ;;\n");
        } else if (is_folder(f->kind))
            buf_put_str(out, "COMPREPLY=($(compgen -P \"$prefix\" -d -- \"$cur\")); return ;;\n");
        else if (f->kind == VALUE_PATH)
            buf_put_str(out, "COMPREPLY=($(compgen -P \"$prefix\" -f -- \"$cur\")); return ;;\n");
        else
            buf_put_str(out, "return ;;\n");
    }
}

static void bash_words(const struct command *command, struct buf *out)
{
    buf_printf(out, "    '%s') words='", command->name);
    for (const struct flag *f = command->flags; f && f->name; f++)
        buf_printf(out, "--%s ", f->name);
    for (const struct operand *o = command->operands; o && o->name; o++)
        if (o->kind == VALUE_CHOICE)
            buf_printf(out, "%s ", o->choices);
        else if (o->kind == VALUE_COMMAND)
            buf_put_str(out, "'\"$(_letterlock_commands)\"' ");
    for (const struct flag *f = common_flags; f->name; f++)
        buf_printf(out, "%s--%s", f == common_flags ? "" : " ", f->name);
    buf_put_str(out, "'");
    for (const struct operand *o = command->operands; o && o->name; o++)
        if (is_folder(o->kind) || o->kind == VALUE_PATH)
            buf_put_str(out, "; files=1");
    buf_put_str(out, " ;;\n");
}

/* What may stand behind "help": a first word, and then its second words. */
static void bash_commands(struct buf *out)
{
    buf_put_str(out, "_letterlock_commands() {\n    if ((place == 1)); then\n        echo '");
    put_first_words(out);
    buf_put_str(out, "'\n        return\n    fi\n    case $second in\n");
    for (size_t i = 0; i < command_count(); i++) {
        struct slice first = command_first_word(command_at(i));
        if (!is_first_of_group(i) || !command_group(first))
            continue;
        buf_printf(out, "    " SLICE_FMT ") echo '", SLICE_ARG(first));
        put_second_words(first, out);
        buf_put_str(out, "' ;;\n");
    }
    buf_put_str(out, "    esac\n}\n");
}

/* The words of the line in front of the cursor. Bash takes each "=" for a word of its own, so that "--door=imap" and
 * "access=read-only" have to be put together again; what stands in front of the last "=" then stays as it is. */
static const char bash_line[] =
    "_letterlock() {\n"
    "    local cur prev first second command words= files= prefix= stays i at=1 place\n"
    "    local -a line=()\n"
    "    COMPREPLY=()\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        if ((i > 1)) && [[ ${COMP_WORDS[i]} == = || ${COMP_WORDS[i-1]} == = ]]; then\n"
    "            line[${#line[@]}-1]+=${COMP_WORDS[i]}\n"
    "        else\n"
    "            line+=(\"${COMP_WORDS[i]}\")\n"
    "        fi\n"
    "    done\n"
    "    cur=${line[${#line[@]}-1]}\n"
    "    prev=${line[${#line[@]}-2]}\n"
    "    stays=$cur\n"
    "    if [[ $cur == --*=* ]]; then\n"
    "        prev=${cur%%=*}\n"
    "        prefix=$prev=\n"
    "        cur=${cur#*=}\n"
    "    fi\n"
    "    _letterlock_offer\n"
    "    if [[ ${COMP_WORDS[COMP_CWORD]} != \"$stays\" ]]; then\n"
    "        stays=${stays%\"${stays##*=}\"}\n"
    "        COMPREPLY=(\"${COMPREPLY[@]#\"$stays\"}\")\n"
    "    fi\n"
    "}\n";

/* Flags of all commands may stand in front of the command. */
static void bash_leading_flags(struct buf *out)
{
    buf_put_str(
        out, "    while ((at < ${#line[@]} - 1)) && [[ ${line[at]} == -* ]]; do\n"
             "        case ${line[at]} in\n        ");
    bool any = false;
    for (const struct flag *f = common_flags; f->name; f++) {
        if (f->kind == VALUE_NONE)
            continue;
        buf_printf(out, "%s--%s", any ? " | " : "", f->name);
        any = true;
    }
    buf_put_str(
        out, ") ((at++)) ;;\n        esac\n        ((at++))\n    done\n"
             "    place=$((${#line[@]} - 1 - at))\n"
             "    first=${line[at]-}\n    second=${line[at+1]-}\n    command=$first\n");
}

static void put_bash(struct buf *out)
{
    buf_put_str(out, "# bash completion for letterlock; made by: letterlock completion bash\n");
    bash_commands(out);
    buf_put_str(out, "_letterlock_offer() {\n");
    bash_leading_flags(out);
    buf_put_str(out, "    case \"any $prev\" in\n");
    bash_values(common_flags, "any", out);
    buf_put_str(out, "    esac\n    if ((place <= 0)); then\n        words='");
    put_first_words(out);
    buf_put_str(out, "'\n        [[ $cur == -* ]] && words='");
    for (const struct flag *f = common_flags; f->name; f++)
        buf_printf(out, "%s--%s", f == common_flags ? "" : " ", f->name);
    buf_put_str(out, "'\n        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n        return\n    fi\n");
    bash_groups(out);
    buf_put_str(out, "    case \"$command $prev\" in\n");
    for (size_t i = 0; i < command_count(); i++)
        bash_values(command_at(i)->flags, command_at(i)->name, out);
    buf_put_str(out, "    esac\n    case $command in\n");
    for (size_t i = 0; i < command_count(); i++)
        bash_words(command_at(i), out);
    buf_put_str(
        out, "    esac\n"
             "    COMPREPLY+=($(compgen -W \"$words\" -- \"$cur\"))\n"
             "    if [ -n \"$files\" ] && [ \"${cur#-}\" = \"$cur\" ]; then\n"
             "        COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
             "    fi\n"
             "}\n");
    buf_put_str(out, bash_line);
    buf_put_str(out, "complete -F _letterlock letterlock\n");
}

/* -------------------------------------------------------------------------------------------------------------- zsh */

/* Descriptions in _arguments may hold neither brackets nor colons bare. */
static void zsh_described(const char *text, struct buf *out)
{
    for (const char *p = text; *p; p++) {
        if (*p == '[' || *p == ']' || *p == ':' || *p == '\\')
            buf_put_char(out, '\\');
        if (*p == '\'')
            buf_put_str(out, "'\\''");
        else
            buf_put_char(out, *p);
    }
}

static void zsh_action(enum value_kind kind, const char *choices, struct buf *out)
{
    if (kind == VALUE_CHOICE)
        buf_printf(out, "(%s)", choices);
    else if (kind == VALUE_LIMIT) {
        buf_put_char(out, '(');
        put_limits(out);
        buf_put_char(out, ')');
    } else if (is_folder(kind))
        buf_put_str(out, "_files -/");
    else if (kind == VALUE_PATH)
        buf_put_str(out, "_files");
    else
        buf_put_char(out, ' ');
}

static void zsh_flags(const struct flag *flags, struct buf *out)
{
    for (const struct flag *f = flags; f && f->name; f++) {
        buf_printf(out, " \\\n            '%s--%s[", f->repeats ? "*" : "", f->name);
        zsh_described(f->help.in[LANG_EN], out);
        buf_put_char(out, ']');
        if (f->kind != VALUE_NONE) {
            buf_printf(out, ":%s:", f->value_name);
            zsh_action(f->kind, f->choices, out);
        }
        buf_put_char(out, '\'');
    }
}

static void zsh_command(const struct command *command, struct buf *out)
{
    buf_printf(out, "    '%s')\n        _arguments -S", command->name);
    zsh_flags(command->flags, out);
    zsh_flags(common_flags, out);
    for (const struct operand *o = command->operands; o && o->name; o++) {
        /* ":ADDRESS:" is demanded, "::DIR:" may be left out, "*:TARGET:" may be repeated */
        buf_printf(out, " \\\n            '%s%s:", o->many ? "*:" : o->optional ? "::" : ":", o->name);
        zsh_action(o->kind, o->choices, out);
        buf_put_char(out, '\'');
    }
    buf_put_str(out, " ;;\n");
}

static void zsh_list(bool second, struct slice group, struct buf *out)
{
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *command = command_at(i);
        struct slice first = command_first_word(command), name = slice_str(command->name);
        bool fits = second ? slice_eq(first, group) && name.n > first.n : is_first_of_group(i);
        if (!fits)
            continue;
        const struct lang_text *summary = second ? NULL : command_group(first);
        struct slice word = second ? slice_from(name, first.n + 1) : first;
        buf_printf(out, " '" SLICE_FMT ":", SLICE_ARG(word));
        zsh_described((summary ? summary : &command->summary)->in[LANG_EN], out);
        buf_put_char(out, '\'');
    }
}

static void put_zsh(struct buf *out)
{
    buf_put_str(
        out, "#compdef letterlock\n# zsh completion for letterlock; made by: letterlock completion zsh\n"
             "_letterlock() {\n    local -a list\n    local command=$words[2]\n"
             "    if (( CURRENT == 2 )); then\n        list=(");
    zsh_list(false, SLICE_EMPTY, out);
    buf_put_str(out, ")\n        _describe command list\n        return\n    fi\n    case $words[2] in\n");
    for (size_t i = 0; i < command_count(); i++) {
        struct slice first = command_first_word(command_at(i));
        if (!is_first_of_group(i) || !command_group(first))
            continue;
        buf_printf(
            out, "    " SLICE_FMT ")\n        if (( CURRENT == 3 )); then\n            list=(",
            SLICE_ARG(first));
        zsh_list(true, first, out);
        buf_put_str(
            out, ")\n            _describe command list\n            return\n        fi\n"
                 "        command=\"$words[2] $words[3]\"\n"
                 "        shift words\n        (( CURRENT-- )) ;;\n");
    }
    buf_put_str(out, "    esac\n    shift words\n    (( CURRENT-- ))\n    case $command in\n");
    for (size_t i = 0; i < command_count(); i++)
        zsh_command(command_at(i), out);
    buf_put_str(out, "    esac\n}\n_letterlock \"$@\"\n");
}

/* ------------------------------------------------------------------------------------------------------------- fish */

static void fish_flags(const struct flag *flags, const char *condition, struct buf *out)
{
    for (const struct flag *f = flags; f && f->name; f++) {
        buf_printf(out, "complete -c letterlock %s -l %s", condition, f->name);
        if (f->kind == VALUE_CHOICE)
            buf_printf(out, " -x -a '%s'", f->choices);
        else if (f->kind == VALUE_LIMIT) {
            buf_put_str(out, " -x -a '");
            put_limits(out);
            buf_put_char(out, '\'');
        } else if (f->kind == VALUE_PATH || is_folder(f->kind))
            buf_put_str(out, " -r -F");
        else if (f->kind != VALUE_NONE)
            buf_put_str(out, " -x");
        buf_put_str(out, " -d ");
        put_quoted(f->help.in[LANG_EN], out);
        buf_put_char(out, '\n');
    }
}

/* "client add": the first word is client, the second add. */
static void fish_condition(const struct command *command, struct buf *out)
{
    struct slice first = command_first_word(command),
                 rest = slice_from(slice_str(command->name), first.n + 1);
    buf_printf(out, "-n '__fish_seen_subcommand_from " SLICE_FMT, SLICE_ARG(first));
    if (rest.n)
        buf_printf(out, "; and __fish_seen_subcommand_from " SLICE_FMT, SLICE_ARG(rest));
    buf_put_char(out, '\'');
}

static void fish_command(size_t i, struct buf *out)
{
    const struct command *command = command_at(i);
    struct slice first = command_first_word(command), name = slice_str(command->name);
    const struct lang_text *group = command_group(first);
    struct buf condition CLEANUP_BUF = BUF_INIT(400);
    if (is_first_of_group(i)) {
        buf_printf(
            out, "complete -c letterlock -n __fish_use_subcommand -a " SLICE_FMT " -d ", SLICE_ARG(first));
        put_quoted((group ? group : &command->summary)->in[LANG_EN], out);
        buf_put_char(out, '\n');
    }
    if (group && name.n > first.n) {
        buf_printf(
            out, "complete -c letterlock -n '__fish_seen_subcommand_from " SLICE_FMT, SLICE_ARG(first));
        buf_put_str(out, "; and not __fish_seen_subcommand_from ");
        put_second_words(first, out);
        buf_printf(out, "' -a " SLICE_FMT " -d ", SLICE_ARG(slice_from(name, first.n + 1)));
        put_quoted(command->summary.in[LANG_EN], out);
        buf_put_char(out, '\n');
    }
    fish_condition(command, &condition);
    fish_flags(command->flags, buf_cstr(&condition), out);
    for (const struct operand *o = command->operands; o && o->name; o++)
        if (o->kind == VALUE_CHOICE)
            buf_printf(out, "complete -c letterlock %s -a '%s'\n", buf_cstr(&condition), o->choices);
        else if (o->kind == VALUE_COMMAND) {
            buf_printf(out, "complete -c letterlock %s -a '", buf_cstr(&condition));
            put_first_words(out);
            buf_put_str(out, "'\n");
        } else if (o->kind == VALUE_PATH || is_folder(o->kind))
            buf_printf(out, "complete -c letterlock %s -F\n", buf_cstr(&condition));
}

static void put_fish(struct buf *out)
{
    buf_put_str(
        out,
        "# fish completion for letterlock; made by: letterlock completion fish\ncomplete -c letterlock -f\n");
    fish_flags(common_flags, "", out);
    for (size_t i = 0; i < command_count(); i++)
        fish_command(i, out);
}

void complete_put(struct slice shell, struct buf *out)
{
    static const struct {
        const char *shell;
        void (*put)(struct buf *out);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (slice_eq(shell, slice_str(shells[i].shell)))
            shells[i].put(out);
}
