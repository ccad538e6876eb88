#include "doctor/steps/tls_probes.h"

#include "base/limits.h"
#include "crypto/random.h"

enum { SUITES_MAX = 128, GROUPS_MAX = 8, GROUP_SMALL_BELOW = 2048 /* bits */ };

struct probing {
    struct tls_profile *profile;
    struct slice host;
    probe_asks_fn *asks;
    void *owner;
    unsigned asked;
    bool ended; /* no more questions */
};

/* ----------------------------------------------------------------------------------------------------- questions */

/* True: the server answered, or refused: then `answer` is an alert. */
static bool put_question(struct probing *p, struct probe_ask *ask, bool exchange, struct probe_answer *answer)
{
    if (p->ended || p->asked >= LIMIT_DOCTOR_PROBES)
        return false;
    p->asked++;
    ask->host = p->host;
    random_bytes(ask->random, sizeof ask->random);
    enum err e = p->asks(p->owner, ask, exchange, answer);
    if (e == ERR_CLOSED) {
        *answer = (struct probe_answer){.kind = PROBE_ALERT};
        return true;
    }
    p->ended = e != OK || answer->kind == PROBE_PLAIN;
    return !p->ended;
}

static bool is_yes(const struct probe_answer *answer)
{
    return answer->kind == PROBE_HELLO || answer->kind == PROBE_RETRY;
}

static size_t take_suites(uint16_t *ids, unsigned with, unsigned without)
{
    size_t n, taken = 0;
    const struct probe_suite *s = probe_suites(&n);
    for (size_t i = 0; i < n && taken < SUITES_MAX; i++)
        if (s[i].kinds & with && !(s[i].kinds & without))
            ids[taken++] = s[i].id;
    return taken;
}

/* ------------------------------------------------------------------------------------------------------ versions */

static const uint16_t groups_of_old[] = {GROUP_X25519, GROUP_P256, GROUP_P384, GROUP_P521};

static unsigned bit_of_version(uint16_t version)
{
    static const unsigned bits[] = {
        TLS_HAS_SSL30, TLS_HAS_TLS10, TLS_HAS_TLS11, TLS_HAS_TLS12, TLS_HAS_TLS13};
    return version >= PROBE_SSL30 && version <= PROBE_TLS13 ? bits[version - PROBE_SSL30] : 0;
}

static struct probe_ask ask_version(uint16_t version, uint16_t *ids)
{
    bool new = version == PROBE_TLS13;
    return (struct probe_ask){
        .version = version,
        .suites = ids,
        .suite_n = take_suites(ids, new ? SUITE_TLS13 : ~0U, new ? 0 : SUITE_TLS13),
        .groups = groups_of_old,
        .group_n = sizeof groups_of_old / sizeof *groups_of_old};
}

/* Asks for a version or what is older; returns what the server chose, 0 for none of them. */
static bool choose_version(struct probing *p, uint16_t version, uint16_t *ret_chosen)
{
    uint16_t ids[SUITES_MAX];
    struct probe_ask ask = ask_version(version, ids);
    struct probe_answer answer;
    if (!put_question(p, &ask, false, &answer))
        return false;
    *ret_chosen = is_yes(&answer) && answer.version <= version ? answer.version : 0;
    return true;
}

static void look_at_versions(struct probing *p)
{
    struct tls_profile *t = p->profile;
    uint16_t chosen = 0, version = PROBE_TLS13;
    if (!(t->versions & TLS_HAS_TLS13) && choose_version(p, version, &chosen)) {
        t->versions_asked |= TLS_HAS_TLS13;
        t->versions |= bit_of_version(chosen);
    }
    /* Each answer says that what lies between the question and it is not accepted. */
    version = t->versions & TLS_HAS_TLS12 ? PROBE_TLS11 : PROBE_TLS12;
    while (version >= PROBE_SSL30 && choose_version(p, version, &chosen)) {
        for (; version >= PROBE_SSL30 && version >= chosen; version--)
            t->versions_asked |= bit_of_version(version);
        t->versions |= bit_of_version(chosen);
    }
}

/* -------------------------------------------------------------------------------------------------------- groups */

static const struct {
    uint16_t group;
    unsigned bit;
} group_rows[] = {
    {GROUP_X25519MLKEM768, TLS_GROUP_HYBRID},
    {GROUP_X25519, TLS_GROUP_X25519},
    {GROUP_P256, TLS_GROUP_P256},
    {GROUP_P384, TLS_GROUP_P384},
    {GROUP_P521, TLS_GROUP_P521},
    {GROUP_FFDHE2048, TLS_GROUP_FFDHE},
    {GROUP_FFDHE3072, TLS_GROUP_FFDHE},
};
enum {
    GROUP_ROWS = sizeof group_rows / sizeof *group_rows,
    GROUPS_NEW = TLS_GROUP_HYBRID | TLS_GROUP_FFDHE /* chosen like the others by TLS 1.3 alone */
};

static unsigned bit_of_group(uint16_t group)
{
    for (size_t i = 0; i < GROUP_ROWS; i++)
        if (group_rows[i].group == group)
            return group_rows[i].bit;
    return 0;
}

