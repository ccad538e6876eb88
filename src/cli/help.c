#include "cli/help.h"

#include "base/utf8.h"
#include "scope/scope.h"

enum { WIDTH = 80, NAME_COLUMN = 26 };

static void put_blanks(struct buf *out, size_t n)
{
    while (n--)
        buf_put_char(out, ' ');
}

static void put_bold(struct buf *out, bool colour, const char *text)
{
    buf_printf(out, "%s%s%s", colour ? "\033[1m" : "", text, colour ? "\033[0m" : "");
}

/* A word with the blank behind it, or one wide sign with closing punctuation; a longer one than `most` columns is cut. */
static struct slice piece_next(struct slice text, size_t most, size_t *ret_columns)
{
    static const char closing[] = "，。、；：！？）”》", opening[] = "（“《";
    size_t columns = 0, used = 0, n = 0;
    bool opened = false; /* what comes next stays with the bracket */
    for (; n < text.n; n += used) {
        uint32_t c = 0;
        used = utf8_decode(slice_from(text, n), &c);
        used = used ? used : 1;
        bool wide = lang_columns_of(c) == 2;
        bool closes = wide && slice_search(slice_str(closing), slice_sub(text, n, used)) != SLICE_NPOS;
        if (n && ((wide && !closes && !opened) || (c != ' ' && columns + lang_columns_of(c) > most)))
            break;
        opened = wide && slice_search(slice_str(opening), slice_sub(text, n, used)) != SLICE_NPOS;
        columns += lang_columns_of(c);
        if (c == ' ') {
            n += used;
            break;
        }
        uint32_t after = 0;
        if (wide && !opened &&
            (utf8_decode(slice_from(text, n + used), &after) == 0 || lang_columns_of(after) == 1)) {
            n += used;
            break;
        }
    }
    *ret_columns = columns;
    return slice_sub(text, 0, n);
}

void help_put_wrapped(struct slice text, size_t indent, size_t width, struct buf *out)
{
    size_t column = indent;
    while (text.n) {
        size_t columns;
        struct slice piece = piece_next(text, width - indent, &columns);
        bool blank = piece.n && piece.p[piece.n - 1] == ' ';
        if (column + columns - blank > width && column > indent) {
            while (out->n && out->p[out->n - 1] == ' ')
                out->n--;
            buf_put_char(out, '\n');
            put_blanks(out, indent);
            column = indent;
        }
        buf_put(out, piece);
        column += columns;
        text = slice_from(text, piece.n);
    }
}

/* A name, then its text in a column of its own. */
static void put_row(struct slice name, struct slice text, struct buf *out)
{
    buf_put_str(out, "  ");
    buf_put(out, name);
    size_t columns = 2 + lang_columns(name);
    if (columns + 2 > NAME_COLUMN) {
        buf_put_char(out, '\n');
        columns = 0;
    }
    put_blanks(out, NAME_COLUMN - columns);
    help_put_wrapped(text, NAME_COLUMN, WIDTH, out);
    buf_put_char(out, '\n');
}

static void put_title(const char *title, bool colour, struct buf *out)
{
    buf_put_char(out, '\n');
    put_bold(out, colour, title);
    buf_put_char(out, '\n');
}

/* "letterlock client add ADDRESS LABEL [--receive] ..." */
static void help_put_usage(const struct command *command, struct buf *out)
{
    buf_printf(out, "letterlock %s", command->name);
    for (const struct operand *o = command->operands; o && o->name; o++)
        buf_printf(out, o->optional ? " [%s%s]" : " %s%s", o->name, o->many ? "..." : "");
    for (const struct flag *f = command->flags; f && f->name; f++)
        buf_printf(
            out, " [--%s%s%s]%s", f->name, f->kind == VALUE_NONE ? "" : " ",
            f->kind == VALUE_NONE ? "" : f->value_name, f->repeats ? "..." : "");
}

