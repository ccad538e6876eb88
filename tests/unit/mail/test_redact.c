/* Messages without some of their attachments: what is seen, what is said instead, and that octets and structure agree. */
#include "../../fuzz/redact_check.h"

#include "mail/rows.h"

static const char *const MIXED =
    "From: a@example.test\r\nSubject: two files\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=m\r\n\r\npreamble\r\n--m\r\n"
    "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    "--a\r\nContent-Type: text/html\r\n\r\n<p>hello\r\n--a\r\nContent-Type: text/calendar\r\n\r\nSECRET\r\n"
    "--a--\r\n--m\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\nContent-Transfer-Encoding: "
    "base64\r\n"
    "Content-Disposition: attachment; filename=report.pdf\r\n\r\nU0VDUkVU\r\nU0VDUkVU\r\n--m\r\n"
    "Content-Type: image/png\r\n\r\nSECRET\r\n--m--\r\nepilogue\r\n";

static enum redact_why nothing(void *owner, struct slice type, uint64_t size)
{
    return REDACT_ANY;
}

static enum redact_why images(void *owner, struct slice type, uint64_t size)
{
    return slice_starts(type, S("image/")) ? REDACT_SHOW : REDACT_TYPE;
}

static enum redact_why small(void *owner, struct slice type, uint64_t size)
{
    return size <= 10 ? REDACT_SHOW : REDACT_SIZE;
}

static struct redact_check checked;

static struct slice redacted_in(
    const char *message, enum redact_why (*judge)(void *, struct slice, uint64_t),
    enum redact_language language)
{
    redact_check_done(&checked);
    checked = (struct redact_check){.message = slice_str(message), .judge = judge, .language = language};
    redact_check(&checked);
    return checked.r.is_changed ? buf_slice(&checked.octets) : checked.message;
}

static struct slice redacted(const char *message, enum redact_why (*judge)(void *, struct slice, uint64_t))
{
    return redacted_in(message, judge, REDACT_ENGLISH);
}

static void assert_text(struct slice got, const char *wanted)
{
    if (!slice_eq(got, slice_str(wanted)))
        fail_msg("got:\n%.*s\nwanted:\n%s", SLICE_ARG(got), wanted);
}

static bool shows(struct slice message, const char *text)
{
    return slice_search(message, slice_str(text)) != SLICE_NPOS;
}

#define NOTE_HEAD                                                                                            \
    "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"                      \
    "Content-Disposition: inline\r\n\r\n"

static void test_nothing_to_hide(void **state)
{
    static const char *const whole[] = {
        "",
        "\r\n",
        "Subject: x\r\n\r\nbody\r\n",
        "Content-Type: text/html\r\n\r\n<p>\r\n",
        ("Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a\r\n"
         "Content-Type: text/html\r\n\r\n<p>\r\n--a--\r\n"),
        /* a part without octets */
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: image/png\r\n\r\n--a--\r\n",
        "Content-Type: image/png\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        redacted(whole[i], nothing);
        assert_false(checked.r.is_changed);
    }
}

static void test_notes_stand_in_their_places(void **state)
{
    assert_text(
        redacted(MIXED, nothing),
        "From: a@example.test\r\nSubject: two files\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=m\r\n\r\npreamble\r\n--m\r\n"
        "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\n"
        "hello\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>hello\r\n--a--\r\n--m\r\n" NOTE_HEAD
        "[The attachment \"report.pdf\" (application/pdf, 10 B) is left out: this password does not open "
        "attachments.]\r\n--m\r\n" NOTE_HEAD
        "[An attachment (image/png, 6 B) is left out: this password does not open attachments.]\r\n--m--\r\n"
        "epilogue\r\n");
}

static void test_types_and_sizes(void **state)
{
    struct slice got = redacted(MIXED, images);
    assert_true(shows(got, "image/png\r\n\r\nSECRET"));
    assert_true(shows(got, "does not open attachments of this type"));
    assert_false(shows(got, "text/calendar"));
    assert_false(shows(got, "U0VDUkVU"));
    /* decoded: 10 octets, perhaps 12, and 6 */
    redacted(MIXED, small);
    assert_false(checked.r.is_changed);
    got = redacted(
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: a/b\r\n\r\n"
        "12345678901\r\n--m--\r\n",
        small);
    assert_true(
        shows(got, "(a/b, 11 B) is left out: this password does not open attachments of this size.]"));
}

