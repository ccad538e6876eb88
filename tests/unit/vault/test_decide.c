#include "test.h"

#include "vault/decide.h"

/* T-247 at this level: every door, every kind of secret, every reason for a no, alone and in pairs. */

static struct arena arena;
static unsigned cases;

enum { NOON = 1900065600, DAY = 86400 }; /* a Monday, 2030-03-18 12:00 UTC */

static struct scope limits_of(const char *lines)
{
    struct scope s;
    assert_int_equal(scope_parse(slice_str(lines), &arena, &s, NULL), OK);
    return s;
}

static struct decide_question good(enum vault_door door, enum credential_kind kind)
{
    struct decide_question q = {
        .door = door,
        .has_tls = true,
        .account = ACCOUNT_ACTIVE,
        .policy = MAILBOX_ALLOWED,
        .kind = kind,
        .scopes =
            {
                .doors = VAULT_DOORS_ALL,
                .can_receive = true,
                .can_send = true,
                .created_s = NOON - 10 * DAY,
                .limits = limits_of(""),
            },
        .now_s = NOON,
    };
    assert_int_equal(ip_parse(S("192.0.2.7"), &q.client), OK);
    return q;
}

static bool door_sends(enum vault_door door)
{
    return door == VAULT_SUBMISSION || door == VAULT_API;
}

static struct decision expect(const struct decide_question *q, enum reason reason)
{
    struct decision d = decide(q);
    cases++;
    assert_string_equal(reason_name(d.reason), reason_name(reason));
    if (reason == REASON_FINE) {
        assert_int_equal(d.verdict, VERDICT_YES);
        assert_int_equal(d.can_send, door_sends(q->door));
        assert_int_equal(d.can_receive, !door_sends(q->door));
    } else {
        /* Who must wait hears that, whatever else is wrong: a no would tell a credential of ours from a guess. */
        bool hears_later = q->must_wait && q->has_tls;
        assert_int_equal(d.verdict, hears_later ? VERDICT_LATER : VERDICT_NO);
        assert_false(d.can_receive || d.can_send || d.expires_s);
    }
    return d;
}

/* ---- one row for each thing that can be wrong, from the one that is named first to the one that is named last ---- */

static void no_tls(struct decide_question *q)
{
    q->has_tls = false;
}
static void bound(struct decide_question *q)
{
    q->is_bound_elsewhere = true;
}
static void unknown(struct decide_question *q)
{
    q->account = ACCOUNT_UNKNOWN;
}
static void revoked(struct decide_question *q)
{
    q->is_revoked = true;
}
static void canary(struct decide_question *q)
{
    q->scopes.limits.is_canary = true;
}
static void locked(struct decide_question *q)
{
    if (q->account == ACCOUNT_ACTIVE) /* an unknown one cannot be locked */
        q->account = ACCOUNT_LOCKED;
}
static void as_other(struct decide_question *q)
{
    q->as_other = true;
}
static void unknown_limit(struct decide_question *q)
{
    q->scopes.has_unknown_limit = true;
}
static void expired(struct decide_question *q)
{
    q->scopes.expires_s = NOON;
}
static void frozen(struct decide_question *q)
{
    q->scopes.is_frozen = true;
}
static void too_old(struct decide_question *q)
{
    q->scopes.limits.rotate_days = 10;
}
static void shut_door(struct decide_question *q)
{
    q->scopes.doors &= ~VAULT_DOOR_BIT(q->door);
}
static void wrong_way(struct decide_question *q)
{
    if (door_sends(q->door))
        q->scopes.can_send = false;
    else
        q->scopes.can_receive = false;
}
static void network(struct decide_question *q)
{
    struct scope s = limits_of("network=198.51.100.0/24");
    q->scopes.limits.networks = s.networks;
    q->scopes.limits.network_count = s.network_count;
}
static void hours(struct decide_question *q)
{
    struct scope s = limits_of("hours=mon-sun 13:00-14:00");
    q->scopes.limits.hours = s.hours;
    q->scopes.limits.hour_count = s.hour_count;
}

static const struct {
    void (*spoil)(struct decide_question *q);
    enum reason reason;  /* of a door that receives */
    enum reason sending; /* of a door that sends */
    bool of_scopes;      /* means nothing to the mailbox password */
} flaws[] = {
    {no_tls, REASON_NO_TLS, REASON_NO_TLS, false},
    {bound, REASON_BINDING, REASON_BINDING, false},
    {unknown, REASON_UNKNOWN_ACCOUNT, REASON_UNKNOWN_ACCOUNT, false},
    {revoked, REASON_REVOKED, REASON_REVOKED, true},
    {canary, REASON_CANARY, REASON_CANARY, true},
    {locked, REASON_LOCKED, REASON_LOCKED, false},
    {as_other, REASON_AS_OTHER, REASON_AS_OTHER, false},
    {unknown_limit, REASON_UNKNOWN_LIMIT, REASON_UNKNOWN_LIMIT, true},
    {expired, REASON_EXPIRED, REASON_EXPIRED, true},
    {frozen, REASON_FROZEN, REASON_FROZEN, true},
    {too_old, REASON_ROTATE, REASON_ROTATE, true},
    {hours, REASON_HOURS, REASON_HOURS, true},
    {shut_door, REASON_DOOR, REASON_DOOR, true},
    {wrong_way, REASON_NO_RECEIVE, REASON_NO_SEND, true},
    {network, REASON_NETWORK, REASON_NETWORK, true},
};
enum { FLAWS = sizeof flaws / sizeof *flaws };

