/* ENVELOPE and BODYSTRUCTURE, from messages through the stored row: RFC 3501 7.4.2, and hostile MIME. */
#include "test.h"

#include "imap/wire/describe.h"

static void row_of(struct slice message, struct buf *row)
{
    struct mime_parser *p = mime_new();
    mime_feed(p, message);
    assert_ok(structure_put(row, mime_finish(p)));
    mime_free(&p);
}

static void envelope_is(struct slice message, const char *wanted)
{
    struct buf CLEANUP_BUF row = BUF_INIT(8 << 20), CLEANUP_BUF out = BUF_INIT(8 << 20);
    struct structure s;
    row_of(message, &row);
    assert_ok(structure_open(buf_slice(&row), &s));
    assert_ok(imap_put_envelope(&out, s.envelope));
    if (!slice_eq(buf_slice(&out), slice_str(wanted)))
        fail_msg("wanted %s, got %.*s", wanted, SLICE_ARG(buf_slice(&out)));
}

static void structure_is(struct slice message, bool extended, const char *wanted)
{
    struct buf CLEANUP_BUF row = BUF_INIT(8 << 20), CLEANUP_BUF out = BUF_INIT(8 << 20);
    struct structure s;
    row_of(message, &row);
    assert_ok(structure_open(buf_slice(&row), &s));
    assert_ok(imap_put_bodystructure(&out, &s, extended));
    if (!slice_eq(buf_slice(&out), slice_str(wanted)))
        fail_msg("wanted %s, got %.*s", wanted, SLICE_ARG(buf_slice(&out)));
}

/* RFC 3501 8. */
static void test_rfc_example(void **state)
{
    envelope_is(
        S("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n"
          "Subject: IMAP4rev1 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n"
          "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
          "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n"),
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" "
        "\"cac.washington.edu\")) "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) "
        "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
        "\"<B27397-0100000@cac.washington.edu>\")");
}

static void test_envelopes(void **state)
{
    envelope_is(S("\r\n"), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    envelope_is(S("Subject:\r\n\r\n"), "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    envelope_is(
        S("Subject: a \"b\" \\ c\r\nIn-Reply-To: <x@y>\r\n\r\n"),
        "(NIL \"a \\\"b\\\" \\\\ c\" NIL NIL NIL NIL NIL NIL \"<x@y>\" NIL)");
    envelope_is(S("Subject: \xc3\xa9\r\n\r\n"), "(NIL {2}\r\n\xc3\xa9 NIL NIL NIL NIL NIL NIL NIL NIL)");
    /* a group: its name in the mailbox place, NIL hosts around its members */
    envelope_is(
        S("From: x@y\r\nReply-To: r@y\r\nTo: A Group:Ed <ed@z>,joe@z;\r\n\r\n"),
        "(NIL NIL ((NIL NIL \"x\" \"y\")) ((NIL NIL \"x\" \"y\")) ((NIL NIL \"r\" \"y\")) "
        "((NIL NIL \"A Group\" NIL)(\"Ed\" NIL \"ed\" \"z\")(NIL NIL \"joe\" \"z\")(NIL NIL NIL NIL)) NIL "
        "NIL NIL NIL)");
}

static void test_structures(void **state)
{
    structure_is(
        S("Content-Type: text/plain; charset=us-ascii\r\n\r\na\r\nb\r\n"), false,
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 2)");
    structure_is(
        S("Content-Type: image/png; name=\"x \\\"y\\\".png\"\r\nContent-Transfer-Encoding: "
          "base64\r\nContent-ID: <i@x>\r\n"
          "Content-Disposition: attachment; filename=x.png\r\nContent-Language: en, de\r\nContent-Location: "
          "here\r\n\r\nAAAA"),
        true,
        "(\"image\" \"png\" (\"name\" \"x \\\"y\\\".png\") \"<i@x>\" NIL \"base64\" 4 NIL "
        "(\"attachment\" (\"filename\" \"x.png\")) (\"en\" \"de\") \"here\")");
    structure_is(
        S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: "
          "multipart/alternative; "
          "boundary=c\r\n\r\n--c\r\nContent-Type: text/html\r\n\r\ny\r\n--c--\r\n--b--\r\n"),
        false,
        "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)"
        "((\"text\" \"html\" NIL NIL NIL \"7bit\" 1 0) \"alternative\") \"mixed\")");
}

/* A damaged row gives an error, and nothing of it is written. */
static void test_damaged_rows(void **state)
{
    struct buf CLEANUP_BUF row = BUF_INIT(8 << 20), CLEANUP_BUF out = BUF_INIT(8 << 20);
    row_of(
        S("From: a@b\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
          "message/rfc822\r\n\r\n"
          "To: c@d\r\n\r\nx\r\n--b--\r\n"),
        &row);
    for (size_t i = 0; i < row.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct structure s;
            row.p[i] ^= (char)(1 << bit);
            buf_clear(&out);
            buf_put(&out, S("kept"));
            if (structure_open(buf_slice(&row), &s) == OK) {
                if (imap_put_bodystructure(&out, &s, true) != OK)
                    assert_int_equal(out.n, 4);
                out.n = 4;
                if (imap_put_envelope(&out, s.envelope) != OK)
                    assert_int_equal(out.n, 4);
            }
            row.p[i] ^= (char)(1 << bit);
        }
    }
    for (size_t n = 0; n < row.n; n++) {
        struct structure s;
        buf_clear(&out);
        if (structure_open(slice_sub(buf_slice(&row), 0, n), &s) == OK)
            assert_true(imap_put_bodystructure(&out, &s, true) != OK || out.n > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_example),
        cmocka_unit_test(test_envelopes),
        cmocka_unit_test(test_structures),
        cmocka_unit_test(test_damaged_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
