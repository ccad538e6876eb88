/* Names, making, deleting, renaming, subscriptions, lists (T-160, T-161). */
#include "harness.h"

static struct slice long_name(char *space, size_t n, char c)
{
    memset(space, c, n);
    return slice_of(space, n);
}

static void names_are_keys_in_one_form(void **state)
{
    (void)state;
    static const struct {
        struct slice name;
        enum err wanted;
        const char *canonical;
    } rows[] = {
        {S("inbox"), OK, "INBOX"},
        {S("InBoX/x"), OK, "INBOX/x"},
        {S("inboxes"), OK, "inboxes"},
        {S("a/b"), OK, "a/b"},
        {S("../bob/INBOX"), OK, "../bob/INBOX"}, /* a key, not a path */
        {S("~bob"), OK, "~bob"},
        {S("#news"), OK, "#news"},
        {S("&AAA-"), OK, "&AAA-"}, /* decoded names may have it; decoding is the wire's */
        {S("e\xcc\x81"), OK, "\xc3\xa9"},
        {S("\xc3\xa9"), OK, "\xc3\xa9"},
        {S("\xe2\x80\xae"), OK, "\xe2\x80\xae"}, /* U+202E is kept as it is */
        {S("\xe4\xb8\xad\xe6\x96\x87"), OK, "\xe4\xb8\xad\xe6\x96\x87"},
        {S(""), ERR_SYNTAX, NULL},
        {S("/"), ERR_SYNTAX, NULL},
        {S("/etc/passwd"), ERR_SYNTAX, NULL},
        {S("a//b"), ERR_SYNTAX, NULL},
        {S("a/"), ERR_SYNTAX, NULL},
        {S("%"), ERR_SYNTAX, NULL},
        {S("a*b"), ERR_SYNTAX, NULL},
        {S("a\r\nb"), ERR_SYNTAX, NULL},
        {S("a\0b"), ERR_SYNTAX, NULL},
        {S("a\x7f"), ERR_SYNTAX, NULL},
        {S("\xc2\x85"), ERR_SYNTAX, NULL},
        {S("\xff"), ERR_SYNTAX, NULL},
        {S("\xc0\xaf"), ERR_SYNTAX, NULL},     /* overlong '/' */
        {S("\xed\xa0\x80"), ERR_SYNTAX, NULL}, /* a lone surrogate */
        {S("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t"), OK, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t"},
        {S("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u"), ERR_LIMIT, NULL},
    };
    struct arena mem CLEANUP_ARENA = ARENA_INIT(65536);
    size_t count = sizeof rows / sizeof *rows;
    for (size_t i = 0; i < count; i++) {
        struct slice name = SLICE_EMPTY;
        assert_err(rows[i].wanted, mailbox_name_check(rows[i].name, &mem, &name));
        if (rows[i].wanted == OK)
            assert_true(slice_eq(name, slice_str(rows[i].canonical)));
    }
    char space[1100];
    struct slice name;
    assert_ok(mailbox_name_check(long_name(space, 1000, 'x'), &mem, &name));
    assert_err(ERR_LIMIT, mailbox_name_check(long_name(space, 1001, 'x'), &mem, &name));
    report_threat("T-160", count + 2);
}

static void patterns_match_as_list_says(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool wanted;
    } rows[] = {
        {"*", "a/b/c", true},      {"%", "a", true},         {"%", "a/b", false},
        {"%/%", "a/b", true},      {"a%", "abc", true},      {"a%", "ab/c", false},
        {"a*", "ab/c", true},      {"*b", "a/b", true},      {"*%", "a/b", true},
        {"%*%", "a/b/c", true},    {"a/%/c", "a/b/c", true}, {"a/%/c", "a/b/d/c", false},
        {"*/c", "a/b/c", true},    {"", "", true},           {"", "a", false},
        {"a", "", false},          {"%b%", "abc", true},     {"*x", "abc", false},
        {"%%", "ab", true},        {"**", "", true},         {"*a%b", "xa/ayb", true},
        {"*a%b", "xayb/c", false}, {"%a*b%", "za/b", true},  {"INBOX", "INBOX", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (mailbox_name_matches(slice_str(rows[i].pattern), slice_str(rows[i].name)) != rows[i].wanted)
            fail_msg("%s %s", rows[i].pattern, rows[i].name);
    /* T-161: no pattern is expensive. */
    char pattern[401], name[1000];
    memset(name, 'a', sizeof name);
    for (int i = 0; i < 200; i++)
        memcpy(pattern + 2 * i, i % 2 ? "%a" : "*a", 2);
    pattern[400] = 'b';
    for (int i = 0; i < 100; i++)
        assert_false(mailbox_name_matches(slice_of(pattern, sizeof pattern), slice_of(name, sizeof name)));
}

static void an_account_starts_with_its_mailboxes(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    static const struct {
        const char *name;
        unsigned use;
    } rows[] = {{"INBOX", 0},       {"Archive", USE_ARCHIVE}, {"Drafts", USE_DRAFTS},
                {"Junk", USE_JUNK}, {"Sent", USE_SENT},       {"Trash", USE_TRASH}};
    struct arena mem CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct mailbox_entry *entries;
    size_t count;
    assert_ok(mailbox_list(a, &mem, &entries, &count));
    assert_int_equal(count, 6);
    for (size_t i = 0; i < count; i++) {
        assert_true(slice_eq(entries[i].name, slice_str(rows[i].name)));
        assert_true(entries[i].subscribed && entries[i].box && !entries[i].has_children);
        assert_int_equal(entries[i].box->use, rows[i].use);
    }
    assert_int_equal(s->made, 1);
    account_unref(&a);
}

static void make_delete_and_list(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id id, again;
    assert_ok(mailbox_create(a, S("a/b/c"), 0, &id));
    assert_err(ERR_EXISTS, mailbox_create(a, S("a/b"), 0, &id));
    assert_err(ERR_EXISTS, mailbox_create(a, S("a/"), 0, &id));
    assert_err(ERR_EXISTS, mailbox_create(a, S("inbox"), 0, &id));
    assert_ok(mailbox_create(a, S("d/"), 0, &id));
    assert_err(ERR_DENIED, mailbox_delete(a, S("inbox")));
    assert_err(ERR_NOT_FOUND, mailbox_delete(a, S("nothing")));
    const struct mailbox *box;
    assert_ok(mailbox_find(a, S("a/b"), &box));
    uint32_t validity = box->uidvalidity;
    id = box->id;
    assert_ok(mailbox_delete(a, S("a/b")));
    assert_err(ERR_GONE, mailbox_by_id(a, id, &box));
    assert_err(ERR_NOT_FOUND, mailbox_delete(a, S("a/b")));
    assert_ok(mailbox_subscribe(a, S("gone/away"), true));
    struct arena mem CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct mailbox_entry *e;
    size_t count;
    assert_ok(mailbox_list(a, &mem, &e, &count));
    assert_int_equal(count, 6 + 5);
    assert_slice("a", e[6].name);
    assert_true(e[6].box && e[6].has_children && !e[6].subscribed);
    assert_slice("a/b", e[7].name);
    assert_true(!e[7].box && e[7].has_children);
    assert_slice("a/b/c", e[8].name);
    assert_slice("gone/away", e[10].name);
    assert_true(!e[10].box && e[10].subscribed && !e[10].has_children);
    /* INV-14 */
    assert_ok(mailbox_create(a, S("a/b"), 0, &again));
    assert_ok(mailbox_by_id(a, again, &box));
    assert_true(box->uidvalidity > validity && again.v > id.v);
    store_check_now(s, a);
    account_unref(&a);
}

static void renaming_takes_children_along(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id id;
    struct uid uid;
    const struct mailbox *box;
    assert_ok(mailbox_create(a, S("x/y/y"), 0, &id));
    assert_ok(mailbox_subscribe(a, S("x/y"), true));
    assert_ok(store_append(s, a, store_box(a, "x/y"), S("A: b\r\n\r\nc"), 0, &uid));
    id = store_box(a, "x/y");
    assert_err(ERR_DENIED, mailbox_rename(a, S("x"), S("x/z")));
    assert_err(ERR_EXISTS, mailbox_rename(a, S("x"), S("Sent")));
    assert_err(ERR_NOT_FOUND, mailbox_rename(a, S("nothing"), S("z")));
    assert_ok(mailbox_rename(a, S("x/y"), S("new/place")));
    assert_int_equal(store_box(a, "new/place").v, id.v);
    assert_ok(mailbox_find(a, S("new/place/y"), &box));
    assert_ok(mailbox_find(a, S("new"), &box));
    assert_ok(mailbox_by_id(a, id, &box));
    assert_true(box->subscribed);
    assert_int_equal(box->messages, 1);
    /* Upwards, onto a name below which the mailbox itself was. */
    assert_ok(mailbox_delete(a, S("x")));
    assert_ok(mailbox_create(a, S("x/y/y"), 0, &id));
    assert_ok(mailbox_delete(a, S("x")));
    assert_ok(mailbox_rename(a, S("x/y"), S("x")));
    assert_ok(mailbox_find(a, S("x/y"), &box));
    assert_int_equal(box->id.v, id.v);
    assert_err(ERR_NOT_FOUND, mailbox_find(a, S("x/y/y"), &box));
    store_check_now(s, a);
    account_unref(&a);
}

static void renaming_inbox_empties_it(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct uid uid;
    unsigned bit;
    struct mailbox_id inbox = store_box(a, "INBOX"), child;
    assert_ok(mailbox_create(a, S("INBOX/child"), 0, &child));
    assert_ok(mailbox_keyword(a, inbox, S("$Work"), true, &bit));
    for (int i = 0; i < 3; i++)
        assert_ok(store_append(s, a, inbox, S("A: b\r\n\r\nc"), i ? FLAG_SEEN : 0, &uid));
    assert_ok(mailbox_rename(a, S("Inbox"), S("old/mail")));
    const struct mailbox *box;
    assert_ok(mailbox_find(a, S("INBOX"), &box));
    assert_int_equal(box->messages, 0);
    assert_int_equal(box->uidnext, 4);
    assert_ok(mailbox_find(a, S("INBOX/child"), &box));
    assert_ok(mailbox_find(a, S("old/mail"), &box));
    assert_int_equal(box->messages, 3);
    assert_int_equal(box->unseen, 1);
    assert_int_equal(box->uidnext, 4);
    assert_slice("$Work", mailbox_keyword_name(a, box->id, bit));
    store_assert_body(a, box->id, (struct uid){2}, S("A: b\r\n\r\nc"));
    assert_ok(store_append(s, a, inbox, S("d: e\r\n\r\n"), 0, &uid));
    assert_int_equal(uid.v, 4);
    store_check_now(s, a);
    account_unref(&a);
}

static void keywords_are_bits_of_a_mailbox(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    unsigned bit, again;
    assert_err(ERR_NOT_FOUND, mailbox_keyword(a, inbox, S("$Junk"), false, &bit));
    assert_ok(mailbox_keyword(a, inbox, S("$Junk"), true, &bit));
    assert_ok(mailbox_keyword(a, inbox, S("$JUNK"), false, &again));
    assert_int_equal(bit, again);
    assert_err(ERR_SYNTAX, mailbox_keyword(a, inbox, S("\\Seen"), true, &bit));
    assert_err(ERR_SYNTAX, mailbox_keyword(a, inbox, S("a b"), true, &bit));
    assert_err(ERR_SYNTAX, mailbox_keyword(a, inbox, S("\xc3\xa9"), true, &bit));
    assert_err(ERR_SYNTAX, mailbox_keyword(a, inbox, S(""), true, &bit));
    for (int i = 1; i < 64; i++) {
        char name[8];
        snprintf(name, sizeof name, "k%d", i);
        assert_ok(mailbox_keyword(a, inbox, slice_str(name), true, &bit));
    }
    assert_err(ERR_LIMIT, mailbox_keyword(a, inbox, S("one-more"), true, &bit));
    assert_true(mailbox_keywords(a, inbox) == UINT64_MAX);
    account_unref(&a);
    store_stop(s);
    store_start(s);
    a = store_account(s, 1);
    assert_ok(mailbox_keyword(a, store_box(a, "INBOX"), S("$junk"), false, &again));
    assert_slice("$Junk", mailbox_keyword_name(a, store_box(a, "INBOX"), again));
    account_unref(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_keys_in_one_form),     cmocka_unit_test(patterns_match_as_list_says),
        STORE_TEST(an_account_starts_with_its_mailboxes), STORE_TEST(make_delete_and_list),
        STORE_TEST(renaming_takes_children_along),        STORE_TEST(renaming_inbox_empties_it),
        STORE_TEST(keywords_are_bits_of_a_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
