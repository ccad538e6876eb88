/* run_doctor_watch.c - `letterlock doctor --watch`: the same check again and again, and what has changed since the last one.
 *
 * After a refused sign-in the secret is wiped: it is never tried again. Ctrl-C and the like end it in order: between two checks that
 * is how it ends, in the middle of one the check is not complete (loop/stop.h).
 */
#include "base/clock.h"
#include "cli/doctor.h"
#include "cli/doctor_json.h"
#include "cli/doctor_line.h"
#include "cli/doctor_row.h"
#include "cli/doctor_view.h"
#include "doctor/changes.h"

enum { EVERY_S = 300, EVERY_MAX_S = 7 * 86400, LONGEST_MS = 3600000 };

struct watching {
    struct cli *c;
    struct doctor_asked asked;
    struct examination *last; /* NULL: nothing was seen yet */
    uint64_t every_s;
    bool broken_off; /* the last round was not complete */
};

/* True when the person wants no more. */
static bool wait_for_next(struct watching *w)
{
    const struct stop *stop = w->c->stop;
    uint64_t until = clock_mono_ms() + w->every_s * 1000, now;
    while ((now = clock_mono_ms()) < until && !stop_signal(stop)) {
        uint64_t left = until - now;
        (void)stop_poll(
            stop, NULL, 0,
            left > LONGEST_MS ? LONGEST_MS : (int)left); /* the condition above tells what came */
    }
    return stop_signal(stop) != 0;
}

/* ------------------------------------------------------------------------------------------------------ telling */

static struct slice words_of(struct cli *c, const struct change *change, enum lang lang)
{
    static const struct lang_text kinds[CHANGE_N] = {
        [CHANGE_SERVER_NEW] = {{"a new server", "新增服务器"}},
        [CHANGE_SERVER_GONE] = {{"is not published any more", "不再公布"}},
        [CHANGE_NEW] = {{"new: ", "新出现："}},
        [CHANGE_GONE] = {{"no more: ", "已消失："}},
        [CHANGE_FACT] = {{"now: ", "现在："}}};
    const char *kind = kinds[change->kind].in[lang];
    if (change->kind == CHANGE_BEGAN || change->kind == CHANGE_ENDED)
        return slice_str(deed_words(change->deed, change->kind == CHANGE_BEGAN, lang));
    if (!change->note)
        return slice_str(kind);
    struct slice words = observation_words(&c->arena, change->note, lang);
    return arena_printf(&c->arena, "%s" SLICE_FMT, kind, SLICE_ARG(words));
}

static void put_change_line(struct cli *c, const struct change *change)
{
    struct doctor_line line;
    struct slice place = change->server ? endpoint_label(&c->arena, &change->server->endpoint) : SLICE_EMPTY;
    doctor_line_start(&line);
    json_key(&line.j, "time");
    json_i64(&line.j, clock_unix_s());
    json_key(&line.j, "change");
    json_text(&line.j, slice_str(change_name(change->kind)));
    json_key(&line.j, "server");
    json_text(&line.j, place);
    json_key(&line.j, "deed");
    json_text(
        &line.j, change->kind == CHANGE_BEGAN || change->kind == CHANGE_ENDED
                     ? slice_str(deed_name(change->deed))
                     : SLICE_EMPTY);
    json_key(&line.j, "diagnosis");
    json_text(&line.j, change->note && change->note->diagnosis ? change->note->diagnosis->id : SLICE_EMPTY);
    json_key(&line.j, "says");
    json_open(&line.j, '{');
    for (int l = 0; l < LANG_N; l++) {
        json_key(&line.j, lang_name((enum lang)l));
        json_text(&line.j, words_of(c, change, (enum lang)l));
    }
    json_close(&line.j, '}');
    doctor_line_end(&line);
}

static void put_time(struct cli *c)
{
    struct civil t = civil_of_unix(clock_unix_s());
    buf_printf(&c->out, "%04d-%02d-%02d %02d:%02d UTC  ", t.year, t.month, t.day, t.hour, t.minute);
}

static void on_change(void *owner, const struct change *change)
{
    struct cli *c = owner;
    if (c->json) {
        put_change_line(c, change);
        return;
    }
    put_time(c);
    struct slice place = change->server ? endpoint_label(&c->arena, &change->server->endpoint) : SLICE_EMPTY;
    struct slice words = words_of(c, change, c->lang);
    if (place.n)
        words = arena_printf(
            &c->arena, SLICE_FMT "%s" SLICE_FMT, SLICE_ARG(place), c->lang == LANG_ZH ? "：" : ": ",
            SLICE_ARG(words));
    doctor_put_text(c, words, sizeof "2027-01-31 14:05 UTC  " - 1);
}

