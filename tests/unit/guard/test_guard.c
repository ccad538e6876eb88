#include "test.h"

#include "base/limits.h"
#include "cases.h"
#include "crypto/random.h"
#include "guard/table.h"
#include "guard_limits.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

static struct secret_slab *slab;
static struct secret key;
static struct guard *g;
enum { STRIKES = 5, SPRAY = 20, PAUSE_MAX = 15 * MINUTE };
static const struct slice alice = {"alice@example.test", 18}, bob = {"bob@example.test", 16};

static struct ip ip(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(slice_str(text), &ip), OK);
    return ip;
}

/* The caller's records: where somebody signed in from lately. */
static struct {
    struct slice name;
    struct ip from;
} known[8];
static size_t known_count;

static int setup(void **state)
{
    slab = secret_slab_new(4096);
    /* One key for ever: of 100 secrets two have the same 16 bits by one key in fourteen, and count as one. */
    if (secret_copy(slab, S("the key of all tests of a guard!"), &key) != OK)
        return 1;
    g = guard_new(&key, &guard_presets);
    known_count = 0;
    return 0;
}

static int teardown(void **state)
{
    guard_free(&g);
    guard_free(&g);
    secret_free(&key);
    secret_slab_free(&slab);
    return 0;
}

static struct guard_who who(struct slice name, const struct ip *from)
{
    struct guard_who w = {.name = name, .client = *from};
    for (size_t i = 0; i < known_count; i++)
        w.is_known |= slice_eq(known[i].name, name) && memcmp(&known[i].from, from, sizeof *from) == 0;
    return w;
}

static bool must_wait(uint64_t now, struct slice name, const struct ip *from)
{
    struct guard_who w = who(name, from);
    return guard_must_wait(g, now, &w, S("anything"));
}

static void right(uint64_t now, struct slice name, const struct ip *from)
{
    struct guard_who w = who(name, from);
    guard_count_right(g, now, &w);
    known[known_count].name = name;
    known[known_count++].from = *from;
}

static bool wrong(uint64_t now, struct slice name, const struct ip *from, unsigned secret)
{
    char text[32];
    int n = snprintf(text, sizeof text, "guess %u", secret);
    struct guard_who w = who(name, from);
    return guard_count_wrong(g, now, &w, slice_of(text, (size_t)n));
}

static void a_stale_phone_is_one_strike(void **state)
{
    struct ip home = ip("192.0.2.1");
    assert_true(wrong(1, alice, &home, 1));
    for (uint64_t now = 2; now < 10000; now++) {
        assert_false(wrong(now, alice, &home, 1));
        assert_false(must_wait(now, alice, &home));
    }
}

static void a_guesser_waits_and_the_owner_does_not(void **state)
{
    struct ip attacker = ip("198.51.100.7"), home = ip("192.0.2.1");
    for (unsigned i = 0; i < STRIKES; i++) {
        assert_false(must_wait(1000, alice, &attacker));
        assert_true(wrong(1000, alice, &attacker, i));
    }
    assert_true(must_wait(1000, alice, &attacker));
    assert_true(must_wait(1000 + LIMIT_GUARD_PAUSE - 1, alice, &attacker));
    assert_false(must_wait(1000, alice, &home));
    assert_false(must_wait(1000, bob, &attacker));
    assert_false(must_wait(1000 + LIMIT_GUARD_PAUSE, alice, &attacker));
}

static void pauses_double_up_to_a_ceiling(void **state)
{
    struct ip attacker = ip("2001:db8::1");
    uint64_t now = 5000;
    for (unsigned i = 0; i + 1 < STRIKES; i++)
        wrong(now, alice, &attacker, i);
    uint64_t expected = LIMIT_GUARD_PAUSE;
    for (unsigned round = 0; round < 8; round++) {
        wrong(now, alice, &attacker, 1000 + round);
        assert_true(must_wait(now + expected - 1, alice, &attacker));
        assert_false(must_wait(now + expected, alice, &attacker));
        now += expected;
        expected = expected * 2 < PAUSE_MAX ? expected * 2 : PAUSE_MAX;
    }
    assert_int_equal(expected, PAUSE_MAX);
}

