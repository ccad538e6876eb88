#include "test.h"

#include "audit/journal.h"
#include "base/limits.h"
#include "crypto/random.h"

static const struct audit_record revoked = {
    .time_ms = 1795352645678,
    .kind = {"client.revoked", 14},
    .process = {"vault", 5},
    .actor = {"root", 4},
    .subject = {"alice@example.test", 18},
    .body = {"credential=3\nlabel=a \"quoted\"\n\tname=x=y\nloose\n\n", 47},
};

static struct buf journal_of(unsigned lines)
{
    struct buf out = BUF_INIT(1 << 20);
    struct audit_chain chain = AUDIT_CHAIN_START;
    for (unsigned i = 0; i < lines; i++)
        assert_int_equal(audit_encode(&chain, &revoked, &out), OK);
    return out;
}

static void a_line_reads_as_written(void **state)
{
    struct buf out CLEANUP_BUF = journal_of(1);
    const char *expected =
        "{\"n\":1,\"time\":\"2026-11-22T13:04:05.678Z\",\"kind\":\"client.revoked\",\"process\":\"vault\","
        "\"actor\":"
        "\"root\",\"subject\":\"alice@example.test\",\"fields\":{\"credential\":\"3\",\"label\":\"a "
        "\\\"quoted\\\"\","
        "\"\\u0009name\":\"x=y\",\"text\":\"loose\"},"
        "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":\"";
    assert_true(slice_starts(buf_slice(&out), slice_str(expected)));
    assert_true(slice_ends(buf_slice(&out), S("\"}\n")));
}

static void a_whole_journal_verifies(void **state)
{
    struct buf out CLEANUP_BUF = journal_of(50);
    struct audit_chain chain = AUDIT_CHAIN_START, resumed;
    assert_int_equal(audit_verify_all(&chain, buf_slice(&out), NULL), OK);
    assert_int_equal(chain.next, 51);
    assert_int_equal(audit_resume(audit_last_line(buf_slice(&out)), &resumed), OK);
    assert_memory_equal(&resumed, &chain, sizeof chain);
}

/* T-327: every single changed octet is noticed. */
static void any_changed_octet_is_noticed(void **state)
{
    struct buf out CLEANUP_BUF = journal_of(3);
    for (size_t i = 0; i < out.n; i++) {
        for (unsigned change = 1; change < 256; change = change * 3 + 1) {
            out.p[i] ^= (char)change;
            struct audit_chain chain = AUDIT_CHAIN_START;
            enum err e = audit_verify_all(&chain, buf_slice(&out), NULL);
            out.p[i] ^= (char)change;
            /* The one exception: hex digits of the two hashes may change case, which changes nothing. */
            if (e == OK)
                assert_true(change == 0x20);
            else
                assert_int_equal(e, ERR_CORRUPT);
        }
    }
}

static void dropped_moved_and_doubled_lines_are_noticed(void **state)
{
    struct buf out CLEANUP_BUF = journal_of(4);
    struct slice lines[4], rest = buf_slice(&out);
    for (int i = 0; i < 4; i++)
        assert_true(slice_cut(&rest, '\n', &lines[i]));
    static const int orders[][4] = {
        {0, 2, 3, -1}, {1, 2, 3, -1}, {0, 2, 1, 3}, {0, 1, 1, 2}, {3, -1, -1, -1}};
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        struct audit_chain chain = AUDIT_CHAIN_START;
        enum err e = OK;
        for (int i = 0; i < 4 && orders[o][i] >= 0 && e == OK; i++)
            e = audit_verify(&chain, lines[orders[o][i]]);
        assert_int_equal(e, ERR_CORRUPT);
    }
    struct audit_chain chain = AUDIT_CHAIN_START;
    uint64_t bad = 0;
    struct slice without_first = slice_from(buf_slice(&out), lines[0].n + 1);
    assert_int_equal(audit_verify_all(&chain, without_first, &bad), ERR_CORRUPT);
    assert_int_equal(bad, 1);
}

static void a_cut_line_is_no_record(void **state)
{
    struct buf out CLEANUP_BUF = journal_of(2);
    size_t first = slice_find(buf_slice(&out), '\n') + 1;
    for (size_t n = 0; n <= out.n; n++) {
        struct slice part = slice_sub(buf_slice(&out), 0, n);
        size_t whole = n == out.n ? out.n : n >= first ? first : 0;
        assert_int_equal(audit_whole_lines(part), whole);
        struct audit_chain chain;
        assert_int_equal(audit_resume(audit_last_line(part), &chain), whole ? OK : ERR_CORRUPT);
    }
}

static void hostile_text_stays_in_its_place(void **state)
{
    struct audit_record r = revoked;
    r.subject = S("x\",\"actor\":\"root\n{\"n\":9\xff\xe2\x80\xa8");
    r.body = S("a\r\"}=\x01\x7f\nb=1");
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_AUDIT_LINE);
    struct audit_chain chain = AUDIT_CHAIN_START, check = AUDIT_CHAIN_START;
    assert_int_equal(audit_encode(&chain, &r, &out), OK);
    assert_int_equal(slice_find(buf_slice(&out), '\n'), out.n - 1);
    assert_int_equal(
        slice_search(
            buf_slice(&out),
            S("\"subject\":\"x\\\",\\\"actor\\\":\\\"root\\u000a{\\\"n\\\":9\xef\xbf\xbd\\u2028\"")) !=
            SLICE_NPOS,
        true);
    assert_int_equal(audit_verify_all(&check, buf_slice(&out), NULL), OK);
}

static void too_long_changes_nothing(void **state)
{
    static char big[LIMIT_AUDIT_LINE];
    memset(big, 'x', sizeof big);
    struct audit_record r = revoked;
    r.body = slice_of(big, sizeof big);
    struct buf out CLEANUP_BUF = BUF_INIT(2 * LIMIT_AUDIT_LINE);
    struct audit_chain chain = AUDIT_CHAIN_START;
    assert_int_equal(audit_encode(&chain, &r, &out), ERR_LIMIT);
    assert_int_equal(out.n, 0);
    assert_int_equal(chain.next, 1);
}

static void segments_are_days(void **state)
{
    char name[AUDIT_NAME_LEN + 1];
    audit_segment_name(1795305600000 - 1, name);
    assert_string_equal(name, "2026-11-21.journal");
    audit_segment_name(1795305600000, name);
    assert_string_equal(name, "2026-11-22.journal");
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_reads_as_written),
        cmocka_unit_test(a_whole_journal_verifies),
        cmocka_unit_test(any_changed_octet_is_noticed),
        cmocka_unit_test(dropped_moved_and_doubled_lines_are_noticed),
        cmocka_unit_test(a_cut_line_is_no_record),
        cmocka_unit_test(hostile_text_stays_in_its_place),
        cmocka_unit_test(too_long_changes_nothing),
        cmocka_unit_test(segments_are_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
