#include "cli/doctor_view.h"

#include "cli/doctor_row.h"
#include "cli/help.h"

enum { MARK = 2, TEXT = 10 };

/* ------------------------------------------------------------------------------------------------- the verdict */

static void put_title(struct cli *c, struct lang_text title)
{
    buf_put_char(&c->out, '\n');
    cli_style(c, "1");
    buf_put_str(&c->out, title.in[c->lang]);
    cli_style_end(c);
    buf_put_char(&c->out, '\n');
}

static struct slice label_of(struct cli *c, const struct checked *server)
{
    return endpoint_label(&c->arena, &server->endpoint);
}

static void put_place(struct cli *c, const struct verdict *v)
{
    if (v->step >= STEP_N)
        return;
    const char *step = step_words(v->step, c->lang);
    struct slice place =
        v->server ? arena_printf(
                        &c->arena, SLICE_FMT " (%s)%s%s", SLICE_ARG(label_of(c, v->server)),
                        service_words(v->server->endpoint.service), c->lang == LANG_ZH ? "，" : ", ", step)
                  : slice_str(step);
    doctor_put_row(c, LANG_TEXT("Where", "位置"), place);
}

static void put_evidence(struct cli *c, const struct evidence *e, struct lang_text label)
{
    const struct observation *o = e->note;
    struct slice at = e->server
                          ? arena_printf(&c->arena, " (" SLICE_FMT ")", SLICE_ARG(label_of(c, e->server)))
                          : SLICE_EMPTY;
    const char *who = proof_words(o->proof_kind, c->lang);
    if (o->proof_kind == PROOF_NONE || !o->proof.n) {
        struct slice says = observation_words(&c->arena, o, c->lang);
        doctor_put_row(
            c, label, arena_printf(&c->arena, SLICE_FMT SLICE_FMT, SLICE_ARG(says), SLICE_ARG(at)));
        return;
    }
    doctor_put_row(
        c, label,
        arena_printf(&c->arena, "%s" SLICE_FMT "%s", who, SLICE_ARG(at), c->lang == LANG_ZH ? "：" : ":"));
    if (o->own.in[c->lang].n)
        doctor_put_row(c, LANG_TEXT("", ""), o->own.in[c->lang]);
    else
        doctor_put_proof(c, LANG_TEXT("", ""), o->proof);
}

static const char *verdict_colour(const struct verdict *v)
{
    static const char *const colours[VERDICT_N] = {
        [VERDICT_HEALTHY] = "1;32",
        [VERDICT_NO_PASSWORD] = "1;32",
        [VERDICT_UNCLEAR] = "1;33",
        [VERDICT_TROUBLE] = "1;31"};
    return colours[v->kind];
}

/* Which diagnosis, how sure, and what it cannot be told apart from. */
static void put_certainty(struct cli *c, const struct verdict *v)
{
    if (v->kind != VERDICT_TROUBLE)
        return;
    doctor_put_row(c, LANG_TEXT("Confidence", "把握"), slice_str(sure_words(v->sure, c->lang)));
    if (v->alternative) {
        doctor_put_row(c, LANG_TEXT("Could be", "也可能"), v->alternative->says[c->lang]);
        doctor_put_row(c, LANG_TEXT("", ""), v->alternative->remedy[c->lang]);
    }
    if (v->diagnosis)
        doctor_put_row(c, LANG_TEXT("Diagnosis", "诊断"), v->diagnosis->id);
}

