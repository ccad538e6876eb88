/* run_why.c - what was decided about sign-ins and mail of an address, in plain words. */
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/link.h"
#include "cli/reasons.h"
#include "cli/run.h"
#include "cli/view.h"
#include "cli/why.h"

struct story {
    struct cli *c;
    size_t told;
};

static void put_line(struct cli *c, struct slice text)
{
    utf8_put_safe(&c->out, text);
}

/* A refused mail, not a sign-in: which mail it was. */
static bool is_mail(const struct msg_why_item *w)
{
    return slice_eq(w->outcome, S("refused")) && w->subject.n;
}

/* Which address the record of a refused mail holds. At port 25 it is the sender, since it is told to a recipient. At
 * submission the reason says it, but for a few with which either is refused. */
enum named { NAMED_RECIPIENT, NAMED_SENDER, NAMED_EITHER };

static enum named named_of(struct slice reason)
{
    static const struct {
        const char *reason;
        enum named named;
    } others[] = {
        {"sender", NAMED_SENDER},        {"from", NAMED_SENDER},         {"needs-tls", NAMED_SENDER},
        {"needs-sign-in", NAMED_SENDER}, {"sender-limit", NAMED_SENDER}, {"from-limit", NAMED_SENDER},
        {"unavailable", NAMED_EITHER},   {"too-big", NAMED_EITHER},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (slice_eq(reason, slice_str(others[i].reason)))
            return others[i].named;
    return NAMED_RECIPIENT;
}

static void put_mail(struct cli *c, const struct msg_why_item *w)
{
    static const struct lang_text came = {{"mail from %.*s was refused: ", "来自 %.*s 的邮件被拒收："}};
    static const struct lang_text sent[] = {
        [NAMED_RECIPIENT] = {{"mail to %.*s was refused: ", "发往 %.*s 的邮件被拒绝："}},
        [NAMED_SENDER] = {{"mail from %.*s was refused: ", "来自 %.*s 的邮件被拒绝："}},
        [NAMED_EITHER] = {{"mail was refused (%.*s): ", "邮件被拒绝（%.*s）："}},
    };
    const struct lang_text *which = slice_eq(w->service, S("mx")) ? &came : &sent[named_of(w->reason)];
    const char *words = which->in[c->lang];
    const char *gap = strstr(words, "%.*s");
    put_line(c, slice_of(words, (size_t)(gap - words)));
    put_line(c, w->subject);
    put_line(c, slice_str(gap + 4));
}

/* "2027-01-31 14:05  imap  no   203.0.113.7  Thunderbird" and the words below. */
static void tell(struct ipc_msg *m, void *owner)
{
    struct story *s = owner;
    struct cli *c = s->c;
    const struct msg_why_item *w = &m->u.why_item;
    if (m->type != MSG_WHY_ITEM)
        return;
    s->told++;
    if (c->json) {
        json_open(&c->j, '{');
        view_json_members(&c->j, m);
        json_key(&c->j, "text");
        json_text(&c->j, reason_words(LANG_EN, w->reason));
        json_close(&c->j, '}');
        return;
    }
    bool good = slice_eq(w->outcome, S("yes")) || slice_eq(w->outcome, S("ok"));
    put_line(c, view_time(&c->arena, w->time_s));
    buf_put_str(&c->out, " UTC  ");
    cli_style(c, good ? "32" : "31");
    put_line(c, view_word(c->lang, w->outcome));
    cli_style_end(c);
    const struct slice facts[] = {
        w->service, w->client, w->program, w->how, is_mail(w) ? SLICE_EMPTY : w->subject};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].n) {
            buf_put_str(&c->out, "  ");
            put_line(c, facts[i]);
        }
    static const struct lang_text mailbox = {{"mailbox password", "邮箱密码"}};
    if (good && !w->credential) {
        buf_put_str(&c->out, "  ");
        buf_put_str(&c->out, mailbox.in[c->lang]);
    }
    if (w->credential)
        buf_printf(
            &c->out, "  %s %llu", c->lang == LANG_ZH ? "客户端密码" : "client",
            (unsigned long long)w->credential);
    buf_put_str(&c->out, "\n    ");
    if (is_mail(w))
        put_mail(c, w);
    put_line(c, reason_words(c->lang, w->reason));
    buf_put_char(&c->out, '\n');
}

int why_show(struct cli *c, struct slice address, const char *key)
{
    struct story story = {.c = c};
    struct link *link = NULL;
    struct link_answer answer;
    struct ipc_msg m = {.type = MSG_WHY};
    m.u.why.address = address;
    m.u.why.most = (uint32_t)args_number(&c->args, "count", WHY_PRESET);
    int code = link_open(c, false, &link);
    if (code != CLI_OK)
        return code;
    if (c->json) {
        json_key(&c->j, key);
        json_open(&c->j, '[');
    }
    code = link_ask(link, &m, tell, &story, &answer);
    if (c->json)
        json_close(&c->j, ']');
    if (code == CLI_OK)
        code = link_outcome(&answer);
    if (code == CLI_OK && story.told == 0)
        cli_say(c, SAY_NO_STORY, address, SLICE_EMPTY, SLICE_EMPTY);
    link_close(&link);
    return code;
}

bool why_is_near(struct cli *c)
{
    struct slice path = arena_printf(&c->arena, "%s/control", cli_dir_path(c));
    return access(arena_cstr(&c->arena, path), W_OK) == 0;
}

int run_why(struct cli *c)
{
    return why_show(c, args_text(&c->args, "ADDRESS"), "items");
}
