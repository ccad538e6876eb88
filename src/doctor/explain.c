#include "doctor/explain.h"

/* Octets of text that these things are worth. WORTH_OWN: words of one provider or program say more
 * than anybody's; WORTH_PLACE: said by this protocol; WORTH_CODE: a bare response code, at most;
 * WORTH_VAGUE: what is never sure comes last. */
enum {
    WORTH_CASE = 3,
    WORTH_ANCHOR = 3,
    WORTH_LINE = 4,
    WORTH_OWN = 8,
    WORTH_PLACE = 6,
    WORTH_PROVIDER = 40,
    WORTH_CODE = 1,
    WORTH_VAGUE = -60
};

static bool in_host(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-';
}

/* The first word of the text that is a host of a provider. */
static const struct provider *provider_named(const struct knowledge *k, const struct subject *s)
{
    for (size_t at = 0; at < s->n;) {
        size_t end = at;
        while (end < s->n && in_host(s->lower[end]))
            end++;
        struct slice word = slice_of(s->lower + at, end - at);
        while (word.n && (word.p[word.n - 1] == '.' || word.p[word.n - 1] == '-'))
            word.n--;
        const struct provider *p = word.n <= LIMIT_EXPLAIN_ID ? knowledge_provider_of(k, word) : NULL;
        if (p)
            return p;
        at = end + 1;
    }
    return NULL;
}

/* A provider's own words, heard at another provider's server, are likely a coincidence. */
static int64_t
provider_worth(const struct knowledge *k, const struct diagnosis *d, const struct provider *named)
{
    const struct provider *own = knowledge_provider(k, d->provider);
    if (!own)
        return 0;
    if (!named || !own->hosted)
        return WORTH_OWN;
    return slice_eq(own->company, named->company) ? WORTH_PROVIDER : -WORTH_PROVIDER;
}

/* A code in brackets names a class of faults, however long its name is: words beside it say more. */
static int64_t demand(const struct expression *e)
{
    struct slice only = e->fragments[0].cased;
    size_t open = e->count == 1 && slice_ends(only, S("]")) ? slice_find(only, '[') : SLICE_NPOS;
    bool bare = open == 0 || (open != SLICE_NPOS && slice_eq(slice_sub(only, 0, open), S("-ERR ")));
    return bare && e->weight > WORTH_CODE ? WORTH_CODE : e->weight;
}

static bool
best_place(const struct diagnosis *d, const struct subject *s, struct place *ret_place, int64_t *ret_score)
{
    bool found = false;
    for (size_t m = 0; m < d->match_count; m++)
        for (size_t i = 0; i < d->matches[m].count; i++) {
            const struct expression *e = &d->matches[m].rows[i];
            struct place place;
            if ((found && demand(e) + WORTH_CASE + 2 * WORTH_ANCHOR + WORTH_LINE < *ret_score) ||
                !expression_find(e, s, &place))
                continue;
            int64_t score = demand(e) + (place.same_case ? WORTH_CASE : 0) +
                            (place.one_line ? WORTH_LINE : 0) + (e->at_start ? WORTH_ANCHOR : 0) +
                            (e->at_end ? WORTH_ANCHOR : 0);
            if (found && score <= *ret_score)
                continue;
            found = true;
            *ret_place = place;
            *ret_score = score;
        }
    return found;
}

/* Keeps the best ones, best first; the earlier one of equals. */
static void add_finding(struct explanation *x, struct finding f)
{
    size_t at = x->count;
    while (at > 0 && x->findings[at - 1].score < f.score)
        at--;
    if (at == EXPLAIN_FINDINGS)
        return;
    if (x->count < EXPLAIN_FINDINGS)
        x->count++;
    for (size_t i = x->count - 1; i > at; i--)
        x->findings[i] = x->findings[i - 1];
    x->findings[at] = f;
}

static void judge(struct explanation *x)
{
    for (size_t i = 0; i < x->count; i++)
        x->findings[i].sure = x->findings[i].diagnosis->sure;
    if (x->count < 2 || x->findings[0].sure == SURE_LOW)
        return;
    const struct finding *first = &x->findings[0], *second = &x->findings[1];
    if (first->diagnosis->cause != second->diagnosis->cause && second->score * 10 >= first->score * 9)
        x->findings[0].sure--;
}

/* What is said at another place may be said here in the same words, but seldom is. */
static int64_t place_worth(const struct diagnosis *d, enum where where)
{
    if (where == WHERE_ANY || d->where == WHERE_ANY)
        return 0;
    return d->where == where ? WORTH_PLACE : -WORTH_PROVIDER;
}

/* Sign-ins and connections fail everywhere: what another program says of its own is not judged as mail. */
static void drop_other_programs(const struct knowledge *k, struct subject *s)
{
    for (const struct other_words *w = knowledge_other_words(k); w; w = w->next)
        for (size_t i = 0; i < w->ways.count; i++)
            expression_drop_lines(&w->ways.rows[i], s);
}

static bool is_of_another(const struct knowledge *k, const struct diagnosis *d, const struct provider *named)
{
    const struct provider *own = knowledge_provider(k, d->provider);
    return d->at_provider && !(own && named && slice_eq(own->company, named->company));
}

static void find_all(
    const struct knowledge *k, const struct subject *s, enum where where, const struct provider *provider,
    struct explanation *x)
{
    x->cut = s->cut;
    x->provider = provider ? provider : provider_named(k, s);
    for (size_t i = 0; i < knowledge_count(k); i++) {
        const struct diagnosis *d = knowledge_at(k, i);
        struct place place = {0};
        int64_t score = 0;
        if (d->replaced || is_of_another(k, d, x->provider) || !best_place(d, s, &place, &score))
            continue;
        score += provider_worth(k, d, x->provider) + place_worth(d, where) +
                 (d->sure == SURE_LOW ? WORTH_VAGUE : 0);
        struct slice proof = subject_pasted(s, place.from, place.to);
        add_finding(x, (struct finding){d, proof, score, d->sure});
    }
    judge(x);
}

void explain_reply(
    const struct knowledge *k, struct slice text, enum where where, const struct provider *provider,
    struct explanation *ret_explanation)
{
    struct subject s;
    struct explanation x = {.count = 0};
    subject_init(&s, text);
    find_all(k, &s, where, provider, &x);
    subject_done(&s);
    *ret_explanation = x;
}

void explain(const struct knowledge *k, struct slice text, struct explanation *ret_explanation)
{
    struct subject s;
    struct explanation x = {.count = 0};
    subject_init(&s, text);
    drop_other_programs(k, &s);
    find_all(k, &s, WHERE_ANY, NULL, &x);
    subject_done(&s);
    *ret_explanation = x;
}
