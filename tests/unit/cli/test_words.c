/* Sentences in two languages, JSON, completion scripts, manual pages, files. */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/complete.h"
#include "cli/files.h"
#include "cli/help.h"
#include "cli/json.h"
#include "cli/man.h"
#include "cli/reasons.h"
#include "cli/say.h"

/* Each sentence names the same facts in both languages. */
static void test_sentences(void **state)
{
    static const char *const places[] = {"{1}", "{2}", "{3}"};
    for (int id = 0; id < SAY_N; id++) {
        const char *en = say_text(LANG_EN, (enum say_id)id), *zh = say_text(LANG_ZH, (enum say_id)id);
        assert_true(en[0] && zh[0]);
        for (size_t i = 0; i < 3; i++)
            if ((strstr(en, places[i]) != NULL) != (strstr(zh, places[i]) != NULL))
                fail_msg("%s / %s", en, zh);
    }
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    say_put(&out, LANG_EN, SAY_OUT_EXISTS, S("{2}"), S("twice"), SLICE_EMPTY);
    assert_string_equal(buf_cstr(&out), "{2} exists already: twice");
}

static void test_reasons(void **state)
{
    assert_slice("not meant", reason_words(LANG_EN, S("not meant")));
    for (size_t i = 0; reason_known(i); i++) {
        struct slice name = slice_str(reason_known(i));
        assert_false(slice_eq(reason_words(LANG_EN, name), name));
        assert_false(slice_eq(reason_words(LANG_ZH, name), name));
    }
}

static void test_json(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    struct json j;
    json_start(&j, &out);
    json_open(&j, '{');
    json_key(&j, "a\"b");
    json_open(&j, '[');
    json_u64(&j, UINT64_MAX);
    json_i64(&j, -5);
    json_bool(&j, true);
    json_text(&j, S("q\"\\\n\t\x01\x7f\xff\xe2\x80\xae\xe9\x82\xae"));
    json_open(&j, '{');
    json_close(&j, '}');
    json_close(&j, ']');
    json_key(&j, "b");
    json_text(&j, SLICE_EMPTY);
    json_close(&j, '}');
    assert_string_equal(
        buf_cstr(&out),
        "{\"a\\\"b\":[18446744073709551615,-5,true,"
        "\"q\\\"\\\\\\n\\u0009\\u0001\\u007f\xef\xbf\xbd\\u202e\xe9\x82\xae\",{}],\"b\":\"\"}");
}

static void test_completion(void **state)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < 3; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);
        complete_put(slice_str(shells[i]), &out);
        assert_ok(buf_check(&out));
        assert_true(slice_search(buf_slice(&out), S("no-password")) != SLICE_NPOS);
        assert_true(slice_search(buf_slice(&out), S("submission")) != SLICE_NPOS);
    }
}

/* Not even punctuation, which may not begin a line, sticks out behind a word that fills one. */
static void test_wrapping(void **state)
{
    for (size_t n = 1; n < 200; n++) {
        struct buf text CLEANUP_BUF = BUF_INIT(1000), out CLEANUP_BUF = BUF_INIT(2000);
        struct slice rest, line;
        buf_put_str(&text, "测得（");
        for (size_t i = 0; i < n; i++)
            buf_put_char(&text, 'a');
        buf_put_str(&text, "）：然后 b");
        help_put_wrapped(buf_slice(&text), 0, 40, &out);
        for (rest = buf_slice(&out); slice_cut(&rest, '\n', &line);)
            assert_true(lang_columns(line) <= 40);
    }
}

/* A control line of troff is one that we meant; every page has its sections. */
static void test_manual(void **state)
{
    struct buf list CLEANUP_BUF = BUF_INIT(4000);
    man_put_list(&list);
    struct slice rest = buf_slice(&list), line;
    size_t pages = 0;
    while (slice_cut(&rest, '\n', &line)) {
        if (!line.n)
            continue;
        pages++;
        for (int lang = 0; lang < LANG_N; lang++) {
            struct buf page CLEANUP_BUF = BUF_INIT(1 << 20);
            assert_ok(man_put(slice_sub(line, 0, line.n - 2), (enum lang)lang, &page));
            assert_ok(buf_check(&page));
            assert_true(slice_starts(buf_slice(&page), S(".TH \"LETTERLOCK")));
            struct slice text = buf_slice(&page), row;
            while (slice_cut(&text, '\n', &row))
                if (row.n && row.p[0] == '.')
                    assert_true(row.n >= 3 && ascii_is_alpha(row.p[1]));
        }
    }
    assert_true(pages > 10);
    struct buf page CLEANUP_BUF = BUF_INIT(1 << 20);
    assert_err(ERR_NOT_FOUND, man_put(S("letterlock-frob"), LANG_EN, &page));
    assert_err(ERR_NOT_FOUND, man_put(S("x"), LANG_EN, &page));
}

static void test_files(void **state)
{
    char folder[] = "/tmp/letterlock-cli-XXXXXX";
    struct stat st;
    assert_non_null(mkdtemp(folder));
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    umask(0);
    assert_ok(files_way(dir, "a/b/c/file"));
    assert_ok(files_create(dir, "a/b/c/file", 0600, S("secret")));
    assert_err(ERR_EXISTS, files_create(dir, "a/b/c/file", 0600, S("other")));
    assert_int_equal(fstatat(dir, "a/b/c/file", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 6);
    assert_ok(files_folder(dir, "a", 0700));
    assert_int_not_equal(OK, files_folder(dir, "a/b/c/file", 0700));
    assert_int_equal(symlinkat("/etc", dir, "a/link"), 0);
    assert_ok(files_remove(dir, "a"));
    assert_false(files_has(dir, "a"));
    assert_ok(files_remove(dir, "nothing"));
    close(dir);
    assert_int_equal(rmdir(folder), 0);
    assert_true(files_is_plain(S("vault/keys/accounts.key")));
    static const char *const bad[] = {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a/.", "."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(files_is_plain(slice_str(bad[i])));
    assert_false(files_is_plain(S("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sentences), cmocka_unit_test(test_reasons),
                                       cmocka_unit_test(test_json),      cmocka_unit_test(test_completion),
                                       cmocka_unit_test(test_manual),    cmocka_unit_test(test_wrapping),
                                       cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
