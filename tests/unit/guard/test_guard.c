#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "crypto/random.h"
#include "guard/guard.h"
#include "guard/table.h"

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

static int setup(void **state)
{
    slab = secret_slab_new(4096);
    if (secret_random(slab, 32, &key) != OK)
        return 1;
    g = guard_new(&key, &guard_limits_default);
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
    return (struct guard_who){.name = name, .client = *from};
}

static bool must_wait(uint64_t now, struct slice name, const struct ip *from)
{
    struct guard_who w = who(name, from);
    return guard_must_wait(g, now, &w);
}

static void right(uint64_t now, struct slice name, const struct ip *from)
{
    struct guard_who w = who(name, from);
    guard_count_right(g, now, &w);
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
        guard_count_wrong(g, 200, &w, S("Spring2026!"));
    }
    assert_true(must_wait(300, bob, &office));
    assert_false(must_wait(300, alice, &office));
    uint64_t later = 100 + (uint64_t)LIMIT_GUARD_KNOWN * 1000;
    assert_false(must_wait(later, bob, &office));
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
        assert_false(guard_must_wait(g, 201, &w));
    }
    assert_false(must_wait(202, bob, &office));
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
        cmocka_unit_test_setup_teardown(harvesting_ends_after_twenty, setup, teardown),
        cmocka_unit_test(tables_are_bounded_and_forget_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
