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
            slice_str(err_text(e)));
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

int doctor_knowledge(struct cli *c, struct knowledge **ret_knowledge)
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

int run_doctor(struct cli *c)
{
    struct knowledge *k = NULL;
    if (!args_has(&c->args, "explain"))
        return cli_fail(c, CLI_USAGE, SAY_DOCTOR_WANTED, SAY_DOCTOR_WANTED_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    int code = doctor_knowledge(c, &k);
    if (code == CLI_OK)
        code = doctor_explain(c, k);
    knowledge_free(&k);
    return code;
}
