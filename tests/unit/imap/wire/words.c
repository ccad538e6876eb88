/* Sets, names in modified UTF-7, and responses. */
#include "cases.h"
#include "test.h"

#include "imap/wire/flags.h"
#include "imap/wire/mutf7.h"
#include "imap/wire/sets.h"
#include "imap/wire/write.h"

static void set_is(const char *text, uint32_t largest, const char *wanted)
{
    struct arena CLEANUP_ARENA mem = ARENA_INIT(1 << 20);
    struct buf CLEANUP_BUF out = BUF_INIT(1000);
    struct imap_set set;
    assert_ok(imap_set_parse(slice_str(text), 100, &mem, &set));
    imap_set_resolve(&set, largest);
    put_set(&out, &set);
    if (!slice_eq(buf_slice(&out), slice_str(wanted)))
        fail_msg("%s: wanted %s, got %.*s", text, wanted, SLICE_ARG(buf_slice(&out)));
}

static void test_sets(void **state)
{
    set_is("1", 9, "1");
    set_is("2,4:7,9,12:*", 15, "2,4:7,9,12:15");
    set_is("*:4,5:7", 10, "4:10");
    set_is("4294967295:1", 9, "1:4294967295");
    set_is("5:*", 3, "3:5"); /* RFC 3501 9: the order of a range does not matter */
    set_is("*", 0, "");
    set_is("1:3,2:5,6,8", 9, "1:6,8");
    set_is("3,2,1,1,1", 9, "1:3");
    set_is("*:*", 7, "7");
}

static void test_set_membership(void **state)
{
    struct arena CLEANUP_ARENA mem = ARENA_INIT(1 << 20);
    struct imap_set set;
    assert_ok(imap_set_parse(S("2,4:7,9,12:*"), 100, &mem, &set));
    assert_int_equal(imap_set_largest(&set), 12);
    imap_set_resolve(&set, 15);
    for (uint32_t n = 0; n < 20; n++)
        assert_int_equal(
            imap_set_has(&set, n), n == 2 || (n >= 4 && n <= 7) || n == 9 || (n >= 12 && n <= 15));
    assert_ok(imap_set_parse(S("$"), 100, &mem, &set));
    assert_true(set.saved);
}

static void test_t163_sets_that_are_none(void **state)
{
    static const char *const wrong[] = {"",     "0", "4294967296", "1:",  ":1", "1::2", "-1",  "1,",  ",1",
                                        "1,,2", "a", "1:2:3",      "1 2", "01", "$1",   "1,$", "1.2", "1:0"};
    struct cases cases = {.id = "T-163"};
    struct arena CLEANUP_ARENA mem = ARENA_INIT(1 << 20);
    struct buf CLEANUP_BUF many = BUF_INIT(1 << 20);
    struct imap_set set;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cases_check(&cases, imap_set_parse(slice_str(wrong[i]), 100, &mem, &set) == ERR_SYNTAX, wrong[i]);
    for (int i = 0; i < 100000; i++)
        buf_put(&many, S("1,"));
    buf_put_char(&many, '1');
    cases_check(&cases, imap_set_parse(buf_slice(&many), 10000, &mem, &set) == ERR_LIMIT, "100,000 ranges");
    cases_check(&cases, mem.used < 4096, "and no memory for them");
    cases_check(
        &cases, imap_set_parse(S("1:4294967295"), 10, &mem, &set) == OK && set.n == 1, "the largest range");
    cases_end(&cases, 20);
}

static void test_set_writer(void **state)
{
    struct buf CLEANUP_BUF out = BUF_INIT(1000);
    struct imap_set_writer w;
    static const uint32_t numbers[] = {1, 2, 3, 5, 7, 8, 4294967295u};
    imap_set_writer_init(&w, &out);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        imap_set_writer_add(&w, numbers[i]);
    imap_set_writer_done(&w);
    assert_slice("1:3,5,7:8,4294967295", buf_slice(&out));
}

