/* Append, rows, flags, expunge, copy, move, changes, quota, deliveries. */
#include "harness.h"

#define MAIL "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nFrom: a@example.test\r\nSubject: hello\r\n\r\nbody\r\n"

static struct uid add(struct store *s, struct account *a, struct mailbox_id box, uint32_t flags)
{
    struct uid uid = {0};
    assert_ok(store_append(s, a, box, S(MAIL), flags, &uid));
    return uid;
}

struct met {
    struct flags_result flags[32];
    struct uid gone[32], from[32], to[32];
    struct uid_range expunged[32];
    struct message messages[32];
    size_t count, expunged_count, message_count;
};
static void meet_flags(void *owner, const struct flags_result *r)
{
    struct met *m = owner;
    m->flags[m->count++] = *r;
}
static void meet_gone(void *owner, struct uid uid)
{
    struct met *m = owner;
    m->gone[m->count++] = uid;
}
static void meet_copied(void *owner, struct uid from, struct uid to)
{
    struct met *m = owner;
    m->from[m->count] = from;
    m->to[m->count++] = to;
}
static void meet_expunged(void *owner, struct uid_range gone, uint64_t modseq)
{
    struct met *m = owner;
    (void)modseq;
    m->expunged[m->expunged_count++] = gone;
}
static void meet_message(void *owner, const struct message *row)
{
    struct met *m = owner;
    m->messages[m->message_count++] = *row;
}
static const struct uid_range everything = {1, UINT32_MAX};

static void a_message_comes_back_whole(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct uid uid = add(s, a, inbox, FLAG_SEEN);
    assert_int_equal(uid.v, 1);
    assert_int_equal(add(s, a, inbox, 0).v, 2);
    assert_ok(store_sync(s, a));
    account_unref(&a);
    store_stop(s);
    store_start(s);
    a = store_account(s, 1);
    inbox = store_box(a, "INBOX");
    struct arena mem CLEANUP_ARENA = ARENA_INIT(65536);
    struct message m;
    assert_ok(message_find(a, inbox, uid, &mem, &m));
    assert_int_equal(m.flags.system, FLAG_SEEN);
    assert_int_equal(m.internal_date, 1700000000);
    assert_int_equal(m.sent_date, 880127706);
    assert_int_equal(m.size, strlen(MAIL));
    assert_true(m.structure.n > 10 && m.email_id && m.thread_id);
    store_assert_body(a, inbox, uid, S(MAIL));
    assert_err(ERR_NOT_FOUND, message_find(a, inbox, (struct uid){3}, NULL, &m));
    const struct mailbox *box;
    assert_ok(mailbox_by_id(a, inbox, &box));
    assert_int_equal(box->messages, 2);
    assert_int_equal(box->unseen, 1);
    assert_int_equal(box->uidnext, 3);
    store_check_now(s, a);
    account_unref(&a);
}

static void flags_change_with_one_modseq(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct met met = {0};
    const struct mailbox *box;
    for (int i = 0; i < 5; i++)
        add(s, a, inbox, 0);
    unsigned bit;
    assert_ok(mailbox_keyword(a, inbox, S("$Work"), true, &bit));
    struct uid_range ranges[] = {{1, 2}, {4, 9}};
    struct flags_change c = {
        .how = FLAGS_ADD,
        .flags = {FLAG_DELETED, UINT64_C(1) << bit | 1ull << 60},
        .unchanged_since = MODSEQ_ANY};
    assert_ok(message_store_flags(a, inbox, ranges, 2, &c, meet_flags, &met));
    assert_int_equal(met.count, 4);
    assert_int_equal(met.flags[2].uid.v, 4);
    assert_int_equal(met.flags[2].outcome, FLAGS_CHANGED);
    assert_true(met.flags[2].flags.keywords == UINT64_C(1) << bit); /* no bit without a keyword */
    assert_ok(mailbox_by_id(a, inbox, &box));
    assert_true(box->modseq == met.flags[0].modseq && box->modseq == met.flags[3].modseq);
    assert_int_equal(box->deleted, 4);
    /* The same again changes nothing: no modseq, no commit. */
    uint64_t modseq = box->modseq, committed = account_committed(a);
    met.count = 0;
    assert_ok(message_store_flags(a, inbox, ranges, 2, &c, meet_flags, &met));
    assert_int_equal(met.flags[0].outcome, FLAGS_SAME);
    assert_true(box->modseq == modseq && account_committed(a) == committed);
    /* RFC 7162 3.1.3: UNCHANGEDSINCE. */
    c = (struct flags_change){.how = FLAGS_REPLACE, .flags = {FLAG_SEEN, 0}, .unchanged_since = modseq - 1};
    met.count = 0;
    assert_ok(message_store_flags(a, inbox, &everything, 1, &c, meet_flags, &met));
    assert_int_equal(met.count, 5);
    assert_int_equal(met.flags[0].outcome, FLAGS_MODIFIED);
    assert_int_equal(met.flags[2].outcome, FLAGS_CHANGED);
    c = (struct flags_change){.how = FLAGS_REMOVE, .flags = {FLAG_DELETED, 0}, .unchanged_since = MODSEQ_ANY};
    assert_ok(message_store_flags(a, inbox, &everything, 1, &c, NULL, NULL));
    assert_int_equal(box->deleted, 0);
    assert_int_equal(box->unseen, 4);
    store_check_now(s, a);
    account_unref(&a);
}

