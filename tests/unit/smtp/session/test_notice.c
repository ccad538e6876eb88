/* The mails that the server writes to its own people: in their language, with what happened, and not to be broken by names that
 * others chose. */
#include "test.h"

#include "base/limits.h"
#include "mail/encoding.h"
#include "smtp/session/notice_text.h"

static struct notice notice_of(const char *kind, const char *facts, const char *language)
{
    return (struct notice){
        .kind = slice_str(kind),
        .facts = slice_str(facts),
        .address = S("alice@example.org"),
        .language = slice_str(language),
        .hostname = S("mail.example.org"),
        .random = S("0123456789abcdef"),
        .now_s = 1800000000,
    };
}

/* Header and decoded body in one text. */
static struct slice read_back(const struct notice *n, struct buf *out)
{
    struct buf whole = BUF_INIT(LIMIT_NOTICE * 2);
    assert_ok(notice_write(n, &whole));
    struct slice text = buf_slice(&whole);
    size_t end = slice_search(text, S("\r\n\r\n"));
    assert_true(end < text.n);
    buf_put(out, slice_sub(text, 0, end + 4));
    struct encoding_decoder d;
    encoding_decoder_init(&d, ENCODING_BASE64);
    encoding_decoder_feed(&d, slice_from(text, end + 4), out);
    encoding_decoder_finish(&d, out);
    buf_done(&whole);
    return buf_slice(out);
}

static bool has(struct slice text, const char *part)
{
    return slice_search(text, slice_str(part)) != SLICE_NPOS;
}

static void in_both_languages(void **unused)
{
    (void)unused;
    static const char *const kinds[] = {
        "client-added",   "client-changed",  "client-rotated",  "client-revoked",    "client-frozen",
        "client-thawed",  "client-expiring", "canary",          "client-rotate-due", "mailbox-reset",
        "factor-changed", "factor-guessed",  "mailbox-changed", "mailbox-expiring",  "something-new"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct buf en = BUF_INIT(LIMIT_NOTICE * 2), zh = BUF_INIT(LIMIT_NOTICE * 2);
        struct notice n = notice_of(kinds[i], "label=Phone\nwhen_s=1800000000\nfrom=192.0.2.7\n", "en");
        struct slice text = read_back(&n, &en);
        assert_true(has(text, "When: 2027-01-15 08:00 UTC\r\n"));
        assert_true(has(text, "From: 192.0.2.7\r\n"));
        assert_true(has(text, "Mailbox: alice@example.org\r\n"));
        assert_false(has(text, "{"));
        n.language = S("zh");
        text = read_back(&n, &zh);
        assert_true(has(text, "来源地址: 192.0.2.7\r\n"));
        assert_true(has(text, "Subject:\r\n =?"));
        assert_false(has(text, "{"));
        buf_done(&en);
        buf_done(&zh);
    }
}

static void names_break_nothing(void **unused)
{
    (void)unused;
    struct buf out = BUF_INIT(LIMIT_NOTICE * 2);
    struct notice n = notice_of(
        "client-added", "label=x\r\nBcc: eve@evil.test {account} {label}\nprogram=\"><script>\n", "en");
    struct slice text = read_back(&n, &out);
    size_t end = slice_search(text, S("\r\n\r\n"));
    assert_false(has(slice_sub(text, 0, end), "\r\nBcc:"));
    assert_true(has(text, "From: Letterlock <postmaster@mail.example.org>\r\n"));
    assert_true(has(text, "Auto-Submitted: auto-generated\r\n"));
    buf_done(&out);
}

static void time_that_is_none(void **unused)
{
    (void)unused;
    struct buf out = BUF_INIT(LIMIT_NOTICE * 2);
    struct notice n = notice_of("client-expiring", "expires_s=99999999999999999999\nwhen_s=soon\n", "en");
    struct slice text = read_back(&n, &out);
    assert_true(has(text, "Until: 99999999999999999999\r\n"));
    assert_true(has(text, "When: soon\r\n"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_both_languages),
        cmocka_unit_test(names_break_nothing),
        cmocka_unit_test(time_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