static void a_sprayer_waits_but_known_people_of_its_network_do_not(void **state)
{
    struct ip office = ip("192.0.2.9");
    right(100, alice, &office);
    for (unsigned i = 0; i < SPRAY; i++) {
        char name[40];
        int n = snprintf(name, sizeof name, "user%u@example.test", i);
        struct guard_who w = who(slice_of(name, (size_t)n), &office);
        guard_count_wrong(g, 200, &w, slice_of(name, 6));
    }
    assert_true(must_wait(300, bob, &office));
    assert_false(must_wait(300, alice, &office));
    assert_true(must_wait(199 + LIMIT_GUARD_PAUSE, bob, &office));
    assert_false(must_wait(200 + LIMIT_GUARD_PAUSE, bob, &office));
}

static void a_sign_in_forgives(void **state)
{
    struct ip home = ip("192.0.2.1");
    for (unsigned i = 0; i + 1 < STRIKES; i++)
        wrong(10, alice, &home, i);
    right(11, alice, &home);
    for (unsigned i = 0; i + 1 < STRIKES; i++)
        wrong(12, alice, &home, 100 + i);
    assert_false(must_wait(13, alice, &home));
}

static void ipv6_counts_by_64(void **state)
{
    struct ip a = ip("2001:db8:1:2::1"), b = ip("2001:db8:1:2:ffff::9"), other = ip("2001:db8:1:3::1");
    for (unsigned i = 0; i < STRIKES; i++)
        wrong(10, alice, i % 2 ? &a : &b, i);
    assert_true(must_wait(11, alice, &a));
    assert_true(must_wait(11, alice, &b));
    assert_false(must_wait(11, alice, &other));
}

static void strikes_end_after_the_window(void **state)
{
    struct ip home = ip("192.0.2.1");
    for (unsigned i = 0; i + 1 < STRIKES; i++)
        wrong(10, alice, &home, i);
    assert_true(wrong(10 + 15 * MINUTE, alice, &home, 0));
    assert_false(must_wait(11 + 15 * MINUTE, alice, &home));
    /* Counted within the window, one more would have been a pause. */
    for (unsigned i = 1; i < STRIKES; i++)
        wrong(12 + 15 * MINUTE, alice, &home, i);
    assert_true(must_wait(12 + 15 * MINUTE, alice, &home));
}

/* A hundred networks, two guesses each: no pair waits, but unknown networks do; where alice lives she goes on. */
static void many_networks_together_meet_the_daily_limit(void **state)
{
    struct ip home = ip("192.0.2.1"), fresh = ip("203.0.113.200");
    right(5, alice, &home);
    for (unsigned i = 0; i < 100; i++) {
        char text[32];
        snprintf(text, sizeof text, "198.51.100.%u", i);
        struct ip from = ip(text);
        assert_false(must_wait(10, alice, &from));
        wrong(10, alice, &from, i);
    }
    assert_true(must_wait(11, alice, &fresh));
    assert_false(must_wait(11, bob, &fresh));
    assert_false(must_wait(11, alice, &home));
}

static void an_exempt_network_is_not_counted_as_one(void **state)
{
    struct ip office = ip("192.0.2.9");
    for (unsigned i = 0; i < 3 * SPRAY; i++) {
        char name[40];
        int n = snprintf(name, sizeof name, "user%u@example.test", i);
        struct guard_who w = {.name = slice_of(name, (size_t)n), .client = office, .is_exempt = true};
        guard_count_wrong(g, 200, &w, S("stale"));
        assert_false(guard_must_wait(g, 201, &w, S("other")));
    }
    assert_false(must_wait(202, bob, &office));
}

