#include "doctor/attempts.h"

#include <assert.h>

void attempts_init(struct attempts *a, bool is_token)
{
    *a = (struct attempts){.is_token = is_token};
}

/* ----------------------------------------------------------------------------------------------- what may be tried */

static bool fits(const struct attempts *a, const struct sasl_mechanism *m, bool can_bind)
{
    if (m->flags & SASL_NEEDS_CERTIFICATE || a->only_own || (a->only && m != a->only))
        return false;
    if (m->flags & SASL_BINDS_CHANNEL && !can_bind)
        return false;
    return a->is_token == ((m->flags & SASL_TAKES_TOKEN) != 0);
}

static uint32_t fitting(const struct attempts *a, const struct attempts_offer *offer)
{
    size_t count;
    const struct sasl_mechanism *rows = sasl_mechanisms(&count);
    uint32_t left = 0;
    assert(count <= 32);
    for (size_t i = 0; i < count; i++)
        if (offer->mechanisms >> i & 1 && fits(a, &rows[i], offer->can_bind))
            left |= UINT32_C(1) << i;
    return left;
}

static bool own_fits(const struct attempts *a, const struct attempts_offer *offer)
{
    return offer->own && !a->is_token && !a->only;
}

bool attempts_fit(const struct attempts *a, const struct attempts_offer *offer)
{
    return fitting(a, offer) || own_fits(a, offer);
}

void turn_init(
    struct turn *t, struct attempts *a, enum service service, const struct attempts_offer *offer,
    struct slice name, struct slice other)
{
    *t = (struct turn){
        .all = a,
        .service = service,
        .left = fitting(a, offer),
        .own_left = own_fits(a, offer),
        .exposed = offer->exposed,
        .names = {name, slice_eq(name, other) ? SLICE_EMPTY : other},
    };
}

bool attempts_over(const struct attempts *a, enum service service)
{
    return a->ended || a->off[service] || a->failures >= LIMIT_DOCTOR_FAILURES;
}

/* The row of the strongest that is left; -1: none. */
static int strongest(const struct turn *t)
{
    for (int i = 0; i < 32; i++)
        if (t->left >> i & 1)
            return i;
    return -1;
}

bool turn_next(const struct turn *t, struct attempt *ret_attempt)
{
    size_t count;
    int row = strongest(t);
    if (t->ended || attempts_over(t->all, t->service) || (row < 0 && !t->own_left))
        return false;
    *ret_attempt = (struct attempt){
        .mechanism = row < 0 ? NULL : &sasl_mechanisms(&count)[row], .user = t->names[t->other_name]};
    return true;
}

/* -------------------------------------------------------------------------------------------------- how it went */

/* What was tried is not tried again. */
static void strike(struct turn *t)
{
    int row = strongest(t);
    if (row >= 0)
        t->left &= ~(UINT32_C(1) << row);
    else
        t->own_left = false;
}

/* Nothing that shows the secret is left. */
static void strike_showing(struct turn *t)
{
    size_t count;
    const struct sasl_mechanism *rows = sasl_mechanisms(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].flags & SASL_SENDS_SECRET)
            t->left &= ~(UINT32_C(1) << i);
    t->own_left = false;
}

void turn_succeeded(struct turn *t)
{
    int row = strongest(t);
    size_t count;
    t->succeeded = true;
    if (t->exposed && row >= 0 && !(sasl_mechanisms(&count)[row].flags & SASL_SENDS_SECRET))
        strike_showing(t);
    strike(t);
}

void turn_skipped(struct turn *t)
{
    strike(t);
}

void turn_broke(struct turn *t)
{
    t->all->failures++;
    t->ended = true;
}

void turn_distrusted(struct turn *t)
{
    t->all->failures++;
    t->all->ended = true;
}

