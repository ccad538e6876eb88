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
        {"provider a\nname-en A\ntakes money\n", 3},
        {"provider a\nname-en A\ndomain A.test\n", 3},
        {"provider a\nname-en A\ndomain a.test\ndomain a.test\n", 4},
        {"provider a\nname-en A\n\nprovider a\n", 4},
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
        cmocka_unit_test(built_in_is_whole),         cmocka_unit_test(every_cause_is_used),
        cmocka_unit_test(defaults_and_one_language), cmocka_unit_test(a_later_file_replaces),
        cmocka_unit_test(mistakes_name_their_line),  cmocka_unit_test(budgets_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
