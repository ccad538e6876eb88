#include "cli/doctor_json.h"

#include "base/limits.h"
#include "doctor/tree.h"

enum { TEXT_MAX = 65536 };

static void put_text(struct json *j, const char *key, struct slice text)
{
    json_key(j, key);
    json_text(j, text);
}

static void put_name(struct json *j, const char *key, const char *name)
{
    put_text(j, key, slice_str(name));
}

static void put_flag(struct json *j, const char *key, bool value)
{
    json_key(j, key);
    json_bool(j, value);
}

static void put_texts(struct json *j, const char *key, const struct slice *texts)
{
    json_key(j, key);
    json_open(j, '{');
    for (int l = 0; l < LANG_N; l++)
        put_text(j, lang_name((enum lang)l), texts ? texts[l] : SLICE_EMPTY);
    json_close(j, '}');
}

static void put_server_name(struct json *j, const char *key, const struct checked *server)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(TEXT_MAX);
    put_text(j, key, server ? endpoint_label(&arena, &server->endpoint) : SLICE_EMPTY);
}

/* A diagnosis in the place of another: its id and texts, all empty when there is none. */
static void put_diagnosis(struct json *j, const char *key, const struct diagnosis *d)
{
    json_key(j, key);
    json_open(j, '{');
    put_text(j, "id", d ? d->id : SLICE_EMPTY);
    put_name(j, "cause", d ? cause_name(d->cause) : "");
    put_texts(j, "says", d ? d->says : NULL);
    put_texts(j, "remedy", d ? d->remedy : NULL);
    json_close(j, '}');
}

/* ---------------------------------------------------------------------------------------------------- notes */

static void put_proof(struct json *j, const struct observation *o)
{
    json_key(j, "proof");
    json_open(j, '{');
    put_name(j, "kind", proof_name(o->proof_kind));
    put_text(j, "text", o->proof);
    put_texts(j, "says", o->own.in);
    json_close(j, '}');
}

static void put_words(struct json *j, const char *key, const struct observation *o)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(TEXT_MAX);
    struct slice words[LANG_N];
    for (int l = 0; l < LANG_N; l++)
        words[l] = observation_words(&arena, o, (enum lang)l);
    put_texts(j, key, words);
}

/* Members of an open object. */
static void put_note(struct json *j, const struct observation *o)
{
    const struct diagnosis *d = o->diagnosis;
    put_name(j, "step", step_name(o->step));
    put_name(j, "tone", tone_name(o->tone));
    put_name(j, "fact", d ? "" : fact_name(o->fact));
    put_text(j, "diagnosis", d ? d->id : SLICE_EMPTY);
    put_name(j, "cause", d ? cause_name(d->cause) : "");
    put_words(j, "says", o);
    put_texts(j, "remedy", d ? d->remedy : NULL);
    put_name(j, "confidence", d ? sure_name(o->sure) : "");
    put_text(j, "alternative", o->alternative ? o->alternative->id : SLICE_EMPTY);
    put_proof(j, o);
}

