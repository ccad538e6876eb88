#include "doctor/steps/tls_probes.h"

#include "base/limits.h"
#include "crypto/random.h"

enum {
    SUITES_MAX = 128,
    GROUPS_MAX = 8,
    GROUP_SMALL_BELOW = 2048, /* bits */
    ALERT_PROTOCOL_VERSION = 70
};

struct probing {
    struct tls_profile *profile;
    struct slice host;
    probe_asks_fn *asks;
    void *owner;
    unsigned asked;
    bool ended;       /* no more questions */
    bool finite_told; /* whether a suite with a finite group is taken */
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

static size_t take_suites(uint16_t *ids, unsigned with, unsigned without)
{
    size_t n, taken = 0;
    const struct probe_suite *s = probe_suites(&n);
    for (size_t i = 0; i < n && taken < SUITES_MAX; i++)
        if (s[i].kinds & with && !(s[i].kinds & without))
            ids[taken++] = s[i].id;
    return taken;
}

static bool has(const uint16_t *numbers, size_t n, uint16_t one)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == one)
            return true;
    return false;
}

/* A server that chooses what was not offered says nothing by it. */
static bool is_yes(const struct probe_ask *ask, const struct probe_answer *answer)
{
    return (answer->kind == PROBE_HELLO || answer->kind == PROBE_RETRY) && answer->version <= ask->version &&
           (answer->version == PROBE_TLS13) == (ask->version == PROBE_TLS13) &&
           has(ask->suites, ask->suite_n, answer->suite);
}

/* ------------------------------------------------------------------------------------------------ bits of numbers */

static unsigned bit_of_version(uint16_t version)
{
    static const unsigned bits[] = {
        TLS_HAS_SSL30, TLS_HAS_TLS10, TLS_HAS_TLS11, TLS_HAS_TLS12, TLS_HAS_TLS13};
    return version >= PROBE_SSL30 && version <= PROBE_TLS13 ? bits[version - PROBE_SSL30] : 0;
}

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

static unsigned bit_of_group_name(struct slice name)
{
    for (size_t i = 0; i < GROUP_ROWS; i++)
        if (slice_eq(name, slice_str(probe_group_name(group_rows[i].group))))
            return group_rows[i].bit;
    return 0;
}

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

/* -------------------------------------------------------------------------------------------- what an answer shows */

static bool is_telling_finite(unsigned kinds)
{
    return kinds & SUITE_FINITE && !(kinds & (SUITE_ANONYMOUS | SUITE_EXPORT));
}

static void learn_suite(struct probing *p, const struct probe_answer *answer)
{
    struct tls_profile *t = p->profile;
    const struct probe_suite *suite = probe_suite(answer->suite);
    unsigned weak = weak_of(suite->kinds);
    if (is_telling_finite(suite->kinds)) {
        p->finite_told = true;
        weak |= answer->prime_bits && answer->prime_bits < GROUP_SMALL_BELOW ? TLS_WEAK_SMALL_GROUP : 0;
        t->weak_asked |= answer->prime_bits ? TLS_WEAK_SMALL_GROUP : 0;
    }
    t->weak |= weak;
    t->weak_asked |= weak;
}

/* All of it, whatever the question was for; returns whether it was a yes. */
static bool learn(struct probing *p, const struct probe_ask *ask, const struct probe_answer *answer)
{
    struct tls_profile *t = p->profile;
    if (!is_yes(ask, answer))
        return false;
    unsigned version = bit_of_version(answer->version);
    unsigned group = has(ask->groups, ask->group_n, answer->group) ? bit_of_group(answer->group) : 0;
    t->versions |= version;
    t->versions_asked |= version;
    t->groups |= group;
    t->groups_asked |= group;
    learn_suite(p, answer);
    return true;
}

/* ------------------------------------------------------------------------------------------------------ versions */

/* Those that are not known yet stand first: a server that does not mind takes one of them, and has told of it. */
static size_t order_groups(const struct tls_profile *t, uint16_t *groups)
{
    size_t n = 0;
    for (int known = 0; known < 2; known++)
        for (size_t i = 0; i < GROUP_ROWS; i++)
            if (!(group_rows[i].bit & GROUPS_NEW) && !!(t->groups & group_rows[i].bit) == !!known)
                groups[n++] = group_rows[i].group;
    return n;
}

static struct probe_ask
ask_version(const struct tls_profile *t, uint16_t version, uint16_t *ids, uint16_t *groups)
{
    bool new = version == PROBE_TLS13;
    return (struct probe_ask){
        .version = version,
        .suites = ids,
        .suite_n = take_suites(ids, new ? SUITE_TLS13 : ~0U, new ? 0 : SUITE_TLS13),
        .groups = groups,
        .group_n = order_groups(t, groups)};
}

/* Asks for a version or what is older; what the server chose, 0 for none of them. */
static bool choose_version(struct probing *p, uint16_t version, uint16_t *ret_chosen)
{
    uint16_t ids[SUITES_MAX], groups[GROUPS_MAX];
    struct probe_ask ask = ask_version(p->profile, version, ids, groups);
    struct probe_answer answer;
    if (!put_question(p, &ask, version != PROBE_TLS13, &answer))
        return false;
    *ret_chosen = learn(p, &ask, &answer) ? answer.version : 0;
    return true;
}

static void mark_asked(struct tls_profile *t, uint16_t from, uint16_t to)
{
    for (uint16_t v = from; v <= to; v++)
        t->versions_asked |= bit_of_version(v);
}

