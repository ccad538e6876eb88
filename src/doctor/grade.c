#include "doctor/grade.h"

#include <assert.h>
#include <stdlib.h>

#include "doctor/wording.h"

const char *grade_name(enum grade grade)
{
    static const char *const names[GRADE_N] = {"A+", "A", "B", "C", "D", "F", "-"};
    return names[grade];
}

/* ----------------------------------------------------------------------------------------------------------- looks */

/* What a rule finds at a server: nothing is known, it is well, or it is not. `ret_one` fills {1} of the texts. */
enum look { UNKNOWN, WELL, POOR };
typedef enum look look_fn(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one);

static enum look look_bits(unsigned asked, unsigned had, unsigned bits, bool wanted)
{
    if (wanted ? (had & bits) != 0 : (asked & bits) == bits && !(had & bits))
        return WELL;
    if (wanted ? (asked & bits) == bits : (had & bits) != 0)
        return POOR;
    return UNKNOWN;
}
static enum look
lacks_versions(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return look_bits(s->tls.versions_asked, s->tls.versions, bits, true);
}
static enum look has_versions(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return look_bits(s->tls.versions_asked, s->tls.versions, bits, false);
}
static enum look has_weak(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return look_bits(s->tls.weak_asked, s->tls.weak, bits, false);
}
static enum look lacks_groups(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return look_bits(s->tls.groups_asked, s->tls.groups, bits, true);
}
static enum look is_clear(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    if (!s->standing.greeted)
        return UNKNOWN;
    return s->endpoint.security == SECURITY_NONE || !s->standing.encrypted ? POOR : WELL;
}
static enum look is_unverified(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    *ret_one = s->tls.issuer;
    return !s->tls.shaken ? UNKNOWN : s->tls.verified ? WELL : POOR;
}
static enum look is_stripped(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return s->tls.starttls_stripped ? POOR : UNKNOWN;
}
static enum look is_injected(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return s->tls.starttls_injected ? POOR : UNKNOWN;
}
static enum look lacks_secrecy(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    *ret_one = s->tls.suite;
    return !s->tls.shaken ? UNKNOWN : s->tls.forward_secret ? WELL : POOR;
}
static enum look has_weak_key(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    enum { FEWEST = 112 }; /* NIST SP 800-57: RSA of 2048 bits */
    *ret_one = s->tls.key;
    return !s->tls.shaken || !s->tls.key_strength ? UNKNOWN : s->tls.key_strength >= FEWEST ? WELL : POOR;
}
static enum look
has_weak_signature(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    *ret_one = s->tls.signature;
    return !s->tls.shaken ? UNKNOWN : s->tls.weak_signature ? POOR : WELL;
}
/* Days that are left; poor when they are within `least` and `most`. What is over is not verified, which is said. */
static enum look
has_days(struct arena *a, const struct checked *s, int64_t least, int64_t most, struct slice *ret_one)
{
    if (!s->tls.shaken || s->tls.not_after_s == 0 || s->tls.days_left < least)
        return UNKNOWN;
    *ret_one = arena_printf(a, "%lld", (long long)s->tls.days_left);
    return s->tls.days_left <= most ? POOR : WELL;
}
static enum look expires_soon(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return has_days(a, s, 0, 6, ret_one);
}
static enum look
is_renewed_late(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return has_days(a, s, 7, 14, ret_one);
}
/* `bits`: more days from its beginning to its end are poor. */
static enum look lives_long(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    if (!s->tls.shaken || s->tls.not_after_s == 0)
        return UNKNOWN;
    int64_t days = (s->tls.not_after_s - s->tls.not_before_s) / 86400;
    *ret_one = arena_printf(a, "%lld", (long long)days);
    return days > (int64_t)bits ? POOR : WELL;
}
static enum look is_starttls(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    if (!s->standing.encrypted)
        return UNKNOWN;
    *ret_one = arena_printf(a, "%u", port_of(s->endpoint.service, SECURITY_TLS));
    return s->endpoint.security == SECURITY_STARTTLS ? POOR : WELL;
}
static enum look
takes_clear_passwords(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    if (notes_have(&s->notes, OBSERVED_GREETING_LOGIN_BEFORE_TLS))
        return POOR;
    return s->endpoint.security == SECURITY_STARTTLS && s->standing.greeted ? WELL : UNKNOWN;
}

