/* run_doctor_explain.c - `letterlock doctor --explain`: what an error text means, for people and as JSON. Nobody is
 * contacted. */
#include <unistd.h>

#include <errno.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/doctor_row.h"
#include "cli/help.h"
#include "doctor/explain.h"

/* ------------------------------------------------------------------------------------------------ for people */

/* "Gmail, SMTP"; empty for what anybody says. */
static struct slice said_by(struct cli *c, const struct knowledge *k, const struct diagnosis *d)
{
    const struct provider *p = knowledge_provider(k, d->provider);
    struct slice who = p ? p->name[c->lang] : d->provider;
    if (d->where == WHERE_ANY || (d->where == WHERE_PROGRAM && who.n))
        return who;
    return arena_printf(
        &c->arena, SLICE_FMT "%s%s", SLICE_ARG(who), who.n ? c->lang == LANG_ZH ? "，" : ", " : "",
        where_words(d->where, c->lang));
}

/* "app password, OAuth2 (signing in at the provider's own window)" */
static void put_takes(struct cli *c, const struct provider *p)
{
    static const struct {
        unsigned bit;
        struct lang_text says;
    } ways[] = {
        {TAKES_PASSWORD, {{"the mailbox password", "邮箱密码"}}},
        {TAKES_APP_PASSWORD, {{"an app password", "应用密码"}}},
        {TAKES_AUTHORIZATION_CODE, {{"an authorization code", "授权码"}}},
        {TAKES_OAUTH2, {{"the provider's own sign-in window (OAuth2)", "服务商的登录窗口（OAuth2）"}}}};
    struct buf text CLEANUP_BUF = BUF_INIT(1000);
    const char *between = "";
    buf_put(&text, p->name[c->lang]);
    buf_put_str(&text, c->lang == LANG_ZH ? "的邮件程序登录方式：" : " lets mail programs sign in with ");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (p->takes & ways[i].bit) {
            buf_put_str(&text, between);
            buf_put_str(&text, ways[i].says.in[c->lang]);
            between = c->lang == LANG_ZH ? "、" : ", or ";
        }
    doctor_put_row(c, LANG_TEXT("Provider", "服务商"), buf_slice(&text));
}

/* Did a better finding have this cause already? */
static bool is_told(const struct explanation *x, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (x->findings[j].diagnosis->cause == x->findings[i].diagnosis->cause)
            return true;
    return false;
}

static void put_others(struct cli *c, const struct explanation *x)
{
    struct lang_text label = LANG_TEXT("Could be", "也可能");
    for (size_t i = 1; i < x->count; i++) {
        const struct diagnosis *d = x->findings[i].diagnosis;
        if (is_told(x, i))
            continue;
        struct slice text =
            arena_printf(&c->arena, "%s (" SLICE_FMT ")", cause_words(d->cause, c->lang), SLICE_ARG(d->id));
        doctor_put_row(c, label, text);
        label = LANG_TEXT("", "");
    }
}

static void tell(struct cli *c, const struct knowledge *k, const struct explanation *x)
{
    const struct finding *f = &x->findings[0];
    const struct diagnosis *d = f->diagnosis;
    const struct provider *p = x->provider ? x->provider : knowledge_provider(k, d->provider);
    cli_style(c, "1;31");
    help_put_wrapped(d->says[c->lang], 0, DOCTOR_WIDTH, &c->out);
    cli_style_end(c);
    buf_put_str(&c->out, "\n\n");
    doctor_put_row(c, LANG_TEXT("Remedy", "解决办法"), d->remedy[c->lang]);
    doctor_put_row(c, LANG_TEXT("Cause", "原因"), slice_str(cause_words(d->cause, c->lang)));
    doctor_put_proof(c, LANG_TEXT("Proof", "依据"), f->proof);
    struct slice who = said_by(c, k, d);
    if (who.n)
        doctor_put_row(c, LANG_TEXT("Said by", "出处"), who);
    if (p && p->takes)
        put_takes(c, p);
    doctor_put_row(c, LANG_TEXT("Confidence", "把握"), slice_str(sure_words(f->sure, c->lang)));
    put_others(c, x);
    doctor_put_row(c, LANG_TEXT("Diagnosis", "诊断"), d->id);
}

/* ---------------------------------------------------------------------------------------------- for programs */

static void put_texts(struct json *j, const char *key, const struct slice *texts)
{
    json_key(j, key);
    json_open(j, '{');
    for (int l = 0; l < LANG_N; l++) {
        json_key(j, lang_name((enum lang)l));
        json_text(j, texts[l]);
    }
    json_close(j, '}');
}

static void put_finding(struct json *j, const struct finding *f)
{
    const struct diagnosis *d = f->diagnosis;
    json_open(j, '{');
    json_key(j, "id");
    json_text(j, d->id);
    json_key(j, "cause");
    json_text(j, slice_str(cause_name(d->cause)));
    json_key(j, "where");
    json_text(j, slice_str(where_name(d->where)));
    json_key(j, "provider");
    json_text(j, d->provider);
    json_key(j, "confidence");
    json_text(j, slice_str(sure_name(f->sure)));
    json_key(j, "proof");
    json_text(j, slice_sub(f->proof, 0, DOCTOR_PROOF_SHOWN));
    put_texts(j, "says", d->says);
    put_texts(j, "remedy", d->remedy);
    json_close(j, '}');
}

static void put_json(struct json *j, const struct explanation *x)
{
    json_key(j, "provider");
    json_text(j, x->provider ? x->provider->id : SLICE_EMPTY);
    json_key(j, "diagnoses");
    json_open(j, '[');
    for (size_t i = 0; i < x->count; i++)
        put_finding(j, &x->findings[i]);
    json_close(j, ']');
}

/* ------------------------------------------------------------------------------------------------ the command */

/* Standard input, as far as it will be looked at and one octet more. */
static int read_input(struct cli *c, struct slice *ret_text)
{
    size_t most = LIMIT_EXPLAIN_TEXT + 1, n = 0;
    char *text = arena_alloc(&c->arena, most);
    while (text && n < most) {
        ssize_t got = read(STDIN_FILENO, text + n, most - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cli_fail(
                c, CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, S("-"),
                cli_error(c, err_of_errno(errno)));
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *ret_text = slice_of(text, n);
    return CLI_OK;
}

static int explain_text(struct cli *c, const struct knowledge *k, struct slice text)
{
    struct explanation x;
    explain(k, text, &x);
    if (x.cut)
        cli_note(c, SAY_EXPLAIN_CUT, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    if (x.count == 0)
        return cli_fail(c, CLI_NO, SAY_EXPLAIN_UNKNOWN, SAY_EXPLAIN_UNKNOWN_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (c->json)
        put_json(&c->j, &x);
    else
        tell(c, k, &x);
    return CLI_OK;
}

int doctor_explain(struct cli *c, const struct knowledge *k)
{
    struct slice text = args_text(&c->args, "explain");
    int code = slice_eq(text, S("-")) ? read_input(c, &text) : CLI_OK;
    return code == CLI_OK ? explain_text(c, k, text) : code;
}
