#include "cli/man.h"

#include "base/utf8.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/version.h"
#include "config/config.h"
#include "scope/scope.h"

/* --------------------------------------------------------------------------------------------------------- troff */

/* May a line end behind the octet at i? Chinese has no blanks to break at: it may be broken behind any of its signs, but not in
 * front of closing punctuation or behind an opening bracket. troff does not know that by itself. */
static bool may_break(struct slice s, size_t i)
{
    static const char closing[] = "，。、；：！？）”》", opening[] = "（“《";
    size_t from = i;
    uint32_t c = 0, next = 0;
    while (from > 0 && ((unsigned char)s.p[from] & 0xc0) == 0x80)
        from--;
    size_t used = utf8_decode(slice_from(s, from), &c), after = utf8_decode(slice_from(s, i + 1), &next);
    if (from + used != i + 1 || lang_columns_of(c) < 2 || after == 0 || next == '\n')
        return false;
    return slice_search(slice_str(opening), slice_sub(s, from, used)) == SLICE_NPOS &&
           (lang_columns_of(next) < 2 ||
            slice_search(slice_str(closing), slice_sub(s, i + 1, after)) == SLICE_NPOS);
}

/* Text that troff takes as it is: no requests at the start of a line, hyphens that can be copied. */
static void put_text(struct slice s, struct buf *out)
{
    bool start = out->n == 0 || out->p[out->n - 1] == '\n';
    for (size_t i = 0; i < s.n; i++) {
        if (start && (s.p[i] == '.' || s.p[i] == '\''))
            buf_put_str(out, "\\&");
        start = s.p[i] == '\n';
        if (s.p[i] == '\\')
            buf_put_str(out, "\\e");
        else if (s.p[i] == '-')
            buf_put_str(out, "\\-");
        else if (s.p[i] == '\'')
            buf_put_str(out, "\\(aq");
        else if (s.p[i] == '`')
            buf_put_str(out, "\\(ga");
        else if (s.p[i] == '~')
            buf_put_str(out, "\\(ti");
        else if (s.p[i] == '^')
            buf_put_str(out, "\\(ha");
        else
            buf_put_char(out, s.p[i]);
        if (may_break(s, i))
            buf_put_str(out, "\\:");
    }
}

static void put_cstr(const char *text, struct buf *out)
{
    put_text(slice_str(text), out);
}

/* A sentence on a line of its own. */
static void put_line(const char *text, struct buf *out)
{
    if (!text[0])
        return;
    put_cstr(text, out);
    buf_put_char(out, '\n');
}

static void put_section(const struct lang_text *title, enum lang lang, struct buf *out)
{
    buf_printf(out, ".SH %s\n", title->in[lang]);
}

/* A term in bold (and what follows it), its text below. */
static void put_term(const char *bold, const char *rest, struct buf *out)
{
    buf_put_str(out, ".TP\n\\fB");
    put_cstr(bold, out);
    buf_put_str(out, "\\fR");
    if (rest && rest[0]) {
        buf_put_str(out, " \\fI");
        put_cstr(rest, out);
        buf_put_str(out, "\\fR");
    }
    buf_put_char(out, '\n');
}

static const struct lang_text name_title = {{"NAME", "名称"}}, synopsis_title = {{"SYNOPSIS", "概要"}},
                              description_title = {{"DESCRIPTION", "描述"}},
                              options_title = {{"OPTIONS", "选项"}}, examples_title = {{"EXAMPLES", "示例"}},
                              exit_title = {{"EXIT STATUS", "退出状态"}},
                              environment_title = {{"ENVIRONMENT", "环境变量"}},
                              files_title = {{"FILES", "文件"}}, commands_title = {{"COMMANDS", "命令"}},
                              see_title = {{"SEE ALSO", "另见"}}, keys_title = {{"KEYS", "键"}};

static void put_head(struct slice page, int section, const char *says, enum lang lang, struct buf *out)
{
    buf_put_str(out, ".TH \"");
    for (size_t i = 0; i < page.n; i++)
        buf_put_char(out, ascii_upper(page.p[i]));
    buf_printf(out, "\" %d \"\" \"Letterlock %s\" \"Letterlock\"\n", section, CLI_VERSION);
    if (lang == LANG_ZH)
        buf_put_str(out, ".ad l\n"); /* few blanks to widen */
    put_section(&name_title, lang, out);
    put_text(page, out);
    buf_put_str(out, " \\- ");
    put_line(says, out);
}

