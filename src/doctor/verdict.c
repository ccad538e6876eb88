#include "doctor/verdict.h"

#include <assert.h>
#include <stdlib.h>

#include "doctor/judging.h"

static_assert(LIMIT_DOCTOR_SERVERS <= 64, "a bit for each server in judged.servers");

static_assert(
    (LIMIT_DOCTOR_SERVERS + 1) * LIMIT_DOCTOR_NOTES * (sizeof(struct entry) + sizeof(struct judged)) <
        LIMIT_DOCTOR_VERDICT_MEMORY,
    "all notes of all servers");

/* -------------------------------------------------------------------------------------------- services and servers */

enum { SOURCE_OF_NONE, SOURCE_BY_PERSON, SOURCE_PUBLISHED, SOURCE_GUESSED };

static int source_class(enum source source)
{
    if (source == SOURCE_GIVEN)
        return SOURCE_BY_PERSON;
    return source == SOURCE_GUESS ? SOURCE_GUESSED : SOURCE_PUBLISHED;
}

/* How far it is from working. */
static int server_behind(const struct checked *s)
{
    const struct standing *st = &s->standing;
    const bool reached[] = {st->works,    st->signed_in, st->tried,    st->greeted,
                            st->private_, st->encrypted, st->connected};
    int n = sizeof reached / sizeof *reached;
    for (int i = 0; i < n; i++)
        if (reached[i])
            return i;
    return n;
}

static bool server_works(const struct examination *x, const struct checked *s)
{
    if (x->has_secret)
        return s->standing.works;
    for (int step = 0; step < STEP_N; step++)
        if (notes_worst(&s->notes, (enum step)step) == TONE_FAULT)
            return false;
    return s->standing.greeted;
}

/* The servers that stand for their service: the person's own, else the published ones, else the guesses. */
static bool server_stands(const struct judging *j, const struct checked *s)
{
    const struct service_state *service = &j->services[s->endpoint.service];
    return service->wanted && service->source == source_class(s->endpoint.source);
}

static void find_sources(struct judging *j)
{
    int best = SOURCE_OF_NONE;
    for (size_t i = 0; i < j->x->server_count; i++) {
        const struct endpoint *e = &j->x->servers[i].endpoint;
        struct service_state *service = &j->services[e->service];
        int source = source_class(e->source);
        if (!service->source || source < service->source)
            service->source = source;
        if (!best || source < best)
            best = source;
    }
    for (int i = 0; i < SERVICE_N; i++) {
        int source = j->services[i].source;
        j->services[i].wanted = source && (source < SOURCE_GUESSED || best == SOURCE_GUESSED);
    }
}

static void find_working(struct judging *j)
{
    bool wanted = false;
    for (int i = 0; i < SERVICE_N; i++)
        j->services[i].works = j->services[i].wanted && j->services[i].source == SOURCE_BY_PERSON;
    for (size_t i = 0; i < j->x->server_count; i++) {
        const struct checked *s = &j->x->servers[i];
        struct service_state *service = &j->services[s->endpoint.service];
        j->signed_in |= s->standing.signed_in;
        j->tried |= s->standing.tried;
        if (!server_stands(j, s))
            continue;
        bool works = server_works(j->x, s);
        service->works =
            service->source == SOURCE_BY_PERSON ? service->works && works : service->works || works;
    }
    /* POP3 that was only found is not missed where IMAP works. */
    struct service_state *pop3 = &j->services[SERVICE_POP3];
    if (j->services[SERVICE_IMAP].works && pop3->source != SOURCE_BY_PERSON && !pop3->works)
        pop3->wanted = false;
    j->all_work = true;
    for (int i = 0; i < SERVICE_N; i++) {
        wanted |= j->services[i].wanted;
        j->all_work &= !j->services[i].wanted || j->services[i].works;
    }
    j->all_work &= wanted;
}

/* ------------------------------------------------------------------------------------------------------- the order */

/* Does a fault there count, or is the server not needed? */
static bool counts(const struct judging *j, const struct checked *s, enum step step)
{
    if (!s)
        return !(j->all_work && step <= STEP_FIND);
    if (!server_stands(j, s))
        return false;
    const struct service_state *service = &j->services[s->endpoint.service];
    return service->source == SOURCE_BY_PERSON || !service->works || server_works(j->x, s);
}