void help_put_overview(struct slice group, enum lang lang, bool colour, struct buf *out)
{
    bool zh = lang == LANG_ZH;
    if (!group.n) {
        buf_put_str(
            out, zh ? "letterlock - 可以放心交付密码的邮件服务器\n"
                    : "letterlock - a mail server that can be trusted with a password\n");
        put_title(zh ? "用法" : "Usage", colour, out);
        buf_put_str(
            out, zh ? "  letterlock 命令 ... [--dir DIR] [--json] [--lang en|zh]\n"
                    : "  letterlock COMMAND ... [--dir DIR] [--json] [--lang en|zh]\n");
    }
    put_title(zh ? "命令" : "Commands", colour, out);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *command = command_at(i);
        if (!group.n || slice_eq(command_first_word(command), group))
            put_row(slice_str(command->name), slice_str(command->summary.in[lang]), out);
    }
    buf_put_str(
        out, zh ? "\n各命令的用法和例子：letterlock help 命令\n"
                : "\nHow each is used, with examples: letterlock help COMMAND\n");
}

static void put_flags(const struct flag *flags, enum lang lang, struct buf *out)
{
    for (const struct flag *f = flags; f && f->name; f++) {
        struct buf name CLEANUP_BUF = BUF_INIT(200), text CLEANUP_BUF = BUF_INIT(2000);
        buf_printf(&name, "--%s%s%s", f->name, f->value_name ? " " : "", f->value_name ? f->value_name : "");
        buf_put_str(&text, f->help.in[lang]);
        if (f->kind == VALUE_CHOICE)
            buf_printf(&text, lang == LANG_ZH ? "（%s）" : " (%s)", f->choices);
        put_row(buf_slice(&name), buf_slice(&text), out);
    }
}

static void put_operands(const struct command *command, enum lang lang, struct buf *out)
{
    for (const struct operand *o = command->operands; o && o->name; o++) {
        struct buf text CLEANUP_BUF = BUF_INIT(2000);
        buf_put_str(&text, o->help.in[lang]);
        if (o->kind == VALUE_CHOICE)
            buf_printf(&text, lang == LANG_ZH ? "（%s）" : " (%s)", o->choices);
        put_row(slice_str(o->name), buf_slice(&text), out);
    }
}

/* What --limit takes, from the table of limits. */
static void put_limits(const struct command *command, enum lang lang, bool colour, struct buf *out)
{
    bool takes = false;
    size_t count;
    const struct scope_kind_row *kinds = scope_kinds(&count);
    for (const struct flag *f = command->flags; f && f->name; f++)
        takes |= f->kind == VALUE_LIMIT;
    if (!takes)
        return;
    put_title(lang == LANG_ZH ? "限制" : "Limits", colour, out);
    for (size_t i = 0; i < count; i++) {
        struct buf text CLEANUP_BUF = BUF_INIT(2000);
        struct buf name CLEANUP_BUF = BUF_INIT(200);
        buf_printf(&name, "%s=%s", kinds[i].name, kinds[i].value);
        buf_put_str(&text, kinds[i].help[lang]);
        if (kinds[i].repeats)
            buf_put_str(&text, lang == LANG_ZH ? "（可重复）" : " (may be repeated)");
        put_row(buf_slice(&name), buf_slice(&text), out);
    }
}

static void put_examples(const struct command *command, enum lang lang, struct buf *out)
{
    for (const struct example *e = command->examples; e && e->line; e++) {
        buf_printf(out, "  %s\n", e->line);
        if (e->says.in[lang][0]) {
            put_blanks(out, 6);
            help_put_wrapped(slice_str(e->says.in[lang]), 6, WIDTH, out);
            buf_put_char(out, '\n');
        }
    }
}

void help_put_command(const struct command *command, enum lang lang, bool colour, struct buf *out)
{
    bool zh = lang == LANG_ZH;
    struct buf usage CLEANUP_BUF = BUF_INIT(4000);
    buf_printf(out, "letterlock %s - %s\n", command->name, command->summary.in[lang]);
    put_title(zh ? "用法" : "Usage", colour, out);
    help_put_usage(command, &usage);
    put_blanks(out, 2);
    help_put_wrapped(buf_slice(&usage), 6, WIDTH, out);
    buf_put_char(out, '\n');
    if (command->about.in[lang][0]) {
        buf_put_char(out, '\n');
        help_put_wrapped(slice_str(command->about.in[lang]), 0, WIDTH, out);
        buf_put_char(out, '\n');
    }
    put_title(zh ? "参数" : "Arguments", colour, out);
    put_operands(command, lang, out);
    put_flags(command->flags, lang, out);
    put_flags(common_flags, lang, out);
    put_limits(command, lang, colour, out);
    put_title(zh ? "例子" : "Examples", colour, out);
    put_examples(command, lang, out);
}