static void expunge_takes_the_deleted(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct met met = {0};
    for (int i = 0; i < 6; i++)
        add(s, a, inbox, i == 2 || i == 3 || i == 5 ? FLAG_DELETED : 0);
    struct uid_range four = {1, 4};
    assert_ok(message_expunge(a, inbox, &four, 1, true, meet_gone, &met));
    assert_int_equal(met.count, 2);
    assert_int_equal(met.gone[1].v, 4);
    met.count = 0;
    assert_ok(message_expunge(a, inbox, (struct uid_range[]){{1, 1}, {6, 6}}, 2, false, meet_gone, &met));
    assert_int_equal(met.count, 2);
    const struct mailbox *box;
    assert_ok(mailbox_by_id(a, inbox, &box));
    assert_int_equal(box->messages, 2);
    assert_int_equal(box->uidnext, 7);
    assert_int_equal(quota_of(a).messages, 2);
    assert_int_equal(add(s, a, inbox, 0).v, 7);
    store_check_now(s, a);
    account_unref(&a);
}

static void copy_shares_and_move_leaves_nothing(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX"), trash = store_box(a, "Trash");
    struct met met = {0};
    struct message x, y;
    unsigned bit, there;
    for (int i = 0; i < 4; i++)
        add(s, a, inbox, FLAG_SEEN);
    assert_ok(mailbox_keyword(a, trash, S("$Other"), true, &there));
    assert_ok(mailbox_keyword(a, inbox, S("$Work"), true, &bit));
    struct flags_change c = {
        .how = FLAGS_ADD, .flags = {0, UINT64_C(1) << bit}, .unchanged_since = MODSEQ_ANY};
    assert_ok(message_store_flags(a, inbox, &(struct uid_range){2, 2}, 1, &c, NULL, NULL));
    assert_ok(message_copy(a, inbox, &(struct uid_range){2, 3}, 1, trash, false, meet_copied, &met));
    assert_int_equal(met.count, 2);
    assert_int_equal(met.from[0].v, 2);
    assert_int_equal(met.to[0].v, 1);
    assert_ok(message_find(a, inbox, (struct uid){2}, NULL, &x));
    assert_ok(message_find(a, trash, (struct uid){1}, NULL, &y));
    assert_true(x.body.v == y.body.v && x.email_id == y.email_id);
    assert_ok(mailbox_keyword(a, trash, S("$work"), false, &there));
    assert_true(y.flags.keywords == UINT64_C(1) << there);
    met.count = 0;
    assert_ok(message_copy(a, inbox, &everything, 1, trash, true, meet_copied, &met));
    assert_int_equal(met.count, 4);
    const struct mailbox *box;
    assert_ok(mailbox_by_id(a, inbox, &box));
    assert_int_equal(box->messages, 0);
    assert_ok(mailbox_by_id(a, trash, &box));
    assert_int_equal(box->messages, 6);
    assert_ok(message_expunge(a, trash, &(struct uid_range){1, 2}, 1, false, NULL, NULL));
    store_assert_body(a, trash, (struct uid){4}, S(MAIL)); /* shared with what just went */
    met.count = 0;
    assert_ok(message_copy(a, trash, &everything, 1, trash, false, meet_copied, &met)); /* onto itself */
    assert_int_equal(met.count, 4);
    assert_int_equal(met.to[0].v, 7);
    store_check_now(s, a);
    account_unref(&a);
}