static enum weight weigh(const struct judging *j, const struct checked *s, const struct observation *o)
{
    bool needed = counts(j, s, o->step);
    if (o->tone == TONE_FAULT && needed)
        return o->diagnosis && o->diagnosis->cause == CAUSE_INTERCEPTED ? WEIGHT_INTERCEPTED : WEIGHT_FAULT;
    if (o->tone == TONE_FAULT)
        return WEIGHT_ASIDE_FAULT;
    if (o->tone == TONE_WARNING)
        return needed ? WEIGHT_WARNING : WEIGHT_ASIDE_WARNING;
    return WEIGHT_NOTE;
}

static void enter(struct judging *j, const struct checked *s, const struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct observation *o = &notes->rows[i];
        if (o->tone < (o->diagnosis ? TONE_NOTE : TONE_WARNING))
            continue;
        j->entries[j->count] = (struct entry){
            .note = o,
            .server = s,
            .weight = weigh(j, s, o),
            .source = s ? source_class(s->endpoint.source) : SOURCE_OF_NONE,
            .service = s ? 1 + (int)s->endpoint.service : 0,
            .behind = s ? server_behind(s) : 0,
            .order = j->count};
        j->count++;
    }
}

/* The keys, the most important first; the smaller one goes first. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    const struct observation *m = a->note, *n = b->note;
    const long keys[][2] = {
        {(long)a->weight, (long)b->weight},
        {a->source, b->source},
        {a->service, b->service},
        {a->behind, b->behind},
        {(long)m->step, (long)n->step},
        {!m->diagnosis, !n->diagnosis},
        {m->diagnosis && m->diagnosis->observed, n->diagnosis && n->diagnosis->observed},
        {(long)n->sure, (long)m->sure},
        {(long)a->order, (long)b->order},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static void judging_init(struct judging *j, const struct examination *x, struct arena *arena)
{
    size_t most = x->general.count;
    *j = (struct judging){.x = x};
    find_sources(j);
    find_working(j);
    for (size_t i = 0; i < x->server_count; i++)
        most += x->servers[i].notes.count;
    j->entries = arena_array(arena, most + 1, sizeof *j->entries);
    assert(j->entries); /* LIMIT_DOCTOR_VERDICT_MEMORY holds all notes of all servers */
    enter(j, NULL, &x->general);
    for (size_t i = 0; i < x->server_count; i++)
        enter(j, &x->servers[i], &x->servers[i].notes);
    qsort(j->entries, j->count, sizeof *j->entries, compare);
}

/* ------------------------------------------------------------------------------------------------- the first of them */

/* The first fault that counts; when there is none and not everything works, the first warning that may be the reason. */
static const struct entry *first_of(const struct judging *j)
{
    for (size_t i = 0; i < j->count; i++) {
        const struct entry *e = &j->entries[i];
        if (!e->note->diagnosis)
            continue;
        if (e->weight <= WEIGHT_FAULT)
            return e;
        bool slip = e->note->step == STEP_PASSWORD;
        bool undone = e->server ? !server_works(j->x, e->server) : !(slip && j->tried);
        if (e->weight == WEIGHT_WARNING && !j->all_work && undone)
            return e;
    }
    return NULL;
}

static uint64_t bit_of(const struct examination *x, const struct checked *s)
{
    return s ? UINT64_C(1) << (s - x->servers) : 0;
}

static bool is_same(const struct observation *a, const struct observation *b)
{
    return a->diagnosis ? a->diagnosis == b->diagnosis : a->fact == b->fact && !b->diagnosis;
}

/* The findings, each once; `first` (may be NULL) leads. The alternative is told with the verdict, and not once more. */
static void list_findings(struct verdict *v, const struct judging *j, const struct entry *first)
{
    v->findings = arena_array(&v->arena, j->count + 1, sizeof *v->findings);
    assert(v->findings);
    for (size_t i = 0; i <= j->count; i++) {
        const struct entry *e = i ? &j->entries[i - 1] : first;
        size_t at = 0;
        if (!e || (i && v->alternative && e->note->diagnosis == v->alternative))
            continue;
        while (at < v->finding_count && !is_same(v->findings[at].note, e->note))
            at++;
        if (at == v->finding_count)
            v->findings[v->finding_count++] = (struct judged){
                .note = e->note,
                .server = e->server,
                .aside = e->weight == WEIGHT_ASIDE_FAULT || e->weight == WEIGHT_ASIDE_WARNING};
        v->findings[at].servers |= bit_of(j->x, e->server);
    }
}

/* --------------------------------------------------------------------------------------------------------- evidence */

static void add_evidence(struct verdict *v, const struct entry *e)
{
    for (size_t i = 0; i < v->evidence_count; i++)
        if (v->evidence[i].note == e->note)
            return;
    if (v->evidence_count < VERDICT_EVIDENCE)
        v->evidence[v->evidence_count++] = (struct evidence){e->note, e->server};
}