/* A proof looks different each time: what its sender earns is that proofs wait, and nobody who types. */
static void wrong_proofs_hold_up_proofs_alone(void **state)
{
    struct ip home = ip("192.0.2.1");
    struct guard_who proof = who(alice, &home);
    proof.is_proof = true;
    for (unsigned i = 0; i < STRIKES; i++) {
        assert_false(guard_must_wait(g, 10, &proof, SLICE_EMPTY));
        assert_true(guard_count_wrong(g, 10, &proof, SLICE_EMPTY));
    }
    assert_true(guard_must_wait(g, 11, &proof, SLICE_EMPTY));
    assert_false(must_wait(11, alice, &home));
    for (unsigned i = 0; i < STRIKES; i++)
        wrong(12, bob, &home, i);
    proof.name = bob;
    assert_true(must_wait(13, bob, &home));
    assert_false(guard_must_wait(g, 13, &proof, SLICE_EMPTY));
}

/* A phone with a revoked password in SCRAM: recognised, it is one strike. */
static void a_recognised_proof_is_one_strike(void **state)
{
    struct ip home = ip("192.0.2.1");
    struct guard_who proof = who(alice, &home);
    proof.is_proof = true;
    assert_true(guard_count_wrong(g, 10, &proof, S("credential 7")));
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(guard_count_wrong(g, 10 + i, &proof, S("credential 7")));
        assert_false(guard_must_wait(g, 10 + i, &proof, SLICE_EMPTY));
    }
}

/* A browser that is remembered is counted for itself: the guesser beside it does not hold it up, nor it him. */
static void a_device_counts_for_itself(void **state)
{
    struct ip office = ip("192.0.2.9");
    for (unsigned i = 0; i < STRIKES; i++)
        wrong(10, alice, &office, i);
    struct guard_who browser = who(alice, &office), other = browser;
    browser.device = S("17");
    other.device = S("18");
    assert_true(must_wait(11, alice, &office));
    assert_false(guard_must_wait(g, 11, &browser, S("x")));
    for (unsigned i = 0; i < STRIKES; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "typo %u", i);
        guard_count_wrong(g, 12, &browser, slice_of(text, (size_t)n));
    }
    assert_true(guard_must_wait(g, 13, &browser, S("x")));
    assert_false(guard_must_wait(g, 13, &other, S("x")));
    guard_count_right(g, 14, &browser);
    assert_false(guard_must_wait(g, 14, &browser, S("x")));
    assert_true(must_wait(14, alice, &office));
}

/* An hour is an hour: nineteen names now and nineteen later are no spraying. */
static void the_window_of_spraying_slides(void **state)
{
    struct ip office = ip("192.0.2.9");
    for (unsigned hour = 0; hour < 4; hour++) {
        for (unsigned i = 0; i + 1 < SPRAY; i++) {
            char name[40];
            int n = snprintf(name, sizeof name, "h%u-%u@example.test", hour, i);
            struct guard_who w = who(slice_of(name, (size_t)n), &office);
            guard_count_wrong(
                g, 1000 + hour * (uint64_t)HOUR + 59 * (uint64_t)MINUTE * i / SPRAY, &w,
                slice_of(name, (size_t)n));
        }
        assert_false(must_wait(1000 + hour * (uint64_t)HOUR + 59 * (uint64_t)MINUTE, bob, &office));
    }
}

/* ---- whole attacks: how many guesses are looked at? ---- */

static struct guard_who attacker(unsigned name, unsigned net, char text[40])
{
    int n = snprintf(text, 40, "user%u@example.test", name);
    struct guard_who w = {.name = slice_of(text, (size_t)n)};
    memcpy(
        w.client.b,
        (uint8_t[16]){
            [10] = 0xff,
            [11] = 0xff,
            [12] = 100,
            [13] = (uint8_t)(net >> 16),
            [14] = (uint8_t)(net >> 8),
            [15] = (uint8_t)net},
        16);
    return w;
}

/* True when the guess was looked at, and counted. */
static bool guess(uint64_t now, const struct guard_who *w, struct slice secret)
{
    if (guard_must_wait(g, now, w, secret))
        return false;
    guard_count_wrong(g, now, w, secret);
    return true;
}

