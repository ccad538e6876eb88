#include "doctor/changes.h"

struct comparing {
    const struct examination *before, *after;
    void (*told)(void *owner, const struct change *change);
    void *owner;
    size_t count;
};

const char *change_name(enum change_kind kind)
{
    static const char *const names[CHANGE_N] = {
        [CHANGE_SERVER_NEW] = "server-new",
        [CHANGE_SERVER_GONE] = "server-gone",
        [CHANGE_BEGAN] = "began",
        [CHANGE_ENDED] = "ended",
        [CHANGE_NEW] = "new",
        [CHANGE_GONE] = "gone",
        [CHANGE_FACT] = "fact"};
    return names[kind];
}

static const struct {
    const char *name;
    struct lang_text does, not ;
    bool needs_secret;
} deeds[DEED_N] = {
    [DEED_CONNECTED] =
        {"connected", {{"it answers", "有应答"}}, {{"it does not answer any more", "不再应答"}}, false},
    [DEED_VERIFIED] =
        {"verified",
         {{"its encryption can be trusted", "加密可信"}},
         {{"its encryption cannot be trusted any more", "加密不再可信"}},
         false},
    [DEED_GREETED] =
        {"greeted", {{"it greets", "会问候"}}, {{"it does not greet any more", "不再问候"}}, false},
    [DEED_SIGNED_IN] =
        {"signed-in",
         {{"it lets the account in", "可以登录"}},
         {{"it does not let the account in any more", "不再允许登录"}},
         true},
    [DEED_WORKS] =
        {"works", {{"it works", "工作正常"}}, {{"it does not work any more", "不再正常工作"}}, true},
};

const char *deed_name(enum deed deed)
{
    return deeds[deed].name;
}

const char *deed_words(enum deed deed, bool does, enum lang lang)
{
    return does ? deeds[deed].does.in[lang] : deeds[deed].not .in[lang];
}

static void tell(struct comparing *k, struct change change)
{
    k->count++;
    k->told(k->owner, &change);
}

/* ---------------------------------------------------------------------------------------------------- servers */

static const struct checked *same_server(const struct examination *x, const struct endpoint *e)
{
    for (size_t i = 0; i < x->server_count; i++) {
        const struct endpoint *other = &x->servers[i].endpoint;
        if (other->service == e->service && other->port == e->port && slice_eq(other->host, e->host))
            return &x->servers[i];
    }
    return NULL;
}

static bool does(const struct standing *s, enum deed deed)
{
    const bool done[DEED_N] = {
        [DEED_CONNECTED] = s->connected,
        [DEED_VERIFIED] = s->private_,
        [DEED_GREETED] = s->greeted,
        [DEED_SIGNED_IN] = s->signed_in,
        [DEED_WORKS] = s->works};
    return done[deed];
}

/* Was the account tried both times? Else its steps say nothing. */
static bool both_secret(const struct comparing *k)
{
    return k->before->has_secret && k->after->has_secret;
}

/* The first deed that differs; those behind it follow from it. */
static void compare_deeds(struct comparing *k, const struct checked *was, const struct checked *is)
{
    for (int d = 0; d < DEED_N; d++) {
        bool now = does(&is->standing, (enum deed)d);
        bool asked = !deeds[d].needs_secret || (was->standing.tried && is->standing.tried);
        if (now == does(&was->standing, (enum deed)d) || !asked)
            continue;
        tell(
            k,
            (struct change){.kind = now ? CHANGE_BEGAN : CHANGE_ENDED, .server = is, .deed = (enum deed)d});
        return;
    }
}

/* ------------------------------------------------------------------------------------------------------ notes */

static bool is_of_account(enum step step)
{
    return step == STEP_PASSWORD || step == STEP_SIGN_IN || step == STEP_AFTER;
}

static bool has_diagnosis(const struct notes *notes, const struct observation *o)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->rows[i].diagnosis == o->diagnosis && notes->rows[i].step == o->step)
            return true;
    return false;
}

/* What `from` has noted and `in` has not. */
static void compare_diagnoses(
    struct comparing *k, const struct notes *from, const struct notes *in, const struct checked *server,
    enum change_kind kind)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct observation *o = &from->rows[i];
        if (!o->diagnosis || (is_of_account(o->step) && !both_secret(k)) || has_diagnosis(in, o))
            continue;
        tell(k, (struct change){.kind = kind, .server = server, .note = o});
    }
}

static bool is_worth_a_word(enum fact fact)
{
    static const enum fact facts[] = {
        FACT_ADDRESS, FACT_TLS_SESSION, FACT_CERTIFICATE_GOOD, FACT_MECHANISMS, FACT_SERVER};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i] == fact)
            return true;
    return false;
}

static bool is_same_fact(const struct observation *a, const struct observation *b)
{
    bool same = a->fact == b->fact;
    for (size_t i = 0; i < sizeof a->args / sizeof *a->args; i++)
        same = same && slice_eq(a->args[i], b->args[i]);
    return same;
}

/* How the fact stood before; NULL: not at all. *ret_same: one says the same as now. */
static const struct observation *
fact_before(const struct notes *notes, const struct observation *o, bool *ret_same)
{
    const struct observation *found = NULL;
    *ret_same = false;
    for (size_t i = 0; i < notes->count; i++) {
        const struct observation *b = &notes->rows[i];
        if (b->diagnosis || b->fact != o->fact)
            continue;
        *ret_same |= is_same_fact(b, o);
        found = found ? found : b;
    }
    return found;
}

static void compare_facts(
    struct comparing *k, const struct notes *was, const struct notes *is, const struct checked *server)
{
    for (size_t i = 0; i < is->count; i++) {
        const struct observation *o = &is->rows[i];
        bool same;
        if (o->diagnosis || !is_worth_a_word(o->fact))
            continue;
        const struct observation *before = fact_before(was, o, &same);
        if (before && !same)
            tell(k, (struct change){.kind = CHANGE_FACT, .server = server, .note = o, .before = before});
    }
}

static void compare_notes(
    struct comparing *k, const struct notes *was, const struct notes *is, const struct checked *server)
{
    compare_diagnoses(k, is, was, server, CHANGE_NEW);
    compare_diagnoses(k, was, is, server, CHANGE_GONE);
    compare_facts(k, was, is, server);
}

/* ------------------------------------------------------------------------------------------------------ whole */

size_t changes_between(
    const struct examination *before, const struct examination *after,
    void (*told)(void *owner, const struct change *change), void *owner)
{
    struct comparing k = {before, after, told, owner, 0};
    compare_notes(&k, &before->general, &after->general, NULL);
    for (size_t i = 0; i < after->server_count; i++) {
        const struct checked *is = &after->servers[i], *was = same_server(before, &is->endpoint);
        if (!was) {
            tell(&k, (struct change){.kind = CHANGE_SERVER_NEW, .server = is});
            continue;
        }
        compare_deeds(&k, was, is);
        compare_notes(&k, &was->notes, &is->notes, is);
    }
    for (size_t i = 0; i < before->server_count; i++)
        if (!same_server(after, &before->servers[i].endpoint))
            tell(&k, (struct change){.kind = CHANGE_SERVER_GONE, .server = &before->servers[i]});
    return k.count;
}
