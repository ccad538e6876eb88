#include "test.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "doctor/explain.h"
#include "doctor_knowledge.h"

static struct slice first_id(struct slice text)
{
    struct explanation x;
    explain(k, text, &x);
    return x.count ? x.findings[0].diagnosis->id : S("nothing");
}

/* "id TAB text" lines; returns how many did not give their id, each of which is told. `seen` counts by diagnosis. */
static size_t try_table(const char *path, size_t *seen, size_t *ret_lines)
{
    struct buf b CLEANUP_BUF = BUF_INIT(1 << 20);
    struct slice line, id;
    size_t wrong = 0;
    assert_ok(file_read_path(path, &b));
    struct slice rest = buf_slice(&b);
    while (slice_cut(&rest, '\n', &line)) {
        struct slice text = line;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        slice_cut(&text, '\t', &id);
        const struct diagnosis *d = knowledge_find(k, id);
        struct slice got = first_id(text);
        ++*ret_lines;
        if (!d)
            fail_msg("no diagnosis %.*s", SLICE_ARG(id));
        for (size_t i = 0; seen && i < knowledge_count(k); i++)
            seen[i] += knowledge_at(k, i) == d;
        if (slice_eq(got, id))
            continue;
        wrong++;
        print_error("%.*s: %.*s: got %.*s\n", SLICE_ARG(id), SLICE_ARG(text), SLICE_ARG(got));
    }
    return wrong;
}

static void every_diagnosis_has_its_signal(void **state)
{
    size_t *seen = calloc(knowledge_count(k), sizeof *seen), lines = 0;
    assert_non_null(seen);
    size_t wrong = try_table("tests/unit/doctor/signals.tsv", seen, &lines), texts = 0;
    for (size_t i = 0; i < knowledge_count(k); i++)
        texts += knowledge_at(k, i)->match_count > 0;
    for (size_t i = 0; i < knowledge_count(k); i++)
        if (!seen[i] && knowledge_at(k, i)->match_count) {
            wrong++;
            print_error("%.*s has no text\n", SLICE_ARG(knowledge_at(k, i)->id));
        }
    free(seen);
    assert_int_equal(wrong, 0);
    assert_true(lines >= texts && texts >= 250);
}

static void whole_texts_of_programs_and_servers(void **state)
{
    size_t lines = 0;
    assert_int_equal(try_table("tests/unit/doctor/texts.tsv", NULL, &lines), 0);
    assert_true(lines >= 60);
}

static void proof_is_what_was_pasted(void **state)
{
    struct explanation x;
    explain(k, S("Error:\t534-5.7.9  Application-specific\tpassword required. Learn more"), &x);
    assert_slice("gmail-smtp-app-password", x.findings[0].diagnosis->id);
    assert_slice("534-5.7.9  Application-specific\tpassword required", x.findings[0].proof);
}

static void a_provider_named_in_the_text_decides(void **state)
{
    struct explanation x;
    explain(k, S("imap.qq.com: a1 NO [AUTHENTICATIONFAILED] sorry"), &x);
    assert_non_null(x.provider);
    assert_slice("qq", x.provider->id);
    assert_slice("imap-code-authenticationfailed", x.findings[0].diagnosis->id);
    explain(k, S("imap.mail.me.com: 1 NO [AUTHENTICATIONFAILED] Authentication Failed"), &x);
    assert_slice("icloud-auth-failed", x.findings[0].diagnosis->id);
    static const char *const not_of_icloud[] = {"", "imap.qq.com: "};
    for (size_t i = 0; i < 2; i++) {
        struct buf b CLEANUP_BUF = BUF_INIT(4096);
        buf_printf(&b, "%s1 NO [AUTHENTICATIONFAILED] Authentication Failed", not_of_icloud[i]);
        explain(k, buf_slice(&b), &x);
        assert_slice("imap-code-authenticationfailed", x.findings[0].diagnosis->id);
        for (size_t f = 0; f < x.count; f++)
            assert_false(slice_eq(x.findings[f].diagnosis->id, S("icloud-auth-failed")));
    }
    explain(k, S("no host here"), &x);
    assert_null(x.provider);
    explain(k, S("mail.notqq.com."), &x);
    assert_null(x.provider);
}

