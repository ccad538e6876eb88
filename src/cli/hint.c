#include "cli/hint.h"

#include <string.h>

#include "cli/command.h"

static bool has_dir_operand(const struct command *command)
{
    for (const struct operand *o = command->operands; o && o->name; o++)
        if (strcmp(o->name, "DIR") == 0)
            return true;
    return false;
}

/* Of a line that names a command: does that command look into the server's folder, and is not told already? */
static bool needs_folder(struct slice line)
{
    struct slice rest = slice_from(line, strlen("  letterlock ")), first, second;
    if (!slice_cut(&rest, ' ', &first))
        return false;
    struct slice two = slice_cut(&rest, ' ', &second) ? slice_of(first.p, first.n + 1 + second.n) : first;
    const struct command *command = command_find(two);
    if (!command)
        command = command_find(first);
    return command && command->need != NEED_NOTHING && !has_dir_operand(command);
}

/* The folder as this command was told it: empty when it was not. */
static struct slice dir_told(struct cli *c)
{
    const struct command *command = c->args.command;
    struct slice dir = command && has_dir_operand(command) ? args_text(&c->args, "DIR") : SLICE_EMPTY;
    return dir.n ? dir : args_text(&c->args, "dir");
}

/* For a shell: in quotes where it has to be. */
static void put_word(struct slice word, struct buf *out)
{
    bool plain = true;
    for (size_t i = 0; i < word.n; i++) {
        unsigned char o = (unsigned char)word.p[i];
        plain &= (o >= 'a' && o <= 'z') || (o >= 'A' && o <= 'Z') || (o >= '0' && o <= '9') ||
                 strchr("/._-+@,", o) != NULL;
    }
    if (plain) {
        buf_put(out, word);
        return;
    }
    buf_put_char(out, '\'');
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] == '\'')
            buf_put_str(out, "'\\''");
        else
            buf_put_char(out, word.p[i]);
    buf_put_char(out, '\'');
}

void hint_put(struct cli *c, struct slice text, struct buf *out)
{
    struct slice dir = dir_told(c), line;
    bool first = true;
    while (text.n && slice_cut(&text, '\n', &line)) {
        buf_put_str(out, first ? "" : "\n");
        buf_put(out, line);
        first = false;
        if (!dir.n || !slice_starts(line, S("  letterlock ")) || !needs_folder(line))
            continue;
        buf_put_str(out, " --dir ");
        put_word(dir, out);
    }
}
