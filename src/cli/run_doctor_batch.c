/* run_doctor_batch.c - `letterlock doctor --batch`: many addresses, domains and servers of a file, several at once, without
 * signing in. Every line is read before anything is checked; results come in the order of the file. */
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/doctor.h"
#include "cli/doctor_json.h"
#include "cli/doctor_line.h"
#include "cli/doctor_row.h"
#include "cli/progress.h"
#include "loop/pool.h"

enum { MARK_COLUMNS = 8, ROW_MAX = 1 << 20 };

struct row {
    unsigned line;
    struct slice text;        /* as it stands in the file, without blanks around */
    struct slice address;     /* of an address; of a domain that of its postmaster, whom every domain has */
    struct slice domain;      /* of both */
    struct endpoint endpoint; /* of a server, else host is empty */
    struct examination *x;    /* until it is judged */
    struct buf said;          /* the answer, until it is its turn */
    enum err trouble;         /* of examine */
    bool done;
};
struct batch {
    struct cli *c;
    const struct knowledge *knowledge;
    struct doctor_asked asked;
    struct row *rows;
    size_t count, done, told, faults; /* told: written, in the order of the file */
    struct progress progress;
    enum err trouble;
    bool unwritten;
};

/* ------------------------------------------------------------------------------------------------------ the file */

/* Which protocol a registered port is for. */
static bool service_of_port(uint16_t port, enum service *ret_service)
{
    static const struct {
        uint16_t port;
        enum service service;
    } ports[] = {{993, SERVICE_IMAP}, {143, SERVICE_IMAP}, {995, SERVICE_POP3}, {110, SERVICE_POP3},
                 {465, SERVICE_SMTP}, {587, SERVICE_SMTP}, {25, SERVICE_SMTP},  {2525, SERVICE_SMTP}};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i].port == port) {
            *ret_service = ports[i].service;
            return true;
        }
    return false;
}

/* "imaps://mail.example.org", and what a port stands for. */
static fallible read_server(struct arena *arena, struct slice text, struct endpoint *ret_endpoint)
{
    static const struct {
        const char *scheme;
        enum service service;
        const char *tls; /* unless a port is given that says otherwise */
    } schemes[] = {{"imaps", SERVICE_IMAP, "implicit"}, {"imap", SERVICE_IMAP, "starttls"},
                   {"pop3s", SERVICE_POP3, "implicit"}, {"pop3", SERVICE_POP3, "starttls"},
                   {"smtps", SERVICE_SMTP, "implicit"}, {"smtp", SERVICE_SMTP, "starttls"}};
    size_t colon = slice_search(text, S("://"));
    if (colon == SLICE_NPOS) {
        struct endpoint e;
        TRY(doctor_endpoint_parse(arena, SERVICE_IMAP, text, SLICE_EMPTY, &e));
        if (!service_of_port(e.port, &e.service))
            return ERR_SYNTAX;
        *ret_endpoint = e;
        return OK;
    }
    struct slice scheme = slice_sub(text, 0, colon), rest = slice_from(text, colon + 3);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (slice_eq_nocase(scheme, slice_str(schemes[i].scheme))) {
            bool has_port = slice_rfind(rest, ':') != SLICE_NPOS;
            bool decides = !has_port || slice_eq(slice_str(schemes[i].tls), S("implicit"));
            return doctor_endpoint_parse(
                arena, schemes[i].service, rest, decides ? slice_str(schemes[i].tls) : SLICE_EMPTY,
                ret_endpoint);
        }
    return ERR_SYNTAX;
}

static fallible read_row(struct arena *arena, struct slice text, struct row *row)
{
    bool is_server = slice_search(text, S("://")) != SLICE_NPOS || slice_has(text, ':');
    if (is_server)
        return read_server(arena, text, &row->endpoint);
    row->address =
        slice_has(text, '@') ? text : arena_printf(arena, "postmaster@" SLICE_FMT, SLICE_ARG(text));
    row->domain = doctor_domain_of(arena, row->address);
    return row->domain.n && slice_has(row->domain, '.') ? OK : ERR_SYNTAX;
}

