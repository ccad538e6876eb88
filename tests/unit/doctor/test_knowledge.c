#include "test.h"

#include <string.h>

#include "base/buf.h"
#include "doctor/knowledge.h"

#define GOOD                                                                                                 \
    "diagnosis own-thing\ncause quota\nmatch the disk of * is full\nsays-en Full.\nremedy-en Tidy up.\n"

static struct knowledge *read_good(const char *text)
{
    struct knowledge *k = knowledge_new();
    struct knowledge_trouble trouble;
    enum err e = knowledge_read(k, slice_str(text), &trouble);
    if (e != OK)
        fail_msg("line %u: %s", trouble.line, trouble.says.in[LANG_EN]);
    return k;
}

static void built_in_is_whole(void **state)
{
    struct knowledge *k = knowledge_built_in();
    assert_true(knowledge_count(k) >= 250);
    assert_true(knowledge_providers(k) >= 80);
    for (size_t i = 0; i < knowledge_count(k); i++) {
        const struct diagnosis *d = knowledge_at(k, i);
        assert_true(d->match_count > 0 || d->observed);
        for (int l = 0; l < LANG_N; l++) {
            assert_true(d->says[l].n > 0 && d->says[l].n <= 400);
            assert_true(d->remedy[l].n > 0 && d->remedy[l].n <= 400);
        }
        if (slice_eq(d->says[LANG_EN], d->says[LANG_ZH]) || slice_eq(d->remedy[LANG_EN], d->remedy[LANG_ZH]))
            fail_msg("%.*s speaks one language only", SLICE_ARG(d->id));
        assert_ptr_equal(knowledge_find(k, d->id), d);
        if (d->provider.n && !knowledge_provider(k, d->provider))
            fail_msg("nobody is %.*s", SLICE_ARG(d->provider));
    }
    knowledge_free(&k);
    assert_null(k);
    knowledge_free(&k);
}

static void every_cause_is_used(void **state)
{
    struct knowledge *k = knowledge_built_in();
    size_t used[CAUSE_N] = {0};
    for (size_t i = 0; i < knowledge_count(k); i++)
        used[knowledge_at(k, i)->cause]++;
    for (int i = 0; i < CAUSE_N; i++) {
        enum cause back = CAUSE_N;
        if (!used[i])
            fail_msg("nothing has the cause %s", cause_name((enum cause)i));
        assert_ok(cause_parse(slice_str(cause_name((enum cause)i)), &back));
        assert_int_equal(back, i);
    }
    knowledge_free(&k);
}

static void defaults_and_one_language(void **state)
{
    struct knowledge *k =
        read_good("# mine\r\n" GOOD "\n\n\nprovider ours\nname-zh 我们\ndomain ours.test mail.example\n"
                  "takes password oauth2");
    const struct diagnosis *d = knowledge_find(k, S("own-thing"));
    assert_non_null(d);
    assert_int_equal(d->where, WHERE_ANY);
    assert_int_equal(d->sure, SURE_MEDIUM);
    assert_int_equal(d->cause, CAUSE_QUOTA);
    assert_int_equal(d->line, 2);
    assert_slice("Full.", d->says[LANG_ZH]);
    assert_slice("Tidy up.", d->remedy[LANG_ZH]);
    const struct provider *p = knowledge_provider(k, S("ours"));
    assert_non_null(p);
    assert_slice("我们", p->name[LANG_EN]);
    assert_int_equal(p->takes, TAKES_PASSWORD | TAKES_OAUTH2);
    assert_ptr_equal(knowledge_provider_of(k, S("imap.ours.test")), p);
    assert_ptr_equal(knowledge_provider_of(k, S("mail.example")), p);
    assert_null(knowledge_provider_of(k, S("yours.test")));
    assert_null(knowledge_provider_of(k, S("theirs.test.ours")));
    knowledge_free(&k);
}

/* Those whose customers' servers nobody can know. */
static bool has_no_servers(const struct provider *p)
{
    return p->access == ACCESS_NONE || slice_eq(p->id, S("coremail"));
}

