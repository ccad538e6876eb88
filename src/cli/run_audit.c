/* run_audit.c - `letterlock client audit`: what each secret could do if it leaked, the most dangerous ones first. */
#include <stdlib.h>

#include "base/utf8.h"
#include "cli/help.h"
#include "cli/link.h"
#include "cli/reach.h"
#include "cli/run.h"
#include "cli/view.h"

/* One finding as the vault tells it, copied. */
struct audited {
    uint64_t credential;
    struct slice address, label, kind, reach, findings;
    unsigned risk;
    int64_t created_s, last_used_s;
};

struct audit {
    struct cli *c;
    struct audited *rows; /* in the cli's arena */
    size_t count, cap;
    size_t all; /* before the filters */
};

enum { WIDTH = 80, INDENT = 6 };

static bool is_stale(struct slice findings)
{
    return reach_has(findings, "stale") || reach_has(findings, "never-used");
}

static bool is_wanted(const struct audit *a, struct slice findings)
{
    bool stale = args_has(&a->c->args, "stale"), wide = args_has(&a->c->args, "wide");
    if (!stale && !wide)
        return true;
    return (stale && is_stale(findings)) || (wide && reach_has(findings, "wide"));
}

static void take(struct ipc_msg *m, void *owner)
{
    struct audit *a = owner;
    struct arena *arena = &a->c->arena;
    const struct msg_client_audit_item *item = &m->u.client_audit_item;
    if (m->type != MSG_CLIENT_AUDIT_ITEM)
        return;
    a->all++;
    if (!is_wanted(a, item->findings))
        return;
    if (a->count == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 64;
        struct audited *more = arena_array(arena, cap, sizeof *more);
        if (!more)
            return; /* the arena remembers */
        if (a->count)
            memcpy(more, a->rows, a->count * sizeof *more);
        a->rows = more;
        a->cap = cap;
    }
    a->rows[a->count++] = (struct audited){
        .credential = item->credential,
        .address = arena_copy(arena, item->address),
        .label = arena_copy(arena, item->label),
        .kind = arena_copy(arena, item->kind),
        .reach = arena_copy(arena, item->reach),
        .findings = arena_copy(arena, item->findings),
        .risk = item->risk,
        .created_s = item->created_s,
        .last_used_s = item->last_used_s};
}

static int by_risk(const void *one, const void *two)
{
    const struct audited *a = one, *b = two;
    if (a->risk != b->risk)
        return a->risk > b->risk ? -1 : 1;
    int order = slice_cmp(a->address, b->address);
    return order ? order : (a->credential > b->credential) - (a->credential < b->credential);
}

/* Expiring soon is as it should be; everything else is work for somebody. */
static bool needs_work(struct slice findings)
{
    struct slice one;
    while (slice_cut(&findings, ' ', &one))
        if (one.n && !slice_eq(one, S("expiring")) && !slice_eq(one, S("canary")))
            return true;
    return false;
}

static void json_words(struct json *j, const char *key, struct slice words)
{
    struct slice one;
    json_key(j, key);
    json_open(j, '[');
    while (slice_cut(&words, ' ', &one))
        if (one.n)
            json_text(j, one);
    json_close(j, ']');
}

static void json_row(struct json *j, const struct audited *r)
{
    json_open(j, '{');
    json_key(j, "credential");
    json_u64(j, r->credential);
    json_key(j, "address");
    json_text(j, r->address);
    json_key(j, "label");
    json_text(j, r->label);
    json_key(j, "kind");
    json_text(j, r->kind);
    json_key(j, "risk");
    json_u64(j, r->risk);
    json_words(j, "reach", r->reach);
    json_words(j, "findings", r->findings);
    json_key(j, "created_s");
    json_i64(j, r->created_s);
    json_key(j, "last_used_s");
    json_i64(j, r->last_used_s);
    json_close(j, '}');
}

enum { COLUMNS = 5 };

static struct slice safe(struct cli *c, struct slice text)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    utf8_put_safe(&out, text);
    return arena_copy(&c->arena, buf_slice(&out));
}

static void cells_of(struct cli *c, const struct audited *r, struct slice cells[COLUMNS])
{
    cells[0] = arena_printf(&c->arena, "%u", r->risk);
    cells[1] = safe(c, r->address);
    cells[2] = arena_printf(&c->arena, "%llu", (unsigned long long)r->credential);
    cells[3] = safe(c, r->label);
    cells[4] = view_word(c->lang, r->kind);
}

static void
put_line(struct cli *c, const struct slice cells[COLUMNS], const size_t widths[COLUMNS], const char *style)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i == 0)
            cli_style(c, style);
        buf_put(&c->out, cells[i]);
        if (i == 0)
            cli_style_end(c);
        for (size_t n = lang_columns(cells[i]); i + 1 < COLUMNS && n < widths[i] + 2; n++)
            buf_put_char(&c->out, ' ');
    }
    buf_put_char(&c->out, '\n');
}

