/* Where mail to recipients went, kept for when the vault is away. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "gate/recipients.h"
#include "test.h"

static struct recipient_target target(uint8_t n, const char *address)
{
    return (struct recipient_target){
        .account = {{n}}, .slot = n, .quota_bytes = 100u + n, .address = slice_str(address)};
}

static void what_was_kept_is_found_and_is_a_copy(void **state)
{
    struct recipients r;
    char address[] = "alice@ours.test", key[] = "sales@ours.test";
    const struct recipient_target targets[] = {target(1, address), target(2, "bob@ours.test")};
    size_t count = 0;
    recipients_init(&r);
    assert_null(recipients_find(&r, S("sales@ours.test"), &count));
    recipients_keep(&r, slice_str(key), targets, 2);
    memset(address, 'x', sizeof address - 1);
    memset(key, 'x', sizeof key - 1);
    const struct recipient_target *found = recipients_find(&r, S("sales@ours.test"), &count);
    assert_non_null(found);
    assert_int_equal(count, 2);
    assert_slice("alice@ours.test", found[0].address);
    assert_slice("bob@ours.test", found[1].address);
    assert_int_equal(found[0].account.b[0], 1);
    assert_int_equal(found[1].slot, 2);
    assert_int_equal(found[1].quota_bytes, 102);
    assert_null(recipients_find(&r, S("xxxxx@xxxx.xxxx"), &count));
    recipients_forget(&r);
    (void)state;
}

static void the_last_word_counts(void **state)
{
    struct recipients r;
    const struct recipient_target first = target(1, "a@ours.test"), second = target(2, "b@ours.test");
    size_t count = 0;
    recipients_init(&r);
    recipients_keep(&r, S("x@ours.test"), &first, 1);
    size_t octets = r.octets;
    recipients_keep(&r, S("x@ours.test"), &second, 1);
    assert_int_equal(recipients_find(&r, S("x@ours.test"), &count)->slot, 2);
    assert_int_equal(r.octets, octets);
    recipients_keep(&r, S("y@ours.test"), &first, 1);
    recipients_drop(&r, S("x@ours.test"));
    recipients_drop(&r, S("x@ours.test"));
    assert_null(recipients_find(&r, S("x@ours.test"), &count));
    assert_non_null(recipients_find(&r, S("y@ours.test"), &count));
    recipients_forget(&r);
    assert_null(recipients_find(&r, S("y@ours.test"), &count));
    assert_int_equal(r.octets, 0);
    recipients_keep(&r, S("y@ours.test"), &first, 1);
    assert_non_null(recipients_find(&r, S("y@ours.test"), &count));
    recipients_forget(&r);
    (void)state;
}

/* Asked about again is kept anew: what nobody asks about goes first. */
static void the_room_is_bounded(void **state)
{
    enum { MANY = 100000 };
    struct recipients r;
    const struct recipient_target t = target(1, "alice@ours.test");
    char key[64];
    size_t count = 0, found = 0;
    recipients_init(&r);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "n%u@ours.test", i);
        recipients_keep(&r, slice_str(key), &t, 1);
        recipients_keep(&r, S("busy@ours.test"), &t, 1);
        assert_true(r.octets <= LIMIT_GATE_RECIPIENTS);
    }
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "n%u@ours.test", i);
        bool is_there = recipients_find(&r, slice_str(key), &count) != NULL;
        assert_true(is_there || !found); /* the newest are a run without a gap */
        found += is_there;
    }
    assert_true(found > 1000 && found < MANY);
    assert_non_null(recipients_find(&r, S("busy@ours.test"), &count));
    recipients_forget(&r);
    (void)state;
}

static void one_alias_does_not_push_out_all_others(void **state)
{
    static struct recipient_target many[1000];
    struct recipients r;
    size_t count = 0;
    recipients_init(&r);
    for (size_t i = 0; i < 1000; i++)
        many[i] = target((uint8_t)i, "somebody-with-a-long-name@ours.test");
    recipients_keep(&r, S("few@ours.test"), many, 20);
    recipients_keep(&r, S("all@ours.test"), many, 20);
    recipients_keep(&r, S("all@ours.test"), many, 1000); /* what was known is not true any more */
    assert_null(recipients_find(&r, S("all@ours.test"), &count));
    assert_non_null(recipients_find(&r, S("few@ours.test"), &count));
    assert_int_equal(count, 20);
    recipients_forget(&r);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_found_and_is_a_copy),
        cmocka_unit_test(the_last_word_counts),
        cmocka_unit_test(the_room_is_bounded),
        cmocka_unit_test(one_alias_does_not_push_out_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
