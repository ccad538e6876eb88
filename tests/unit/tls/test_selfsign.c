/* The private authority, its server certificate, and reading both back. */
#include "test.h"

#include "base/limits.h"
#include "tls/inspect.h"
#include "tls/selfsign.h"

static const struct slice names[] = {
    {"mail.ours.test", 14}, {"ours.test", 9}, {"192.0.2.7", 9}, {"2001:db8::7", 11}};

static struct selfsign_order order_of(void)
{
    return (struct selfsign_order){
        .title = S("Letterlock mail.ours.test"),
        .names = names,
        .name_count = 4,
        .now_s = 1800000000,
        .authority_days = 3650,
        .server_days = 825};
}

static void test_pair(void **state)
{
    struct selfsign_order order = order_of();
    struct selfsign made = {0};
    struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
    struct inspect_facts facts;
    assert_ok(selfsign_make(&order, &made));
    assert_int_equal(
        inspect_pair(buf_slice(&made.chain), buf_slice(&made.key), &arena, &facts), INSPECT_FINE);
    assert_int_equal(facts.certificates, 2);
    assert_int_equal(facts.not_before_s, 1800000000 - 86400);
    assert_int_equal(facts.not_after_s, 1800000000 + 825 * 86400);
    assert_false(facts.self_signed);
    assert_int_equal(facts.name_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(slice_eq(facts.names[i], names[i]));
    assert_true(inspect_covers(&facts, S("MAIL.ours.test")));
    assert_false(inspect_covers(&facts, S("other.ours.test")));
    assert_int_equal(
        inspect_pair(buf_slice(&made.authority), buf_slice(&made.authority_key), &arena, &facts),
        INSPECT_FINE);
    assert_true(facts.self_signed);
    assert_int_equal(
        inspect_pair(buf_slice(&made.chain), buf_slice(&made.authority_key), &arena, &facts),
        INSPECT_KEY_MISMATCH);
    selfsign_done(&made);
    selfsign_done(&made);
}

static void test_troubles(void **state)
{
    struct selfsign_order order = order_of();
    struct selfsign one = {0}, two = {0};
    struct arena arena CLEANUP_ARENA = ARENA_INIT(262144);
    struct inspect_facts facts;
    assert_ok(selfsign_make(&order, &one));
    assert_ok(selfsign_make(&order, &two));
    struct slice chain = buf_slice(&one.chain), key = buf_slice(&one.key);
    assert_int_equal(inspect_pair(S(""), key, &arena, &facts), INSPECT_CHAIN_UNREADABLE);
    assert_int_equal(inspect_pair(key, key, &arena, &facts), INSPECT_CHAIN_UNREADABLE);
    assert_int_equal(inspect_pair(slice_sub(chain, 0, 300), key, &arena, &facts), INSPECT_CHAIN_UNREADABLE);
    assert_int_equal(inspect_pair(chain, S(""), &arena, &facts), INSPECT_KEY_UNREADABLE);
    assert_int_equal(inspect_pair(chain, chain, &arena, &facts), INSPECT_KEY_UNREADABLE);
    assert_int_equal(inspect_pair(chain, slice_sub(key, 0, 80), &arena, &facts), INSPECT_KEY_UNREADABLE);
    struct buf mixed CLEANUP_BUF = BUF_INIT(65536);
    buf_put(&mixed, slice_sub(chain, 0, slice_search(chain, S("END CERTIFICATE")) + 21));
    buf_put(&mixed, buf_slice(&two.chain));
    assert_int_equal(inspect_pair(buf_slice(&mixed), key, &arena, &facts), INSPECT_CHAIN_BROKEN);
    /* cut anywhere, nothing breaks */
    for (size_t n = 0; n < chain.n; n += 7)
        inspect_pair(slice_sub(chain, 0, n), slice_sub(key, 0, n), &arena, &facts);
    selfsign_done(&one);
    selfsign_done(&two);
}

static void test_refused_orders(void **state)
{
    static const struct slice bad[] = {{"a,DNS:evil.test", 15}, {"", 0}, {"a b", 3}, {"a\nb", 3}, {"*", 1}};
    struct selfsign made = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct selfsign_order order = order_of();
        order.names = &bad[i];
        order.name_count = 1;
        assert_err(ERR_SYNTAX, selfsign_make(&order, &made));
    }
    struct selfsign_order order = order_of();
    order.name_count = 0;
    assert_err(ERR_SYNTAX, selfsign_make(&order, &made));
    order = order_of();
    order.authority_days = 100000;
    assert_err(ERR_LIMIT, selfsign_make(&order, &made));
    assert_null(made.key.p);
}

static void test_wildcard(void **state)
{
    static const struct slice wild[] = {{"*.ours.test", 11}};
    struct inspect_facts facts = {.names = wild, .name_count = 1};
    assert_true(inspect_covers(&facts, S("mail.ours.test")));
    assert_false(inspect_covers(&facts, S("a.mail.ours.test")));
    assert_false(inspect_covers(&facts, S("ours.test")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pair), cmocka_unit_test(test_troubles), cmocka_unit_test(test_refused_orders),
        cmocka_unit_test(test_wildcard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
