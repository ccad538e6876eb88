/* run_status.c - status of the running server; limits and version, which need none. */
#include "base/limits.h"
#include "cli/link.h"
#include "cli/run.h"
#include "cli/version.h"
#include "cli/view.h"

static void to_view(struct ipc_msg *m, void *owner)
{
    if (m->type == MSG_STATUS_LINE)
        view_add(owner, m);
}

int run_status(struct cli *c)
{
    struct link *link = NULL;
    struct link_answer answer;
    struct view v;
    struct ipc_msg m = {.type = MSG_STATUS};
    int code = link_open(c, true, &link);
    if (code != CLI_OK)
        return code;
    view_start(&v, c, MSG_STATUS_LINE, "items", "process subject state since_s detail");
    code = link_ask(link, &m, to_view, &v, &answer);
    if (c->json || code == CLI_OK)
        view_end(&v);
    link_close(&link);
    return code;
}

static void json_limits(struct cli *c, const struct limit *table, size_t count)
{
    json_key(&c->j, "limits");
    json_open(&c->j, '{');
    for (size_t i = 0; i < count; i++) {
        json_key(&c->j, table[i].name);
        json_open(&c->j, '{');
        json_key(&c->j, "value");
        json_u64(&c->j, table[i].value);
        json_key(&c->j, "unit");
        json_text(&c->j, slice_str(table[i].unit));
        json_key(&c->j, "why");
        json_text(&c->j, slice_str(table[i].why));
        json_close(&c->j, '}');
    }
    json_close(&c->j, '}');
}

int run_limits(struct cli *c)
{
    size_t count;
    const struct limit *table = limit_table(&count);
    if (c->json) {
        json_limits(c, table, count);
        return CLI_OK;
    }
    struct slice titles[] = {
        slice_str(say_text(c->lang, SAY_COLUMN_LIMIT)), slice_str(say_text(c->lang, SAY_COLUMN_VALUE)),
        slice_str(say_text(c->lang, SAY_COLUMN_UNIT)), slice_str(say_text(c->lang, SAY_COLUMN_WHAT))};
    struct slice *cells = arena_array(&c->arena, count * 4, sizeof *cells);
    for (size_t i = 0; cells && i < count; i++) {
        cells[4 * i] = slice_str(table[i].name);
        cells[4 * i + 1] = arena_printf(&c->arena, "%llu", (unsigned long long)table[i].value);
        cells[4 * i + 2] = slice_str(table[i].unit);
        cells[4 * i + 3] = slice_str(table[i].why);
    }
    if (cells)
        view_table(c, titles, 4, cells, count);
    return CLI_OK;
}

int run_version(struct cli *c)
{
    if (c->json) {
        json_key(&c->j, "version");
        json_text(&c->j, S(CLI_VERSION));
    } else {
        buf_put_str(&c->out, "letterlock " CLI_VERSION "\n");
    }
    return CLI_OK;
}