static void test_chinese(void **state)
{
    struct slice got = redacted_in(MIXED, nothing, REDACT_CHINESE);
    struct buf CLEANUP_BUF text = BUF_INIT(65536);
    struct structure s;
    struct structure_section section;
    struct encoding_decoder d;
    assert_ok(structure_open(buf_slice(&checked.r.row), &s));
    assert_ok(structure_find_section(&s, S("2"), STRUCTURE_WHOLE, &section));
    assert_int_equal(section.part.encoding, ENCODING_BASE64);
    encoding_decoder_init(&d, ENCODING_BASE64);
    encoding_decoder_feed(&d, slice_sub(got, section.start, section.end - section.start), &text);
    encoding_decoder_finish(&d, &text);
    assert_text(buf_slice(&text), "[附件“report.pdf”（application/pdf，10 B）未显示：此密码不能打开附件。]");
}

/* A name is shown in full characters, without what would turn it around. */
static void test_names(void **state)
{
    struct slice got = redacted(
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: a/b; "
        "name=\"=?utf-8?Q?x=E2=80=AEfdp.exe=0D=0A--m?=\"\r\n\r\nx\r\n--m--\r\n",
        nothing);
    struct structure s;
    assert_ok(structure_open(buf_slice(&checked.r.row), &s));
    assert_int_equal(s.parts, 2);
    assert_true(shows(got, "xfdp.exe"));
}

static void test_a_root_keeps_its_header(void **state)
{
    assert_text(
        redacted(
            "Received: x\r\nFrom: a@example.test\r\nContent-Type: application/pdf; name=a.pdf\r\n"
            "CONTENT-Transfer-Encoding: base64\r\nSubject: only\r\n it\r\n\r\nU0VDUkVU\r\n",
            nothing),
        "Received: x\r\nFrom: a@example.test\r\nSubject: only\r\n it\r\nMIME-Version: 1.0\r\n" NOTE_HEAD
        "[The attachment \"a.pdf\" (application/pdf, 4 B) is left out: this password does not open "
        "attachments.]\r\n");
    struct structure s;
    struct structure_envelope e;
    assert_ok(structure_open(buf_slice(&checked.r.row), &s));
    assert_ok(structure_envelope_read(s.envelope, &e));
    assert_text(e.raw[ENVELOPE_SUBJECT], "only it");
}

/* What programs read differently is not shown in part. */
static void test_unclear_messages(void **state)
{
    static const char *const unclear[] = {
        /* which Content-Type counts? */
        "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=a\r\nSubject: s\r\n\r\n--a\r\n"
        "Content-Type: image/png\r\n\r\nSECRET\r\n--a--\r\n",
        /* a multipart without parts is text, to us */
        "Content-Type: multipart/mixed\r\nSubject: s\r\n\r\n--a\r\nContent-Type: "
        "image/png\r\n\r\nSECRET\r\n--a--\r\n",
        /* it does not end */
        "Content-Type: multipart/mixed; boundary=a\r\nSubject: s\r\n\r\n--a\r\n\r\nSECRET\r\n",
        /* text behind the end that looks like parts */
        "Content-Type: multipart/mixed; boundary=a\r\nSubject: "
        "s\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n--a\r\n\r\nSECRET\r\n",
        /* an encoding of containers */
        "Content-Type: multipart/mixed; boundary=a\r\nSubject: s\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "--a\r\n\r\nSECRET\r\n--a--\r\n",
    };
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
        struct slice got = redacted(unclear[i], nothing);
        assert_false(shows(got, "SECRET"));
        assert_true(shows(got, "Subject: s\r\n"));
        assert_true(shows(got, "[The content of this message ("));
    }
}

static void test_opaque_rows(void **state)
{
    struct buf CLEANUP_BUF row = BUF_INIT(4096);
    struct structure s;
    struct redaction r;
    struct redact_check c = {.judge = nothing};
    struct redact_rules rules = redact_check_rules(&c);
    assert_ok(structure_put_opaque(&row, 1000000));
    assert_ok(structure_open(buf_slice(&row), &s));
    redaction_init(&r);
    assert_ok(redact(&r, &s, &rules));
    assert_true(r.is_changed && r.n == 1 && r.runs[0].is_text);
    assert_true(shows(buf_slice(&r.text), "application/octet-stream, 976.5 KB"));
    assert_true(slice_starts(buf_slice(&r.text), S("MIME-Version: 1.0\r\nContent-Type: text/plain")));
    redaction_done(&r);
}

static void test_messages_in_messages(void **state)
{
#define FORWARD(inner)                                                                                       \
    "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\ntext\r\n--m\r\nContent-Type: "              \
    "message/rfc822\r\n\r\n" inner "\r\n--m--\r\n"
#define INNER                                                                                                \
    "Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nSECRET\r\n--i\r\n"        \
    "Content-Type: image/png\r\n\r\nlonger than ten\r\n--i--"
    assert_false(shows(redacted(FORWARD(INNER), nothing), "SECRET"));
    assert_true(shows(buf_slice(&checked.octets), "(message/rfc822, "));
    /* one thing inside that may not be seen: nothing of it is */
    assert_false(shows(redacted(FORWARD(INNER), small), "SECRET"));
    /* a message that ends with its header, before a delimiter and before a line end and a delimiter */
    redacted(FORWARD("Subject: only a header"), nothing);
    assert_true(checked.r.is_changed);
    redacted(FORWARD("Subject: only a header\r\n"), nothing);
    assert_true(checked.r.is_changed);
    redacted(FORWARD("Subject: only a header\r\n\r\n"), nothing);
    assert_true(checked.r.is_changed);
}