/* ------------------------------------------------------------------------------------------------------- commands */

static void put_usage(const struct command *command, struct buf *out)
{
    buf_printf(out, ".B letterlock %s\n", command->name);
    for (const struct operand *o = command->operands; o && o->name; o++)
        buf_printf(out, o->optional ? "[\\fI%s\\fR%s]\n" : "\\fI%s\\fR%s\n", o->name, o->many ? "..." : "");
    for (const struct flag *f = command->flags; f && f->name; f++) {
        buf_put_str(out, "[\\fB\\-\\-");
        put_cstr(f->name, out);
        buf_put_str(out, "\\fR");
        if (f->value_name)
            buf_printf(out, " \\fI%s\\fR", f->value_name);
        buf_put_str(out, f->repeats ? "]...\n" : "]\n");
    }
}

static void put_flags(const struct flag *flags, enum lang lang, struct buf *out)
{
    for (const struct flag *f = flags; f && f->name; f++) {
        char name[64] = "--";
        struct buf text CLEANUP_BUF = BUF_INIT(4000);
        strncat(name, f->name, sizeof name - 3);
        put_term(name, f->value_name, out);
        buf_put_str(&text, f->help.in[lang]);
        if (f->kind != VALUE_NONE && f->kind != VALUE_PATH && f->kind != VALUE_FOLDER &&
            f->kind != VALUE_TEXT && f->kind != VALUE_PASTE && f->kind != VALUE_LIMIT) {
            buf_put_str(&text, lang == LANG_ZH ? "：" : ": ");
            args_put_wanted(f->kind, f->choices, lang, &text);
        }
        put_line(buf_cstr(&text), out);
    }
}

/* What --limit takes. */
static void put_limits(const struct command *command, enum lang lang, struct buf *out)
{
    size_t count;
    const struct scope_kind_row *kinds = scope_kinds(&count);
    for (const struct flag *f = command->flags; f && f->name; f++)
        for (size_t i = 0; f->kind == VALUE_LIMIT && i < count; i++) {
            struct buf text CLEANUP_BUF = BUF_INIT(2000), name CLEANUP_BUF = BUF_INIT(200);
            buf_printf(&name, "--%s %s=%s", f->name, kinds[i].name, kinds[i].value);
            buf_put_str(&text, kinds[i].help[lang]);
            if (kinds[i].repeats)
                buf_put_str(&text, lang == LANG_ZH ? "（可重复）" : " (may be repeated)");
            put_term(buf_cstr(&name), NULL, out);
            put_line(buf_cstr(&text), out);
        }
}

static void put_operands(const struct command *command, enum lang lang, struct buf *out)
{
    for (const struct operand *o = command->operands; o && o->name; o++) {
        put_term(o->name, NULL, out);
        put_line(o->help.in[lang], out);
    }
}

static void put_examples(const struct command *command, enum lang lang, struct buf *out)
{
    for (const struct example *e = command->examples; e && e->line; e++) {
        buf_put_str(out, ".TP\n\\fB");
        put_cstr(e->line, out);
        buf_put_str(out, "\\fR\n");
        put_line(e->says.in[lang], out);
    }
}

static void put_command(const struct command *command, bool alone, enum lang lang, struct buf *out)
{
    if (!alone) {
        buf_put_str(out, ".SS letterlock ");
        put_cstr(command->name, out);
        buf_put_char(out, '\n');
    }
    put_usage(command, out);
    buf_put_str(out, ".PP\n");
    put_line(command->summary.in[lang], out);
    if (command->about.in[lang][0]) {
        buf_put_str(out, ".PP\n");
        put_line(command->about.in[lang], out);
    }
    put_operands(command, lang, out);
    put_flags(command->flags, lang, out);
    put_limits(command, lang, out);
}

static void put_exit_codes(enum lang lang, struct buf *out)
{
    size_t count;
    const struct exit_row *rows = exit_table(&count);
    put_section(&exit_title, lang, out);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, ".TP\n.B %d\n", rows[i].code);
        put_line(rows[i].means.in[lang], out);
    }
}

static void put_see_also(enum lang lang, struct buf *out)
{
    put_section(&see_title, lang, out);
    buf_put_str(out, ".BR letterlock (1),\n.BR letterlock.conf (5)\n");
}

