/* The command line, read by the table: values by kind, mistakes with remedies, secrets never repeated. */
#include "test.h"

#include "base/arena.h"
#include "cli/args.h"
#include "cli/help.h"
#include "config/nearest.h"

enum { NOW = 1800000000 };

struct tried {
    struct arena arena;
    struct args args;
    enum lang lang;
    struct args_trouble trouble;
    enum err result;
};

/* Words separated by "|". */
static struct tried try_line(const char *line)
{
    struct tried t = {.trouble = {BUF_INIT(16384), BUF_INIT(16384)}};
    static char copy[5000];
    char *words[64];
    int count = 0;
    arena_init(&t.arena, 1 << 20);
    snprintf(copy, sizeof copy, "%s", line);
    for (char *p = copy; p && *p; count++) {
        words[count] = p;
        p = strchr(p, '|');
        if (p)
            *p++ = '\0';
    }
    t.result = args_parse(count, words, LANG_EN, NOW, &t.arena, &t.args, &t.lang, &t.trouble);
    return t;
}

static void tried_done(struct tried *t)
{
    buf_done(&t->trouble.says);
    buf_done(&t->trouble.remedy);
    arena_done(&t->arena);
}

static void assert_refused(const char *line, const char *says, const char *remedy)
{
    struct tried t = try_line(line);
    assert_err(ERR_SYNTAX, t.result);
    if (slice_search(buf_slice(&t.trouble.says), slice_str(says)) == SLICE_NPOS)
        fail_msg("%s: says \"%s\"", line, buf_cstr(&t.trouble.says));
    if (slice_search(buf_slice(&t.trouble.remedy), slice_str(remedy)) == SLICE_NPOS)
        fail_msg("%s: remedy \"%s\"", line, buf_cstr(&t.trouble.remedy));
    tried_done(&t);
}

static void test_values(void **state)
{
    struct tried t = try_line(
        "account|add|alice@ours.test|--name|Alice Smith|--quota=5 GiB|--language|zh|--json|--dir|/srv/mail");
    assert_ok(t.result);
    assert_string_equal(t.args.command->name, "account add");
    assert_slice("alice@ours.test", args_text(&t.args, "ADDRESS"));
    assert_slice("Alice Smith", args_text(&t.args, "name"));
    assert_int_equal(args_number(&t.args, "quota", 0), 5ull << 30);
    assert_true(args_has(&t.args, "json"));
    assert_false(args_has(&t.args, "no-password"));
    assert_slice("/srv/mail", args_text(&t.args, "dir"));
    tried_done(&t);
    t = try_line("client|add|alice@ours.test|--|--phone--");
    assert_ok(t.result);
    assert_slice("--phone--", args_text(&t.args, "LABEL"));
    tried_done(&t);
    t = try_line("--json|--dir=/x|domain|list");
    assert_ok(t.result);
    assert_true(args_has(&t.args, "json"));
    assert_string_equal(t.args.command->name, "domain list");
    tried_done(&t);
}

static void test_repeated(void **state)
{
    struct tried t =
        try_line("client|add|a@b.test|x|--network|192.0.2.0/24,2001:db8::/32|--network|198.51.100.7");
    struct slice text;
    assert_ok(t.result);
    assert_true(args_next(&t.args, "network", 1, &text));
    assert_slice("198.51.100.7", text);
    assert_false(args_next(&t.args, "network", 2, &text));
    tried_done(&t);
    t = try_line("alias|add|s@b.test|x@b.test|y@b.test|z@b.test");
    assert_ok(t.result);
    assert_true(args_next(&t.args, "TARGET", 2, &text));
    assert_slice("z@b.test", text);
    tried_done(&t);
}

static void test_moments(void **state)
{
    struct tried t = try_line("client|add|a@b.test|x|--expires|90 d");
    assert_int_equal(args_number(&t.args, "expires", 0), NOW + 90 * 86400);
    tried_done(&t);
    t = try_line("client|add|a@b.test|x|--expires|2030-01-31");
    assert_int_equal(args_number(&t.args, "expires", 0), 1896048000);
    tried_done(&t);
    static const char *const bad[] = {"2020-01-31", "2030-02-30", "2030-1-31", "tomorrow",
                                      "90",         "0 d",        "-1 d",      "2030-00-10"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[100];
        snprintf(line, sizeof line, "client|add|a@b.test|x|--expires|%s", bad[i]);
        assert_refused(line, "--expires cannot be", "2030-01-31");
    }
}