static enum reason reason_of(size_t flaw, const struct decide_question *q)
{
    if (flaws[flaw].of_scopes && !credential_is_made(q->kind))
        return REASON_FINE;
    return door_sends(q->door) ? flaws[flaw].sending : flaws[flaw].reason;
}

static const enum credential_kind right[] = {
    CREDENTIAL_MAILBOX, CREDENTIAL_MAILBOX_WITH_CODE, CREDENTIAL_CLIENT, CREDENTIAL_TOKEN,
    CREDENTIAL_CERTIFICATE};
enum { RIGHT = sizeof right / sizeof *right };

static void each_flaw_and_each_pair_at_each_door(void **state)
{
    cases = 0;
    for (unsigned door = 0; door < VAULT_DOORS; door++) {
        for (size_t kind = 0; kind < RIGHT; kind++) {
            struct decide_question q = good((enum vault_door)door, right[kind]);
            expect(&q, REASON_FINE);
            for (size_t i = 0; i < FLAWS; i++) {
                struct decide_question one = q;
                flaws[i].spoil(&one);
                expect(&one, reason_of(i, &q));
                for (size_t j = i + 1; j < FLAWS; j++) {
                    struct decide_question two = one;
                    flaws[j].spoil(&two);
                    enum reason first = reason_of(i, &q);
                    expect(&two, first != REASON_FINE ? first : reason_of(j, &q));
                }
            }
        }
    }
    assert_true(cases >= 300); /* T-247 asks for 300 */
    print_message("T-247 cases=%u passed=%u\n", cases, cases);
}

static void the_mailbox_password_by_policy(void **state)
{
    static const struct {
        enum credential_kind kind;
        enum mailbox_policy policy;
        enum reason reason;
    } rows[] = {
        {CREDENTIAL_MAILBOX, MAILBOX_NEVER, REASON_MAILBOX_PASSWORD},
        {CREDENTIAL_MAILBOX, MAILBOX_WITH_TOTP, REASON_NO_CODE},
        {CREDENTIAL_MAILBOX, MAILBOX_ALLOWED, REASON_FINE},
        {CREDENTIAL_MAILBOX_WITH_CODE, MAILBOX_NEVER, REASON_MAILBOX_PASSWORD},
        {CREDENTIAL_MAILBOX_WITH_CODE, MAILBOX_WITH_TOTP, REASON_FINE},
        {CREDENTIAL_MAILBOX_WITH_CODE, MAILBOX_ALLOWED, REASON_FINE},
        {CREDENTIAL_MAILBOX_BAD_CODE, MAILBOX_NEVER, REASON_MAILBOX_PASSWORD},
        {CREDENTIAL_MAILBOX_BAD_CODE, MAILBOX_WITH_TOTP, REASON_WRONG_CODE},
        {CREDENTIAL_MAILBOX_BAD_CODE, MAILBOX_ALLOWED, REASON_WRONG_CODE},
    };
    for (unsigned door = 0; door < VAULT_DOORS; door++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct decide_question q = good((enum vault_door)door, rows[i].kind);
            q.policy = rows[i].policy;
            expect(&q, rows[i].reason);
        }
        for (size_t i = 0; i < RIGHT; i++) { /* policy is about the mailbox password alone */
            struct decide_question q = good((enum vault_door)door, right[i]);
            q.policy = MAILBOX_NEVER;
            expect(&q, credential_is_made(right[i]) ? REASON_FINE : REASON_MAILBOX_PASSWORD);
        }
    }
}

static void secrets_that_are_wrong(void **state)
{
    for (unsigned door = 0; door < VAULT_DOORS; door++) {
        struct decide_question q = good((enum vault_door)door, CREDENTIAL_NONE);
        expect(&q, REASON_WRONG_SECRET);
        q.account = ACCOUNT_LOCKED;
        expect(&q, REASON_WRONG_SECRET);
        q.kind = CREDENTIAL_SLIP;
        expect(&q, REASON_SLIP);
        q.account = ACCOUNT_UNKNOWN;
        expect(&q, REASON_UNKNOWN_ACCOUNT);
    }
}

/* A zeroed scope is no scope: nothing that somebody forgot to fill in opens a door. */
static void a_zeroed_question_is_refused(void **state)
{
    for (unsigned door = 0; door < VAULT_DOORS; door++) {
        for (unsigned kind = 0; kind <= CREDENTIAL_CERTIFICATE; kind++) {
            struct decide_question q = {.door = (enum vault_door)door, .kind = (enum credential_kind)kind};
            assert_int_equal(decide(&q).verdict, VERDICT_NO);
            q.has_tls = true;
            q.account = ACCOUNT_ACTIVE;
            assert_int_equal(decide(&q).verdict, VERDICT_NO);
        }
    }
}