static void built_in_providers_have_servers(void **state)
{
    struct knowledge *k = knowledge_built_in();
    size_t hosted = 0, notes = 0;
    for (size_t i = 0; i < knowledge_providers(k); i++) {
        const struct provider *p = knowledge_provider_at(k, i);
        assert_ptr_equal(knowledge_provider(k, p->id), p);
        assert_ptr_equal(
            knowledge_provider(k, knowledge_provider(k, p->company)->company),
            knowledge_provider(k, p->company));
        assert_true(p->note[LANG_EN].n == 0 || !slice_eq(p->note[LANG_EN], p->note[LANG_ZH]));
        notes += p->note[LANG_EN].n > 0;
        if (!p->hosted)
            continue;
        hosted++;
        unsigned seen = 0;
        for (size_t h = 0; h < p->host_count; h++)
            seen |= 1u << p->hosts[h].where;
        if (has_no_servers(p) ? seen != 0 : !(seen & 1u << WHERE_IMAP) || !(seen & 1u << WHERE_SMTP))
            fail_msg("%.*s has no servers", SLICE_ARG(p->id));
    }
    assert_true(hosted >= 105);
    assert_true(notes >= 60);
    knowledge_free(&k);
}

static void built_in_knows_well_known_ones(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(10000);
    struct knowledge *k = knowledge_built_in();
    const struct provider *p = knowledge_provider_of(k, S("vip.163.com"));
    assert_slice("netease", p->id);
    assert_slice("imap.vip.163.com", provider_host_for(&p->hosts[0], S("vip.163.com"), &arena));
    assert_slice("imap.yeah.net", provider_host_for(&p->hosts[0], S("yeah.net"), &arena));
    assert_true(p->wants_id);
    assert_int_equal(p->access, ACCESS_SWITCHED);
    p = knowledge_provider_of_mx(k, S("aspmx.l.google.com"));
    assert_slice("google-workspace", p->id);
    assert_slice("gmail", p->company);
    p = knowledge_provider_of_mx(k, S("example-org.mail.protection.outlook.com"));
    assert_slice("microsoft365", p->id);
    assert_slice("outlook.office365.com", p->hosts[0].host);
    assert_slice("netease-enterprise", knowledge_provider_of_mx(k, S("qiye163mx01.mxmail.netease.com"))->id);
    assert_slice("netease-enterprise-hz", knowledge_provider_of_mx(k, S("hzmx01.mxmail.netease.com"))->id);
    assert_slice("tencent-exmail", knowledge_provider_of_mx(k, S("mxbiz1.qq.com"))->id);
    assert_null(knowledge_provider_of_mx(k, S("mx.example.org")));
    assert_slice("gmx-com", knowledge_provider_of(k, S("gmx.co.uk"))->id);
    p = knowledge_provider_of(k, S("pm.me"));
    assert_int_equal(p->access, ACCESS_BRIDGE);
    assert_true(knowledge_provider_of(k, S("disroot.org"))->user_local);
    knowledge_free(&k);
}

static void providers_servers_are_read(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(10000);
    struct knowledge *k = read_good(
        "provider ours\nname-en Ours\nimap imap.ours.test 993 tls\nsmtp a.ours.test 465 tls unsure\n"
        "smtp mail.%d.ours.test 587 starttls\nmx mx.ours.test\nnote-zh 要开启。\naccess bridge\n\n"
        "provider also\nname-en Also ours\npart-of ours\nwants imap-id\nuser local\n\n"
        "provider third\nname-en Third\npart-of also\n");
    const struct provider *p = knowledge_provider(k, S("ours"));
    assert_true(p->hosted);
    assert_int_equal(p->host_count, 3);
    assert_int_equal(p->hosts[0].where, WHERE_IMAP);
    assert_int_equal(p->hosts[0].port, 993);
    assert_false(p->hosts[0].starttls || p->hosts[0].unsure || p->hosts[2].unsure);
    assert_true(p->hosts[1].unsure && p->hosts[2].starttls);
    assert_int_equal(p->hosts[2].port, 587);
    assert_slice("mail.x.test.ours.test", provider_host_for(&p->hosts[2], S("x.test"), &arena));
    assert_slice("imap.ours.test", provider_host_for(&p->hosts[0], S("x.test"), &arena));
    assert_slice("要开启。", p->note[LANG_EN]);
    assert_int_equal(p->access, ACCESS_BRIDGE);
    assert_ptr_equal(knowledge_provider_of_mx(k, S("mx.ours.test")), p);
    assert_null(knowledge_provider_of(k, S("mx.ours.test")));
    assert_slice("ours", knowledge_provider(k, S("third"))->company);
    assert_true(knowledge_provider(k, S("also"))->wants_id && knowledge_provider(k, S("also"))->user_local);
    assert_false(knowledge_provider(k, S("also"))->hosted);
    knowledge_free(&k);
}