static void test_mistakes(void **state)
{
    assert_refused("acount|list", "no command \"acount\"", "letterlock account");
    assert_refused("account|lits", "no command \"account lits\"", "letterlock account list");
    assert_refused("account|frobnicate", "no command \"account frobnicate\"", "letterlock help");
    assert_refused("account|add", "ADDRESS is missing", "alice@example.org");
    assert_refused("account|add|alice", "ADDRESS cannot be \"alice\"", "alice@example.org");
    assert_refused("account|add|@ours.test", "cannot be", "give");
    assert_refused("account|add|a@localhost", "cannot be", "give");
    assert_refused("account|add|a\x1b[2J@b.test", "cannot be \"a\\u001b[2J@b.test\"", "give");
    assert_refused("account|add|a@b.test|--quta|5 GiB", "no flag --quta", "--quota");
    assert_refused("account|add|a@b.test|--quota|5", "--quota cannot be \"5\"", "5 GiB");
    assert_refused("account|add|a@b.test|--quota|0 B", "--quota cannot be", "5 GiB");
    assert_refused("account|add|a@b.test|--quota", "--quota needs a value", "5 GiB");
    assert_refused("account|add|a@b.test|--quota|1 GiB|--quota|2 GiB", "--quota is given twice", "once");
    assert_refused("account|add|a@b.test|--no-password=yes", "--no-password takes no value", "help");
    assert_refused("account|add|a@b.test|--language|fr", "--language cannot be", "en zh");
    assert_refused("client|show|a@b.test|007", "ID cannot be", "whole number");
    assert_refused("client|show|a@b.test|0", "ID cannot be", "whole number");
    assert_refused("domain|list|extra", "one word too many", "help domain list");
    assert_refused("domain|list|-x", "no flag --x", "help");
    assert_refused("client|add|a@b.test|x|--network|10.0.0.1/8", "--network cannot be", "192.0.2.0/24");
    assert_refused("--frob|domain|list", "no flag --frob", "help");
}

/* Whatever could be a secret is neither taken nor repeated. */
static void test_secrets(void **state)
{
    static const char *const lines[] = {
        "account|add|a@b.test|--password|hunter2",
        "account|add|a@b.test|--password=hunter2",
        "account|password|a@b.test|hunter2",
        "account|add|a@b.test|hunter2",
        "account|password|a@b.test|--new-password|hunter2",
        "client|test|a@b.test|hunter2",
        "client|test|a@b.test|--secret=hunter2",
        "client|add|a@b.test|phone|--passwd=hunter2",
        "init|--passphrase|hunter2",
        "client|test|a@b.test|--token|hunter2",
        "account|password|a@b.test|--pw|hunter2",
        "account|password|a@b.test|-password|hunter2",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct tried t = try_line(lines[i]);
        assert_err(ERR_SYNTAX, t.result);
        assert_true(slice_search(buf_slice(&t.trouble.remedy), S("standard input")) != SLICE_NPOS);
        assert_true(slice_search(buf_slice(&t.trouble.says), S("hunter2")) == SLICE_NPOS);
        assert_true(slice_search(buf_slice(&t.trouble.remedy), S("hunter2")) == SLICE_NPOS);
        tried_done(&t);
    }
}

static void test_help_and_language(void **state)
{
    struct tried t = try_line("client|add|--help");
    assert_ok(t.result);
    assert_true(t.args.help);
    assert_string_equal(t.args.command->name, "client add");
    tried_done(&t);
    t = try_line("--help");
    assert_true(t.args.help && !t.args.command);
    tried_done(&t);
    t = try_line("--version");
    assert_true(t.args.version);
    tried_done(&t);
    t = try_line("account");
    assert_ok(t.result);
    assert_slice("account", t.args.group);
    tried_done(&t);
    t = try_line("domain|lsit|--lang|zh");
    assert_int_equal(t.lang, LANG_ZH);
    assert_true(slice_search(buf_slice(&t.trouble.says), S("没有")) != SLICE_NPOS);
    tried_done(&t);
    assert_refused("domain|list|--lang|xx", "--lang cannot be", "en zh");
}

static bool has_text(const char *s)
{
    return s && s[0];
}

