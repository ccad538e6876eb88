/* What a command makes of the vault's answers: its exit code, and what it tells. */
#include "test.h"

#include "cli/answers.h"
#include "cli/link.h"

/* The exit code of an answer to `name`, and the JSON that is told. */
static int outcome_of(
    const char *name, const char *id, enum ipc_admin_outcome outcome, const char *text, struct buf *out)
{
    struct cli c = {.lang = LANG_EN, .json = true, .dir_fd = -1};
    struct link_answer answer = {&c, outcome, slice_str(text), S("alice@example.org")};
    arena_init(&c.arena, 1 << 20);
    buf_init(&c.out, 1 << 20);
    c.args.command = command_find(slice_str(name));
    assert_non_null(c.args.command);
    c.args.values[c.args.count++] =
        (struct value){.operand = &c.args.command->operands[0], .text = S("alice@example.org")};
    if (id)
        c.args.values[c.args.count++] =
            (struct value){.operand = &c.args.command->operands[1], .text = slice_str(id)};
    json_start(&c.j, &c.out);
    json_open(&c.j, '{');
    int code = link_outcome(&answer);
    json_close(&c.j, '}');
    buf_put(out, buf_slice(&c.out));
    buf_done(&c.out);
    arena_done(&c.arena);
    return code;
}

/* Scripts tell a full disk from a server that does not answer, and people are told what to do. */
static void test_a_full_disk(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);
    assert_int_equal(
        outcome_of(
            "client revoke", "3", ADMIN_OUTCOME_UNAVAILABLE, "the vault's files: the disk is full", &out),
        CLI_IO);
    assert_non_null(strstr(buf_cstr(&out), "\"code\":\"io\""));
    assert_non_null(strstr(buf_cstr(&out), "make room, and run the command again"));
    buf_clear(&out);
    assert_int_equal(
        outcome_of("client revoke", "3", ADMIN_OUTCOME_UNAVAILABLE, "the vault is busy", &out),
        CLI_UNAVAILABLE);
    assert_null(strstr(buf_cstr(&out), "make room"));
}

static void test_what_is_missing(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);
    assert_int_equal(
        outcome_of("token revoke", "3", ADMIN_OUTCOME_NOT_FOUND, "no such token", &out), CLI_NOT_FOUND);
    assert_non_null(strstr(buf_cstr(&out), "letterlock token list alice@example.org"));
    buf_clear(&out);
    assert_int_equal(
        outcome_of("account show", NULL, ADMIN_OUTCOME_NOT_FOUND, "no such account", &out), CLI_NOT_FOUND);
    assert_non_null(strstr(buf_cstr(&out), "letterlock account list"));
    buf_clear(&out);
    assert_int_equal(outcome_of("account show", NULL, ADMIN_OUTCOME_INVALID, "odd", &out), CLI_DATA);
    assert_non_null(strstr(buf_cstr(&out), "letterlock help account show"));
}

/* What the vault says, in Chinese. */
static void test_answers(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 20);
    assert_slice("there is no such account", answer_words(&arena, LANG_EN, S("there is no such account")));
    assert_slice("没有这个账户", answer_words(&arena, LANG_ZH, S("there is no such account")));
    assert_slice(
        "保险库的文件：磁盘已满", answer_words(&arena, LANG_ZH, S("the vault's files: the disk is full")));
    assert_slice("磁盘已满", answer_words(&arena, LANG_ZH, S("the disk is full")));
    assert_slice(
        "there is no such accounting", answer_words(&arena, LANG_ZH, S("there is no such accounting")));
    assert_slice(
        "a@b.test 曾属于他人，于 2026-11-22 停用，停用期至 2027-05-21（letterlock address release）",
        answer_words(
            &arena, LANG_ZH,
            S("a@b.test was somebody's until 2026-11-22 and rests until 2027-05-21 (letterlock address "
              "release)")));
    assert_slice(
        "factor_required 只能是：key totp any none",
        answer_words(&arena, LANG_ZH, S("factor_required is one of: key totp any none")));
    assert_slice(
        "别名最多指向 64 个地址，最多经过 8 层",
        answer_words(&arena, LANG_ZH, S("an alias leads to at most 64 addresses, through at most 8 levels")));
    assert_slice(" is one of: x", answer_words(&arena, LANG_ZH, S(" is one of: x")));
    assert_slice("x is one of: ", answer_words(&arena, LANG_ZH, S("x is one of: ")));
    assert_slice("", answer_words(&arena, LANG_ZH, SLICE_EMPTY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_disk), cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