static int read_rows(struct batch *b, struct slice path, struct slice rest)
{
    struct cli *c = b->c;
    struct slice line;
    unsigned number = 0;
    b->rows = arena_array(&c->arena, LIMIT_DOCTOR_BATCH, sizeof *b->rows);
    while (slice_cut(&rest, '\n', &line)) {
        line = slice_trim(line);
        number++;
        if (!line.n || line.p[0] == '#')
            continue;
        if (b->count == LIMIT_DOCTOR_BATCH)
            return cli_fail(
                c, CLI_DATA, SAY_DOCTOR_BATCH_MANY, SAY_DOCTOR_BATCH_MANY_REMEDY, path,
                arena_printf(&c->arena, "%d", LIMIT_DOCTOR_BATCH));
        struct row *row = &b->rows[b->count++];
        *row = (struct row){.line = number, .text = arena_copy(&c->arena, line)};
        if (read_row(&c->arena, row->text, row) != OK)
            return cli_fail(
                c, CLI_DATA, SAY_DOCTOR_BATCH_LINE, SAY_DOCTOR_BATCH_LINE_REMEDY, path,
                arena_printf(&c->arena, "%u", number));
    }
    return b->count
               ? CLI_OK
               : cli_fail(
                     c, CLI_DATA, SAY_DOCTOR_BATCH_NONE, SAY_DOCTOR_BATCH_LINE_REMEDY, path, SLICE_EMPTY);
}

static int read_file(struct batch *b)
{
    struct cli *c = b->c;
    struct slice path = args_text(&c->args, "batch");
    struct buf file CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_BATCH_FILE);
    enum err e = slice_eq(path, S("-")) ? file_read_all(STDIN_FILENO, &file)
                                        : file_read_path(arena_cstr(&c->arena, path), &file);
    if (e != OK)
        return cli_fail(
            c, e == ERR_NOT_FOUND ? CLI_NOT_FOUND : CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path,
            cli_error(b->c, e));
    return read_rows(b, path, buf_slice(&file));
}

/* ------------------------------------------------------------------------------------------------------ telling */

static void tell_json(struct row *row, const struct verdict *v, const struct grading *g)
{
    struct doctor_line line;
    doctor_line_start(&line);
    json_key(&line.j, "line");
    json_u64(&line.j, row->line);
    json_key(&line.j, "name");
    json_text(&line.j, row->text);
    json_key(&line.j, "fault");
    json_bool(&line.j, verdict_exit_code(v) != 0);
    json_key(&line.j, "grade");
    json_text(&line.j, g->whole == GRADE_NONE ? SLICE_EMPTY : slice_str(grade_name(g->whole)));
    doctor_json_verdict(&line.j, v);
    doctor_json_servers(&line.j, row->x, g);
    buf_put(&row->said, doctor_line_text(&line));
    buf_done(&line.buf);
}

/* "FAULT   alice@example.org  B" and the sentence below. */
static void tell_text(struct cli *c, const struct row *row, const struct verdict *v, const struct grading *g)
{
    static const struct lang_text good = {{"ok", "正常"}}, fault = {{"FAULT", "故障"}};
    bool is_good = verdict_exit_code(v) == 0;
    struct slice mark = slice_str((is_good ? &good : &fault)->in[c->lang]);
    cli_style(c, is_good ? "32" : "1;31");
    buf_put(&c->out, mark);
    cli_style_end(c);
    doctor_put_blanks(c, MARK_COLUMNS - lang_columns(mark));
    const char *grade = g->whole == GRADE_NONE ? "" : grade_name(g->whole);
    doctor_put_text(
        c, arena_printf(&c->arena, SLICE_FMT "%s%s", SLICE_ARG(row->text), grade[0] ? "  " : "", grade),
        MARK_COLUMNS);
    if (is_good)
        return;
    doctor_put_blanks(c, MARK_COLUMNS);
    doctor_put_text(c, v->says[c->lang], MARK_COLUMNS);
}