static const struct command *command_first_of(struct slice word)
{
    for (size_t i = 0; i < command_count(); i++)
        if (slice_eq(command_first_word(command_at(i)), word))
            return command_at(i);
    return NULL;
}

/* All commands with this first word. */
static void put_command_page(struct slice page, struct slice word, enum lang lang, struct buf *out)
{
    const struct lang_text *group = command_group(word);
    const struct command *first = command_first_of(word);
    put_head(page, 1, (group ? group : &first->summary)->in[lang], lang, out);
    if (!group)
        put_section(&synopsis_title, lang, out);
    else
        put_section(&commands_title, lang, out);
    for (size_t i = 0; i < command_count(); i++)
        if (slice_eq(command_first_word(command_at(i)), word))
            put_command(command_at(i), !group, lang, out);
    put_section(&options_title, lang, out);
    put_flags(common_flags, lang, out);
    put_section(&examples_title, lang, out);
    for (size_t i = 0; i < command_count(); i++)
        if (slice_eq(command_first_word(command_at(i)), word))
            put_examples(command_at(i), lang, out);
    put_exit_codes(lang, out);
    put_see_also(lang, out);
}

static const struct lang_text about_all = {
    {"Letterlock receives, keeps and sends the mail of one organisation. People have a mailbox password of "
     "their own; mail "
     "programs get client passwords, each of which can be limited and revoked alone. Commands that change "
     "something reach "
     "a running server through its control socket; without a server they start the vault alone.",
     "Letterlock "
     "为一个组织接收、保管和发送邮件。每个人有自己的邮箱密码；邮件程序使用客户端密码，每一个都可以单独限制和"
     "吊销。"
     "管理命令通过控制套接字联系运行中的服务器；没有服务器时则单独启动保险库。"}};
static const struct {
    const char *name;
    struct lang_text says;
} environment[] =
    {
        {"LETTERLOCK_DIR",
         {{"the server's folder, when --dir is not given", "服务器目录（未用 --dir 指明时）"}}},
        {"LC_ALL, LC_MESSAGES, LANG", {{"decide the language of the command's texts", "决定命令所用的语言"}}},
        {"NO_COLOR", {{"when set, no colours are used", "设置后不使用颜色"}}},
},
  files[] = {
      {"/var/lib/letterlock", {{"the server's folder, when neither is given", "两者都未给出时的服务器目录"}}},
      {"DIR/letterlock.conf", {{"the configuration: letterlock.conf(5)", "配置文件：letterlock.conf(5)"}}},
      {"DIR/control", {{"the control socket of a running server", "运行中服务器的控制套接字"}}},
      {"DIR/vault, DIR/accounts, DIR/spool, DIR/audit",
       {{"what the server keeps; never copy these while it runs: letterlock-backup(1)",
         "服务器保管的数据；运行时切勿直接复制：letterlock-backup(1)"}}},
      {"DIR/tls",
       {{"the certificate, and the private authority that letterlock init made",
         "证书，以及 letterlock init 生成的私有 CA"}}},
};

static void put_main_page(struct slice page, enum lang lang, struct buf *out)
{
    put_head(
        page, 1,
        lang == LANG_ZH ? "可以放心交付密码的邮件服务器"
                        : "a mail server that can be trusted with a password",
        lang, out);
    put_section(&synopsis_title, lang, out);
    buf_put_str(
        out, ".B letterlock\n\\fICOMMAND\\fR ... [\\fB\\-\\-dir\\fR \\fIDIR\\fR] [\\fB\\-\\-json\\fR]\n");
    put_section(&description_title, lang, out);
    put_line(about_all.in[lang], out);
    put_section(&commands_title, lang, out);
    for (size_t i = 0; i < command_count(); i++) {
        put_term(command_at(i)->name, NULL, out);
        put_line(command_at(i)->summary.in[lang], out);
    }
    put_section(&options_title, lang, out);
    put_flags(common_flags, lang, out);
    put_exit_codes(lang, out);
    put_section(&environment_title, lang, out);
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++) {
        put_term(environment[i].name, NULL, out);
        put_line(environment[i].says.in[lang], out);
    }
    put_section(&files_title, lang, out);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        put_term(files[i].name, NULL, out);
        put_line(files[i].says.in[lang], out);
    }
    put_see_also(lang, out);
}

/* ----------------------------------------------------------------------------------------------- letterlock.conf(5) */

