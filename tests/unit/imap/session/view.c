/* A view whose mailbox holds messages that are hidden, against a plain list of what every UID is. */
#include "test.h"

#include "imap/session/view.h"

enum { UIDS = 300, ROUNDS = 2000 };
enum { NEVER, SEEN, HIDDEN, GONE };

static uint8_t what[UIDS + 1];
static uint32_t seed = 3;

static unsigned roll(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void check_numbers(const struct view *v)
{
    uint32_t sequence = 0;
    for (uint32_t uid = 1; uid <= UIDS; uid++)
        assert_int_equal(view_sequence(v, uid), what[uid] == SEEN ? ++sequence : 0);
    assert_int_equal(v->n, sequence);
    for (size_t i = 1; i < v->hidden_n; i++)
        assert_true(v->hidden[i - 1].last < v->hidden[i].first);
}

/* The ranges hold all that is seen between the ends, and nothing that is hidden. */
static void check_ranges(const struct view_ranges *ranges, uint32_t first, uint32_t last)
{
    uint8_t in[UIDS + 1] = {0};
    uint32_t before = 0;
    for (size_t i = 0; i < ranges->n; i++) {
        assert_true(ranges->at[i].first > before && ranges->at[i].first <= ranges->at[i].last);
        before = ranges->at[i].last;
        for (uint32_t uid = ranges->at[i].first; uid <= before && uid <= UIDS; uid++)
            in[uid] = 1;
    }
    for (uint32_t uid = 1; uid <= UIDS; uid++) {
        if (what[uid] == SEEN)
            assert_int_equal(in[uid], uid >= first && uid <= last);
        if (what[uid] == HIDDEN)
            assert_int_equal(in[uid], 0);
    }
}

static void check_sets(const struct view *v)
{
    struct arena mem CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct view_ranges ranges;
    uint32_t first = 1 + roll(UIDS), last = first + roll(UIDS);
    struct imap_range range = {first, last};
    struct imap_set set = {.ranges = &range, .n = 1};
    assert_ok(view_all(v, &mem, &ranges));
    check_ranges(&ranges, 1, UIDS);
    assert_ok(view_resolve(v, &set, true, &mem, &ranges));
    check_ranges(&ranges, first, last);
    if (!v->n)
        return;
    range = (struct imap_range){1 + roll((unsigned)v->n), (uint32_t)v->n};
    assert_ok(view_resolve(v, &set, false, &mem, &ranges));
    check_ranges(&ranges, v->uids[range.first - 1], UIDS);
}

static void told(void *owner, uint32_t sequence)
{
    ++*(unsigned *)owner;
}

static void take_out(struct view *v, uint32_t uid, bool hides)
{
    struct imap_range range = {uid, uid};
    struct imap_set set = {.ranges = &range, .n = 1};
    unsigned count = 0;
    view_remove(v, &set, told, &count);
    assert_int_equal(count, what[uid] == SEEN);
    if (hides)
        view_hide(v, uid);
    what[uid] = hides ? HIDDEN : GONE;
}

static void one_round(unsigned share)
{
    struct view v = {.is_window = true};
    memset(what, NEVER, sizeof what);
    for (uint32_t uid = 1; uid <= UIDS; uid++) {
        unsigned fate = roll(100);
        if (fate < share) {
            view_hide(&v, uid);
            what[uid] = HIDDEN;
        } else if (fate < 90) {
            view_add(&v, uid, uid);
            what[uid] = SEEN;
        }
        if (roll(50) == 0)
            check_sets(&v);
    }
    check_numbers(&v);
    for (int i = 0; i < 100; i++) {
        uint32_t uid = 1 + roll(UIDS);
        if (what[uid] == SEEN)
            take_out(&v, uid, roll(2));
        else if (what[uid] == HIDDEN)
            view_hide(&v, uid); /* again */
        check_sets(&v);
    }
    check_numbers(&v);
    for (size_t i = 0; i < v.n; i++)
        assert_int_equal(v.arrived[i], v.uids[i]);
    view_done(&v);
}

static void test_hidden_is_never_named(void **state)
{
    for (unsigned i = 0; i < ROUNDS / 20; i++)
        one_round(roll(90));
}

/* Mail before a window is one run, however much it is. */
static void test_runs_are_few(void **state)
{
    struct view v = {.is_window = true};
    for (uint32_t uid = 1; uid <= 1000; uid++)
        view_hide(&v, uid * 3);
    assert_int_equal(v.hidden_n, 1);
    view_add(&v, 4000, 7);
    view_hide(&v, 4001);
    view_hide(&v, 4005);
    assert_int_equal(v.hidden_n, 2);
    struct imap_range range = {4000, 4000};
    struct imap_set set = {.ranges = &range, .n = 1};
    unsigned count = 0;
    view_remove(&v, &set, told, &count);
    view_hide(&v, 4000);
    assert_int_equal(v.hidden_n, 1);
    view_done(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden_is_never_named), cmocka_unit_test(test_runs_are_few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
