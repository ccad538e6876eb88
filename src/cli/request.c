#include "cli/request.h"

#include "cli/link.h"
#include "cli/view.h"

int request_do(
    struct cli *c, struct ipc_msg *request, void (*item)(struct ipc_msg *m, void *owner), void *owner)
{
    struct link *link = NULL;
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = link_do(link, request, item, owner);
    link_close(&link);
    return code;
}

int request_change(
    struct cli *c, struct ipc_msg *request, enum say_id said, struct slice one, struct slice two)
{
    int code = request_do(c, request, NULL, NULL);
    if (code == CLI_OK)
        cli_say(c, said, one, two, SLICE_EMPTY);
    return code;
}

struct listing {
    struct view view;
    bool (*wants)(const struct ipc_msg *item);
};

static void to_view(struct ipc_msg *m, void *owner)
{
    struct listing *l = owner;
    if (m->type == l->view.type && (!l->wants || l->wants(m)))
        view_add(&l->view, m);
}

int request_list(
    struct cli *c, struct ipc_msg *request, enum ipc_type type, const char *columns,
    bool (*wants)(const struct ipc_msg *item))
{
    struct link *link = NULL;
    struct link_answer answer;
    struct listing l = {.wants = wants};
    int code = link_open(c, false, &link);
    if (code != CLI_OK)
        return code;
    view_start(&l.view, c, type, "items", columns);
    code = link_ask(link, request, to_view, &l, &answer);
    if (c->json || (code == CLI_OK && answer.outcome == ADMIN_OUTCOME_OK))
        view_end(&l.view);
    if (code == CLI_OK)
        code = link_outcome(&answer);
    link_close(&link);
    return code;
}
