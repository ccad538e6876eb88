#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/random.h"
#include "sasl/client.h"
#include "sasl/server.h"

static struct secret_slab *slab;
static struct secret secret;
static struct sasl_identity who;

static int setup(void **state)
{
    slab = secret_slab_new(65536);
    if (secret_copy(slab, S("tanstaaf"), &secret) != OK)
        return 1;
    who = (struct sasl_identity){.authcid = S("tim"), .secret = &secret};
    return 0;
}

static int teardown(void **state)
{
    secret_free(&secret);
    secret_slab_free(&slab);
    return 0;
}

static struct sasl_client *open_client(const char *name)
{
    struct sasl_client *c = NULL;
    assert_int_equal(sasl_client_new(sasl_find(slice_str(name)), &who, &c), OK);
    return c;
}

static void plain_says_all_at_once(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial = false;
    struct sasl_client *c = open_client("PLAIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_true(has_initial);
    assert_true(slice_eq(buf_slice(&out), S("\0tim\0tanstaaf")));
    assert_int_equal(sasl_client_end(c, NULL), OK);
    sasl_client_free(&c);
    sasl_client_free(&c);
}

static void a_fishing_server_gets_nothing_more(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial = false;
    struct sasl_client *c = open_client("PLAIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S("Password:"), &out), ERR_PROTOCOL);
    assert_int_equal(out.n, 0);
    assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
    sasl_client_free(&c);

    c = open_client("LOGIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_false(has_initial);
    assert_int_equal(sasl_client_step(c, S("Username:"), &out), OK);
    assert_true(slice_eq(buf_slice(&out), S("tim")));
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S("Password:"), &out), OK);
    assert_true(slice_eq(buf_slice(&out), S("tanstaaf")));
    buf_clear(&out);
    assert_int_equal(sasl_client_step(c, S("Again:"), &out), ERR_PROTOCOL);
    assert_int_equal(out.n, 0);
    sasl_client_free(&c);
}

static void an_early_yes_is_not_believed(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    bool has_initial = false;
    struct sasl_client *c = open_client("LOGIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_int_equal(sasl_client_end(c, NULL), ERR_PROTOCOL);
    sasl_client_free(&c);
    struct slice data = S("extra");
    c = open_client("PLAIN");
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    assert_int_equal(sasl_client_end(c, &data), ERR_PROTOCOL);
    sasl_client_free(&c);
}

static void what_cannot_be_carried_is_refused(void **state)
{
    struct sasl_client *c = NULL;
    struct sasl_identity bad = who;
    bad.authcid = S("ti\0m");
    assert_int_equal(sasl_client_new(sasl_find(S("PLAIN")), &bad, &c), ERR_SYNTAX);
    bad = who;
    bad.authzid = S("\xff");
    assert_int_equal(sasl_client_new(sasl_find(S("PLAIN")), &bad, &c), ERR_SYNTAX);
    bad = who;
    bad.authcid = SLICE_EMPTY;
    assert_int_equal(sasl_client_new(sasl_find(S("PLAIN")), &bad, &c), ERR_SYNTAX);
    assert_null(c);
}

/* Every mechanism of the table: our client against our server. */
static void both_sides_meet(void **state)
{
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    struct sasl_env env = {.slab = slab};
    for (size_t i = 0; i < count; i++) {
        struct buf up CLEANUP_BUF = BUF_INIT(5000), down CLEANUP_BUF = BUF_INIT(5000);
        struct sasl_client *c = open_client(all[i].name);
        struct sasl_server *s = sasl_server_new(&all[i], &env);
        bool has_initial = false;
        assert_int_equal(sasl_client_start(c, &up, &has_initial), OK);
        assert_int_equal(has_initial, (all[i].flags & SASL_CLIENT_FIRST) != 0);
        struct slice initial = buf_slice(&up);
        enum sasl_outcome outcome = sasl_server_start(s, has_initial ? &initial : NULL, &down);
        for (int turn = 0; outcome == SASL_CHALLENGE && turn < 10; turn++) {
            buf_clear(&up);
            assert_int_equal(sasl_client_step(c, buf_slice(&down), &up), OK);
            buf_clear(&down);
            outcome = sasl_server_step(s, buf_slice(&up), &down);
        }
        assert_int_equal(outcome, SASL_CLAIM);
        assert_true(slice_eq(sasl_server_claim(s)->authcid, S("tim")));
        assert_true(slice_eq(secret_reveal(sasl_server_claim(s)->secret), S("tanstaaf")));
        assert_int_equal(sasl_server_judged(s, true, &down), SASL_DONE);
        assert_int_equal(sasl_client_end(c, NULL), OK);
        sasl_client_free(&c);
        sasl_server_free(&s);
    }
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_says_all_at_once),
        cmocka_unit_test(a_fishing_server_gets_nothing_more),
        cmocka_unit_test(an_early_yes_is_not_believed),
        cmocka_unit_test(what_cannot_be_carried_is_refused),
        cmocka_unit_test(both_sides_meet),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