enum consequence cause_consequence(enum cause cause)
{
    static const enum consequence rows[CAUSE_N] = {
        /* Left out: CONSEQUENCE_ALL. These say that the secret, the account or the one who asks is refused. */
        [CAUSE_PROTOCOL_OFF] = CONSEQUENCE_PROTOCOL,
        [CAUSE_USER_UNKNOWN] = CONSEQUENCE_NAME,
        [CAUSE_NAME_FORM] = CONSEQUENCE_NAME,
        [CAUSE_MECHANISM] = CONSEQUENCE_MECHANISM,
        [CAUSE_PROTOCOL_FAULT] = CONSEQUENCE_MECHANISM,
        [CAUSE_PROGRAM] = CONSEQUENCE_MECHANISM,
        [CAUSE_TOO_MANY_CONNECTIONS] = CONSEQUENCE_SERVER,
        [CAUSE_ID_REQUIRED] = CONSEQUENCE_SERVER,
        [CAUSE_NOT_SIGNED_IN] = CONSEQUENCE_SERVER,
        [CAUSE_TLS_REQUIRED] = CONSEQUENCE_SERVER,
        [CAUSE_TLS_MODE] = CONSEQUENCE_SERVER,
        [CAUSE_TLS_VERSIONS] = CONSEQUENCE_SERVER,
        [CAUSE_TLS_BROKEN] = CONSEQUENCE_SERVER,
        [CAUSE_CERTIFICATE_EXPIRED] = CONSEQUENCE_SERVER,
        [CAUSE_CERTIFICATE_NAME] = CONSEQUENCE_SERVER,
        [CAUSE_CERTIFICATE_UNTRUSTED] = CONSEQUENCE_SERVER,
        [CAUSE_CERTIFICATE_REVOKED] = CONSEQUENCE_SERVER,
        [CAUSE_CERTIFICATE_CLIENT] = CONSEQUENCE_SERVER,
        [CAUSE_INTERCEPTED] = CONSEQUENCE_SERVER,
        [CAUSE_WRONG_PORT] = CONSEQUENCE_SERVER,
        [CAUSE_DNS] = CONSEQUENCE_SERVER,
        [CAUSE_NETWORK] = CONSEQUENCE_SERVER,
        [CAUSE_PROXY] = CONSEQUENCE_SERVER,
        [CAUSE_QUOTA] = CONSEQUENCE_SERVER,
        [CAUSE_SEND_LIMIT] = CONSEQUENCE_SERVER,
        [CAUSE_SENDER] = CONSEQUENCE_SERVER,
        [CAUSE_RECIPIENT] = CONSEQUENCE_SERVER,
        [CAUSE_CONTENT] = CONSEQUENCE_SERVER,
        [CAUSE_REPUTATION] = CONSEQUENCE_SERVER,
        [CAUSE_SERVER_TROUBLE] = CONSEQUENCE_SERVER,
    };
    return rows[cause];
}

/* Words that are not sure of their meaning, or that may as well mean something worse, are taken for the worst. */
static enum consequence meaning(const struct explanation *x, bool misunderstood)
{
    const struct finding *first = &x->findings[0];
    if (!x->count)
        return misunderstood ? CONSEQUENCE_MECHANISM : CONSEQUENCE_ALL;
    if (first->sure == SURE_LOW)
        return misunderstood && cause_consequence(first->diagnosis->cause) != CONSEQUENCE_ALL
                   ? CONSEQUENCE_MECHANISM
                   : CONSEQUENCE_ALL;
    for (size_t i = 1; i < x->count; i++)
        if (x->findings[i].score * 10 >= first->score * 9 &&
            cause_consequence(x->findings[i].diagnosis->cause) == CONSEQUENCE_ALL)
            return CONSEQUENCE_ALL;
    return cause_consequence(first->diagnosis->cause);
}

/* No other form of the name: what is said of the name then stands for the account. */
static void change_name(struct turn *t)
{
    if (t->other_name || !t->names[1].n)
        t->all->ended = true;
    else
        t->other_name = true;
}

void turn_refused(struct turn *t, const struct explanation *x, bool misunderstood)
{
    enum consequence c = meaning(x, misunderstood);
    t->all->failures++;
    /* The same secret and name were right here a moment ago. */
    if (t->succeeded && (c == CONSEQUENCE_ALL || c == CONSEQUENCE_NAME))
        c = CONSEQUENCE_SERVER;
    if (c == CONSEQUENCE_NAME)
        change_name(t);
    else if (c == CONSEQUENCE_MECHANISM)
        strike(t);
    t->all->ended |= c == CONSEQUENCE_ALL;
    t->all->off[t->service] |= c == CONSEQUENCE_PROTOCOL;
    t->ended |= c == CONSEQUENCE_SERVER;
}
