/* run_batch.c - `letterlock batch FILE`: read and checked, tried dry in the vault, then done row by row, paced, resumable. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cli/answers.h"
#include "cli/ask.h"
#include "cli/batch.h"
#include "cli/csv.h"
#include "cli/link.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/view.h"
#include "crypto/random.h"

enum { SLAB = 65536, RATE = 200, TRIES = 60, TRY_MS = 500 };

struct run {
    struct cli *c;
    struct batch_plan plan;
    struct batch_log log;
    struct link *link;
    struct secret_slab *slab;
    struct progress progress;
    /* of the row that is being asked for */
    bool repeated;
    uint64_t credential;
    struct secret secret;
    struct slice says;
    size_t failed, repeats;
};

static void pause_ms(uint64_t ms)
{
    uint64_t until = clock_mono_ms() + ms;
    for (uint64_t now = clock_mono_ms(); now < until; now = clock_mono_ms())
        if (poll(NULL, 0, (int)(until - now)) < 0 && errno != EINTR)
            return;
}

/* ------------------------------------------------------------------------------------------------------------ one row */

static void take_result(struct ipc_msg *m, void *owner)
{
    struct run *r = owner;
    struct msg_batch_result *result = &m->u.batch_result;
    if (m->type != MSG_BATCH_RESULT)
        return;
    r->repeated |= result->repeated;
    r->credential = result->credential;
    r->says = arena_copy(&r->c->arena, result->text);
    if (!result->secret.n)
        return;
    secret_free(&r->secret);
    IGNORE(secret_copy(r->slab, result->secret, &r->secret), "the slab holds one row's secret");
    secret_wipe((void *)result->secret.p, result->secret.n);
}

static struct ipc_msg request_of(struct run *r, size_t i, bool dry_run, uint8_t id[BATCH_ID_LEN])
{
    const struct batch_row *row = &r->plan.rows[i];
    struct ipc_msg m = {.type = MSG_BATCH_ROW};
    batch_operation_id(&r->log, &r->plan, i, id);
    m.u.batch_row = (struct msg_batch_row){
        .operation = slice_of(id, BATCH_ID_LEN),
        .verb = slice_str(batch_verb_name(row->verb)),
        .address = row->address,
        .label = row->label,
        .name = row->name,
        .language = row->language,
        .group = row->group,
        .quota_bytes = row->quota_bytes,
        .doors = row->doors,
        .limits = row->limits,
        .expires_s = row->expires_s,
        .dry_run = dry_run};
    return m;
}

/* Asks until there is an answer: a vault that died is back soon, and no row is done twice. */
static int ask_row(struct run *r, size_t i, bool dry_run, struct link_answer *ret_answer)
{
    uint8_t id[BATCH_ID_LEN];
    for (int tries = 0;; tries++) {
        struct ipc_msg m = request_of(r, i, dry_run, id);
        r->repeated = false;
        r->credential = 0;
        r->says = SLICE_EMPTY;
        secret_free(&r->secret);
        enum err e = link_try(r->link, &m, take_result, r, ret_answer);
        if (e == OK && ret_answer->outcome != ADMIN_OUTCOME_UNAVAILABLE)
            return CLI_OK;
        if (tries >= TRIES)
            return cli_fail(
                r->c, CLI_UNAVAILABLE, SAY_BATCH_STOPPED, SAY_BATCH_STOPPED_REMEDY,
                arena_printf(&r->c->arena, "%u", r->plan.rows[i].line),
                e == OK ? ret_answer->text : cli_error(r->c, e));
        pause_ms(TRY_MS);
        if (e == OK)
            continue;
        link_close(&r->link);
        int code = link_open(r->c, false, &r->link);
        if (code != CLI_OK)
            return code;
    }
}

/* Texts that came from elsewhere: a spreadsheet must not take them for formulas. */
static void put_foreign(struct buf *out, struct slice text)
{
    struct buf cell CLEANUP_BUF = BUF_INIT(4096);
    if (text.n && strchr("=+-@\t\r", text.p[0]))
        buf_put_char(&cell, '\'');
    utf8_put_safe(&cell, text);
    csv_put(out, false, buf_slice(&cell));
}

/* What the administrator reads later: see columns_of_results. */
static void put_record(struct run *r, size_t i, const struct link_answer *answer, struct buf *out)
{
    const struct batch_row *row = &r->plan.rows[i];
    struct buf number CLEANUP_BUF = BUF_INIT(64);
    bool good = answer->outcome == ADMIN_OUTCOME_OK;
    buf_printf(&number, "%zu,%u", i + 1, row->line);
    buf_put(out, buf_slice(&number));
    csv_put(out, false, slice_str(batch_verb_name(row->verb)));
    put_foreign(out, row->address);
    put_foreign(out, row->label);
    csv_put(out, false, good ? S("ok") : S("failed"));
    buf_clear(&number);
    if (r->credential)
        buf_printf(&number, "%llu", (unsigned long long)r->credential);
    csv_put(out, false, buf_slice(&number));
    csv_put(out, false, secret_reveal(&r->secret));
    put_foreign(out, good ? r->says : slice_sub(answer->text, 0, 500));
}