/* What is said of a row, into its own buffer; the examination is of no use any more. */
static void judge_row(struct batch *b, struct row *row)
{
    struct cli *c = b->c;
    struct verdict v;
    struct grading g;
    struct arena kept_arena = c->arena;
    struct buf kept_out = c->out;
    verdict_init(&v, row->x);
    grading_init(&g, row->x);
    b->faults += verdict_exit_code(&v) != 0;
    buf_init(&row->said, ROW_MAX);
    if (c->json) {
        tell_json(row, &v, &g);
    } else {
        arena_init(&c->arena, ROW_MAX);
        c->out = row->said;
        tell_text(c, row, &v, &g);
        row->said = c->out;
        c->out = kept_out;
        arena_done(&c->arena);
        c->arena = kept_arena;
    }
    grading_done(&g);
    verdict_done(&v);
}

static void write_rows(struct batch *b)
{
    for (; b->told < b->count && b->rows[b->told].done; b->told++) {
        struct row *row = &b->rows[b->told];
        progress_end(&b->progress);
        b->unwritten |= file_write_all(STDOUT_FILENO, buf_slice(&row->said)) != OK;
        buf_done(&row->said);
    }
}

/* ------------------------------------------------------------------------------------------------------ checking */

static void on_work(void *owner, size_t i)
{
    struct batch *b = owner;
    struct row *row = &b->rows[i];
    struct wishes wishes = b->asked.wishes;
    struct examination *x = NEW(struct examination);
    wishes.address = row->address;
    wishes.find = row->domain.n > 0;
    examination_init(x, b->knowledge);
    x->address = row->address;
    x->domain = row->domain;
    if (row->endpoint.host.n)
        examination_add(x, &row->endpoint);
    row->trouble = examine(&wishes, &b->asked.way, x);
    row->x = x;
}

static void on_done(void *owner, size_t i)
{
    struct batch *b = owner;
    struct row *row = &b->rows[i];
    row->done = true;
    b->trouble = b->trouble == OK ? row->trouble : b->trouble;
    if (row->trouble == OK)
        judge_row(b, row);
    doctor_examination_free(&row->x);
    write_rows(b);
    progress_show(&b->progress, ++b->done, b->count);
}

static fallible check_all(struct batch *b)
{
    const struct pieces rows = {on_work, on_done, b};
    progress_start(&b->progress, b->c);
    progress_show(&b->progress, 0, b->count);
    enum err e = pool_run_pieces(&rows, b->count, LIMIT_DOCTOR_AT_ONCE);
    progress_end(&b->progress);
    return e == OK ? b->trouble : e;
}

static int summary(struct batch *b)
{
    struct cli *c = b->c;
    if (c->json) {
        json_key(&c->j, "checked");
        json_u64(&c->j, b->count);
        json_key(&c->j, "faults");
        json_u64(&c->j, b->faults);
        if (b->faults) {
            json_key(&c->j, "ok");
            json_bool(&c->j, false);
        }
    } else {
        cli_note(
            c, SAY_DOCTOR_BATCH_DONE, arena_printf(&c->arena, "%zu", b->count),
            arena_printf(&c->arena, "%zu", b->faults), SLICE_EMPTY);
    }
    return b->unwritten ? CLI_IO : b->faults ? CLI_NO : CLI_OK;
}

int doctor_batch(struct cli *c, const struct knowledge *k)
{
    struct batch b = {.c = c, .knowledge = k};
    int code = doctor_asked_options(c, &b.asked);
    b.asked.way.at_once = 1; /* a row is one thread */
    if (code == CLI_OK)
        code = read_file(&b);
    if (code == CLI_OK) {
        enum err e = dns_new(&b.asked.way.dns, &b.asked.way.shared_dns);
        if (e == OK)
            e = check_all(&b);
        code = e == OK ? summary(&b) : doctor_trouble(c, e);
        dns_free(&b.asked.way.shared_dns);
    }
    doctor_asked_done(&b.asked);
    return code;
}