/* INV-23. */
static void changes_are_named(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    const struct mailbox *box;
    for (int i = 0; i < 6; i++)
        add(s, a, inbox, 0);
    assert_ok(mailbox_by_id(a, inbox, &box));
    uint64_t since = box->modseq;
    assert_ok(message_expunge(a, inbox, (struct uid_range[]){{2, 3}, {5, 5}}, 2, false, NULL, NULL));
    struct flags_change c = {.how = FLAGS_ADD, .flags = {FLAG_SEEN, 0}, .unchanged_since = MODSEQ_ANY};
    assert_ok(message_store_flags(a, inbox, &(struct uid_range){4, 4}, 1, &c, NULL, NULL));
    add(s, a, inbox, 0);
    struct met met = {0};
    struct change_visitor v = {.expunged = meet_expunged, .message = meet_message, .owner = &met};
    assert_ok(changes_since(a, inbox, since, everything, &v));
    assert_int_equal(met.expunged_count, 2);
    assert_int_equal(met.expunged[0].first, 2);
    assert_int_equal(met.expunged[0].last, 3);
    assert_int_equal(met.message_count, 2);
    assert_int_equal(met.messages[0].uid.v, 4);
    assert_int_equal(met.messages[1].uid.v, 7);
    met = (struct met){0};
    assert_ok(mailbox_by_id(a, inbox, &box));
    assert_ok(changes_since(a, inbox, box->modseq, everything, &v));
    assert_int_equal(met.expunged_count + met.message_count, 0);
    assert_ok(changes_since(a, inbox, since, (struct uid_range){3, 4}, &v));
    assert_int_equal(met.expunged[0].first, 3);
    assert_int_equal(met.message_count, 1);
    account_unref(&a);
}

static void nudge(struct change_watch *w)
{
    ++*(int *)w->owner;
}

static void watches_are_nudged_once_a_commit(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    int inbox_news = 0, trash_news = 0;
    struct change_watch w = {.changed = nudge, .owner = &inbox_news},
                        other = {.changed = nudge, .owner = &trash_news};
    change_watch_start(&w, a, store_box(a, "INBOX"));
    change_watch_start(&other, a, store_box(a, "Trash"));
    add(s, a, w.box, 0);
    assert_int_equal(inbox_news, 1);
    assert_ok(account_begin(a));
    struct flags_change c = {.how = FLAGS_ADD, .flags = {FLAG_SEEN, 0}, .unchanged_since = MODSEQ_ANY};
    assert_ok(message_store_flags(a, w.box, &everything, 1, &c, NULL, NULL));
    c.flags.system = FLAG_FLAGGED;
    assert_ok(message_store_flags(a, w.box, &everything, 1, &c, NULL, NULL));
    assert_int_equal(inbox_news, 1);
    assert_ok(account_commit(a));
    assert_int_equal(inbox_news, 2);
    assert_ok(account_begin(a));
    c.flags.system = FLAG_DRAFT;
    assert_ok(message_store_flags(a, w.box, &everything, 1, &c, NULL, NULL));
    account_rollback(a);
    assert_int_equal(inbox_news, 2);
    assert_int_equal(trash_news, 0);
    assert_ok(mailbox_delete(a, S("Trash")));
    assert_int_equal(trash_news, 1);
    struct met met = {0};
    struct change_visitor v = {.message = meet_message, .owner = &met};
    assert_err(ERR_GONE, changes_since(a, other.box, 1, everything, &v));
    change_watch_stop(&w);
    change_watch_stop(&other);
    account_unref(&a);
}

static void a_failed_part_undoes_the_whole(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX"), made;
    const struct mailbox *box;
    add(s, a, inbox, 0);
    assert_ok(quota_set(a, 100, 0));
    assert_ok(account_begin(a));
    assert_ok(mailbox_create(a, S("new"), 0, &made));
    assert_ok(message_expunge(a, inbox, &everything, 1, false, NULL, NULL));
    struct body_writer *w = NULL;
    char big[200] = "";
    struct uid uid;
    struct append what = {.internal_date = 1};
    assert_ok(body_writer_new(a, 0, &w));
    assert_ok(body_feed(w, slice_of(big, sizeof big)));
    assert_ok(body_finish(w, NULL, NULL));
    what.body = w;
    assert_err(ERR_QUOTA, message_append(a, inbox, &what, &uid));
    what.beyond_quota = true;
    assert_ok(message_append(a, inbox, &what, &uid));
    account_rollback(a);
    body_writer_free(&w);
    assert_err(ERR_NOT_FOUND, mailbox_find(a, S("new"), &box));
    assert_ok(mailbox_find(a, S("INBOX"), &box));
    assert_int_equal(box->messages, 1);
    assert_int_equal(box->uidnext, 2);
    /* An inner rollback makes the outer commit fail. */
    assert_ok(account_begin(a));
    assert_ok(mailbox_create(a, S("new"), 0, &made));
    assert_ok(account_begin(a));
    account_rollback(a);
    assert_err(ERR_STATE, account_commit(a));
    assert_err(ERR_NOT_FOUND, mailbox_find(a, S("new"), &box));
    store_check_now(s, a);
    account_unref(&a);
}