/* T-240: one password on 10,000 accounts from 1, 100 and 10,000 networks, in a quarter of an hour. */
static void spraying(struct cases *cases)
{
    static const struct {
        unsigned nets, most;
    } rows[] = {{1, SPRAY + 5}, {100, LIMIT_GUARD_SPRAYED + 6}, {10000, LIMIT_GUARD_SPRAYED + 6}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        uint64_t start = (r + 1) * 48 * (uint64_t)HOUR, looked = 0;
        char name[40], secret[40];
        int n = snprintf(secret, sizeof secret, "Spring%zu!", r);
        for (unsigned i = 0; i < 10000; i++) {
            struct guard_who w = attacker(i, i % rows[r].nets, name);
            looked += guess(start + i * 90, &w, slice_of(secret, (size_t)n));
            cases_check(cases, looked <= rows[r].most, "one password, many accounts");
        }
        assert_true(looked >= SPRAY);
    }
}

/* T-240: stuffing: 10,000 passwords at one account, from one network and from as many, in a quarter of an hour. */
static void stuffing(struct cases *cases)
{
    for (unsigned many = 0; many < 2; many++) {
        uint64_t start = (many + 10) * 48 * (uint64_t)HOUR, looked = 0;
        char name[40], secret[40];
        for (unsigned i = 0; i < 10000; i++) {
            struct guard_who w = attacker(77, many ? i : 0, name);
            int n = snprintf(secret, sizeof secret, "password %u", i);
            looked += guess(start + i * 90, &w, slice_of(secret, (size_t)n));
            cases_check(cases, looked <= (many ? 100u : STRIKES) + 5, "many passwords, one account");
        }
    }
}

/* T-240: one guess a minute for thirty days, from one network and from a new one each time. */
static void slow_guessing(struct cases *cases)
{
    for (unsigned many = 0; many < 2; many++) {
        uint64_t start = (many + 20) * 48 * (uint64_t)HOUR * 30;
        char name[40], secret[40];
        for (unsigned day = 0; day < 30; day++) {
            unsigned looked = 0;
            for (unsigned i = day * 24 * 60; i < (day + 1) * 24 * 60; i++) {
                struct guard_who w = attacker(99, many ? i : 0, name);
                int n = snprintf(secret, sizeof secret, "slow %u", i);
                looked += guess(start + i * (uint64_t)MINUTE, &w, slice_of(secret, (size_t)n));
            }
            cases_check(cases, looked <= 200, "at most two hundred guesses a day");
        }
    }
}

static void attacks_stop_at_the_limits(void **state)
{
    struct cases cases = {.id = "T-240"};
    spraying(&cases);
    stuffing(&cases);
    slow_guessing(&cases);
    cases_end(&cases, 30000);
}

/* T-241: while strangers guess at her, the name's owner is never told to wait where she is known. */
static void an_owner_under_attack_is_let_through(void **state)
{
    struct cases cases = {.id = "T-241"};
    struct ip home = ip("192.0.2.1");
    struct guard_who owner = {.name = S("user7@example.test"), .client = home, .is_known = true};
    struct guard_who browser = {.name = owner.name, .client = ip("203.0.113.1"), .device = S("3")};
    char name[40], secret[40];
    for (unsigned i = 0; i < 100000; i++) { /* a thousand a second */
        struct guard_who w = attacker(7, i, name);
        int n = snprintf(secret, sizeof secret, "x%u", i);
        (void)guess(1000 + i, &w, slice_of(secret, (size_t)n));
        if (i % 500 == 0) {
            cases_check(&cases, !guard_must_wait(g, 1000 + i, &owner, S("her password")), "known network");
            cases_check(&cases, !guard_must_wait(g, 1000 + i, &browser, S("her password")), "known device");
        }
    }
    struct guard_who stranger = attacker(7, 200000, name);
    assert_true(guard_must_wait(g, 101000, &stranger, S("x")));
    cases_end(&cases, 300);
}