static void put_wrapped(struct cli *c, const struct buf *text)
{
    if (!text->n)
        return;
    buf_put_str(&c->out, "      ");
    help_put_wrapped(buf_slice(text), INDENT, WIDTH, &c->out);
    buf_put_char(&c->out, '\n');
}

/* A line of the table, and below it what it opens and what was found. */
static void put_row(struct cli *c, const struct audited *r, const size_t widths[COLUMNS])
{
    struct buf reach CLEANUP_BUF = BUF_INIT(65536), found CLEANUP_BUF = BUF_INIT(65536);
    struct slice cells[COLUMNS];
    cells_of(c, r, cells);
    put_line(c, cells, widths, r->risk >= 70 ? "1;31" : r->risk >= 40 ? "1;33" : "1");
    reach_put(c->lang, r->reach, &reach);
    finding_put(c->lang, r->findings, &found);
    put_wrapped(c, &reach);
    put_wrapped(c, &found);
}

static void put_table(const struct audit *a)
{
    struct cli *c = a->c;
    size_t widths[COLUMNS];
    static const enum say_id titles[COLUMNS] = {
        SAY_COLUMN_RISK, SAY_COLUMN_ADDRESS, SAY_COLUMN_ID, SAY_COLUMN_LABEL, SAY_COLUMN_KIND};
    struct slice cells[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        cells[i] = slice_str(say_text(c->lang, titles[i]));
        widths[i] = lang_columns(cells[i]);
    }
    struct slice heads[COLUMNS];
    memcpy(heads, cells, sizeof heads);
    for (size_t r = 0; r < a->count; r++) {
        cells_of(c, &a->rows[r], cells);
        for (size_t i = 0; i < COLUMNS; i++)
            widths[i] = lang_columns(cells[i]) > widths[i] ? lang_columns(cells[i]) : widths[i];
    }
    if (a->count)
        put_line(c, heads, widths, "1");
    for (size_t r = 0; r < a->count; r++)
        put_row(c, &a->rows[r], widths);
}

static const char *const findings[] = {"wide",     "stale",  "never-used", "over-age",
                                       "expiring", "frozen", "canary"};

static size_t count_of(const struct audit *a, const char *finding)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count; i++)
        n += reach_has(a->rows[i].findings, finding);
    return n;
}

static void put_totals(const struct audit *a)
{
    struct cli *c = a->c;
    struct buf totals CLEANUP_BUF = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
        size_t n = count_of(a, findings[i]);
        if (!n)
            continue;
        buf_put_str(&totals, totals.n ? (c->lang == LANG_ZH ? "，" : ", ") : "");
        finding_put_short(c->lang, slice_str(findings[i]), &totals);
        buf_printf(&totals, " %zu", n);
    }
    if (!totals.n)
        buf_put_str(&totals, say_text(c->lang, SAY_AUDIT_CLEAN));
    cli_say(
        c, SAY_AUDIT_TOTAL, arena_printf(&c->arena, "%zu", a->count), arena_printf(&c->arena, "%zu", a->all),
        buf_slice(&totals));
}

static void json_all(const struct audit *a)
{
    struct json *j = &a->c->j;
    json_key(j, "items");
    json_open(j, '[');
    for (size_t i = 0; i < a->count; i++)
        json_row(j, &a->rows[i]);
    json_close(j, ']');
    json_key(j, "totals");
    json_open(j, '{');
    json_key(j, "shown");
    json_u64(j, a->count);
    json_key(j, "all");
    json_u64(j, a->all);
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
        json_key(j, findings[i]);
        json_u64(j, count_of(a, findings[i]));
    }
    json_close(j, '}');
}

static int show(struct audit *a)
{
    struct cli *c = a->c;
    bool work = false;
    if (arena_check(&c->arena) != OK)
        return cli_fail(c, CLI_DATA, SAY_AUDIT_LONG, SAY_AUDIT_LONG_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (a->count)
        qsort(a->rows, a->count, sizeof *a->rows, by_risk);
    for (size_t i = 0; i < a->count; i++)
        work |= needs_work(a->rows[i].findings);
    if (c->json) {
        json_all(a);
    } else {
        put_table(a);
        buf_put_str(&c->out, a->count ? "\n" : "");
        put_totals(a);
    }
    return work ? cli_no(c) : CLI_OK;
}

int run_client_audit(struct cli *c)
{
    struct audit a = {.c = c};
    struct link *link = NULL;
    struct slice of = args_text(&c->args, "DOMAIN");
    struct ipc_msg m = {.type = MSG_CLIENT_AUDIT};
    if (slice_has(of, '@'))
        m.u.client_audit.account = of;
    else
        m.u.client_audit.domain = of;
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = link_do(link, &m, take, &a);
    link_close(&link);
    return code == CLI_OK ? show(&a) : code;
}