static int do_row(struct run *r, size_t i)
{
    struct link_answer answer = {.c = r->c};
    struct buf record CLEANUP_BUF = BUF_INIT(LIMIT_BATCH_RECORD);
    int code = ask_row(r, i, false, &answer);
    if (code != CLI_OK)
        return code;
    if (answer.outcome != ADMIN_OUTCOME_OK) {
        r->failed++;
        batch_problem(
            r->c, &r->plan, r->plan.rows[i].line, answer_words(&r->c->arena, r->c->lang, answer.text));
    }
    r->repeats += r->repeated;
    put_record(r, i, &answer, &record);
    enum err e = buf_check(&record) == OK ? batch_log_put(&r->log, i, buf_slice(&record)) : ERR_LIMIT;
    buf_wipe(&record);
    secret_free(&r->secret);
    if (e == OK)
        return CLI_OK;
    return cli_fail(
        r->c, CLI_IO, SAY_BATCH_UNWRITTEN, SAY_BATCH_UNWRITTEN_REMEDY,
        arena_printf(&r->c->arena, "%u", r->plan.rows[i].line), cli_error(r->c, e));
}

/* ------------------------------------------------------------------------------------------------------------ all rows */

/* The vault looks at each row without doing it. An account that an earlier row makes may be missing now. */
static int try_dry(struct run *r)
{
    struct cli *c = r->c;
    int code = CLI_OK;
    progress_start(&r->progress, c);
    for (size_t i = 0; code == CLI_OK && i < r->plan.count; i++) {
        struct link_answer answer = {.c = c};
        if (r->log.done && r->log.done[i])
            continue;
        code = ask_row(r, i, true, &answer);
        bool later = answer.outcome == ADMIN_OUTCOME_NOT_FOUND && r->plan.rows[i].created_above;
        if (code == CLI_OK && answer.outcome != ADMIN_OUTCOME_OK && !later)
            batch_problem(
                c, &r->plan, r->plan.rows[i].line, answer_words(&r->c->arena, r->c->lang, answer.text));
        progress_show(&r->progress, i + 1, r->plan.count);
    }
    progress_end(&r->progress);
    return code;
}

static int do_all(struct run *r)
{
    uint64_t rate = args_number(&r->c->args, "rate", RATE), began = clock_mono_ms(), done = 0;
    int code = CLI_OK;
    progress_start(&r->progress, r->c);
    for (size_t i = 0; code == CLI_OK && i < r->plan.count; i++) {
        if (r->log.done[i])
            continue;
        uint64_t due = began + done++ * 1000 / rate, now = clock_mono_ms();
        if (due > now)
            pause_ms(due - now);
        code = do_row(r, i);
        progress_show(&r->progress, r->log.done_count, r->plan.count);
    }
    progress_end(&r->progress);
    if (code == CLI_OK && batch_log_end(&r->log) != OK)
        code = cli_fail(r->c, CLI_IO, SAY_BATCH_UNWRITTEN, SAY_BATCH_UNWRITTEN_REMEDY, S("-"), SLICE_EMPTY);
    return code;
}

/* ---------------------------------------------------------------------------------------------------------- telling it */

static void tell_plan(struct run *r)
{
    struct cli *c = r->c;
    struct slice cells[2 * BATCH_VERB_N];
    struct slice titles[2] = {
        slice_str(say_text(c->lang, SAY_BATCH_VERB_TITLE)),
        slice_str(say_text(c->lang, SAY_BATCH_ROWS_TITLE))};
    size_t rows = 0;
    if (c->json) {
        json_key(&c->j, "rows");
        json_u64(&c->j, r->plan.count);
        json_key(&c->j, "verbs");
        json_open(&c->j, '{');
    }
    for (int verb = 0; verb < BATCH_VERB_N; verb++) {
        const char *name = batch_verb_name((enum batch_verb)verb);
        if (c->json) {
            json_key(&c->j, name);
            json_u64(&c->j, r->plan.of_verb[verb]);
        } else if (r->plan.of_verb[verb]) {
            cells[2 * rows] = slice_str(name);
            cells[2 * rows + 1] = arena_printf(&c->arena, "%zu", r->plan.of_verb[verb]);
            rows++;
        }
    }
    if (c->json)
        json_close(&c->j, '}');
    else
        view_table(c, titles, 2, cells, rows);
}

/* "office" of "office.pub". */
static struct slice key_that_opens(struct cli *c)
{
    struct slice key = args_text(&c->args, "key");
    return slice_ends(key, S(".pub")) ? slice_sub(key, 0, key.n - 4) : S("KEY");
}