void doctor_put_verdict(struct cli *c, const struct verdict *v)
{
    enum cause cause;
    cli_style(c, verdict_colour(v));
    help_put_wrapped(doctor_safe(c, v->says[c->lang]), 0, DOCTOR_WIDTH, &c->out);
    cli_style_end(c);
    buf_put_char(&c->out, '\n');
    if (v->scope != SCOPE_WHOLE) {
        help_put_wrapped(slice_str(scope_words(v->scope, c->lang)), 0, DOCTOR_WIDTH, &c->out);
        buf_put_char(&c->out, '\n');
    }
    buf_put_char(&c->out, '\n');
    if (v->remedy[c->lang].n)
        doctor_put_row(c, LANG_TEXT("Remedy", "解决办法"), v->remedy[c->lang]);
    if (cause_parse(slice_str(v->cause_name), &cause) == OK)
        doctor_put_row(c, LANG_TEXT("Cause", "原因"), slice_str(cause_words(cause, c->lang)));
    put_place(c, v);
    for (size_t i = 0; i < v->evidence_count; i++)
        put_evidence(c, &v->evidence[i], i ? LANG_TEXT("", "") : LANG_TEXT("Proof", "依据"));
    if (v->instead)
        doctor_put_row(c, LANG_TEXT("Works", "可用"), label_of(c, v->instead));
    put_certainty(c, v);
}

/* ------------------------------------------------------------------------------------------- what was seen where */

static const struct {
    struct lang_text word;
    const char *colour;
} tones[TONE_N] = {
    [TONE_GOOD] = {{{"ok", "正常"}}, "32"},
    [TONE_NOTE] = {{{"note", "提示"}}, "36"},
    [TONE_WARNING] = {{{"warn", "注意"}}, "33"},
    [TONE_FAULT] = {{{"FAULT", "故障"}}, "1;31"},
};

/* "  FAULT  text" */
static void put_note(struct cli *c, const struct observation *o)
{
    struct slice word = slice_str(tones[o->tone].word.in[c->lang]);
    size_t columns = lang_columns(word);
    doctor_put_blanks(c, MARK);
    cli_style(c, tones[o->tone].colour);
    buf_put(&c->out, word);
    cli_style_end(c);
    doctor_put_blanks(c, TEXT - MARK - columns);
    doctor_put_text(c, observation_words(&c->arena, o, c->lang), TEXT);
}

/* The notes of one step under its name; nothing when there are none. */
static void put_step(struct cli *c, const struct notes *notes, enum step step)
{
    bool named = false;
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->rows[i].step != step)
            continue;
        if (!named)
            buf_printf(&c->out, " %s\n", step_words(step, c->lang));
        named = true;
        put_note(c, &notes->rows[i]);
    }
}

static void put_steps(struct cli *c, const struct notes *notes)
{
    for (int step = 0; step < STEP_N; step++)
        put_step(c, notes, (enum step)step);
}

/* "imap.example.org:993  IMAP, TLS, as you gave it" */
static void put_server(struct cli *c, const struct checked *s, enum grade grade)
{
    const char *comma = c->lang == LANG_ZH ? "，" : ", ";
    struct slice name = doctor_safe(c, label_of(c, s));
    struct slice rest = arena_printf(
        &c->arena, "%s%s%s%s%s", service_words(s->endpoint.service), comma,
        security_words(s->endpoint.security, c->lang), comma, source_words(s->endpoint.source, c->lang));
    buf_put_char(&c->out, '\n');
    cli_style(c, "1");
    help_put_wrapped(name, 0, DOCTOR_WIDTH, &c->out);
    cli_style_end(c);
    size_t columns = lang_columns(name);
    if (columns + 2 + lang_columns(rest) > DOCTOR_WIDTH) {
        buf_put_char(&c->out, '\n');
        columns = 0;
    }
    buf_put_str(&c->out, "  ");
    help_put_wrapped(rest, columns + 2, DOCTOR_WIDTH, &c->out);
    buf_put_char(&c->out, '\n');
    put_steps(c, &s->notes);
    if (s->notes.full)
        buf_put_str(&c->out, c->lang == LANG_ZH ? "  （其余从略）\n" : "  (more was seen than is shown)\n");
    if (grade != GRADE_NONE)
        buf_printf(&c->out, " %s %s\n", c->lang == LANG_ZH ? "安全评级" : "Security", grade_name(grade));
}

