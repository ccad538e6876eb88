/* run_doctor_batch.c - `letterlock doctor --batch`: many addresses, domains and servers of a file, several at once, without
 * signing in. Results come in the order of the file; a line that is none of these is told in its place, and the rest goes on. */
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
#include "mail/address.h"

enum {
    MARK_COLUMNS = 8,
    ROW_MAX = 1 << 20,
    SHOWN_MAX = 400 /* octets of a line; none that makes sense is longer */
};

struct row {
    unsigned line;
    struct slice text;        /* as it stands in the file, without blanks around */
    struct slice address;     /* of an address; of a domain it is empty */
    struct slice domain;      /* of both */
    bool is_wrong;            /* it names nothing that could be checked */
    struct endpoint endpoint; /* of a server, else host is empty */
    struct examination *x;    /* until it is judged */
    struct buf said;          /* the answer, until it is its turn */
    enum err trouble;         /* of examine */
    bool seen;                /* it was checked to the end */
    bool done;
};
struct batch {
    struct cli *c;
    const struct knowledge *knowledge;
    struct doctor_asked asked;
    struct row *rows;
    size_t count, done, told, seen, faults, wrong; /* told: written, in the order of the file */
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
    if (slice_has(text, '@')) {
        row->address = text;
        row->domain = doctor_domain_of(arena, text);
    } else {
        struct domain domain;
        TRY(domain_parse(text, &domain));
        row->domain = arena_copy(arena, domain_text(&domain));
    }
    return row->domain.n && slice_has(row->domain, '.') ? OK : ERR_SYNTAX;
}

static int read_rows(struct batch *b, struct slice path, struct slice rest)
{
    struct cli *c = b->c;
    struct slice line;
    unsigned number = 0;
    b->rows = arena_array(&c->arena, LIMIT_DOCTOR_BATCH, sizeof *b->rows);
    if (slice_starts(rest, S("\xef\xbb\xbf"))) /* the mark that editors of Windows put in front of UTF-8 */
        rest = slice_from(rest, 3);
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
        *row = (struct row){.line = number, .text = arena_copy(&c->arena, slice_sub(line, 0, SHOWN_MAX))};
        row->is_wrong = line.n > SHOWN_MAX || read_row(&c->arena, row->text, row) != OK;
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
    struct buf file CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_BATCH_FILE + 1);
    enum err e = slice_eq(path, S("-")) ? file_read_all(STDIN_FILENO, &file)
                                        : file_read_path(arena_cstr(&c->arena, path), &file);
    if (e == ERR_LIMIT || file.n > LIMIT_DOCTOR_BATCH_FILE)
        return cli_fail(
            c, CLI_DATA, SAY_DOCTOR_BATCH_LARGE, SAY_DOCTOR_BATCH_MANY_REMEDY, path,
            arena_printf(&c->arena, "%d", LIMIT_DOCTOR_BATCH_FILE >> 20));
    if (e != OK)
        return cli_fail(
            c, e == ERR_NOT_FOUND ? CLI_NOT_FOUND : CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path,
            cli_error(b->c, e));
    return read_rows(b, path, buf_slice(&file));
}

/* ------------------------------------------------------------------------------------------------------ telling */

/* What every row's object begins with. */
static void start_json(struct doctor_line *line, const struct row *row, bool fault)
{
    doctor_line_start(line);
    json_key(&line->j, "line");
    json_u64(&line->j, row->line);
    json_key(&line->j, "name");
    json_text(&line->j, row->text);
    json_key(&line->j, "fault");
    json_bool(&line->j, fault);
}

static void tell_json(struct row *row, const struct verdict *v, const struct grading *g)
{
    struct doctor_line line;
    start_json(&line, row, verdict_exit_code(v) != 0);
    json_key(&line.j, "grade");
    json_text(&line.j, g->whole == GRADE_NONE ? SLICE_EMPTY : slice_str(grade_name(g->whole)));
    doctor_json_verdict(&line.j, v);
    doctor_json_servers(&line.j, row->x, g);
    buf_put(&row->said, doctor_line_text(&line));
    buf_done(&line.buf);
}