static int tell_end(struct run *r, struct slice results)
{
    struct cli *c = r->c;
    struct slice failed = arena_printf(&c->arena, "%zu", r->failed);
    if (c->json) {
        json_key(&c->j, "done");
        json_u64(&c->j, r->log.done_count);
        json_key(&c->j, "repeated");
        json_u64(&c->j, r->repeats);
        json_key(&c->j, "failed");
        json_u64(&c->j, r->failed);
        json_key(&c->j, "results");
        json_text(&c->j, r->log.results >= 0 ? results : SLICE_EMPTY);
    }
    cli_say(c, SAY_BATCH_DONE, arena_printf(&c->arena, "%zu", r->log.done_count), failed, SLICE_EMPTY);
    if (r->log.results >= 0)
        cli_say(c, SAY_BATCH_RESULTS, results, key_that_opens(c), SLICE_EMPTY);
    if (r->failed)
        return cli_fail(c, CLI_DATA, SAY_BATCH_FAILED, SAY_BATCH_FAILED_REMEDY, failed, SLICE_EMPTY);
    return CLI_OK;
}

static int refuse_problems(struct run *r)
{
    return cli_fail(
        r->c, CLI_DATA, SAY_BATCH_PROBLEMS, SAY_BATCH_PROBLEMS_REMEDY,
        arena_printf(&r->c->arena, "%zu", r->plan.problems), args_text(&r->c->args, "FILE"));
}

/* ------------------------------------------------------------------------------------------------------------ the run */

static int ask_leave(struct run *r)
{
    struct cli *c = r->c;
    struct slice left = arena_printf(&c->arena, "%zu", r->plan.count - r->log.done_count);
    if (args_has(&c->args, "yes"))
        return CLI_OK;
    IGNORE(cli_flush(c) ? OK : ERR_IO, "the question follows all the same");
    if (!ask_is_possible())
        return cli_fail(c, CLI_USAGE, SAY_BATCH_UNSURE, SAY_REMOVE_UNSURE_REMEDY, left, SLICE_EMPTY);
    if (!ask_yes(c, SAY_PROMPT_BATCH, left))
        return cli_fail(c, CLI_NO, SAY_NOTHING_DONE, SAY_BATCH_LATER, SLICE_EMPTY, SLICE_EMPTY);
    return CLI_OK;
}

static int check_rows(struct run *r)
{
    int code = r->plan.problems ? refuse_problems(r) : CLI_OK;
    if (code == CLI_OK)
        code = link_open(r->c, false, &r->link);
    if (code == CLI_OK)
        code = try_dry(r);
    if (code == CLI_OK && r->plan.problems)
        code = refuse_problems(r);
    if (code == CLI_OK)
        tell_plan(r);
    return code;
}

static int run_for_real(struct run *r, struct slice results)
{
    struct cli *c = r->c;
    struct box_public key;
    struct slice key_path = args_text(&c->args, "key");
    int code = key_path.n ? batch_key_public(c, key_path, &key) : CLI_OK;
    if (code == CLI_OK && r->plan.makes_secrets && !key_path.n)
        code =
            cli_fail(c, CLI_USAGE, SAY_BATCH_NEEDS_KEY, SAY_BATCH_NEEDS_KEY_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (code == CLI_OK)
        code = batch_log_open(c, &r->plan, results, key_path.n ? &key : NULL, &r->log);
    if (code == CLI_OK && r->log.done_count)
        cli_note(
            c, SAY_BATCH_GOES_ON, arena_printf(&c->arena, "%zu", r->log.done_count), SLICE_EMPTY,
            SLICE_EMPTY);
    if (code == CLI_OK)
        code = check_rows(r);
    if (code == CLI_OK)
        code = ask_leave(r);
    if (code == CLI_OK)
        code = batch_log_begin(c, &r->plan, results, &r->log);
    if (code == CLI_OK)
        code = do_all(r);
    return code == CLI_OK ? tell_end(r, results) : code;
}

int run_batch(struct cli *c)
{
    struct run r = {.c = c, .slab = secret_slab_new(SLAB), .log = {.state = -1, .results = -1}};
    struct slice file = args_text(&c->args, "FILE"), results = args_text(&c->args, "results");
    if (!results.n)
        results = arena_printf(&c->arena, SLICE_FMT ".results", SLICE_ARG(file));
    crypto_init();
    int code = batch_plan_read(c, file, &r.plan);
    if (code == CLI_OK && r.plan.problems)
        code = refuse_problems(&r);
    else if (code == CLI_OK && args_has(&c->args, "dry-run"))
        code = check_rows(&r);
    else if (code == CLI_OK)
        code = run_for_real(&r, results);
    if (code == CLI_OK && args_has(&c->args, "dry-run"))
        cli_say(c, SAY_BATCH_DRY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    batch_put_problems(c, &r.plan);
    link_close(&r.link);
    batch_log_close(&r.log);
    batch_plan_done(&r.plan);
    secret_free(&r.secret);
    secret_slab_free(&r.slab);
    return code;
}