static void put_servers(struct cli *c, const struct examination *x, const struct grading *g)
{
    if (x->general.count) {
        buf_put_char(&c->out, '\n');
        put_steps(c, &x->general);
    }
    for (size_t i = 0; i < x->server_count; i++)
        put_server(c, &x->servers[i], g->servers[i]);
}

/* ---------------------------------------------------------------------------------------- what else, and the grade */

/* "imap.example.org:993, and 2 more" */
static struct slice places(struct cli *c, const struct checked *server, unsigned others)
{
    struct slice label = label_of(c, server);
    return others ? arena_printf(
                        &c->arena, c->lang == LANG_ZH ? SLICE_FMT "，另有 %u 台" : SLICE_FMT ", and %u more",
                        SLICE_ARG(label), others)
                  : label;
}

static void put_noticed(struct cli *c, const struct verdict *v)
{
    size_t count, told = 0;
    const struct judged *rows = verdict_noticed(v, &count);
    for (size_t i = 0; i < count; i++) {
        const struct judged *j = &rows[i];
        if (!j->note->diagnosis)
            continue; /* a fact: it stands in its server's list, and has no remedy */
        if (!told++)
            put_title(c, LANG_TEXT("Also noticed", "其他发现"));
        put_note(c, j->note);
        doctor_put_blanks(c, TEXT);
        doctor_put_text(c, j->note->diagnosis->remedy[c->lang], TEXT);
        if (!j->server)
            continue;
        doctor_put_blanks(c, TEXT);
        doctor_put_text(c, places(c, j->server, (unsigned)__builtin_popcountll(j->servers) - 1), TEXT);
    }
}

/* Points that say the same of several servers are told once. */
static bool is_same_point(const struct grade_point *a, const struct grade_point *b, enum lang lang)
{
    return slice_eq(slice_str(a->id), slice_str(b->id)) && slice_eq(a->reason[lang], b->reason[lang]);
}

static bool is_told(const struct grading *g, size_t i, enum lang lang)
{
    for (size_t j = 0; j < i; j++)
        if (is_same_point(&g->points[i], &g->points[j], lang))
            return true;
    return false;
}

static void put_point(struct cli *c, const struct grading *g, size_t i)
{
    const struct grade_point *p = &g->points[i];
    struct slice mark = slice_str(grade_name(p->cap));
    unsigned others = 0;
    for (size_t j = i + 1; j < g->point_count; j++)
        others += is_same_point(p, &g->points[j], c->lang);
    doctor_put_blanks(c, MARK);
    buf_put(&c->out, mark);
    doctor_put_blanks(c, TEXT - MARK - mark.n);
    doctor_put_text(
        c,
        arena_printf(
            &c->arena, SLICE_FMT "%s" SLICE_FMT, SLICE_ARG(places(c, p->server, others)),
            c->lang == LANG_ZH ? "：" : ": ", SLICE_ARG(p->reason[c->lang])),
        TEXT);
    doctor_put_blanks(c, TEXT);
    doctor_put_text(
        c,
        arena_printf(
            &c->arena, "%s" SLICE_FMT,
            c->lang == LANG_ZH ? "改进：" : "better: ", SLICE_ARG(p->better[c->lang])),
        TEXT);
}

static void put_grade(struct cli *c, const struct grading *g)
{
    if (g->whole == GRADE_NONE)
        return;
    put_title(c, LANG_TEXT("Security of the servers' settings", "服务器设置的安全性"));
    doctor_put_row(c, LANG_TEXT("Grade", "评级"), slice_str(grade_name(g->whole)));
    for (int cap = GRADE_F; cap > GRADE_A_PLUS; cap--) /* what matters most first */
        for (size_t i = 0; i < g->point_count; i++)
            if (g->points[i].cap == (enum grade)cap && g->points[i].better[c->lang].n &&
                !is_told(g, i, c->lang))
                put_point(c, g, i);
}

void doctor_put_all(
    struct cli *c, const struct examination *x, const struct verdict *v, const struct grading *g)
{
    doctor_put_verdict(c, v);
    put_servers(c, x, g);
    put_noticed(c, v);
    put_grade(c, g);
}