static void what_is_not_known_finds_nothing(void **state)
{
    static const char *const texts[] = {
        "",     " ", "\n\n\r\n", "hello", "everything is fine", "5351 5.7.88", "x0x800CCC0Ey",
        "密码", "-", "\\",       "\\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_slice("nothing", first_id(slice_str(texts[i])));
}

static void of_other_things_nothing_is_claimed(void **state)
{
    struct buf b CLEANUP_BUF = BUF_INIT(1 << 20);
    struct slice line;
    size_t claimed = 0, lines = 0;
    assert_ok(file_read_path("tests/unit/doctor/unrelated.txt", &b));
    for (struct slice rest = buf_slice(&b); slice_cut(&rest, '\n', &line);) {
        if (line.n == 0 || line.p[0] == '#')
            continue;
        struct slice got = first_id(line);
        lines++;
        if (slice_eq(got, S("nothing")))
            continue;
        claimed++;
        print_error("%.*s: got %.*s\n", SLICE_ARG(line), SLICE_ARG(got));
    }
    assert_int_equal(claimed, 0);
    assert_true(lines >= 105);
}

/* Only the lines of the other program are left out, and only of what was pasted. */
static void lines_of_other_programs_are_not_read(void **state)
{
    struct explanation x;
    explain(k, S("sudo: login failed\n535 5.7.8 go away\nsudo: password expired"), &x);
    assert_slice("smtp-535-578-generic", x.findings[0].diagnosis->id);
    assert_slice("535 5.7.8", x.findings[0].proof);
    for (size_t i = 1; i < x.count; i++)
        assert_false(slice_eq(x.findings[i].diagnosis->id, S("generic-password-expired")));
    explain(k, S("sudo: 535 5.7.8 go away"), &x);
    assert_int_equal(x.count, 0);
    explain_reply(k, S("sudo: 535 5.7.8 go away"), WHERE_SMTP, NULL, &x);
    assert_slice("smtp-535-578-generic", x.findings[0].diagnosis->id);
}

static void expressions_mean_what_they_say(void **state)
{
    static const struct {
        const char *match, *text;
        bool found;
    } cases[] = {
        {"one two", "One  TWO three", true},
        {"one two", "one twofold", false},
        {"one two*", "one twofold", true},
        {"*one two", "someone two", true},
        {"one two *", "one two three", false}, /* a gap wants something behind it */
        {"one * two", "one, and then two", true},
        {"one * two", "two one", false},
        {"one * two", "one onetwo", false},
        {"one *two", "one onetwo", true},
        {"one*two", "oneandtwo", true},
        {"one * one", "one", false},
        {"one * one", "one one", true},
        {"^one two", "one two", true},
        {"^one two", "say one two", false},
        {"^one two", "say\none two", true},
        {"one two$", "one two", true},
        {"one two$", "(\"one two\")", true},
        {"one two$", "one two.", false},
        {"one two$", "one two one two", true},
        {"one two$", "one two\nthree", true},
        {"one.two$", "one two", false},
        {"one two", "one\ntwo", true},
        {"one * two", "one\nmore two", true},
        {"{one|two} three", "two three", true},
        {"{one|two} three", "four three", false},
        {"one{ more|} three", "one three", true},
        {"one{ {much|little} more|} three", "one little more three", true},
        {"\\*\\{a\\}", "*{a}", true},
        {"535 5.7.1", "535-5.7.1 x", true},
        {"535 5.7.1", "535-5.7.139 x", false},
        {"535 5.7.1 no", "(535, b'5.7.1 no')", true},
        {"535 5.7.1 no", "(535, b\"5.7.1 no\")", true},
        {"535 5.7.1 no", "535: 5.7.1 no", true},
        {"1535 no", "1535: no", false},
        {"993 no", "993: no", false},
        {"can't do", "can\xe2\x80\x99t do", true},
        {"one two", "one\xc2\xa0two", true},
        {"密码错误", "提示密码错误。", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct knowledge *mine = knowledge_new();
        struct knowledge_trouble trouble;
        struct explanation x;
        struct buf b CLEANUP_BUF = BUF_INIT(4096);
        buf_printf(&b, "diagnosis a\ncause dns\nsays-en x\nremedy-en y\nmatch %s\n", cases[i].match);
        enum err e = knowledge_read(mine, buf_slice(&b), &trouble);
        explain(mine, slice_str(cases[i].text), &x);
        if ((e == OK && x.count == 1) != cases[i].found)
            fail_msg("\"%s\" in \"%s\"", cases[i].match, cases[i].text);
        knowledge_free(&mine);
    }
}

static void the_more_specific_wins(void **state)
{
    assert_slice("imap-code-authenticationfailed", first_id(S("a NO [AUTHENTICATIONFAILED] Nope")));
    assert_slice(
        "gmail-imap-invalid-credentials",
        first_id(S("a NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")));
    assert_slice("smtp-535-578-generic", first_id(S("535 5.7.8 go away")));
    struct explanation x;
    explain(k, S("a NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"), &x);
    assert_true(x.count >= 2);
    assert_true(x.findings[0].score >= x.findings[1].score);
}

static void hostile_texts_are_bounded(void **state)
{
    enum { SIZE = 1 << 20 };
    static const char *const fills[] = {
        "535 5.7.8 ",     "a",       " ", "\n", "a\n", "\xff", "[[[[", "NO LOGIN failed.\n", "eyJ", "qq.com ",
        "sudo: 535 no\n", "(535, b'"};
    char *text = malloc(SIZE);
    struct explanation x;
    assert_non_null(text);
    for (size_t f = 0; f < sizeof fills / sizeof *fills; f++) {
        size_t n = strlen(fills[f]);
        for (size_t i = 0; i < SIZE; i++)
            text[i] = fills[f][i % n];
        explain(k, slice_of(text, SIZE), &x);
        assert_true(x.cut);
        assert_true(x.count <= EXPLAIN_FINDINGS);
    }
    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)(i * 2654435761u >> 13);
    explain(k, slice_of(text, SIZE), &x);
    memset(text, 0, SIZE);
    memcpy(text + 1000, "0x800CCC0E", 10);
    explain(k, slice_of(text, 1010), &x);
    assert_false(x.cut);
    assert_slice("outlook-0x800ccc0e", x.findings[0].diagnosis->id);
    memcpy(text + SIZE - 10, "0x800CCC0E", 10);
    memset(text, ' ', SIZE - 10);
    explain(k, slice_of(text, SIZE), &x);
    assert_int_equal(x.count, 0); /* behind the limit */
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_diagnosis_has_its_signal),
        cmocka_unit_test(whole_texts_of_programs_and_servers),
        cmocka_unit_test(proof_is_what_was_pasted),
        cmocka_unit_test(a_provider_named_in_the_text_decides),
        cmocka_unit_test(what_is_not_known_finds_nothing),
        cmocka_unit_test(of_other_things_nothing_is_claimed),
        cmocka_unit_test(lines_of_other_programs_are_not_read),
        cmocka_unit_test(expressions_mean_what_they_say),
        cmocka_unit_test(the_more_specific_wins),
        cmocka_unit_test(hostile_texts_are_bounded),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}
