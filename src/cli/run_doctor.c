/* run_doctor.c - `letterlock doctor`: which of its ways is meant, and the knowledge that all of them use. */
#include "base/file.h"
#include "base/limits.h"
#include "cli/doctor.h"
#include "cli/run.h"

static int read_knowledge(struct cli *c, struct knowledge *k, struct slice path)
{
    struct buf file CLEANUP_BUF = BUF_INIT(LIMIT_EXPLAIN_FILE + 1);
    struct knowledge_trouble trouble;
    enum err e = file_read_path(arena_cstr(&c->arena, path), &file);
    if (e != OK && e != ERR_LIMIT)
        return cli_fail(
            c, e == ERR_NOT_FOUND ? CLI_NOT_FOUND : CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path,
            cli_error(c, e));
    if (e == OK)
        e = knowledge_read(k, buf_slice(&file), &trouble);
    else
        trouble = (struct knowledge_trouble){0, LANG_TEXT("the file is too large", "文件太大")};
    if (e == OK)
        return CLI_OK;
    struct slice place = arena_printf(&c->arena, SLICE_FMT ":%u", SLICE_ARG(path), trouble.line);
    return cli_fail(
        c, CLI_DATA, SAY_KNOWLEDGE_WRONG, SAY_KNOWLEDGE_WRONG_REMEDY, place,
        slice_str(trouble.says.in[c->lang]));
}

/* What is compiled in, and each --knowledge. */
static int all_knowledge(struct cli *c, struct knowledge **ret_knowledge)
{
    struct slice path;
    struct knowledge *k = knowledge_built_in();
    int code = CLI_OK;
    for (size_t i = 0; code == CLI_OK && args_next(&c->args, "knowledge", i, &path); i++)
        code = read_knowledge(c, k, path);
    if (code == CLI_OK)
        *ret_knowledge = k;
    else
        knowledge_free(&k);
    return code;
}

static const struct way {
    const char *flag; /* that asks for it; NULL: the last one, unless another is asked for */
    const char *also; /* the flags that may stand beside it, separated by blanks; NULL: any */
    int (*run)(struct cli *c, const struct knowledge *k);
} ways[] = {
    {"explain", "explain knowledge json lang dir", doctor_explain},
    {"batch", "batch tls socks5 ca dns dns-anchor patience knowledge json lang dir", doctor_batch},
    {"watch",
     "watch every ADDRESS password-file token no-password imap pop3 smtp tls user mechanism socks5 ca dns "
     "dns-anchor "
     "patience allow-clear knowledge json lang dir",
     doctor_watch},
    {NULL, NULL, doctor_check},
};

static bool has_word(const char *words, const char *word)
{
    struct slice rest = slice_str(words), one;
    while (slice_cut(&rest, ' ', &one))
        if (slice_eq(one, slice_str(word)))
            return true;
    return false;
}

/* What would silently count for nothing is a mistake of who typed it. */
static int check_company(struct cli *c, const struct way *way)
{
    if (args_has(&c->args, "every") && !args_has(&c->args, "watch"))
        return cli_fail(c, CLI_USAGE, SAY_DOCTOR_EVERY, SAY_DOCTOR_EVERY_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    for (size_t i = 0; way->also && i < c->args.count; i++) {
        const struct value *v = &c->args.values[i];
        const char *name = v->flag ? v->flag->name : v->operand->name;
        if (!has_word(way->also, name)) {
            struct slice shown = arena_printf(&c->arena, "%s%s", v->flag ? "--" : "", name);
            return cli_fail(
                c, CLI_USAGE, SAY_DOCTOR_COMPANY, SAY_DOCTOR_COMPANY_REMEDY, slice_str(way->flag), shown);
        }
    }
    return CLI_OK;
}

int run_doctor(struct cli *c)
{
    const struct way *way = ways;
    struct knowledge *k = NULL;
    while (way->flag && !args_has(&c->args, way->flag))
        way++;
    int code = check_company(c, way);
    if (code == CLI_OK)
        code = all_knowledge(c, &k);
    if (code == CLI_OK)
        code = way->run(c, k);
    knowledge_free(&k);
    return code;
}