static void put_notes(struct json *j, const char *key, const struct notes *notes)
{
    json_key(j, key);
    json_open(j, '[');
    for (size_t i = 0; i < notes->count; i++) {
        json_open(j, '{');
        put_note(j, &notes->rows[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* -------------------------------------------------------------------------------------------------- verdict */

static void put_evidence(struct json *j, const struct verdict *v)
{
    json_key(j, "evidence");
    json_open(j, '[');
    for (size_t i = 0; i < v->evidence_count; i++) {
        const struct evidence *e = &v->evidence[i];
        json_open(j, '{');
        put_server_name(j, "server", e->server);
        put_words(j, "says", e->note);
        put_proof(j, e->note);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void doctor_json_verdict(struct json *j, const struct verdict *v)
{
    bool trouble = v->kind == VERDICT_TROUBLE;
    json_key(j, "verdict");
    json_open(j, '{');
    put_name(j, "kind", verdict_kind_name(v->kind));
    put_name(j, "scope", scope_name(v->scope));
    put_name(j, "cause", v->cause_name);
    put_text(j, "diagnosis", v->diagnosis ? v->diagnosis->id : SLICE_EMPTY);
    put_texts(j, "says", v->says);
    put_texts(j, "remedy", v->remedy);
    put_name(j, "confidence", trouble ? sure_name(v->sure) : "");
    put_diagnosis(j, "alternative", v->alternative);
    put_name(j, "step", v->step < STEP_N ? step_name(v->step) : "");
    put_server_name(j, "server", v->server);
    put_server_name(j, "instead", v->instead);
    put_evidence(j, v);
    json_close(j, '}');
}

static void put_noticed(struct json *j, const struct examination *x, const struct verdict *v)
{
    size_t count;
    const struct judged *rows = verdict_noticed(v, &count);
    json_key(j, "noticed");
    json_open(j, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(j, '{');
        put_note(j, rows[i].note);
        put_flag(j, "aside", rows[i].aside);
        json_key(j, "servers");
        json_open(j, '[');
        for (size_t s = 0; s < x->server_count; s++)
            if (rows[i].servers >> s & 1) {
                struct arena arena CLEANUP_ARENA = ARENA_INIT(TEXT_MAX);
                json_text(j, endpoint_label(&arena, &x->servers[s].endpoint));
            }
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* -------------------------------------------------------------------------------------------------- servers */

/* What was found out about it, as one word each. */
static void put_standing(struct json *j, const struct standing *s)
{
    const struct {
        const char *key;
        bool value;
    } rows[] = {{"connected", s->connected}, {"encrypted", s->encrypted},  {"verified", s->private_},
                {"greeted", s->greeted},     {"tried", s->tried},          {"signed-in", s->signed_in},
                {"works", s->works},         {"letterlock", s->letterlock}};
    json_key(j, "standing");
    json_open(j, '{');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_flag(j, rows[i].key, rows[i].value);
    json_close(j, '}');
}

static void put_server(struct json *j, const struct checked *s, enum grade grade, bool notes)
{
    const struct endpoint *e = &s->endpoint;
    json_open(j, '{');
    put_server_name(j, "server", s);
    put_name(j, "service", service_name(e->service));
    put_text(j, "host", e->host);
    json_key(j, "port");
    json_u64(j, e->port);
    put_name(j, "security", security_name(e->security));
    put_name(j, "source", source_name(e->source));
    put_flag(j, "trusted", e->trusted);
    put_text(j, "user", e->user);
    put_standing(j, &s->standing);
    put_name(j, "grade", grade == GRADE_NONE ? "" : grade_name(grade));
    if (notes)
        put_notes(j, "notes", &s->notes);
    json_close(j, '}');
}

static void put_servers(struct json *j, const struct examination *x, const struct grading *g, bool notes)
{
    json_key(j, "servers");
    json_open(j, '[');
    for (size_t i = 0; i < x->server_count; i++)
        put_server(j, &x->servers[i], g->servers[i], notes);
    json_close(j, ']');
}

void doctor_json_servers(struct json *j, const struct examination *x, const struct grading *g)
{
    put_servers(j, x, g, false);
}

/* ------------------------------------------------------------------------------------------- tree and grade */

static void put_question(struct json *j, const struct tree_question *q)
{
    struct slice asks[LANG_N];
    for (int l = 0; l < LANG_N; l++)
        asks[l] = slice_str(tree_words(q->step, (enum lang)l));
    json_open(j, '{');
    put_name(j, "step", step_name(q->step));
    put_name(j, "answer", tree_answer_name(q->answer));
    put_texts(j, "asks", asks);
    json_key(j, "causes");
    json_open(j, '[');
    for (size_t i = 0; i < q->cause_count; i++)
        json_text(j, slice_str(cause_name(q->causes[i])));
    json_close(j, ']');
    json_close(j, '}');
}

static void put_tree(struct json *j, const struct examination *x, const struct verdict *v)
{
    struct tree tree;
    struct buf mermaid CLEANUP_BUF = BUF_INIT(TEXT_MAX);
    tree_init(&tree, x, v);
    tree_put_mermaid(&tree, LANG_EN, &mermaid);
    json_key(j, "tree");
    json_open(j, '{');
    json_key(j, "questions");
    json_open(j, '[');
    for (size_t i = 0; i < STEP_N; i++)
        put_question(j, &tree.questions[i]);
    json_close(j, ']');
    put_name(j, "cause", tree.cause < CAUSE_N ? cause_name(tree.cause) : "");
    put_text(j, "mermaid", buf_slice(&mermaid));
    json_close(j, '}');
}

static void put_grade(struct json *j, const struct grading *g)
{
    json_key(j, "grade");
    json_open(j, '{');
    put_name(j, "whole", g->whole == GRADE_NONE ? "" : grade_name(g->whole));
    json_key(j, "points");
    json_open(j, '[');
    for (size_t i = 0; i < g->point_count; i++) {
        const struct grade_point *p = &g->points[i];
        json_open(j, '{');
        put_name(j, "id", p->id);
        put_server_name(j, "server", p->server);
        put_name(j, "cap", grade_name(p->cap));
        put_texts(j, "reason", p->reason);
        put_texts(j, "better", p->better);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

void doctor_json_put(
    struct json *j, const struct examination *x, const struct verdict *v, const struct grading *g)
{
    put_text(j, "address", x->address);
    put_text(j, "provider", x->provider ? x->provider->id : SLICE_EMPTY);
    doctor_json_verdict(j, v);
    put_servers(j, x, g, true);
    put_notes(j, "notes", &x->general);
    put_noticed(j, x, v);
    put_tree(j, x, v);
    put_grade(j, g);
}