static void sessions_end_at_the_first_of_their_ends(void **state)
{
    static const struct {
        const char *limits;
        int64_t expires_s, ends_s;
    } rows[] = {
        {"", 0, 0},
        {"", NOON + 7, NOON + 7},
        {"rotate=11", 0, NOON + DAY},
        {"rotate=11", NOON + 7, NOON + 7},
        {"rotate=11", NOON + 2 * DAY, NOON + DAY},
        {"hours=mon-fri 08:00-18:00", 0, NOON + 6 * 3600},
        {"hours=mon-fri 08:00-18:00\nrotate=11", NOON + 7 * 3600, NOON + 6 * 3600},
        {"hours=mon-sun 00:00-24:00\nrotate=11", 0, NOON + DAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decide_question q = good(VAULT_IMAP, CREDENTIAL_CLIENT);
        q.scopes.limits = limits_of(rows[i].limits);
        q.scopes.expires_s = rows[i].expires_s;
        assert_int_equal(expect(&q, REASON_FINE).expires_s, rows[i].ends_s);
        if (rows[i].ends_s) { /* to the second */
            q.now_s = rows[i].ends_s - 1;
            expect(&q, REASON_FINE);
            q.now_s = rows[i].ends_s;
            assert_int_equal(decide(&q).verdict, VERDICT_NO);
        }
    }
    struct decide_question q = good(VAULT_IMAP, CREDENTIAL_MAILBOX);
    q.scopes.expires_s = NOON - 1;
    assert_int_equal(expect(&q, REASON_FINE).expires_s, 0);
}

static void networks(void **state)
{
    struct decide_question q = good(VAULT_IMAP, CREDENTIAL_TOKEN);
    q.scopes.limits = limits_of("network=192.0.2.0/24");
    expect(&q, REASON_FINE);
    assert_int_equal(ip_parse(S("192.0.3.7"), &q.client), OK);
    expect(&q, REASON_NETWORK);
    assert_int_equal(ip_parse(S("2001:db8::1"), &q.client), OK);
    expect(&q, REASON_NETWORK);
}

static void a_guesser_waits_but_what_nobody_guesses_passes(void **state)
{
    for (unsigned kind = 0; kind <= CREDENTIAL_CERTIFICATE; kind++) {
        struct decide_question q = good(VAULT_IMAP, (enum credential_kind)kind);
        bool is_made = credential_is_made(q.kind);
        q.must_wait = true;
        expect(&q, is_made ? REASON_FINE : REASON_WAIT);
        q.is_revoked = true;
        expect(&q, REASON_WAIT);
        q.is_revoked = false;
        q.account = ACCOUNT_UNKNOWN; /* the same answer whether it exists or not */
        expect(&q, is_made ? REASON_UNKNOWN_ACCOUNT : REASON_WAIT);
    }
}

/* T-247: a secret outside its scope counts as a wrong one; what is nobody's guess does not. */
static void what_counts_for_the_guard(void **state)
{
    static const enum reason innocent[] = {REASON_FINE,      REASON_NO_TLS,     REASON_WAIT,
                                           REASON_SLIP,      REASON_LOCKED,     REASON_AS_OTHER,
                                           REASON_BINDING,   REASON_MALFORMED,  REASON_UNAVAILABLE,
                                           REASON_ABANDONED, REASON_MUST_CHANGE};
    for (unsigned r = 0; r < REASON_N; r++) {
        bool is_innocent = false;
        for (size_t i = 0; i < sizeof innocent / sizeof *innocent; i++)
            is_innocent |= innocent[i] == (enum reason)r;
        if (reason_counts((enum reason)r) == is_innocent)
            fail_msg("%s", reason_name((enum reason)r));
    }
}

static void reasons_have_names(void **state)
{
    for (unsigned r = 0; r < REASON_N; r++) {
        enum reason back;
        assert_int_equal(reason_parse(slice_str(reason_name((enum reason)r)), &back), OK);
        assert_int_equal(back, r);
        assert_true(strlen(reason_name((enum reason)r)) <= 64);
    }
    enum reason back;
    assert_int_equal(reason_parse(S("nonsense"), &back), ERR_NOT_FOUND);
}

int main(void)
{
    arena_init(&arena, 1 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flaw_and_each_pair_at_each_door),
        cmocka_unit_test(the_mailbox_password_by_policy),
        cmocka_unit_test(secrets_that_are_wrong),
        cmocka_unit_test(a_zeroed_question_is_refused),
        cmocka_unit_test(sessions_end_at_the_first_of_their_ends),
        cmocka_unit_test(networks),
        cmocka_unit_test(a_guesser_waits_but_what_nobody_guesses_passes),
        cmocka_unit_test(what_counts_for_the_guard),
        cmocka_unit_test(reasons_have_names),
    };
    int failed = cmocka_run_group_tests_name("decide", tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
