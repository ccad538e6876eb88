#include "cases.h"

#include "base/line.h"
#include "pop3/wire/command.h"
#include "pop3/wire/reply.h"

static enum err parse(const char *line, struct pop3_command *c)
{
    return pop3_command_parse(slice_str(line), NULL, c);
}

static void lines_are_cut_at_lf_and_marked(void **state)
{
    struct line l;
    assert_int_equal(line_find(S("STAT\r\nLIST\r\n"), 512, &l), OK);
    assert_true(slice_eq(l.text, S("STAT")) && l.used == 6 && !l.bare && !l.dirty);
    assert_int_equal(line_find(S("STAT\nX"), 512, &l), OK);
    assert_true(slice_eq(l.text, S("STAT")) && l.used == 5 && l.bare);
    assert_int_equal(line_find(S("ST\rAT\r\n"), 512, &l), OK);
    assert_true(l.dirty && !l.bare);
    assert_int_equal(line_find(S("ST\0AT\r\n"), 512, &l), OK);
    assert_true(l.dirty && l.text.n == 5);
    assert_int_equal(line_find(S("\n"), 512, &l), OK);
    assert_true(l.text.n == 0 && l.bare);
    assert_int_equal(line_find(S("STAT\r"), 512, &l), ERR_AGAIN);
    assert_int_equal(line_find(S("AAAAAAAA"), 8, &l), ERR_LIMIT);
    assert_int_equal(line_find(S("AAAAAA\r\n"), 8, &l), OK);
    assert_int_equal(line_find(S("AAAAAAA\r\n"), 8, &l), ERR_LIMIT);
}

static void commands_parse(void **state)
{
    struct pop3_command c;
    assert_int_equal(parse("stat", &c), OK);
    assert_int_equal(c.row->verb, POP3_STAT);
    assert_int_equal(parse("LIST", &c), OK);
    assert_false(c.has_number);
    assert_int_equal(parse("LIST ", &c), OK);
    assert_int_equal(parse("List 7", &c), OK);
    assert_true(c.has_number && c.number == 7);
    assert_int_equal(parse("TOP 3 0", &c), OK);
    assert_true(c.number == 3 && c.lines == 0);
    assert_int_equal(parse("TOP 1 99999999999", &c), OK);
    assert_int_equal(c.lines, UINT32_MAX);
    assert_int_equal(parse("USER alice@ours.test", &c), OK);
    assert_true(slice_eq(c.rest, S("alice@ours.test")));
    assert_int_equal(parse("PASS  two  words ", &c), OK);
    assert_true(slice_eq(c.rest, S(" two  words ")));
    assert_int_equal(parse("PASS", &c), ERR_SYNTAX);
    assert_int_equal(parse("PASS ", &c), ERR_SYNTAX);
    assert_int_equal(parse("PASS x", &c), OK);
    assert_int_equal(parse("AUTH", &c), OK);
    assert_int_equal(c.rest.n, 0);
    assert_int_equal(parse("AUTH PLAIN", &c), OK);
    assert_true(slice_eq(c.rest, S("PLAIN")) && !c.has_initial);
    assert_int_equal(parse("AUTH PLAIN =", &c), OK);
    assert_true(c.has_initial && slice_eq(c.initial, S("=")));
    assert_int_equal(parse("AUTH PLAIN a b", &c), ERR_SYNTAX);
    assert_int_equal(parse("AUTH  PLAIN", &c), ERR_SYNTAX);
    assert_int_equal(parse("STAT 1", &c), ERR_SYNTAX);
    assert_int_equal(parse("NOOP  ", &c), OK);
    assert_int_equal(parse("", &c), ERR_NOT_FOUND);
    assert_int_equal(parse(" STAT", &c), ERR_NOT_FOUND);
    assert_int_equal(parse("STATS", &c), ERR_NOT_FOUND);
    assert_int_equal(parse("APOP x y", &c), ERR_NOT_FOUND);
    const struct pop3_row *row = NULL;
    assert_int_equal(pop3_command_parse(S("RETR x"), &row, &c), ERR_SYNTAX);
    assert_int_equal(row->verb, POP3_RETR);
    assert_int_equal(pop3_command_parse(S("PASS a\0b"), &row, &c), ERR_SYNTAX);
    assert_int_equal(pop3_command_parse(S("FOO"), &row, &c), ERR_NOT_FOUND);
    assert_null(row);
}

/* T-177, the numbers: -ERR and no wrap. A number above every drop parses and is missed later. */
static void t177_number_arguments(void **state)
{
    struct cases t = {"T-177"};
    static const char *const verbs[] = {"RETR", "DELE", "LIST", "UIDL"};
    static const char *const wrong[] = {"0",  "-1",           "1.5", "+1",  "1 2 3", "0x1",
                                        "1a", "\xef\xbc\x91", "1 ,", "1\t", " 1"};
    for (size_t v = 0; v < 4; v++) {
        char line[64];
        struct pop3_command c = {0};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            snprintf(line, sizeof line, "%s %s", verbs[v], wrong[i]);
            cases_check(&t, parse(line, &c) == ERR_SYNTAX, line);
        }
        static const char *const huge[] = {"4294967297", "99999999999999999999", "4294967295"};
        for (size_t i = 0; i < 3; i++) {
            snprintf(line, sizeof line, "%s %s", verbs[v], huge[i]);
            cases_check(&t, parse(line, &c) == OK && c.number == UINT32_MAX, line);
        }
    }
    struct pop3_command c;
    static const char *const tops[] = {"TOP",       "TOP 1",   "TOP 1 -1", "TOP 0 1",
                                       "TOP 1 1 1", "TOP 1 x", "TOP  1",   "TOP x 1"};
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
        cases_check(&t, parse(tops[i], &c) == ERR_SYNTAX, tops[i]);
    cases_end(&t, 60);
}