static size_t take_groups(uint16_t *groups, unsigned without)
{
    size_t n = 0;
    for (size_t i = 0; i < GROUP_ROWS; i++)
        if (!(group_rows[i].bit & without))
            groups[n++] = group_rows[i].group;
    return n;
}

static void look_at_groups(struct probing *p)
{
    struct tls_profile *t = p->profile;
    bool new = t->versions &TLS_HAS_TLS13;
    unsigned done = new ? 0 : GROUPS_NEW;
    uint16_t ids[SUITES_MAX], groups[GROUPS_MAX];
    struct probe_answer answer;
    if (!new && !(t->versions & TLS_HAS_TLS12))
        return;
    struct probe_ask ask = {.version = new ? PROBE_TLS13 : PROBE_TLS12, .suites = ids, .groups = groups};
    ask.suite_n = new ? take_suites(ids, SUITE_TLS13, 0) : take_suites(ids, SUITE_ELLIPTIC, SUITE_ANONYMOUS);
    while ((ask.group_n = take_groups(groups, done)) && put_question(p, &ask, !new, &answer)) {
        unsigned bit = is_yes(&answer) ? bit_of_group(answer.group) & ~done : 0;
        if (!bit) { /* refused, or chosen outside of the offer */
            for (size_t i = 0; i < ask.group_n; i++)
                t->groups_asked |= bit_of_group(groups[i]);
            return;
        }
        t->groups_asked |= bit;
        t->groups |= bit;
        done |= bit;
    }
}

/* -------------------------------------------------------------------------------------------------------- suites */

static unsigned weak_of(unsigned kinds)
{
    static const struct {
        unsigned kind, weak;
    } rows[] = {
        {SUITE_NULL, TLS_WEAK_NULL}, {SUITE_ANONYMOUS, TLS_WEAK_ANONYMOUS},   {SUITE_EXPORT, TLS_WEAK_EXPORT},
        {SUITE_RC4, TLS_WEAK_RC4},   {SUITE_TRIPLE_DES, TLS_WEAK_TRIPLE_DES}, {SUITE_STATIC, TLS_WEAK_STATIC},
        {SUITE_CBC, TLS_WEAK_CBC},
    };
    unsigned weak = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (kinds & rows[i].kind)
            weak |= rows[i].weak;
    return weak;
}

/* Suites that would show a weakness that is not known yet. */
static size_t take_weak(uint16_t *ids, unsigned known)
{
    size_t n, taken = 0;
    const struct probe_suite *s = probe_suites(&n);
    for (size_t i = 0; i < n && taken < SUITES_MAX; i++)
        if (weak_of(s[i].kinds) & ~known)
            ids[taken++] = s[i].id;
    return taken;
}

/* The newest version that has such suites at all; 0: none. */
static uint16_t version_with_suites(const struct tls_profile *t)
{
    for (uint16_t v = PROBE_TLS12; v >= PROBE_SSL30; v--)
        if (t->versions & bit_of_version(v))
            return v;
    return 0;
}

static void look_at_suites(struct probing *p)
{
    struct tls_profile *t = p->profile;
    unsigned all = weak_of(~0U);
    uint16_t ids[SUITES_MAX];
    struct probe_answer answer;
    struct probe_ask ask = ask_version(version_with_suites(t), ids);
    if (!ask.version) {
        t->weak_asked |= t->versions && !p->ended ? all : 0; /* TLS 1.3 has none of them */
        return;
    }
    while ((ask.suite_n = take_weak(ids, t->weak)) && put_question(p, &ask, false, &answer)) {
        const struct probe_suite *chosen = is_yes(&answer) ? probe_suite(answer.suite) : NULL;
        unsigned weak = chosen ? weak_of(chosen->kinds) & ~t->weak : 0;
        t->weak |= weak;
        t->weak_asked |= weak ? weak : all;
        if (!weak)
            return;
    }
}

static void look_at_primes(struct probing *p)
{
    struct tls_profile *t = p->profile;
    uint16_t ids[SUITES_MAX];
    struct probe_answer answer;
    struct probe_ask ask = ask_version(version_with_suites(t), ids);
    if (!ask.version)
        return;
    ask.suite_n = take_suites(ids, SUITE_FINITE, SUITE_ANONYMOUS | SUITE_EXPORT);
    ask.group_n = 0; /* or the server takes the names of finite groups for an order */
    if (!put_question(p, &ask, true, &answer))
        return;
    t->weak_asked |= TLS_WEAK_SMALL_GROUP;
    if (is_yes(&answer) && answer.prime_bits && answer.prime_bits < GROUP_SMALL_BELOW)
        t->weak |= TLS_WEAK_SMALL_GROUP;
}

void tls_probes_run(struct tls_profile *profile, struct slice host, probe_asks_fn *asks, void *owner)
{
    struct probing p = {.profile = profile, .host = host, .asks = asks, .owner = owner};
    unsigned session = slice_eq(profile->version, S("TLSv1.3"))   ? TLS_HAS_TLS13
                       : slice_eq(profile->version, S("TLSv1.2")) ? TLS_HAS_TLS12
                                                                  : 0;
    profile->probed = true;
    profile->versions |= session;
    profile->versions_asked |= session;
    look_at_versions(&p);
    look_at_groups(&p);
    look_at_suites(&p);
    look_at_primes(&p);
}