static const struct lang_text about_conf = {
    {"The file is read line by line. A line is key = value, or a comment that begins with #. Words with "
     "blanks in them stand "
     "in quotation marks; inside, \\\" and \\\\ stand for themselves. Nothing is included or expanded. A key "
     "stands once, "
     "unless it says that it may repeat; 0 or nothing never means \"no limit\". Anything wrong refuses the "
     "file whole: "
     "\"letterlock check\" tells each error with its line and its remedy, and a running server that is sent "
     "SIGHUP keeps "
     "what it had.",
     "文件逐行读取。每行写作 键 = 值，或以 # 开头的注释。含空格的词写在引号中，其中的引号和反斜线写作 \\\" "
     "和 \\\\。"
     "不引用其他文件，不做任何展开。除注明可重复者外，每个键只写一次；0 "
     "或空值从不表示“不限”。任何错误都会使整个文件被拒绝："
     "“letterlock check”逐一指出错误所在的行和解决办法；运行中的服务器收到 SIGHUP "
     "后若发现错误，则保持原有配置。"}};

static void put_key(enum config_key key, enum lang lang, struct buf *out)
{
    static const struct lang_text effects[] = {
        [CONFIG_LIVE] = {{"A change takes effect after a reload.", "修改后重新加载即生效。"}},
        [CONFIG_NEW_SESSIONS] =
            {{"A change takes effect for new sessions after a reload.", "修改后重新加载，对新会话生效。"}},
        [CONFIG_RESTART] = {{"A change takes effect after a restart.", "修改后重启才生效。"}}};
    const struct config_row *row = config_row(key);
    struct buf text CLEANUP_BUF = BUF_INIT(8000);
    bool zh = lang == LANG_ZH;
    put_term(row->name, row->repeats ? (zh ? "（可重复）" : "(may repeat)") : NULL, out);
    buf_printf(&text, "%s\n%s", row->help.in[lang], zh ? "取值：" : "Value: ");
    config_wanted_put(key, lang, &text);
    if (row->preset)
        buf_printf(&text, zh ? "；默认 %s" : "; default: %s", row->preset);
    else
        buf_put_str(&text, zh ? "；必须填写" : "; must be given");
    buf_printf(&text, zh ? "。\n%s" : ".\n%s", effects[row->effect].in[lang]);
    put_line(buf_cstr(&text), out);
}

static void put_conf_page(struct slice page, enum lang lang, struct buf *out)
{
    put_head(
        page, 5, lang == LANG_ZH ? "Letterlock 的配置文件" : "the configuration of Letterlock", lang, out);
    put_section(&description_title, lang, out);
    put_line(about_conf.in[lang], out);
    put_section(&keys_title, lang, out);
    for (int i = 0; i < CONFIG_KEYS; i++)
        put_key((enum config_key)i, lang, out);
    put_section(&examples_title, lang, out);
    buf_put_str(
        out, ".nf\nhostname = mail.example.org\nlisten = smtp *:25\nlisten = submissions *:465\nlisten = "
             "imaps *:993\n"
             "certificate = tls/server.pem tls/server.key\nmessage_size = 100 MiB\n.fi\n");
    put_section(&see_title, lang, out);
    buf_put_str(out, ".BR letterlock (1)\n");
}

/* ----------------------------------------------------------------------------------------------------------- pages */

fallible man_put(struct slice page, enum lang lang, struct buf *out)
{
    if (slice_eq(page, S("letterlock"))) {
        put_main_page(page, lang, out);
        return OK;
    }
    if (slice_eq(page, S("letterlock.conf"))) {
        put_conf_page(page, lang, out);
        return OK;
    }
    if (!slice_starts(page, S("letterlock-")))
        return ERR_NOT_FOUND;
    struct slice word = slice_from(page, 11);
    for (size_t i = 0; i < command_count(); i++)
        if (slice_eq(command_first_word(command_at(i)), word)) {
            put_command_page(page, word, lang, out);
            return OK;
        }
    return ERR_NOT_FOUND;
}

void man_put_list(struct buf *out)
{
    buf_put_str(out, "letterlock.1\nletterlock.conf.5\n");
    for (size_t i = 0; i < command_count(); i++) {
        struct slice word = command_first_word(command_at(i));
        if (i == 0 || !slice_eq(word, command_first_word(command_at(i - 1))))
            buf_printf(out, "letterlock-" SLICE_FMT ".1\n", SLICE_ARG(word));
    }
}
