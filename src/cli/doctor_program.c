/* doctor_program.c - `letterlock doctor --settings PROGRAM`: the right settings, in the form of that program. */
#include "cli/doctor.h"
#include "cli/handout.h"
#include "doctor/settings.h"

/* A server as the profile's maker wants it. False: without encryption no profile is made. */
static bool setting_of(const struct checked *s, struct setting *out)
{
    static const struct {
        enum config_door tls, starttls;
        bool sends;
    } doors[SERVICE_N] = {
        [SERVICE_IMAP] = {DOOR_IMAPS, DOOR_IMAP, false},
        [SERVICE_POP3] = {DOOR_POP3S, DOOR_POP3, false},
        [SERVICE_SMTP] = {DOOR_SUBMISSIONS, DOOR_SUBMISSION, true}};
    const struct endpoint *e = &s->endpoint;
    bool tls_first = e->security == SECURITY_TLS;
    *out = (struct setting){
        .door = tls_first ? doors[e->service].tls : doors[e->service].starttls,
        .sends = doors[e->service].sends,
        .tls_first = tls_first,
        .host = e->host,
        .port = e->port};
    return e->security != SECURITY_NONE;
}

/* Apple's profile, without a password: the device asks for it. */
static fallible
put_apple(struct cli *c, const struct doctor_asked *a, const struct examination *x, struct buf *out)
{
    struct program_servers servers;
    struct setting settings[2];
    program_servers_of(x, &servers);
    if (!servers.in || !servers.out)
        return ERR_NOT_FOUND;
    if (!setting_of(servers.in, &settings[0]) || !setting_of(servers.out, &settings[1]))
        return ERR_UNSUPPORTED;
    const struct handout h = {
        .lang = c->lang,
        .address = x->address.n ? x->address : servers.in_user,
        .user = servers.in_user,
        .label = x->domain.n ? x->domain : servers.in->endpoint.host,
        .host = servers.in->endpoint.host,
        .authority = a->wishes.ca_pem,
        .settings = settings,
        .setting_count = 2};
    TRY(handout_put_mobileconfig(&h, out));
    return buf_check(out);
}

int doctor_put_settings(
    struct cli *c, const struct doctor_asked *a, const struct examination *x, const struct verdict *v)
{
    struct buf text CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
    struct slice name = args_text(&c->args, "settings");
    enum program program = PROGRAM_N;
    enum err e = program_parse(name, &program);
    if (e == OK)
        e = program == PROGRAM_APPLE
                ? put_apple(c, a, x, &text)
                : program_settings_put(program, x, args_text(&c->args, "ca"), c->lang, &text);
    if (e == ERR_UNSUPPORTED)
        return cli_fail(
            c, CLI_NO, SAY_DOCTOR_SETTINGS_NAME, SAY_DOCTOR_SETTINGS_NAME_REMEDY, name, SLICE_EMPTY);
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