static void test_signatures(void **state)
{
    struct slice got = redacted(
        "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        "--s\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\nSECRET\r\n--s--\r\n",
        nothing);
    assert_true(shows(got, "hello"));
    assert_true(
        shows(got, "attachments. The digital signature of the message can therefore not be checked.]"));
}

/* More notes than there is room for. */
static void test_too_many(void **state)
{
    struct buf CLEANUP_BUF message = BUF_INIT(8 << 20);
    buf_put(&message, S("Subject: s\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"));
    for (int i = 0; i < LIMIT_MIME_PARTS - 2; i++)
        buf_printf(&message, "--m\r\nContent-Type: a/b; name=\"%0*d\"\r\n\r\nSECRET\r\n", 119, i);
    buf_put(&message, S("--m--\r\n"));
    struct slice got = redacted(buf_cstr(&message), nothing);
    assert_false(shows(got, "SECRET"));
    assert_true(shows(got, "Subject: s"));
}

/* ---- any message ---- */

static uint32_t seed = 7;

static unsigned roll(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void put_random_part(struct buf *out, int depth, int *boundaries)
{
    static const char *const multiparts[] = {"mixed", "alternative", "related", "signed", "digest", "report"};
    static const char *const leaves[] = {
        "Content-Type: text/plain\r\n",
        "Content-Type: text/html\r\n",
        "",
        "Content-Type: text/plain; name=a.txt\r\n",
        "Content-Type: image/png\r\nContent-ID: <x@y>\r\n",
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n",
        "Content-Type: text/calendar\r\n",
        "Content-Disposition: attachment\r\n"};
    unsigned what = roll(10);
    if (depth < 5 && what < 4) {
        int boundary = ++*boundaries;
        buf_printf(out, "Content-Type: multipart/%s; boundary=b%dx\r\n\r\n", multiparts[roll(6)], boundary);
        for (unsigned i = 1 + roll(4); i > 0; i--) {
            buf_printf(out, "--b%dx\r\n", boundary);
            put_random_part(out, depth + 1, boundaries);
            buf_put(out, S("\r\n"));
        }
        buf_printf(out, "--b%dx--%s", boundary, roll(2) ? "\r\nepilogue" : "");
    } else if (depth < 5 && depth > 0 && what == 4) {
        buf_put(out, S("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n"));
        put_random_part(out, depth + 1, boundaries);
    } else {
        buf_put_str(out, leaves[roll(8)]);
        buf_put(out, S("\r\n"));
        for (unsigned i = roll(5); i > 0; i--)
            buf_put(out, S("0123456789abcde\r\n"));
    }
}

static enum redact_why by_owner(void *owner, struct slice type, uint64_t size)
{
    switch (*(unsigned *)owner) {
    case 0:
        return REDACT_ANY;
    case 1:
        return images(NULL, type, size);
    case 2:
        return small(NULL, type, size);
    default:
        return slice_starts(type, S("message/")) ? REDACT_SHOW : images(NULL, type, size);
    }
}

static void test_any_message(void **state)
{
    unsigned changed = 0, parts = 0;
    for (int i = 0; i < 20000; i++) {
        struct buf CLEANUP_BUF message = BUF_INIT(1 << 20);
        unsigned rules = roll(4);
        int boundaries = 0;
        buf_put(&message, S("Subject: any\r\n"));
        put_random_part(&message, 0, &boundaries);
        buf_put(&message, S("\r\n"));
        struct redact_check c = {
            .message = buf_slice(&message),
            .judge = by_owner,
            .owner = &rules,
            .language = roll(2) ? REDACT_ENGLISH : REDACT_CHINESE};
        redact_check(&c);
        changed += c.r.is_changed;
        parts += c.r.is_changed && c.r.n > 1;
        redact_check_done(&c);
    }
    assert_true(changed > 5000 && parts > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_hide),
        cmocka_unit_test(test_notes_stand_in_their_places),
        cmocka_unit_test(test_types_and_sizes),
        cmocka_unit_test(test_chinese),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_root_keeps_its_header),
        cmocka_unit_test(test_unclear_messages),
        cmocka_unit_test(test_opaque_rows),
        cmocka_unit_test(test_messages_in_messages),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_any_message),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    redact_check_done(&checked);
    return failed;
}