static void a_later_file_replaces(void **state)
{
    struct knowledge *k = read_good(GOOD);
    struct knowledge_trouble trouble;
    assert_ok(knowledge_read(
        k, S("diagnosis own-thing\ncause dns\nmatch gone\nsays-en a\nremedy-en b\n"), &trouble));
    assert_int_equal(knowledge_count(k), 2);
    assert_true(knowledge_at(k, 0)->replaced);
    assert_int_equal(knowledge_find(k, S("own-thing"))->cause, CAUSE_DNS);
    knowledge_free(&k);
}

static void mistakes_name_their_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        {"quota x", 1},
        {"diagnosis Big", 1},
        {"diagnosis a b", 1},
        {"diagnosis ../a", 1},
        {"diagnosis", 1},
        {"\n\ndiagnosis a\n", 3},
        {GOOD "\n" GOOD, 7},
        {"diagnosis a\ncause nothing\n", 2},
        {"diagnosis a\ncause quota\ncause quota\n", 3},
        {"diagnosis a\nwhere web\n", 2},
        {"diagnosis a\nsure very\n", 2},
        {"diagnosis a\nname-en x\n", 2},
        {"diagnosis a\nsays-en x\ncolour red\n", 3},
        {"diagnosis a\nmatch ab\n", 2},
        {"diagnosis a\nmatch {a|b\n", 2},
        {"diagnosis a\nmatch abc}\n", 2},
        {"diagnosis a\nmatch abc\\\n", 2},
        {"diagnosis a\nmatch abc $ def\n", 2},
        {"diagnosis a\nmatch abc *\n", 2},
        {"diagnosis a\nmatch * abc\n", 2},
        {"diagnosis a\nmatch abc ** def\n", 2},
        {"diagnosis a\ncause quota\nmatch abc\n", 1},
        {"diagnosis a\ncause quota\nmatch abc\nsays-en x\n", 1},
        {"diagnosis a\ncause quota\nsays-en x\nremedy-en y\n", 1},
        {"diagnosis a\nsays-en \x80\n", 2},
        {"diagnosis a\nsays-en a\033[2J\n", 2},
        {"diagnosis a\nsays-en \u202e\n", 2},
        {"provider a\n\n", 1},
        {"diagnosis a\nonly here\n", 2},
        {"diagnosis a\ncause dns\nonly at-provider\nmatch abc\nsays-en x\nremedy-en y\n", 1},
        {"other-program a\n\n", 1},
        {"other-program A\nmatch abc\n", 1},
        {"other-program a\nmatch ab\n", 2},
        {"other-program a\nmatch abc\ncause dns\n", 3},
        {"provider a\nname-en A\ntakes money\n", 3},
        {"provider a\nname-en A\ndomain A.test\n", 3},
        {"provider a\nname-en A\ndomain a.test\ndomain a.test\n", 4},
        {"provider a\nname-en A\n\nprovider a\n", 4},
        {"provider a\nname-en A\npart-of b\n", 3},
        {"provider a\nname-en A\nmx a.test\nmx a.test\n", 4},
        {"provider a\nname-en A\naccess closed\n", 3},
        {"provider a\nname-en A\nwants money\n", 3},
        {"provider a\nname-en A\nuser whole\n", 3},
        {"provider a\nname-en A\nimap imap.a.test 993\n", 3},
        {"provider a\nname-en A\nimap imap.a.test tls 993\n", 3},
        {"provider a\nname-en A\nimap imap.a.test 0 tls\n", 3},
        {"provider a\nname-en A\nimap imap.a.test 65536 tls\n", 3},
        {"provider a\nname-en A\nimap imap.a.test 993 ssl\n", 3},
        {"provider a\nname-en A\nimap imap.a.test 993 tls sure\n", 3},
        {"provider a\nname-en A\nimap imap.a.test 993 tls unsure 1\n", 3},
        {"provider a\nname-en A\nimap imap.%s 993 tls\n", 3},
        {"provider a\nname-en A\nimap imap.%d.%d 993 tls\n", 3},
        {"provider a\nname-en A\nimap imap.% 993 tls\n", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct knowledge *k = knowledge_new();
        struct knowledge_trouble trouble = {0};
        assert_err(ERR_SYNTAX, knowledge_read(k, slice_str(cases[i].text), &trouble));
        if (trouble.line != cases[i].line)
            fail_msg("line %u of \"%s\"", trouble.line, cases[i].text);
        assert_true(trouble.says.in[LANG_EN] && trouble.says.in[LANG_ZH]);
        knowledge_free(&k);
    }
}

