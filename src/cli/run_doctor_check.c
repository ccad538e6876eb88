/* run_doctor_check.c - one person's servers, all steps, and what came of it: for people, as JSON, as a report, as settings. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/ask.h"
#include "cli/doctor.h"
#include "cli/doctor_json.h"
#include "cli/doctor_live.h"
#include "cli/doctor_view.h"
#include "cli/why.h"
#include "doctor/settings_given.h"

/* ---------------------------------------------------------------------------------------------- the examination */

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

int doctor_trouble(struct cli *c, enum err e)
{
    if (e == ERR_SYNTAX)
        return cli_fail(c, CLI_USAGE, SAY_DOCTOR_DNS, SAY_DOCTOR_DNS_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (e == ERR_NOT_FOUND)
        return cli_fail(
            c, CLI_NOT_FOUND, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, args_text(&c->args, "dns-anchor"),
            cli_error(c, e));
    return cli_fail(c, CLI_FAILED, SAY_DOCTOR_FAILED, SAY_DOCTOR_FAILED_REMEDY, cli_error(c, e), SLICE_EMPTY);
}

/* -------------------------------------------------------------------------------------------------------- the stop */

enum { EXIT_BY_SIGNAL = 128 }; /* as shells have it */

int doctor_stop_start(struct cli *c, struct doctor_asked *a)
{
    enum err e = stop_start(&c->stop);
    a->wishes.stop = c->stop;
    return e == OK ? CLI_OK : doctor_trouble(c, e);
}

int doctor_stop_end(struct cli *c, struct doctor_asked *a)
{
    int number = stop_signal(c->stop);
    a->wishes.stop = NULL;
    stop_end(&c->stop);
    return number;
}

int doctor_stopped(struct cli *c, int number)
{
    return cli_fail_text(
        c, EXIT_BY_SIGNAL + number, "stopped", slice_str(say_text(c->lang, SAY_DOCTOR_STOPPED)),
        slice_str(say_text(c->lang, SAY_DOCTOR_STOPPED_REMEDY)));
}

/* A server as the mail program has it, with what the field looks like. */
static void add_given(struct examination *x, const struct endpoint *e, struct slice typed)
{
    struct checked *server = examination_add(x, e);
    if (server)
        settings_typed_look(typed, server);
}

int doctor_examine(
    struct cli *c, const struct knowledge *k, struct doctor_asked *a, struct examination **ret_examination)
{
    struct doctor_live live;
    struct examination *x = NEW(struct examination);
    examination_init(x, k);
    x->general.mask = a->mask;
    mask_allow(a->mask, a->wishes.address);
    x->address = a->wishes.address;
    x->domain = a->domain;
    for (size_t i = 0; i < a->given_count; i++)
        add_given(x, &a->given[i], a->given_text[a->given[i].service]);
    doctor_live_start(&live, c);
    a->wishes.owner = &live;
    a->wishes.agrees = ask_is_possible() ? person_agrees : NULL;
    a->way.told = doctor_live_told;
    a->way.owner = &live;
    enum err e = examine(&a->wishes, &a->way, x);
    doctor_live_clear(&live);
    if (e != OK) {
        doctor_examination_free(&x);
        return doctor_trouble(c, e);
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

static int tell(struct cli *c, const struct doctor_asked *a, const struct examination *x)
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
        code = doctor_put_settings(c, a, x, &v);
    if (code == CLI_OK)
        code = doctor_report_write(c, x, &v, &g);
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

/* What was seen before a signal came: no report, no settings, and nothing of the server's own story. */
static int tell_stopped(struct cli *c, const struct examination *x, int number)
{
    struct verdict v;
    struct grading g;
    verdict_init(&v, x);
    grading_init(&g, x);
    cli_say(c, SAY_DOCTOR_STOPPED_SO_FAR, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    if (c->json)
        doctor_json_put(&c->j, x, &v, &g);
    else
        doctor_put_all(c, x, &v, &g);
    grading_done(&g);
    verdict_done(&v);
    return doctor_stopped(c, number);
}

int doctor_check(struct cli *c, const struct knowledge *k)
{
    struct doctor_asked a = {.slab = NULL};
    struct examination *x = NULL;
    int code = doctor_asked_read(c, &a);
    if (code == CLI_OK)
        code = doctor_report_check(c);
    if (code == CLI_OK)
        code = doctor_stop_start(c, &a);
    if (code == CLI_OK)
        code = doctor_ask_secret(c, &a);
    if (code == CLI_OK && !stop_signal(c->stop))
        code = doctor_examine(c, k, &a, &x);
    doctor_forget_secret(&a); /* it is of no use any more */
    int number = doctor_stop_end(c, &a);
    if (number)
        code = x ? tell_stopped(c, x, number) : doctor_stopped(c, number);
    else if (code == CLI_OK)
        code = tell(c, &a, x);
    doctor_asked_done(&a);
    doctor_examination_free(&x);
    return code;
}