/* T-246: what is kept tells repeats, and nothing else. */
static void prints_are_short_keyed_and_forgotten(void **state)
{
    struct cases cases = {.id = "T-246"};
    struct ip home = ip("192.0.2.1");
    /* Sixteen bits: among 3,000 different secrets some look alike, but only some. */
    struct guard_limits wide = guard_presets;
    wide.strikes = 100;
    wide.window_ms = 24 * (uint64_t)HOUR;
    guard_set_limits(g, &wide);
    unsigned alike = 0;
    for (unsigned i = 0; i < 3000; i++)
        alike += !wrong(1000 + i, alice, &home, i);
    cases_check(&cases, alike > 0 && alike < 60, "a print has about 16 bits");
    /* A repeat is no news; the same secret on another account is; a day later it is again. */
    for (unsigned i = 2990; i < 3000; i++) {
        cases_check(&cases, !wrong(5000, alice, &home, i), "a repeat");
        cases_check(&cases, wrong(5000, bob, &home, i), "another account");
    }
    guard_tidy(g, 5000 + 24 * (uint64_t)HOUR);
    for (unsigned i = 2990; i < 3000; i++)
        cases_check(&cases, wrong(5001 + 24 * (uint64_t)HOUR, alice, &home, i), "forgotten after a day");
    cases_end(&cases, 30);
}

/* T-050: at most 20 informative answers an hour for one network. */
static void harvesting_ends_after_twenty(void **state)
{
    struct ip spammer = ip("203.0.113.5"), other = ip("203.0.113.6");
    unsigned informative = 0;
    for (unsigned i = 0; i < 1000; i++) {
        if (guard_is_harvesting(g, 1000 + i, &spammer))
            continue;
        informative++;
        guard_count_unknown(g, 1000 + i, &spammer);
    }
    assert_int_equal(informative, LIMIT_RESOLVE_UNKNOWN);
    assert_false(guard_is_harvesting(g, 2000, &other));
    assert_false(guard_is_harvesting(g, 1000 + HOUR, &spammer));
}

struct counter {
    struct guard_entry head;
    int value;
};

static void tables_are_bounded_and_forget_the_oldest(void **state)
{
    struct guard_table t;
    guard_table_init(&t, 100, sizeof(struct counter), NULL);
    for (int i = 0; i < 10000; i++) {
        ((struct counter *)guard_table_have(&t, (uint64_t)i, slice_of(&i, sizeof i)))->value = i;
        int zero = 0;
        guard_table_have(&t, (uint64_t)i, slice_of(&zero, sizeof zero)); /* kept by being used */
        assert_true(t.map.count <= 100);
    }
    int old = 5000, fresh = 9999;
    assert_null(guard_table_find(&t, slice_of(&old, sizeof old)));
    assert_int_equal(((struct counter *)guard_table_find(&t, slice_of(&fresh, sizeof fresh)))->value, 9999);
    guard_table_expire(&t, 10000, 51);
    assert_int_equal(t.map.count, 51);
    guard_table_expire(&t, 20000, 51);
    assert_int_equal(t.map.count, 0);
    guard_table_done(&t);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stale_phone_is_one_strike, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guesser_waits_and_the_owner_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(pauses_double_up_to_a_ceiling, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_sprayer_waits_but_known_people_of_its_network_do_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sign_in_forgives, setup, teardown),
        cmocka_unit_test_setup_teardown(ipv6_counts_by_64, setup, teardown),
        cmocka_unit_test_setup_teardown(strikes_end_after_the_window, setup, teardown),
        cmocka_unit_test_setup_teardown(many_networks_together_meet_the_daily_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(an_exempt_network_is_not_counted_as_one, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_proofs_hold_up_proofs_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recognised_proof_is_one_strike, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_counts_for_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(the_window_of_spraying_slides, setup, teardown),
        cmocka_unit_test_setup_teardown(attacks_stop_at_the_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(an_owner_under_attack_is_let_through, setup, teardown),
        cmocka_unit_test_setup_teardown(prints_are_short_keyed_and_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(harvesting_ends_after_twenty, setup, teardown),
        cmocka_unit_test(tables_are_bounded_and_forget_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
