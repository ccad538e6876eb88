/* run_doctor_check.c - one person's servers, all steps, and what came of it: for people, as JSON, as a report, as settings. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/ask.h"
#include "cli/doctor.h"
#include "cli/doctor_json.h"
#include "cli/doctor_live.h"
#include "cli/doctor_view.h"
#include "cli/files.h"
#include "cli/run.h"
#include "cli/why.h"
#include "doctor/settings.h"
#include "mail/address.h"

/* ---------------------------------------------------------------------------------------------- the examination */

/* The domain behind the last "@", in its canonical form; empty when it is none. */
struct slice doctor_domain_of(struct arena *arena, struct slice address)
{
    struct domain domain;
    struct slice wide = S("＠");
    size_t at = slice_rfind(address, '@');
    for (size_t i = 0; at == SLICE_NPOS && i + wide.n <= address.n; i++)
        if (slice_eq(slice_sub(address, i, wide.n), wide))
            at = i + wide.n - 1;
    if (at == SLICE_NPOS || domain_parse(slice_trim(slice_from(address, at + 1)), &domain) != OK)
        return SLICE_EMPTY;
    return arena_copy(arena, domain_text(&domain));
}

/* A yes of the person at the terminal, with the reason in front of them. */
static bool person_agrees(void *owner, const struct checked *server, const struct diagnosis *about)
{
    struct doctor_live *live = owner;
    struct cli *c = live->c;
    doctor_live_clear(live);
    struct slice place = endpoint_label(&c->arena, &server->endpoint);
    cli_note(c, SAY_DOCTOR_AGREE_WHY, place, about->says[c->lang], SLICE_EMPTY);
    return ask_yes(c, SAY_DOCTOR_AGREE, place);
}

static int examine_trouble(struct cli *c, enum err e)
{
    if (e == ERR_SYNTAX)
        return cli_fail(c, CLI_USAGE, SAY_DOCTOR_DNS, SAY_DOCTOR_DNS_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (e == ERR_NOT_FOUND)
        return cli_fail(
            c, CLI_NOT_FOUND, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, args_text(&c->args, "dns-anchor"),
            slice_str(err_text(e)));
    return cli_fail(c, CLI_FAILED, SAY_DOCTOR_FAILED, SAY_SERVER_REMEDY, slice_str(err_text(e)), SLICE_EMPTY);
}

int doctor_examine(
    struct cli *c, const struct knowledge *k, struct doctor_asked *a, struct examination **ret_examination)
{
    struct doctor_live live;
    struct examination *x = NEW(struct examination);
    examination_init(x, k);
    x->address = a->wishes.address;
    x->domain = doctor_domain_of(&c->arena, x->address);
    for (size_t i = 0; i < a->given_count; i++)
        examination_add(x, &a->given[i]);
    doctor_live_start(&live, c);
    a->wishes.owner = &live;
    a->wishes.agrees = ask_is_possible() ? person_agrees : NULL;
    a->way.told = doctor_live_told;
    a->way.owner = &live;
    enum err e = examine(&a->wishes, &a->way, x);
    doctor_live_clear(&live);
    if (e != OK) {
        doctor_examination_free(&x);
        return examine_trouble(c, e);
    }
    *ret_examination = x;
    return CLI_OK;
}

void doctor_examination_free(struct examination **x)
{
    if (!*x)
        return;
    examination_done(*x);
    mem_free(x);
}

/* ------------------------------------------------------------------------------------------------ what comes of it */

/* The answer "no", in the form that all commands have. */
static void put_error(struct cli *c, const struct verdict *v)
{
    json_key(&c->j, "ok");
    json_bool(&c->j, false);
    json_key(&c->j, "error");
    json_open(&c->j, '{');
    json_key(&c->j, "code");
    json_text(&c->j, slice_str(cli_exit_name(CLI_NO)));
    json_key(&c->j, "text");
    json_text(&c->j, v->says[c->lang]);
    json_key(&c->j, "remedy");
    json_text(&c->j, v->remedy[c->lang]);
    json_close(&c->j, '}');
}

static int put_settings(struct cli *c, const struct examination *x, const struct verdict *v)
{
    struct buf text CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
    struct slice name = args_text(&c->args, "settings");
    enum program program;
    if (program_parse(name, &program) != OK)
        return CLI_USAGE; /* the table lets none through */
    enum err e = program_settings_put(program, x, c->lang, &text);
    if (e != OK)
        return cli_fail(c, CLI_NO, SAY_DOCTOR_NO_SETTINGS, SAY_DOCTOR_NO_SETTINGS_REMEDY, name, SLICE_EMPTY);
    if (c->json) {
        json_key(&c->j, "settings");
        json_open(&c->j, '{');
        json_key(&c->j, "program");
        json_text(&c->j, name);
        json_key(&c->j, "text");
        json_text(&c->j, buf_slice(&text));
        json_close(&c->j, '}');
        return CLI_OK;
    }
    if (verdict_exit_code(v) != CLI_OK)
        cli_note(c, SAY_DOCTOR_SETTINGS_BUT, v->says[c->lang], SLICE_EMPTY, SLICE_EMPTY);
    buf_put(&c->out, buf_slice(&text));
    return CLI_OK;
}

/* What the server on this machine knows: when it was asked for, or when the person says yes. */
static int put_why(struct cli *c, const struct examination *x)
{
    bool ours = false;
    for (size_t i = 0; i < x->server_count; i++)
        ours |= x->servers[i].standing.letterlock;
    bool wanted = args_has(&c->args, "why");
    if (!x->address.n || (!wanted && !(ours && ask_is_possible() && why_is_near(c))))
        return CLI_OK;
    if (!wanted) {
        if (!cli_flush(c) || !ask_yes(c, SAY_DOCTOR_ASK_WHY, x->address))
            return CLI_OK;
    }
    int code = cli_config(c);
    if (code != CLI_OK)
        return code;
    if (!c->json)
        cli_say(c, SAY_DOCTOR_WHY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    return why_show(c, x->address, "why");
}

static int tell(struct cli *c, const struct examination *x)
{
    struct verdict v;
    struct grading g;
    int code = CLI_OK;
    verdict_init(&v, x);
    grading_init(&g, x);
    if (c->json)
        doctor_json_put(&c->j, x, &v, &g);
    else if (!args_has(&c->args, "settings"))
        doctor_put_all(c, x, &v, &g);
    if (args_has(&c->args, "settings"))
        code = put_settings(c, x, &v);
    if (code == CLI_OK)
        code = put_why(c, x);
    if (code == CLI_OK && verdict_exit_code(&v) != 0) {
        code = CLI_NO;
        if (c->json)
            put_error(c, &v);
    }
    grading_done(&g);
    verdict_done(&v);
    return code;
}

int doctor_check(struct cli *c, const struct knowledge *k)
{
    struct doctor_asked a = {.slab = NULL};
    struct examination *x = NULL;
    int code = doctor_asked_read(c, &a);
    if (code == CLI_OK)
        code = doctor_ask_secret(c, &a);
    if (code == CLI_OK)
        code = doctor_examine(c, k, &a, &x);
    doctor_asked_done(&a); /* the secret is of no use any more */
    if (code == CLI_OK)
        code = tell(c, x);
    doctor_examination_free(&x);
    return code;
}