/* The mechanisms that were offered, in the words of the last such note; empty: nobody knows. */
static struct slice offered(const struct checked *s)
{
    struct slice names = SLICE_EMPTY;
    for (size_t i = 0; i < s->notes.count; i++)
        if (!s->notes.rows[i].diagnosis && s->notes.rows[i].fact == FACT_MECHANISMS)
            names = s->notes.rows[i].args[0];
    return names;
}
static bool offers(struct slice names, const char *const *wanted, struct slice *ret_one)
{
    for (; *wanted; wanted++) {
        size_t at = slice_search_nocase(names, slice_str(*wanted));
        if (at != SLICE_NPOS) {
            struct slice rest = slice_from(names, at);
            size_t n = 0;
            while (n < rest.n && (ascii_is_alpha(rest.p[n]) || ascii_is_digit(rest.p[n]) || rest.p[n] == '-'))
                n++;
            *ret_one = slice_sub(rest, 0, n);
            return true;
        }
    }
    return false;
}
/* What proves the password without sending it, or needs none at all. */
static enum look lacks_proof(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    static const char *const good[] = {"SCRAM-", "OAUTHBEARER", "XOAUTH2", "EXTERNAL",
                                       "GSSAPI", "GS2-",        NULL};
    struct slice names = offered(s);
    return !names.n ? UNKNOWN : offers(names, good, ret_one) ? WELL : POOR;
}
/* They need the password in a readable form at the server. */
static enum look has_old_proof(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    static const char *const old[] = {"CRAM-MD5", "DIGEST-MD5", "NTLM", "APOP", NULL};
    struct slice names = offered(s);
    return !names.n ? UNKNOWN : offers(names, old, ret_one) ? POOR : WELL;
}
static bool is_noted(const struct checked *s, enum fact fact)
{
    for (size_t i = 0; i < s->notes.count; i++)
        if (!s->notes.rows[i].diagnosis && s->notes.rows[i].fact == fact)
            return true;
    return false;
}
/* A server that a record of the DNS named, which nobody can forge only when the zone is signed. That addresses are not signed is
 * so nearly everywhere, and TLS proves the server: only that they are is said. */
static enum look lacks_dnssec(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    if (s->endpoint.source == SOURCE_SRV)
        return s->endpoint.trusted ? WELL : POOR;
    return is_noted(s, FACT_NAME_PROVED) ? WELL : UNKNOWN;
}
static enum look lacks_probes(struct arena *a, const struct checked *s, unsigned bits, struct slice *ret_one)
{
    return s->tls.shaken && !s->tls.probed ? POOR : UNKNOWN;
}

/* ----------------------------------------------------------------------------------------------------------- rules */

/* `poor` and `better` are said when it is not well, `well` (may be empty) when it is. */
static const struct rule {
    const char *id;
    enum grade cap;
    look_fn *look;
    unsigned bits;
    struct lang_text poor, better, well;
} rules[] = {
#define RULE(id, cap, look, bits, poor_en, poor_zh, better_en, better_zh, well_en, well_zh)                  \
    {id, GRADE_##cap, look, bits, {{poor_en, poor_zh}}, {{better_en, better_zh}}, {{well_en, well_zh}}},
#include "doctor/grade.def"
#undef RULE
};
enum { RULES = sizeof rules / sizeof *rules };

/* --------------------------------------------------------------------------------------------------------- marking */

static bool was_seen(const struct checked *s)
{
    return s->tls.shaken || s->tls.starttls_stripped || (s->standing.greeted && !s->standing.encrypted);
}

/* In use, or the best that is known: guesses that greet count only where nobody named or published anything. */
static bool is_used(const struct examination *x, const struct checked *s)
{
    if (s->endpoint.source != SOURCE_GUESS || s->standing.tried || s->standing.works)
        return true;
    for (size_t i = 0; i < x->server_count; i++)
        if (x->servers[i].endpoint.source != SOURCE_GUESS)
            return false;
    return true;
}

static void mark(struct grading *g, const struct checked *s, enum grade *ret_grade)
{
    enum grade grade = GRADE_A_PLUS;
    for (size_t i = 0; i < RULES; i++) {
        const struct rule *r = &rules[i];
        struct slice args[3] = {SLICE_EMPTY};
        enum look look = r->look(&g->arena, s, r->bits, &args[0]);
        if (look == UNKNOWN || (look == WELL && !r->well.in[LANG_EN][0]))
            continue;
        struct grade_point *p = &g->points[g->point_count++];
        *p = (struct grade_point){.id = r->id, .server = s, .cap = look == POOR ? r->cap : GRADE_A_PLUS};
        for (int l = 0; l < LANG_N; l++) {
            p->reason[l] = words_fill(&g->arena, look == POOR ? r->poor.in[l] : r->well.in[l], args);
            p->better[l] = look == POOR ? words_fill(&g->arena, r->better.in[l], args) : SLICE_EMPTY;
        }
        if (p->cap > grade)
            grade = p->cap;
    }
    *ret_grade = grade;
}

static int compare(const void *left, const void *right)
{
    const struct grade_point *a = left, *b = right;
    if (a->server != b->server)
        return a->server < b->server ? -1 : 1;
    if (a->cap != b->cap)
        return a->cap > b->cap ? -1 : 1;
    return strcmp(a->id, b->id); /* an order, so that every run says the same */
}

void grading_init(struct grading *g, const struct examination *x)
{
    *g = (struct grading){.whole = GRADE_NONE};
    arena_init(&g->arena, LIMIT_DOCTOR_GRADE_MEMORY);
    g->points = arena_array(&g->arena, x->server_count * RULES + 1, sizeof *g->points);
    assert(g->points);
    for (size_t i = 0; i < LIMIT_DOCTOR_SERVERS; i++)
        g->servers[i] = GRADE_NONE;
    for (size_t i = 0; i < x->server_count; i++) {
        const struct checked *s = &x->servers[i];
        if (!was_seen(s))
            continue;
        mark(g, s, &g->servers[i]);
        if (is_used(x, s) && (g->whole == GRADE_NONE || g->servers[i] > g->whole))
            g->whole = g->servers[i];
    }
    qsort(g->points, g->point_count, sizeof *g->points, compare);
}

void grading_done(struct grading *g)
{
    arena_done(&g->arena);
    *g = (struct grading){.whole = GRADE_NONE};
}
