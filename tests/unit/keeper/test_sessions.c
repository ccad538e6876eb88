/* The registry: a session whose grant expires ends within a second, though nobody says anything. */
#include "test.h"

#include "base/clock.h"
#include "base/limits.h"
#include "keeper/session.h"

struct guest {
    struct session session; /* first: the registry's view */
    struct sessions *all;
    unsigned ends;
    enum session_end_reason reason;
    struct guest *takes_along; /* ends together with this one */
};

static void on_end(struct session *s, enum session_end_reason reason)
{
    struct guest *g = CONTAINER_OF(s, struct guest, session);
    sessions_drop(g->all, s);
    g->ends++;
    g->reason = reason;
    if (g->takes_along && !g->takes_along->ends)
        on_end(&g->takes_along->session, reason);
}
static const struct session_ops ops = {.end = on_end};

static void join(struct sessions *all, struct guest *g, int64_t expires_s)
{
    *g = (struct guest){.session = {.ops = &ops, .grant.expires_s = expires_s}, .all = all};
    assert_ok(sessions_add(all, &g->session));
}

/* The wall clock and the monotonic one go on together, as they do when nobody sets them. */
static void pass(struct loop *loop, int64_t offset_ms)
{
    clock_set_offset(offset_ms);
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 2);
}

static void sessions_end_when_their_grants_expire(void **unused)
{
    (void)unused;
    struct loop *loop = loop_new();
    struct sessions *all = sessions_new(loop);
    struct guest never, early, late, along;
    int64_t now = clock_unix_s();
    join(all, &never, 0);
    join(all, &late, now + 7200);
    join(all, &early, now + 3600);
    join(all, &along, now + 3600);
    early.takes_along = &along;
    pass(loop, 0);
    pass(loop, 3000 * 1000);
    assert_int_equal(sessions_count(all), 4);
    pass(loop, 3601 * 1000);
    assert_int_equal(early.ends, 1);
    assert_int_equal(early.reason, END_EXPIRED);
    assert_int_equal(along.ends, 1);
    assert_int_equal(late.ends, 0);
    pass(loop, 7201 * 1000);
    assert_int_equal(late.ends, 1);
    assert_int_equal(never.ends, 0);
    assert_int_equal(sessions_count(all), 1);
    /* one that comes when its time is over already */
    join(all, &early, now + 1);
    pass(loop, 7201 * 1000);
    assert_int_equal(early.ends, 1);
    clock_set_offset(0);
    sessions_end_all(all, END_STOPPING);
    assert_int_equal(never.reason, END_STOPPING);
    sessions_free(&all);
    loop_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_end_when_their_grants_expire),
    };
    return cmocka_run_group_tests_name("keeper/sessions", tests, NULL, NULL);
}