static void add_times(struct buf *b, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_put_str(b, text);
}

static void budgets_end_it(void **state)
{
    struct buf b CLEANUP_BUF = BUF_INIT(8 << 20);
    struct knowledge_trouble trouble;
    struct knowledge *k = knowledge_new();
    buf_put_str(&b, "diagnosis a\nmatch abc{0|1}{0|1}{0|1}{0|1}{0|1}{0|1}{0|1}{0|1}\n");
    assert_err(ERR_LIMIT, knowledge_read(k, buf_slice(&b), &trouble));
    assert_int_equal(trouble.line, 2);
    knowledge_free(&k);

    k = knowledge_new();
    buf_clear(&b);
    buf_put_str(&b, "diagnosis a\n");
    add_times(&b, "match abc\n", LIMIT_EXPLAIN_MATCHES + 1);
    assert_err(ERR_LIMIT, knowledge_read(k, buf_slice(&b), &trouble));
    assert_int_equal(trouble.line, LIMIT_EXPLAIN_MATCHES + 2);
    knowledge_free(&k);

    k = knowledge_new();
    buf_clear(&b);
    buf_put_str(&b, "provider a\n");
    add_times(&b, "smtp a.test 25 starttls\n", LIMIT_EXPLAIN_HOSTS + 1);
    assert_err(ERR_LIMIT, knowledge_read(k, buf_slice(&b), &trouble));
    assert_int_equal(trouble.line, LIMIT_EXPLAIN_HOSTS + 2);
    knowledge_free(&k);

    k = knowledge_new();
    buf_clear(&b);
    for (unsigned i = 0; i <= LIMIT_EXPLAIN_DIAGNOSES; i++)
        buf_printf(&b, "diagnosis d%u\ncause quota\nmatch word%u\nsays-en x\nremedy-en y\n\n", i, i);
    assert_err(ERR_LIMIT, knowledge_read(k, buf_slice(&b), &trouble));
    assert_int_equal(trouble.line, LIMIT_EXPLAIN_DIAGNOSES * 6 + 1);
    knowledge_free(&k);

    k = knowledge_new();
    buf_clear(&b);
    add_times(&b, "#\n", LIMIT_EXPLAIN_FILE / 2 + 1);
    assert_err(ERR_LIMIT, knowledge_read(k, buf_slice(&b), &trouble));
    knowledge_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_providers_have_servers),
        cmocka_unit_test(built_in_knows_well_known_ones),
        cmocka_unit_test(providers_servers_are_read),
        cmocka_unit_test(built_in_is_whole),
        cmocka_unit_test(every_cause_is_used),
        cmocka_unit_test(defaults_and_one_language),
        cmocka_unit_test(a_later_file_replaces),
        cmocka_unit_test(mistakes_name_their_line),
        cmocka_unit_test(budgets_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