/* "FAULT   " */
static void put_mark(struct cli *c, bool is_good)
{
    static const struct lang_text good = {{"ok", "正常"}}, fault = {{"FAULT", "故障"}};
    struct slice mark = slice_str((is_good ? &good : &fault)->in[c->lang]);
    cli_style(c, is_good ? "32" : "1;31");
    buf_put(&c->out, mark);
    cli_style_end(c);
    doctor_put_blanks(c, MARK_COLUMNS - lang_columns(mark));
}

/* "FAULT   alice@example.org  B" and the sentence below. */
static void tell_text(struct cli *c, const struct row *row, const struct verdict *v, const struct grading *g)
{
    bool is_good = verdict_exit_code(v) == 0;
    const char *grade = g->whole == GRADE_NONE ? "" : grade_name(g->whole);
    put_mark(c, is_good);
    doctor_put_text(
        c, arena_printf(&c->arena, SLICE_FMT "%s%s", SLICE_ARG(row->text), grade[0] ? "  " : "", grade),
        MARK_COLUMNS);
    if (is_good)
        return;
    doctor_put_blanks(c, MARK_COLUMNS);
    doctor_put_text(c, v->says[c->lang], MARK_COLUMNS);
}

/* While a row is told for people, the command writes into the row's own buffer, with memory of its own. */
struct kept {
    struct arena arena;
    struct buf out;
};
static struct kept begin_text(struct cli *c, const struct row *row)
{
    struct kept kept = {c->arena, c->out};
    arena_init(&c->arena, ROW_MAX);
    c->out = row->said;
    return kept;
}

static void end_text(struct cli *c, struct row *row, const struct kept *kept)
{
    row->said = c->out;
    arena_done(&c->arena);
    c->out = kept->out;
    c->arena = kept->arena;
}

static void tell_wrong_json(struct cli *c, struct row *row, struct slice says)
{
    struct doctor_line line;
    start_json(&line, row, true);
    json_key(&line.j, "error");
    json_open(&line.j, '{');
    json_key(&line.j, "code");
    json_text(&line.j, slice_str(cli_exit_name(CLI_DATA)));
    json_key(&line.j, "text");
    json_text(&line.j, says);
    json_key(&line.j, "remedy");
    json_text(&line.j, slice_str(say_text(c->lang, SAY_DOCTOR_BATCH_LINE_REMEDY)));
    json_close(&line.j, '}');
    buf_put(&row->said, doctor_line_text(&line));
    buf_done(&line.buf);
}

/* A line that names nothing: its place in the file, and what would be right. */
static void tell_wrong(struct batch *b, struct row *row)
{
    struct cli *c = b->c;
    struct buf says CLEANUP_BUF = BUF_INIT(ROW_MAX);
    buf_init(&row->said, ROW_MAX);
    struct kept kept = begin_text(c, row);
    say_put(
        &says, c->lang, SAY_DOCTOR_BATCH_LINE, doctor_safe(c, args_text(&c->args, "batch")),
        arena_printf(&c->arena, "%u", row->line), SLICE_EMPTY);
    if (!c->json) {
        put_mark(c, false);
        doctor_put_text(
            c,
            arena_printf(
                &c->arena, SLICE_FMT ": \"" SLICE_FMT "\"", SLICE_ARG(buf_slice(&says)),
                SLICE_ARG(row->text)),
            MARK_COLUMNS);
    }
    end_text(c, row, &kept);
    if (c->json)
        tell_wrong_json(c, row, buf_slice(&says));
}

/* What is said of a row, into its own buffer; the examination is of no use any more. */
static void judge_row(struct batch *b, struct row *row)
{
    struct cli *c = b->c;
    struct verdict v;
    struct grading g;
    verdict_init(&v, row->x);
    grading_init(&g, row->x);
    b->faults += verdict_exit_code(&v) != 0;
    buf_init(&row->said, ROW_MAX);
    if (c->json) {
        tell_json(row, &v, &g);
    } else {
        struct kept kept = begin_text(c, row);
        tell_text(c, row, &v, &g);
        end_text(c, row, &kept);
    }
    grading_done(&g);
    verdict_done(&v);
}

static void write_row(struct batch *b, struct row *row)
{
    if (!row->said.n)
        return;
    progress_end(&b->progress);
    b->unwritten |= file_write_all(STDOUT_FILENO, buf_slice(&row->said)) != OK;
    buf_done(&row->said);
}

