#include "test.h"

#include "doctor/address_slips.h"

struct look {
    struct knowledge *k;
    struct notes notes;
    struct address_read read;
};

static void look_at(struct look *l, const char *typed)
{
    l->k = knowledge_built_in();
    notes_init(&l->notes, l->k);
    address_slips_look(slice_str(typed), &l->notes, &l->read);
}

static void look_done(struct look *l)
{
    notes_done(&l->notes);
    knowledge_free(&l->k);
}

static void check_read(const char *typed, const char *address, const char *domain, size_t notes)
{
    struct look l;
    look_at(&l, typed);
    if (!slice_eq(l.read.address, slice_str(address)) || !slice_eq(l.read.domain, slice_str(domain)))
        fail_msg("%s: %.*s, %.*s", typed, SLICE_ARG(l.read.address), SLICE_ARG(l.read.domain));
    if (l.notes.count != notes)
        fail_msg("%s: %zu notes", typed, l.notes.count);
    look_done(&l);
}

static void what_is_meant_is_read(void **state)
{
    check_read("alice@example.org", "alice@example.org", "example.org", 0);
    check_read("Alice@EXAMPLE.org", "Alice@example.org", "example.org", 0);
    check_read("alice\uff20example\u3002org", "alice@example.org", "example.org", 0);
    check_read("\uff41\uff4c\uff49\uff43\uff45@example\uff0eorg", "alice@example.org", "example.org", 0);
    check_read(" alice@example.org\r\n", "alice@example.org", "example.org", 0);
    check_read("alice@\u200bexample.org\ufeff", "alice@example.org", "example.org", 0);
    check_read("alice\u00a0@example\u3000.org", "alice@example.org", "example.org", 0);
    check_read("alice@example,org", "alice@example.org", "example.org", 1);
    check_read("Alice Smith <alice@example.org>", "alice@example.org", "example.org", 1);
    check_read("mailto:alice@example.org?subject=a,b", "alice@example.org", "example.org", 1);
    check_read("alice@b\u00fccher.example", "alice@xn--bcher-kva.example", "xn--bcher-kva.example", 0);
    check_read("alice@[192.0.2.1]", "alice@[192.0.2.1]", "", 0);
    check_read("alice@example", "alice@example", "example", 0);
}

static void what_is_no_address_is_told(void **state)
{
    static const char *const bad[] = {
        "",  "alice",       "@example.org",        "alice@",         "a@b@c.example",
        "@", "a@-.example", "alice@exa mple..org", "alice@\xff.org", "a,b@c.example"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct look l;
        look_at(&l, bad[i]);
        if (l.read.address.n || !notes_have(&l.notes, OBSERVED_INPUT_ADDRESS_MALFORMED))
            fail_msg("\"%s\" was read as %.*s", bad[i], SLICE_ARG(l.read.address));
        assert_int_equal(notes_worst(&l.notes, STEP_PASSWORD), TONE_FAULT);
        look_done(&l);
    }
}

static void check_doubt(const char *domain, const char *meant, enum observed doubt)
{
    struct look l;
    char typed[100];
    snprintf(typed, sizeof typed, "alice@%s", domain);
    look_at(&l, typed);
    if (!slice_eq(l.read.meant, slice_str(meant)))
        fail_msg("%s: %.*s", domain, SLICE_ARG(l.read.meant));
    if (*meant)
        assert_int_equal(l.read.doubt, doubt);
    assert_int_equal(l.notes.count, 0);
    look_done(&l);
}

static void well_known_domains_are_recognised(void **state)
{
    static const char *const typos[][2] = {
        {"gmial.com", "gmail.com"},    {"gmai.com", "gmail.com"},      {"gmaill.com", "gmail.com"},
        {"gmail.con", "gmail.com"},    {"gmail.co", "gmail.com"},      {"gmail", "gmail.com"},
        {"gmailcom", "gmail.com"},     {"hotnail.com", "hotmail.com"}, {"hotmial.com", "hotmail.com"},
        {"outlok.com", "outlook.com"}, {"136.com", "163.com"},         {"qq.con", "qq.com"},
        {"qq.cm", "qq.com"},           {"foxmial.com", "foxmail.com"}, {"yaho.com", "yahoo.com"},
        {"icluod.com", "icloud.com"},  {"t-onlin.de", "t-online.de"},  {"alyun.com", "aliyun.com"},
        {"gmx.ner", "gmx.net"},
    };
    for (size_t i = 0; i < sizeof typos / sizeof *typos; i++)
        check_doubt(typos[i][0], typos[i][1], OBSERVED_INPUT_DOMAIN_TYPO);
    check_doubt("qq.cn", "qq.com", OBSERVED_INPUT_WRONG_DOMAIN);
    check_doubt("163.cn", "163.com", OBSERVED_INPUT_WRONG_DOMAIN);
    check_doubt("gmail.com.cn", "gmail.com", OBSERVED_INPUT_WRONG_DOMAIN);
}

/* Others have good names as well. */
static void other_domains_are_left_alone(void **state)
{
    static const char *const good[] = {
        "gmail.com",   "mail.com",   "163.com",       "126.com",        "vip.qq.com", "qs.com",
        "gmx.dk",      "hotmail.it", "example.org",   "tree.fr",        "ski.com",    "email.org",
        "fmail.com",   "a.b",        "live.nl",       "outl.com",       "web.at",     "free.org",
        "mailbox.net", "posteo.io",  "engineers.com", "consultants.com"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check_doubt(good[i], "", OBSERVED_N);
}

static void check_user(const char *user, const char *provider, enum observed wanted)
{
    struct knowledge *k = knowledge_built_in();
    struct notes n;
    notes_init(&n, k);
    user_slips_look(slice_str(user), SLICE_EMPTY, knowledge_provider(k, slice_str(provider)), &n);
    assert_int_equal(n.count, wanted != OBSERVED_N);
    if (wanted != OBSERVED_N)
        assert_true(notes_have(&n, wanted));
    notes_done(&n);
    knowledge_free(&k);
}

static void names_to_sign_in_with(void **state)
{
    check_user("", "gmail", OBSERVED_N);
    check_user("alice", "nobody", OBSERVED_N);
    check_user("alice", "gmail", OBSERVED_INPUT_USERNAME_NO_DOMAIN);
    check_user("alice@gmail.com", "gmail", OBSERVED_N);
    check_user("alice", "disroot", OBSERVED_N);
    check_user("alice", "dovecot", OBSERVED_N);
    check_user("alice", "icloud", OBSERVED_N);
    check_user("alice@me.com", "icloud", OBSERVED_N);
    check_user("alice@gmail.com", "icloud", OBSERVED_ICLOUD_THIRD_PARTY_APPLE_ID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_meant_is_read),
        cmocka_unit_test(what_is_no_address_is_told),
        cmocka_unit_test(well_known_domains_are_recognised),
        cmocka_unit_test(other_domains_are_left_alone),
        cmocka_unit_test(names_to_sign_in_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
