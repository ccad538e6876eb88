/* run_directory.c - accounts from an LDAP server: one person looked at, everybody compared. */
#include "base/utf8.h"
#include "cli/ask.h"
#include "cli/link.h"
#include "cli/run.h"
#include "cli/view.h"

enum { SLAB = 65536 };

struct steps {
    struct cli *c;
    bool failed;
};

/* "ok    connect   192.0.2.1 port 636" */
static void show_step(struct ipc_msg *m, void *owner)
{
    struct steps *s = owner;
    struct cli *c = s->c;
    const struct msg_directory_step *step = &m->u.directory_step;
    if (m->type != MSG_DIRECTORY_STEP)
        return;
    s->failed |= !step->good;
    if (c->json) {
        json_open(&c->j, '{');
        view_json_members(&c->j, m);
        json_close(&c->j, '}');
        return;
    }
    cli_style(c, step->good ? "32" : "31");
    buf_put_str(&c->out, say_text(c->lang, step->good ? SAY_STEP_GOOD : SAY_STEP_BAD));
    cli_style_end(c);
    buf_put_str(&c->out, "  ");
    utf8_put_safe(&c->out, view_word(c->lang, step->step));
    buf_put_str(&c->out, ": ");
    utf8_put_safe(&c->out, step->detail);
    buf_put_char(&c->out, '\n');
}

static int test(struct cli *c, const struct secret *password)
{
    struct steps steps = {.c = c};
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_DIRECTORY_TEST};
    m.u.directory_test.address = args_text(&c->args, "ADDRESS");
    m.u.directory_test.password = secret_reveal(password);
    int code = link_open(c, true, &link);
    if (code != CLI_OK)
        return code;
    if (c->json) {
        json_key(&c->j, "steps");
        json_open(&c->j, '[');
    }
    struct link_answer answer;
    code = link_ask(link, &m, show_step, &steps, &answer);
    if (c->json)
        json_close(&c->j, ']');
    /* A step that failed has said why; the answer is no. */
    if (code == CLI_OK)
        code = steps.failed ? cli_no(c) : link_outcome(&answer);
    link_close(&link);
    return code;
}

int run_directory_test(struct cli *c)
{
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret password = SECRET_NONE;
    int code = CLI_OK;
    if (args_has(&c->args, "password"))
        code = ask_secret(c, slab, SAY_PROMPT_DIRECTORY, false, &password);
    if (code == CLI_OK)
        code = test(c, &password);
    secret_free(&password);
    secret_slab_free(&slab);
    return code;
}

static void to_view(struct ipc_msg *m, void *owner)
{
    if (m->type == MSG_DIRECTORY_CHANGE)
        view_add(owner, m);
}

int run_directory_sync(struct cli *c)
{
    struct link *link = NULL;
    struct link_answer answer;
    struct view v;
    struct ipc_msg m = {.type = MSG_DIRECTORY_SYNC};
    m.u.directory_sync.dry_run = args_has(&c->args, "dry-run");
    m.u.directory_sync.force = args_has(&c->args, "force");
    int code = link_open(c, true, &link);
    if (code != CLI_OK)
        return code;
    view_start(&v, c, MSG_DIRECTORY_CHANGE, "items", "action address detail");
    code = link_ask(link, &m, to_view, &v, &answer);
    if (c->json || (code == CLI_OK && v.rows))
        view_end(&v);
    if (code == CLI_OK)
        code = link_outcome(&answer);
    if (code == CLI_OK && !v.rows)
        cli_say(c, SAY_DIRECTORY_SAME, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    link_close(&link);
    return code;
}