static void write_rows(struct batch *b)
{
    for (; b->told < b->count && b->rows[b->told].done; b->told++)
        write_row(b, &b->rows[b->told]);
}

/* After a stop: also what was waiting for its turn. */
static void write_rest(struct batch *b)
{
    for (; b->told < b->count; b->told++)
        write_row(b, &b->rows[b->told]);
}

/* ------------------------------------------------------------------------------------------------------ checking */

static void on_work(void *owner, size_t i)
{
    struct batch *b = owner;
    struct row *row = &b->rows[i];
    struct wishes wishes = b->asked.wishes;
    if (row->is_wrong || stop_signal(wishes.stop))
        return;
    struct examination *x = NEW(struct examination);
    wishes.address = row->address;
    wishes.find = row->domain.n > 0;
    examination_init(x, b->knowledge);
    x->address = row->address;
    x->domain = row->domain;
    if (row->endpoint.host.n)
        examination_add(x, &row->endpoint);
    row->trouble = examine(&wishes, &b->asked.way, x);
    row->seen = row->trouble == OK && !stop_signal(wishes.stop);
    row->x = x;
}

static void on_done(void *owner, size_t i)
{
    struct batch *b = owner;
    struct row *row = &b->rows[i];
    row->done = true;
    b->trouble = b->trouble == OK ? row->trouble : b->trouble;
    b->seen += row->seen;
    b->wrong += row->is_wrong;
    if (row->is_wrong)
        tell_wrong(b, row);
    else if (row->seen)
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
    write_rest(b);
    return e == OK ? b->trouble : e;
}

static struct slice number_of(struct cli *c, size_t n)
{
    return arena_printf(&c->arena, "%zu", n);
}

static void summary_json(struct batch *b, int number)
{
    struct cli *c = b->c;
    json_key(&c->j, "checked");
    json_u64(&c->j, b->seen);
    json_key(&c->j, "faults");
    json_u64(&c->j, b->faults);
    json_key(&c->j, "wrong");
    json_u64(&c->j, b->wrong);
    if (!number && b->faults + b->wrong) {
        json_key(&c->j, "ok");
        json_bool(&c->j, false);
    }
}

static int summary(struct batch *b, int number)
{
    struct cli *c = b->c;
    if (c->json)
        summary_json(b, number);
    else if (number)
        cli_note(
            c, SAY_DOCTOR_BATCH_STOPPED, number_of(c, b->seen), number_of(c, b->count),
            number_of(c, b->faults));
    else
        cli_note(c, SAY_DOCTOR_BATCH_DONE, number_of(c, b->seen), number_of(c, b->faults), SLICE_EMPTY);
    if (!c->json && b->wrong)
        cli_note(
            c, SAY_DOCTOR_BATCH_WRONG, number_of(c, b->wrong),
            slice_str(say_text(c->lang, SAY_DOCTOR_BATCH_LINE_REMEDY)), SLICE_EMPTY);
    if (number)
        return doctor_stopped(c, number);
    return b->unwritten ? CLI_IO : b->wrong ? CLI_DATA : b->faults ? CLI_NO : CLI_OK;
}

static fallible run(struct batch *b)
{
    struct dns_options options = b->asked.way.dns;
    options.stop = b->c->stop;
    TRY(dns_new(&options, &b->asked.way.shared_dns));
    enum err e = check_all(b);
    dns_free(&b->asked.way.shared_dns);
    return e;
}

int doctor_batch(struct cli *c, const struct knowledge *k)
{
    struct batch b = {.c = c, .knowledge = k};
    int code = doctor_asked_options(c, &b.asked);
    b.asked.way.at_once = 1; /* a row is one thread */
    if (code == CLI_OK)
        code = read_file(&b);
    if (code == CLI_OK)
        code = doctor_stop_start(c, &b.asked);
    if (code == CLI_OK) {
        enum err e = run(&b);
        int number = doctor_stop_end(c, &b.asked);
        code = e == OK || number ? summary(&b, number) : doctor_trouble(c, e);
    }
    doctor_asked_done(&b.asked);
    return code;
}