static void replies_are_written(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    pop3_put_ok(&out, "hi");
    pop3_put_err(&out, POP3_CODE_IN_USE, "held");
    pop3_put_err(&out, POP3_NO_CODE, "no");
    pop3_put_challenge(&out, S("AA=="));
    pop3_put_end(&out);
    assert_true(slice_eq(buf_slice(&out), S("+OK hi\r\n-ERR [IN-USE] held\r\n-ERR no\r\n+ AA==\r\n.\r\n")));
    buf_clear(&out);
    pop3_put_capa(&out, &(struct pop3_offer){.stls = true});
    assert_true(slice_search(buf_slice(&out), S("STLS\r\n")) != SLICE_NPOS);
    assert_true(slice_search(buf_slice(&out), S("\r\nUSER\r\n")) == SLICE_NPOS);
    assert_true(slice_search(buf_slice(&out), S("SASL")) == SLICE_NPOS);
    buf_clear(&out);
    pop3_put_capa(&out, &(struct pop3_offer){.secrets = true, .mechanisms = S("PLAIN LOGIN")});
    assert_true(slice_search(buf_slice(&out), S("\r\nSASL PLAIN LOGIN\r\n")) != SLICE_NPOS);
    assert_true(slice_search(buf_slice(&out), S("\r\nUSER\r\n")) != SLICE_NPOS);
    buf_clear(&out);
    pop3_put_capa(&out, &(struct pop3_offer){.signed_in = true, .secrets = true, .mechanisms = S("PLAIN")});
    assert_true(slice_search(buf_slice(&out), S("SASL")) == SLICE_NPOS);
    assert_true(slice_ends(buf_slice(&out), S("\r\n.\r\n")));
}

static void stuffed(struct buf *out, struct slice content, size_t step)
{
    struct pop3_stuffer st = {0};
    buf_clear(out);
    for (size_t at = 0; at < content.n; at += step)
        pop3_stuffer_feed(&st, slice_sub(content, at, step), out);
    pop3_stuffer_end(&st, out);
}

static void content_is_stuffed_wherever_it_is_cut(void **state)
{
    static const struct {
        struct slice in, out;
    } rows[] = {
        {{"", 0}, {".\r\n", 3}},
        {{".", 1}, {"..\r\n.\r\n", 7}},
        {{"a\r\n", 3}, {"a\r\n.\r\n", 6}},
        {{"a", 1}, {"a\r\n.\r\n", 6}},
        {{".\r\n..\r\n.a\r\n", 11}, {"..\r\n...\r\n..a\r\n.\r\n", 17}},
        {{"a\n.\nb", 5}, {"a\n..\nb\r\n.\r\n", 11}},
        {{"a\n", 2}, {"a\n\r\n.\r\n", 7}},
        {{"a\r", 2}, {"a\r\r\n.\r\n", 7}},
        {{"a\r\n\n", 4}, {"a\r\n\n\r\n.\r\n", 9}},
        {{"\0.\r\n", 4}, {"\0.\r\n.\r\n", 7}},
    };
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 13; step++) {
            stuffed(&out, rows[i].in, step);
            assert_int_equal(out.n, rows[i].out.n);
            assert_memory_equal(out.p, rows[i].out.p, out.n);
        }
}

static void replies_are_read(void **state)
{
    struct pop3_reply r;
    assert_int_equal(pop3_reply_parse(S("-ERR [SYS/TEMP] try later"), &r), OK);
    assert_true(
        r.kind == POP3_REPLY_ERR && slice_eq(r.code, S("SYS/TEMP")) && slice_eq(r.text, S("try later")));
    assert_int_equal(pop3_reply_parse(S("+OK"), &r), OK);
    assert_true(r.kind == POP3_REPLY_OK && r.text.n == 0 && r.code.n == 0);
    assert_int_equal(pop3_reply_parse(S("+OK [unclosed"), &r), OK);
    assert_true(r.code.n == 0 && slice_eq(r.text, S("[unclosed")));
    assert_int_equal(pop3_reply_parse(S("+ AA=="), &r), OK);
    assert_true(r.kind == POP3_REPLY_CHALLENGE && slice_eq(r.text, S("AA==")));
    assert_int_equal(pop3_reply_parse(S("+OKAY x"), &r), ERR_SYNTAX);
    assert_int_equal(pop3_reply_parse(S("HTTP/1.1 400"), &r), ERR_SYNTAX);
    assert_int_equal(pop3_reply_parse(S("+OK a\0b"), &r), ERR_SYNTAX);
    assert_int_equal(pop3_reply_parse(S(""), &r), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_at_lf_and_marked),
        cmocka_unit_test(commands_parse),
        cmocka_unit_test(t177_number_arguments),
        cmocka_unit_test(replies_are_written),
        cmocka_unit_test(content_is_stuffed_wherever_it_is_cut),
        cmocka_unit_test(replies_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