static void quota_is_kept(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    uint64_t size = strlen(MAIL);
    struct uid uid;
    assert_ok(quota_set(a, size * 2, 0));
    add(s, a, inbox, 0);
    add(s, a, inbox, 0);
    assert_err(ERR_QUOTA, store_append(s, a, inbox, S(MAIL), 0, &uid));
    assert_err(ERR_QUOTA, message_copy(a, inbox, &everything, 1, inbox, false, NULL, NULL));
    assert_ok(message_copy(a, inbox, &everything, 1, store_box(a, "Trash"), true, NULL, NULL));
    assert_int_equal(quota_of(a).bytes, size * 2);
    assert_ok(message_expunge(a, store_box(a, "Trash"), &everything, 1, false, NULL, NULL));
    assert_int_equal(quota_of(a).bytes, 0);
    assert_ok(quota_set(a, 0, 1));
    add(s, a, inbox, 0);
    assert_err(ERR_QUOTA, quota_check(a, 0, 1));
    account_unref(&a);
    store_stop(s);
    store_start(s);
    a = store_account(s, 1);
    assert_int_equal(quota_of(a).messages_max, 1);
    assert_int_equal(quota_of(a).bytes, size);
    account_unref(&a);
}

static struct delivery delivery_of(uint8_t id, uint8_t octets, bool unconfirmed)
{
    return (struct delivery){.id = {{id}}, .octets = {{octets}}, .unconfirmed = unconfirmed};
}

static struct uid deliver(struct store *s, struct account *a, struct delivery d)
{
    struct body_writer *w = NULL;
    struct uid uid = {99};
    assert_ok(store_body(s, a, S(MAIL), &w));
    struct append what = {.body = w, .internal_date = 5, .beyond_quota = true};
    assert_ok(delivery_store(a, &d, store_box(a, "INBOX"), &what, &uid));
    body_writer_free(&w);
    return uid;
}

/* INV-24. */
static void one_copy_per_delivery(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    bool stored;
    assert_int_equal(deliver(s, a, delivery_of(1, 1, false)).v, 1);
    assert_int_equal(deliver(s, a, delivery_of(1, 1, false)).v, 0);
    /* Confirmed octets are another message when they come again. */
    assert_int_equal(deliver(s, a, delivery_of(2, 1, false)).v, 2);
    /* Some recipients failed, the sender was told 451 and tries again: this copy is there. */
    assert_int_equal(deliver(s, a, delivery_of(3, 7, true)).v, 3);
    assert_int_equal(deliver(s, a, delivery_of(4, 7, true)).v, 0);
    struct delivery d = delivery_of(3, 7, true);
    assert_ok(delivery_find(a, &d, &stored));
    assert_true(stored);
    /* Now it is confirmed. */
    assert_ok(delivery_confirm(a, &(struct delivery_id){{4}}));
    assert_ok(delivery_confirm(a, &(struct delivery_id){{4}}));
    assert_ok(delivery_confirm(a, &(struct delivery_id){{77}}));
    assert_int_equal(deliver(s, a, delivery_of(5, 7, true)).v, 4);
    d = delivery_of(6, 8, true);
    assert_ok(delivery_find(a, &d, &stored));
    assert_false(stored);
    /* A retry that reaches everybody is final at once. */
    assert_int_equal(deliver(s, a, delivery_of(7, 7, false)).v, 0);
    assert_int_equal(deliver(s, a, delivery_of(8, 7, false)).v, 5);
    assert_ok(store_sync(s, a));
    account_unref(&a);
    store_stop(s);
    store_start(s);
    a = store_account(s, 1);
    assert_int_equal(deliver(s, a, delivery_of(8, 7, false)).v, 0);
    store_check_now(s, a);
    account_unref(&a);
}

static void recent_is_told_once(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct uid first;
    add(s, a, inbox, 0);
    add(s, a, inbox, 0);
    assert_ok(mailbox_recent(a, inbox, false, &first));
    assert_int_equal(first.v, 1);
    assert_ok(mailbox_recent(a, inbox, true, &first));
    assert_int_equal(first.v, 1);
    add(s, a, inbox, 0);
    assert_ok(mailbox_recent(a, inbox, true, &first));
    assert_int_equal(first.v, 3);
    account_unref(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_message_comes_back_whole),
        STORE_TEST(flags_change_with_one_modseq),
        STORE_TEST(expunge_takes_the_deleted),
        STORE_TEST(copy_shares_and_move_leaves_nothing),
        STORE_TEST(changes_are_named),
        STORE_TEST(watches_are_nudged_once_a_commit),
        STORE_TEST(a_failed_part_undoes_the_whole),
        STORE_TEST(quota_is_kept),
        STORE_TEST(one_copy_per_delivery),
        STORE_TEST(recent_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