static void test_mutf7_both_ways(void **state)
{
    static const struct {
        const char *wire, *utf8;
    } rows[] = {
        {"INBOX", "INBOX"},
        {"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
         "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"}, /* RFC 3501 5.1.3 */
        {"Tom &- Jerry", "Tom & Jerry"},
        {"&-", "&"},
        {"Entw&APw-rfe", "Entw\xc3\xbcrfe"},
        {"&2D3eAA-", "\xf0\x9f\x98\x80"},
        {"&V4NXPg-&-&V4M-", "\xe5\x9e\x83\xe5\x9c\xbe&\xe5\x9e\x83"},
        {"a&AOkA6Q-b", "a\xc3\xa9\xc3\xa9"
                       "b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf CLEANUP_BUF out = BUF_INIT(1000);
        assert_ok(imap_mutf7_get(slice_str(rows[i].wire), &out));
        assert_true(slice_eq(buf_slice(&out), slice_str(rows[i].utf8)));
        buf_clear(&out);
        assert_ok(imap_mutf7_put(&out, slice_str(rows[i].utf8)));
        assert_true(slice_eq(buf_slice(&out), slice_str(rows[i].wire)));
    }
}

static void test_t160_names_that_are_none(void **state)
{
    static const char *const wrong[] = {
        "&AAA-",                                            /* NUL */
        "&AC8-",                                            /* slash, which stands for itself */
        "&AEE-",                                            /* A */
        "&Jjo",                                             /* unclosed */
        "&",          "a&",    "&2AA-",                     /* lone surrogate */
        "&3AA-",      "&2D0-",                              /* half a pair */
        "&AOk-&AOk-",                                       /* two runs side by side */
        "&AOl-",                                            /* the bits behind are not zero */
        "&AOkA-",                                           /* a digit too many */
        "&A-",        "&AO-",  "&AO k-", "&AO/k-", "&AAk-", /* HTAB */
        "&AH8-",                                            /* DEL */
        "\xc3\xa9",                                         /* raw 8-bit */
        "a\tb",       "a\x7f", "&ACY-",                     /* & itself */
        "&U,BTFw-&",
    };
    struct cases cases = {.id = "T-160"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buf CLEANUP_BUF out = BUF_INIT(1000);
        buf_put(&out, S("kept"));
        cases_check(&cases, imap_mutf7_get(slice_str(wrong[i]), &out) == ERR_SYNTAX && out.n == 4, wrong[i]);
    }
    struct buf CLEANUP_BUF out = BUF_INIT(1000);
    cases_check(&cases, imap_mutf7_put(&out, S("\xed\xa0\x80")) == ERR_SYNTAX, "surrogate in UTF-8");
    cases_check(&cases, imap_mutf7_put(&out, S("\xc0\xaf")) == ERR_SYNTAX, "overlong slash");
    cases_end(&cases, 22);
}

static void test_strings(void **state)
{
    struct buf CLEANUP_BUF out = BUF_INIT(10000);
    imap_put_string(&out, S("a \"b\" \\c"));
    imap_put_string(&out, S(""));
    imap_put_nstring(&out, SLICE_EMPTY);
    imap_put_string(&out, S("x\r\ny"));
    imap_put_string(&out, S("\xc3\xa9"));
    imap_put_string(&out, S("a\0b"));
    assert_slice(
        "\"a \\\"b\\\" \\\\c\"\"\"NIL{4}\r\nx\r\ny{2}\r\n\xc3\xa9{3}\r\na\x80"
        "b",
        buf_slice(&out));
    buf_clear(&out);
    imap_put_astring(&out, S("INBOX"));
    imap_put_astring(&out, S("nil"));
    imap_put_astring(&out, S("a b"));
    imap_put_astring(&out, S("a]"));
    imap_put_astring(&out, S("a*"));
    imap_put_astring(&out, S(""));
    assert_slice("INBOX\"nil\"\"a b\"a]\"a*\"\"\"", buf_slice(&out));
}

static void test_mailbox_names_leave(void **state)
{
    struct buf CLEANUP_BUF out = BUF_INIT(10000);
    imap_put_mailbox(&out, S("Entw\xc3\xbcrfe"), false);
    buf_put_char(&out, ' ');
    imap_put_mailbox(&out, S("Tom & Jerry"), false);
    buf_put_char(&out, ' ');
    imap_put_mailbox(&out, S("A&B"), false);
    buf_put_char(&out, ' ');
    imap_put_mailbox(&out, S("Entw\xc3\xbcrfe"), true);
    assert_slice("Entw&APw-rfe \"Tom &- Jerry\" A&-B \"Entw\xc3\xbcrfe\"", buf_slice(&out));
}

static void test_responses(void **state)
{
    struct buf CLEANUP_BUF out = BUF_INIT(10000);
    imap_put_tagged(&out, S("a1"), IMAP_NO, IMAP_CODE_TRYCREATE, "no such mailbox");
    imap_put_untagged(&out, IMAP_BYE, IMAP_CODE_NONE, "logging out");
    imap_put_continue(&out, S(""));
    assert_slice("a1 NO [TRYCREATE] no such mailbox\r\n* BYE logging out\r\n+ \r\n", buf_slice(&out));
    buf_clear(&out);
    imap_put_date_time(&out, 837596665);
    assert_slice("\"17-Jul-1996 09:44:25 +0000\"", buf_slice(&out));
    buf_clear(&out);
    assert_true(imap_put_flags(&out, IMAP_FLAG_SEEN | IMAP_FLAG_DRAFT | IMAP_FLAG_RECENT));
    assert_slice("\\Seen \\Draft \\Recent", buf_slice(&out));
    assert_int_equal(imap_flag_of(S("\\dELETED")), IMAP_FLAG_DELETED);
    assert_int_equal(imap_flag_of(S("Deleted")), 0);
}

static void test_capabilities(void **state)
{
    struct buf CLEANUP_BUF out = BUF_INIT(10000);
    const struct slice mechanisms[] = {S("PLAIN"), S("LOGIN")};
    imap_put_capabilities(&out, IMAP_CAPS_PREAUTH | IMAP_CAPS_STARTTLS | IMAP_CAPS_NO_LOGIN, mechanisms, 0);
    assert_slice(
        "CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE STARTTLS LOGINDISABLED", buf_slice(&out));
    buf_clear(&out);
    imap_put_capabilities(&out, IMAP_CAPS_PREAUTH, mechanisms, 2);
    assert_slice(
        "CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN", buf_slice(&out));
    buf_clear(&out);
    imap_put_capabilities(&out, 0, NULL, 0);
    assert_true(slice_search(buf_slice(&out), S(" CONDSTORE")) != SLICE_NPOS);
    assert_true(slice_search(buf_slice(&out), S("STARTTLS")) == SLICE_NPOS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_set_membership),
        cmocka_unit_test(test_t163_sets_that_are_none),
        cmocka_unit_test(test_set_writer),
        cmocka_unit_test(test_mutf7_both_ways),
        cmocka_unit_test(test_t160_names_that_are_none),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_mailbox_names_leave),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_capabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