static void look_at_versions(struct probing *p)
{
    struct tls_profile *t = p->profile;
    uint16_t chosen = 0, version = t->versions & TLS_HAS_TLS12 ? PROBE_TLS11 : PROBE_TLS12;
    if (!(t->versions & TLS_HAS_TLS13) && choose_version(p, PROBE_TLS13, &chosen))
        mark_asked(t, PROBE_TLS13, PROBE_TLS13);
    if (t->versions_asked & TLS_HAS_TLS12 && !(t->versions & TLS_HAS_TLS12))
        return; /* and nothing older: see look_at_suites */
    /* Each answer says that what lies between the question and it is not accepted. */
    while (version >= PROBE_SSL30 && choose_version(p, version, &chosen)) {
        mark_asked(t, chosen ? chosen : PROBE_SSL30, version);
        version = (uint16_t)(chosen ? chosen - 1 : 0);
    }
}

/* -------------------------------------------------------------------------------------------------------- groups */

static size_t take_groups(uint16_t *groups, unsigned without)
{
    size_t n = 0;
    for (size_t i = 0; i < GROUP_ROWS; i++)
        if (!(group_rows[i].bit & without))
            groups[n++] = group_rows[i].group;
    return n;
}

/* A server names one group an answer, the one that it likes best of the offer. */
static void look_at_groups(struct probing *p)
{
    struct tls_profile *t = p->profile;
    bool new = t->versions &TLS_HAS_TLS13;
    uint16_t ids[SUITES_MAX], groups[GROUPS_MAX];
    struct probe_answer answer;
    if (!new && !(t->versions & TLS_HAS_TLS12))
        return;
    struct probe_ask ask = {.version = new ? PROBE_TLS13 : PROBE_TLS12, .suites = ids, .groups = groups};
    ask.suite_n = new ? take_suites(ids, SUITE_TLS13, 0) : take_suites(ids, SUITE_ELLIPTIC, SUITE_ANONYMOUS);
    while ((ask.group_n = take_groups(groups, t->groups | (new ? 0 : GROUPS_NEW))) &&
           put_question(p, &ask, !new, &answer)) {
        unsigned before = t->groups;
        if (learn(p, &ask, &answer) && t->groups != before)
            continue;
        for (size_t i = 0; i < ask.group_n; i++) /* refused, or chosen outside of the offer */
            t->groups_asked |= bit_of_group(groups[i]);
        return;
    }
}

/* -------------------------------------------------------------------------------------------------------- suites */

/* Suites that would show something that is not known yet: a weakness, or the size of a finite group. */
static size_t take_telling(const struct probing *p, uint16_t *ids)
{
    size_t n, taken = 0;
    const struct probe_suite *s = probe_suites(&n);
    for (size_t i = 0; i < n && taken < SUITES_MAX; i++)
        if (weak_of(s[i].kinds) & ~p->profile->weak || (!p->finite_told && is_telling_finite(s[i].kinds)))
            ids[taken++] = s[i].id;
    return taken;
}

/* The newest version that has such suites and may be accepted; 0: none. */
static uint16_t version_with_suites(const struct tls_profile *t)
{
    if (!(t->versions_asked & TLS_HAS_TLS12))
        return PROBE_TLS12;
    for (uint16_t v = PROBE_TLS12; v >= PROBE_SSL30; v--)
        if (t->versions & bit_of_version(v))
            return v;
    return 0;
}

/* RFC 8446 6.2: none of the versions that were offered, which were all before TLS 1.3. */
static bool is_too_old(const struct probing *p, const struct probe_answer *answer)
{
    return answer->kind == PROBE_ALERT && answer->alert == ALERT_PROTOCOL_VERSION &&
           !(p->profile->versions & ~(unsigned)TLS_HAS_TLS13);
}

static void look_at_suites(struct probing *p)
{
    struct tls_profile *t = p->profile;
    unsigned all = weak_of(~0U);
    uint16_t ids[SUITES_MAX], groups[GROUPS_MAX], version;
    struct probe_answer answer;
    while ((version = version_with_suites(t))) {
        struct probe_ask ask = ask_version(t, version, ids, groups);
        unsigned before = t->weak;
        bool told = p->finite_told;
        ask.suite_n = take_telling(p, ids);
        if (!ask.suite_n || !put_question(p, &ask, true, &answer))
            return;
        if (learn(p, &ask, &answer) && (t->weak != before || p->finite_told != told))
            continue;
        if (version == PROBE_TLS12 && is_too_old(p, &answer))
            mark_asked(t, PROBE_SSL30, PROBE_TLS12);
        else
            t->weak_asked |= TLS_WEAK_SMALL_GROUP;
        t->weak_asked |= all;
        return;
    }
    t->weak_asked |= t->versions && !p->ended ? all : 0; /* TLS 1.3 has none of them */
}

/* With a session, what is asked for of suites tells of versions and groups besides; without one, the versions tell why. */
void tls_probes_run(struct tls_profile *profile, struct slice host, probe_asks_fn *asks, void *owner)
{
    struct probing p = {.profile = profile, .host = host, .asks = asks, .owner = owner};
    unsigned session = slice_eq(profile->version, S("TLSv1.3"))   ? TLS_HAS_TLS13
                       : slice_eq(profile->version, S("TLSv1.2")) ? TLS_HAS_TLS12
                                                                  : 0;
    unsigned group = session ? bit_of_group_name(profile->group) : 0;
    profile->probed = true;
    profile->versions |= session;
    profile->versions_asked |= session;
    profile->groups |= group;
    profile->groups_asked |= group;
    if (!session)
        look_at_versions(&p);
    look_at_suites(&p);
    if (session)
        look_at_versions(&p);
    look_at_groups(&p);
}