/* What was noted there, what it explains, and the same at other servers. */
static void collect_evidence(
    struct verdict *v, const struct judging *j, const struct entry *first, const struct entry *explained)
{
    if (first->note->proof.n)
        add_evidence(v, first);
    if (explained != first && explained->note->proof.n)
        add_evidence(v, explained);
    for (size_t i = 0; i < j->count; i++) {
        const struct entry *e = &j->entries[i];
        if (e->note->proof.n && (is_same(e->note, first->note) || is_same(e->note, explained->note)))
            add_evidence(v, e);
    }
    if (!v->evidence_count)
        add_evidence(v, explained);
}

/* ---------------------------------------------------------------------------------------------------------- wholes */

static enum scope scope_of(const struct judging *j, const struct checked *s)
{
    const struct service_state *imap = &j->services[SERVICE_IMAP], *pop3 = &j->services[SERVICE_POP3];
    const struct service_state *smtp = &j->services[SERVICE_SMTP];
    bool receives =
        (imap->wanted || pop3->wanted) && (!imap->wanted || imap->works) && (!pop3->wanted || pop3->works);
    if (!s)
        return SCOPE_WHOLE;
    if (s->endpoint.service == SERVICE_SMTP)
        return receives ? SCOPE_SENDING : SCOPE_WHOLE;
    return smtp->wanted && smtp->works ? SCOPE_RECEIVING : SCOPE_WHOLE;
}

static const struct checked *instead_of(const struct judging *j, const struct checked *s)
{
    for (size_t i = 0; s && i < j->x->server_count; i++) {
        const struct checked *other = &j->x->servers[i];
        if (other != s && other->endpoint.service == s->endpoint.service && server_works(j->x, other))
            return other;
    }
    return NULL;
}

static void judge_trouble(struct verdict *v, const struct judging *j, const struct entry *explained)
{
    const struct diagnosis *alternative = NULL, *besides = NULL;
    const struct entry *first = rules_explain(j, explained, &alternative);
    const struct diagnosis *conclusion = rules_conclude(j, explained, &besides);
    const struct entry *at = first->server ? first : explained;
    v->kind = VERDICT_TROUBLE;
    v->diagnosis = first->note->diagnosis;
    v->alternative = alternative ? alternative : first->note->alternative;
    v->sure = first->note->sure;
    v->step = first->note->step;
    if (conclusion && first == explained) {
        v->alternative = besides;
        v->diagnosis = conclusion;
        v->sure = conclusion->sure;
    }
    if (v->alternative == v->diagnosis)
        v->alternative = NULL;
    if (v->alternative && v->sure == SURE_HIGH)
        v->sure = SURE_MEDIUM;
    v->server = at->server;
    v->scope = scope_of(j, v->server);
    v->instead = instead_of(j, v->server);
    v->cause_name = cause_name(v->diagnosis->cause);
    for (int l = 0; l < LANG_N; l++) {
        v->says[l] = v->diagnosis->says[l];
        v->remedy[l] = v->diagnosis->remedy[l];
    }
    collect_evidence(v, j, first, explained);
    list_findings(v, j, first);
}

void verdict_init(struct verdict *v, const struct examination *x)
{
    struct judging j;
    *v = (struct verdict){.sure = SURE_HIGH, .step = STEP_N, .cause_name = "none"};
    arena_init(&v->arena, LIMIT_DOCTOR_VERDICT_MEMORY);
    judging_init(&j, x, &v->arena);
    const struct entry *first = first_of(&j);
    if (first)
        judge_trouble(v, &j, first);
    else {
        v->kind = !j.all_work ? VERDICT_UNCLEAR : x->has_secret ? VERDICT_HEALTHY : VERDICT_NO_PASSWORD;
        verdict_say(v, &j);
        list_findings(v, &j, NULL);
    }
}

void verdict_done(struct verdict *v)
{
    arena_done(&v->arena);
    *v = (struct verdict){.kind = VERDICT_UNCLEAR};
}

const struct judged *verdict_noticed(const struct verdict *v, size_t *ret_count)
{
    size_t own = v->kind == VERDICT_TROUBLE;
    *ret_count = v->finding_count - own;
    return v->findings + own;
}

int verdict_exit_code(const struct verdict *v)
{
    return v->kind == VERDICT_HEALTHY || v->kind == VERDICT_NO_PASSWORD ? 0 : 1;
}