static void put_verdict(struct cli *c, const struct verdict *v)
{
    if (c->json) {
        struct doctor_line line;
        doctor_line_start(&line);
        json_key(&line.j, "time");
        json_i64(&line.j, clock_unix_s());
        doctor_json_verdict(&line.j, v);
        doctor_line_end(&line);
        return;
    }
    put_time(c);
    buf_put_str(&c->out, c->lang == LANG_ZH ? "结论\n" : "the verdict\n");
    doctor_put_verdict(c, v);
    buf_put_char(&c->out, '\n');
}

/* Is it about something else, as far as both can be compared? */
static bool is_other(const struct verdict *before, const struct verdict *now)
{
    return before->kind != now->kind || before->diagnosis != now->diagnosis || before->step != now->step;
}

/* What has changed, and the whole verdict at first and when it is another one. */
static void tell(struct watching *w, const struct examination *x)
{
    struct verdict now, before;
    bool news = !w->last;
    verdict_init(&now, x);
    if (w->last && changes_between(w->last, x, on_change, w->c) > 0) {
        verdict_init(&before, w->last);
        news = is_other(&before, &now);
        verdict_done(&before);
    }
    if (news)
        put_verdict(w->c, &now);
    verdict_done(&now);
}

/* --------------------------------------------------------------------------------------------------- the rounds */

/* A secret that was sent and did not open the account is gone for good; so is one that has met as many refusals as a run may, be it
 * of ways that others made up for, one a round. */
static void forget_refused(struct watching *w, const struct examination *x)
{
    struct doctor_asked *a = &w->asked;
    bool over = a->refusals >= LIMIT_DOCTOR_FAILURES;
    for (size_t i = 0; i < x->server_count; i++)
        over |= x->servers[i].standing.tried && !x->servers[i].standing.signed_in;
    if (!a->wishes.secret || !over)
        return;
    doctor_forget_secret(a);
    cli_note(w->c, SAY_DOCTOR_WATCH_REFUSED, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
}

/* A round that a signal broke off: what it saw is told where nothing was told before; else it would only look like changes. */
static void tell_broken_off(struct watching *w, const struct examination *x)
{
    if (w->last)
        return;
    cli_say(w->c, SAY_DOCTOR_STOPPED_SO_FAR, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    tell(w, x);
}

/* What a round says lives as long as the round. */
static int look_once(struct watching *w, const struct knowledge *k)
{
    struct cli *c = w->c;
    struct arena kept = c->arena;
    struct examination *x = NULL;
    arena_init(&c->arena, CLI_ARENA_MAX);
    int code = doctor_examine(c, k, &w->asked, &x);
    bool whole = !stop_signal(c->stop);
    if (code == CLI_OK && whole) {
        tell(w, x);
        forget_refused(w, x);
    } else if (code == CLI_OK) {
        tell_broken_off(w, x);
    }
    if (code == CLI_OK) {
        doctor_examination_free(&w->last);
        w->last = x;
        code = cli_flush(c) ? CLI_OK : CLI_IO;
    }
    arena_done(&c->arena);
    c->arena = kept;
    w->broken_off = !whole;
    return code;
}

int doctor_watch(struct cli *c, const struct knowledge *k)
{
    struct watching w = {.c = c};
    w.every_s = args_number(&c->args, "every", EVERY_S);
    if (w.every_s > EVERY_MAX_S)
        w.every_s = EVERY_MAX_S;
    int code = doctor_asked_read(c, &w.asked);
    w.asked.way.refusals = &w.asked.refusals;
    if (code == CLI_OK)
        code = doctor_stop_start(c, &w.asked);
    if (code == CLI_OK)
        code = doctor_ask_secret(c, &w.asked);
    bool over = code != CLI_OK;
    w.broken_off = !over && stop_signal(c->stop);
    while (!over && !w.broken_off) {
        code = look_once(&w, k);
        over = code != CLI_OK || wait_for_next(&w);
    }
    doctor_forget_secret(&w.asked);
    int number = doctor_stop_end(c, &w.asked);
    if (code == CLI_OK && w.broken_off)
        code = doctor_stopped(c, number);
    doctor_examination_free(&w.last);
    doctor_asked_done(&w.asked);
    return code;
}