/* The table is whole: both languages, no two rows of one name, operands in an order that can be read. */
static void test_table(void **state)
{
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        assert_ptr_equal(command_find(slice_str(c->name)), c);
        assert_true(has_text(c->summary.in[LANG_EN]) && has_text(c->summary.in[LANG_ZH]));
        assert_true(has_text(c->about.in[LANG_EN]) == has_text(c->about.in[LANG_ZH]));
        assert_non_null(c->run);
        assert_true(c->examples && c->examples->line);
        bool loose = false;
        size_t operands = 0;
        for (const struct operand *o = c->operands; o && o->name; o++, operands++) {
            assert_false(loose && !o->optional);
            loose = o->optional || o->many;
            assert_true(has_text(o->help.in[LANG_EN]) && has_text(o->help.in[LANG_ZH]));
            assert_true((o->kind == VALUE_CHOICE) == (o->choices != NULL));
        }
        assert_true(operands <= OPERANDS_MAX);
        for (const struct flag *f = c->flags; f && f->name; f++) {
            assert_true(has_text(f->help.in[LANG_EN]) && has_text(f->help.in[LANG_ZH]));
            assert_true((f->kind == VALUE_NONE) == (f->value_name == NULL));
            assert_true((f->kind == VALUE_CHOICE) == (f->choices != NULL));
            for (const struct flag *common = common_flags; common->name; common++)
                assert_string_not_equal(f->name, common->name);
        }
    }
}

/* Every example can be parsed. Their words are separated by blanks, with quotation marks. */
static void test_examples(void **state)
{
    for (size_t i = 0; i < command_count(); i++)
        for (const struct example *e = command_at(i)->examples; e->line; e++) {
            char line[1000];
            size_t n = 0;
            bool quoted = false;
            if (strncmp(e->line, "letterlock ", 11) != 0)
                continue;
            for (const char *p = e->line + 11; *p && (quoted || !strchr("<>|", *p)); p++)
                if (*p == '"')
                    quoted = !quoted;
                else
                    line[n++] = *p == ' ' && !quoted ? '|' : *p;
            while (n && line[n - 1] == '|')
                n--;
            line[n] = '\0';
            struct tried t = try_line(line);
            if (t.result != OK)
                fail_msg("%s: %s", e->line, buf_cstr(&t.trouble.says));
            assert_ptr_equal(t.args.command, command_at(i));
            tried_done(&t);
        }
}

/* Help fits a terminal, in both languages. */
static void test_help_width(void **state)
{
    for (size_t i = 0; i < command_count(); i++)
        for (int lang = 0; lang < LANG_N; lang++) {
            struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);
            help_put_command(command_at(i), (enum lang)lang, false, &out);
            assert_ok(buf_check(&out));
            struct slice rest = buf_slice(&out), line;
            while (slice_cut(&rest, '\n', &line))
                if (lang_columns(line) > 112)
                    fail_msg("%s: \"%.*s\"", command_at(i)->name, SLICE_ARG(line));
        }
}

/* Any words at all end in an answer. */
static void test_random_words(void **state)
{
    static const char *const words[] = {"account", "add",        "client", "--json", "--",       "",
                                        "-",       "--dir",      "=",      "--dir=", "a@b.test", "--help",
                                        "x",       "--network",  "1 d",    "help",   "\xff\xfe", "--lang",
                                        "zh",      "--expires=", "-h",     "list",   "init"};
    uint32_t seed = 12345;
    for (int i = 0; i < 20000; i++) {
        struct tried t = {.trouble = {BUF_INIT(16384), BUF_INIT(16384)}};
        char *argv[8];
        int count = 0;
        arena_init(&t.arena, 1 << 20);
        for (seed = seed * 1664525 + 1013904223; count < (int)(seed >> 28) % 8; count++)
            argv[count] =
                (char *)words[(seed = seed * 1664525 + 1013904223) / 65536 % (sizeof words / sizeof *words)];
        t.result = args_parse(count, argv, LANG_EN, NOW, &t.arena, &t.args, &t.lang, &t.trouble);
        assert_true(t.result == OK || (t.result == ERR_SYNTAX && t.trouble.says.n && t.trouble.remedy.n));
        tried_done(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_moments),    cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_secrets),    cmocka_unit_test(test_help_and_language),
        cmocka_unit_test(test_table),      cmocka_unit_test(test_examples),
        cmocka_unit_test(test_help_width), cmocka_unit_test(test_random_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
