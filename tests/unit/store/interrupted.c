/* One long command cut at random moments (T-174, T-176): a MOVE of 1,000 messages and an expunge of 100 are whole or have not
 * been. LETTERLOCK_FULL=1 runs the stated numbers, otherwise a sample. */
#include "harness.h"

#include "crashdisk.h"

static int cuts_of(int sample, int full)
{
    const char *value = getenv("LETTERLOCK_FULL");
    return value && *value ? full : sample;
}

static void store_on(struct store *s, const struct crash_image *image)
{
    s->dir = scratch_new();
    if (image)
        crash_image_write(image, s->dir.fd);
    store_start(s);
}

static void store_off(struct store *s)
{
    store_stop(s);
    scratch_free(&s->dir);
}

/* Messages in INBOX, all synced; recording goes on. Marks: 0 they are there, 1 the command was acknowledged. */
static struct crash_disk *begin(struct store *s, struct account **ret_account, int messages)
{
    struct crash_image empty = crash_image_new();
    struct crash_disk *d = crash_start(&empty);
    crash_image_done(&empty);
    store_on(s, NULL);
    struct account *a = store_account(s, 1);
    struct uid uid;
    struct mailbox_id inbox = store_box(a, "INBOX");
    for (int i = 0; i < messages; i++) {
        if (i % 100 == 0)
            assert_ok(account_begin(a));
        char text[64];
        int n = snprintf(text, sizeof text, "Subject: %d\r\n\r\nbody", i);
        assert_ok(store_append(s, a, inbox, slice_of(text, (size_t)n), 0, &uid));
        if (i % 100 == 99) {
            assert_ok(account_commit(a));
            assert_ok(store_sync(s, a));
            assert_ok(store_enter(s, a));
        }
    }
    assert_ok(store_sync(s, a));
    assert_ok(store_enter(s, a));
    crash_mark(d, 0);
    *ret_account = a;
    return d;
}

static void finish(struct store *s, struct account *a, struct crash_disk *d)
{
    assert_ok(store_sync(s, a));
    crash_mark(d, 1);
    account_unref(&a);
    store_stop(s); /* with its checkpoint: cut there, too */
    crash_stop();
    scratch_free(&s->dir);
}

static uint32_t messages_in(struct account *a, const char *name)
{
    const struct mailbox *box = NULL;
    assert_ok(mailbox_find(a, slice_str(name), &box));
    return box->messages;
}

static int mark_zero(const struct crash_disk *d)
{
    int k = 0;
    while (d->ops[k].kind != CRASH_MARK)
        k++;
    return k;
}

/* Calls `look` with the account after each of `cuts` cuts that come after mark 0. */
static void
cut(const struct crash_disk *d, int cuts, void (*look)(struct account *a, bool acknowledged),
    const char *threat)
{
    uint64_t seed = 174;
    int from = mark_zero(d);
    for (int i = 0; i < cuts; i++) {
        struct crash_cut c = crash_cut_random(d, &seed);
        c.at = from + 1 + (int)crash_below(&seed, (unsigned)(d->count - from));
        int mark;
        struct crash_image left = crash_make(d, c, &mark);
        struct store s = {0};
        store_on(&s, &left);
        struct account *a = store_account(&s, 1);
        look(a, mark >= 1);
        store_check_now(&s, a);
        account_unref(&a);
        store_off(&s);
        crash_image_done(&left);
    }
    report_threat(threat, cuts);
}

static void look_at_move(struct account *a, bool acknowledged)
{
    uint32_t inbox = messages_in(a, "INBOX"), archive = messages_in(a, "Archive");
    assert_int_equal(inbox + archive, 1000);
    assert_true(archive == 1000 || (archive == 0 && !acknowledged));
}

static void a_move_is_whole(void **state)
{
    (void)state;
    struct store s = {0};
    struct account *a;
    struct crash_disk *d = begin(&s, &a, 1000);
    assert_ok(message_copy(
        a, store_box(a, "INBOX"), &(struct uid_range){1, UINT32_MAX}, 1, store_box(a, "Archive"), true, NULL,
        NULL));
    finish(&s, a, d);
    cut(d, cuts_of(25, 500), look_at_move, "T-174");
    crash_free(&d);
}

static void look_at_expunge(struct account *a, bool acknowledged)
{
    uint32_t inbox = messages_in(a, "INBOX");
    assert_true(inbox == 0 || (inbox == 100 && !acknowledged));
}

static void an_expunge_is_whole(void **state)
{
    (void)state;
    struct store s = {0};
    struct account *a;
    struct crash_disk *d = begin(&s, &a, 100);
    struct flags_change c = {.how = FLAGS_ADD, .flags = {FLAG_DELETED, 0}, .unchanged_since = MODSEQ_ANY};
    struct uid_range all = {1, UINT32_MAX};
    assert_ok(message_store_flags(a, store_box(a, "INBOX"), &all, 1, &c, NULL, NULL));
    assert_ok(message_expunge(a, store_box(a, "INBOX"), &all, 1, true, NULL, NULL));
    finish(&s, a, d);
    cut(d, cuts_of(25, 210), look_at_expunge, "T-176");
    crash_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_is_whole),
        cmocka_unit_test(an_expunge_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
