/* The MIME tree and its row: shapes, offsets, sections, envelopes, damaged rows. */
#include "rows.h"

static void shapes(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in;
        const char *shape;
        uint32_t flags; /* those that matter here */
    } rows[] = {
        {S(""), "text/plain", 0},
        {S("\r\n"), "text/plain", 0},
        {S("Subject: x\r\n\r\nbody\r\n"), "text/plain", 0},
        {S("Subject: x"), "text/plain", 0},
        {S("body only"), "text/plain", MIME_AMBIGUOUS},
        {S("Content-Type: text/html; charset=utf-8\r\n\r\n<b>"), "text/html", 0},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\na\r\n--b\r\nContent-Type: "
           "image/png\r\n\r\nx\r\n--b--\r\n"),
         "multipart/mixed(text/plain image/png)", 0},
        {S("Content-Type: multipart/mixed; boundary=b\n\n--b\n\na\n--b--\n"), "multipart/mixed(text/plain)",
         MIME_AMBIGUOUS | MIME_BARE_LINE_END},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
           "message/rfc822\r\n\r\nContent-Type: "
           "multipart/alternative; "
           "boundary=c\r\n\r\n--c\r\n\r\n1\r\n--c\r\n\r\n2\r\n--c--\r\n\r\n--b\r\n\r\n3\r\n--b--"),
         "multipart/mixed(message/rfc822(multipart/alternative(text/plain text/plain)) text/plain)", 0},
        {S("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: "
           "1\r\n\r\none\r\n--b\r\nContent-Type: "
           "text/plain\r\n\r\ntwo\r\n--b--\r\n"),
         "multipart/digest(message/rfc822(text/plain) text/plain)", 0},
        {S("Content-Type: message/rfc822\r\n\r\nContent-Type: message/global\r\n\r\nSubject: x\r\n\r\nb"),
         "message/rfc822(message/global(text/plain))", 0},
        {S("Content-Type: message/rfc822"), "message/rfc822(text/plain)", 0},
        {S("Content-Type: message/partial; id=a; number=1\r\n\r\nx"), "message/partial", 0},
        {S("Content-Type: message/external-body; access-type=url\r\n\r\nx"), "message/external-body", 0},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b"), "multipart/mixed(text/plain)",
         MIME_UNCLOSED | MIME_AMBIGUOUS},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--"), "text/plain", MIME_AMBIGUOUS},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\nno delimiter"), "text/plain",
         MIME_UNCLOSED | MIME_AMBIGUOUS},
        {S("Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"), "text/plain", MIME_AMBIGUOUS},
        /* a delimiter ends a header; a message without one still holds a child */
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
           "message/rfc822\r\n--b--\r\n"),
         "multipart/mixed(message/rfc822(text/plain))", 0},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
           "message/rfc822\r\n\r\n--b--\r\n"),
         "multipart/mixed(message/rfc822(text/plain))", 0},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n--b--\r\n"),
         "multipart/mixed(text/plain text/plain)", 0},
        /* an outer delimiter ends all that is inside */
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; "
           "boundary=c\r\n\r\n--c\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n"),
         "multipart/mixed(multipart/mixed(text/plain) text/plain)", MIME_UNCLOSED | MIME_AMBIGUOUS},
        {S("Content-Type: text/plain\r\n\r\ncaf\xc3\xa9\r\n"), "text/plain", MIME_8BIT},
        {S("Subject: caf\xc3\xa9\r\n\r\nx\r\n"), "text/plain", MIME_HEADER_8BIT},
        {S("Subject: x\r\n\r\na\0b\r\n"), "text/plain", MIME_NUL},
        {S("Content-Type: application/pdf; name=x.pdf\r\n\r\nx"), "application/pdf", MIME_ATTACHMENT},
        {S("Content-Disposition: attachment\r\n\r\nx"), "text/plain", MIME_ATTACHMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct structure s;
        CLEANUP_BUF struct buf shape = BUF_INIT(10000);
        struct buf row;
        assert_true(row_open(rows[i].in, &row, &s));
        shape_put(&s, &shape);
        if (!slice_eq(buf_slice(&shape), slice_str(rows[i].shape)) || s.flags != rows[i].flags)
            fail_msg("%.*s\n  gave %.*s %x", SLICE_ARG(rows[i].in), SLICE_ARG(buf_slice(&shape)), s.flags);
        buf_done(&row);
    }
}

static struct slice big = S("From: a@b.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n"
                            "--x\r\nContent-Type: text/plain\r\n\r\none\r\nline\r\n"
                            "--x\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n"
                            "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nthree one\r\n"
                            "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
                            "--y\r\nContent-Type: image/gif\r\n\r\nfour one\r\n"
                            "--y\r\nContent-Type: message/rfc822\r\nX: mime\r\n\r\nSubject: "
                            "deep\r\nContent-Type: multipart/alternative; boundary=z\r\n\r\n"
                            "--z\r\nContent-Type: text/plain\r\n\r\n4.2.1\r\n--z\r\nContent-Type: "
                            "text/richtext\r\n\r\n4.2.2\r\n--z--\r\n"
                            "--y--\r\n--x--\r\nepilogue\r\n");

/* The example of RFC 3501 6.4.5, in its shape. */
static void sections(void **unused)
{
    (void)unused;
    struct structure s;
    struct buf row;
    assert_true(row_open(big, &row, &s));
    static const struct {
        struct slice path;
        enum structure_want want;
        const char *text; /* NULL: there is none */
    } rows[] = {
        {S("1"), STRUCTURE_WHOLE, "one\r\nline"},
        {S("1"), STRUCTURE_MIME, "Content-Type: text/plain\r\n\r\n"},
        {S("1"), STRUCTURE_HEADER, NULL},
        {S("1"), STRUCTURE_TEXT, NULL},
        {S("1.1"), STRUCTURE_WHOLE, NULL},
        {S("2"), STRUCTURE_WHOLE, "two"},
        {S("3"), STRUCTURE_WHOLE, "Subject: inner\r\n\r\nthree one"},
        {S("3"), STRUCTURE_HEADER, "Subject: inner\r\n\r\n"},
        {S("3"), STRUCTURE_TEXT, "three one"},
        {S("3"), STRUCTURE_MIME, "Content-Type: message/rfc822\r\n\r\n"},
        {S("3.1"), STRUCTURE_WHOLE, "three one"},
        {S("3.1"), STRUCTURE_MIME, "Subject: inner\r\n\r\n"},
        {S("3.1.1"), STRUCTURE_WHOLE, NULL},
        {S("3.2"), STRUCTURE_WHOLE, NULL},
        {S("4.1"), STRUCTURE_WHOLE, "four one"},
        {S("4.1"), STRUCTURE_MIME, "Content-Type: image/gif\r\n\r\n"},
        {S("4"), STRUCTURE_TEXT, NULL},
        {S("4.2"), STRUCTURE_HEADER,
         "Subject: deep\r\nContent-Type: multipart/alternative; boundary=z\r\n\r\n"},
        {S("4.2.1"), STRUCTURE_WHOLE, "4.2.1"},
        {S("4.2.2"), STRUCTURE_WHOLE, "4.2.2"},
        {S("4.2.2"), STRUCTURE_MIME, "Content-Type: text/richtext\r\n\r\n"},
        {S("4.2.2.1"), STRUCTURE_WHOLE, NULL},
        {S("4.2.3"), STRUCTURE_WHOLE, NULL},
        {S("5"), STRUCTURE_WHOLE, NULL},
        {S("4294967295"), STRUCTURE_WHOLE, NULL},
        {S(""), STRUCTURE_HEADER, "From: a@b.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"},
        {S(""), STRUCTURE_MIME, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice got = section_of(&s, big, rows[i].path, rows[i].want);
        if (rows[i].text ? !slice_eq(got, slice_str(rows[i].text)) : got.p != NULL)
            fail_msg("%.*s %d gave %.*s", SLICE_ARG(rows[i].path), rows[i].want, SLICE_ARG(got));
    }
    assert_true(slice_eq(section_of(&s, big, S(""), STRUCTURE_WHOLE), big));
    assert_true(slice_ends(section_of(&s, big, SLICE_EMPTY, STRUCTURE_TEXT), S("epilogue\r\n")));
    static const struct slice bad[] = {
        S("0"),
        S("01"),
        S("1."),
        S(".1"),
        S("1..1"),
        S("a"),
        S("1.a"),
        S("-1"),
        S("9.x"),
        S("4294967296"),
        S("99999999999999999999"),
        S(" 1"),
        S("1\0")};
    struct structure_part part;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(ERR_SYNTAX, part_of(&s, bad[i], &part));
    assert_ok(part_of(&s, S("1"), &part));
    assert_int_equal(1, part.body_lines);
    buf_done(&row);
    /* no multipart: 1 is the message itself */
    struct slice plain = S("A: b\r\n\r\nbody\r\n");
    assert_true(row_open(plain, &row, &s));
    assert_slice("body\r\n", section_of(&s, plain, S("1"), STRUCTURE_WHOLE));
    assert_slice("A: b\r\n\r\n", section_of(&s, plain, S("1"), STRUCTURE_MIME));
    assert_null(section_of(&s, plain, S("1.1"), STRUCTURE_WHOLE).p);
    assert_null(section_of(&s, plain, S("2"), STRUCTURE_WHOLE).p);
    buf_done(&row);
    struct slice held = S("Content-Type: message/rfc822\r\n\r\nB: c\r\n\r\ninner");
    assert_true(row_open(held, &row, &s));
    assert_slice("B: c\r\n\r\ninner", section_of(&s, held, S("1"), STRUCTURE_WHOLE));
    assert_slice("B: c\r\n\r\n", section_of(&s, held, S("1"), STRUCTURE_HEADER));
    assert_slice("inner", section_of(&s, held, S("1.1"), STRUCTURE_WHOLE));
    assert_null(section_of(&s, held, S("1.1.1"), STRUCTURE_WHOLE).p);
    buf_done(&row);
}

static void part_fields(void **unused)
{
    (void)unused;
    struct slice in =
        S("Content-Type: Text/PLAIN; Charset=\"utf-8\"; name*0=a; name*1=b\r\nContent-ID: <x@y>\r\n"
          "Content-Description: what\r\n it is\r\nContent-Transfer-Encoding: BASE64\r\nContent-MD5: q==\r\n"
          "Content-Disposition: attachment; filename*=utf-8''%41;\r\n size=3\r\nContent-Language: en, de (x) "
          ",,zh\r\n"
          "Content-Location: http://x/\r\nContent-ID: <second>\r\n\r\nYWJj\r\n");
    struct structure s;
    struct buf row;
    assert_true(row_open(in, &row, &s));
    struct structure_part part;
    assert_ok(part_of(&s, S(""), &part));
    assert_slice("Text", part.type);
    assert_slice("PLAIN", part.subtype);
    assert_slice("<x@y>", part.id);
    assert_slice("what it is", part.description);
    assert_slice("BASE64", part.transfer_encoding);
    assert_int_equal(ENCODING_BASE64, part.encoding);
    assert_slice("q==", part.md5);
    assert_slice("attachment", part.disposition);
    assert_slice("http://x/", part.location);
    struct header_param param;
    assert_ok(structure_param_next(&part.params, &param));
    assert_slice("Charset", param.name);
    assert_slice("utf-8", param.value);
    assert_ok(structure_param_next(&part.params, &param));
    assert_slice("ab", param.value);
    assert_err(ERR_NOT_FOUND, structure_param_next(&part.params, &param));
    assert_ok(structure_param_next(&part.disposition_params, &param));
    assert_true(param.extended);
    assert_slice("utf-8''%41", param.value);
    struct slice language;
    static const char *const wanted[] = {"en", "de", "zh"};
    for (int i = 0; i < 3; i++) {
        assert_ok(structure_language_next(&part.languages, &language));
        assert_true(slice_eq(language, slice_str(wanted[i])));
    }
    assert_err(ERR_NOT_FOUND, structure_language_next(&part.languages, &language));
    assert_int_equal(1, part.body_lines);
    assert_int_equal(MIME_ATTACHMENT, part.flags);
    buf_done(&row);
}

static void envelopes(void **unused)
{
    (void)unused;
    struct slice in =
        S("Date: Mon,\r\n 1 Jan 2024 00:00:00 +0000\r\nSubject: a\r\n b\r\nFrom: \"X \\\"Y\\\" Z\" "
          "<x@y.test>\r\n"
          "Sender: s@y.test\r\nTo: g: a@b.test, \"q r\"@b.test;, <@r.test:c@d.test>\r\nCc: junk\r\nBcc:\r\n"
          "In-Reply-To: <1@2>\r\nMessage-ID: <3@4>\r\nSubject: second\r\n"
          "Content-Type: message/rfc822\r\n\r\nFrom: in@side.test\r\nReply-To: =?utf-8?q?=C3=A9?= "
          "<r@s.test>\r\n\r\n");
    struct structure s;
    struct buf row;
    assert_true(row_open(in, &row, &s));
    struct structure_envelope e;
    assert_ok(structure_envelope_read(s.envelope, &e));
    assert_slice("Mon, 1 Jan 2024 00:00:00 +0000", e.raw[ENVELOPE_DATE]);
    assert_slice("a b", e.raw[ENVELOPE_SUBJECT]);
    assert_slice("<1@2>", e.raw[ENVELOPE_IN_REPLY_TO]);
    assert_slice("<3@4>", e.raw[ENVELOPE_MESSAGE_ID]);
    assert_null(e.raw[ENVELOPE_REPLY_TO].p);
    assert_true(e.raw[ENVELOPE_BCC].p && e.addresses[ENVELOPE_BCC].count == 0);
    assert_true(e.addresses[ENVELOPE_CC].invalid && !e.addresses[ENVELOPE_TO].invalid);
    struct address_item item;
    assert_ok(structure_address_next(&e.addresses[ENVELOPE_FROM], &item));
    assert_slice("X \"Y\" Z", item.name);
    assert_slice("x", item.local);
    assert_slice("y.test", item.domain);
    static const char *const kinds = "\1\0\0\2\0";
    static const char *const locals[] = {NULL, "a", "q r", NULL, "c"};
    for (int i = 0; i < 5; i++) {
        assert_ok(structure_address_next(&e.addresses[ENVELOPE_TO], &item));
        assert_int_equal(kinds[i], item.kind);
        assert_true(slice_eq(item.local, slice_str(locals[i])));
    }
    assert_slice("@r.test", item.route);
    assert_err(ERR_NOT_FOUND, structure_address_next(&e.addresses[ENVELOPE_TO], &item));
    struct structure_part part;
    assert_ok(part_of(&s, S("1"), &part));
    assert_ok(structure_envelope_read(part.envelope, &e));
    assert_ok(structure_address_next(&e.addresses[ENVELOPE_REPLY_TO], &item));
    assert_slice("=?utf-8?q?=C3=A9?=", item.name);
    buf_done(&row);
}

/* Reads all that a row offers; whatever it says, no octet outside it is touched. */
static void read_everything(struct slice row)
{
    struct structure s;
    struct structure_section section;
    if (structure_open(row, &s) != OK)
        return;
    enum err e = structure_check(&s);
    assert_true(e == OK || e == ERR_CORRUPT);
    static const struct slice paths[] = {S(""), S("1"), S("2.1"), S("3.1"), S("4.2.2")};
    for (size_t i = 0; i < 5; i++)
        for (int want = 0; want < STRUCTURE_WANTS; want++)
            if (structure_find_section(&s, paths[i], (enum structure_want)want, &section) == OK)
                assert_true(section.start <= section.end && section.end <= s.size);
}

static void damaged_rows(void **unused)
{
    (void)unused;
    struct structure s;
    struct buf row;
    assert_true(row_open(big, &row, &s));
    unsigned rejected = 0;
    for (size_t n = 0; n < row.n; n++) { /* cut at every octet: never whole */
        char *copy = malloc(n + !n);
        memcpy(copy, row.p, n);
        read_everything(slice_of(copy, n));
        rejected += structure_open(slice_of(copy, n), &s) != OK || structure_check(&s) != OK;
        free(copy);
    }
    assert_int_equal(row.n, rejected);
    char *copy = malloc(row.n);
    for (size_t i = 0; i < row.n; i++)
        for (int value = 0; value < 256; value += 5) { /* every octet wrong */
            memcpy(copy, row.p, row.n);
            copy[i] = (char)value;
            read_everything(slice_of(copy, row.n));
        }
    copy[0] = row.p[0];
    copy[1] = STRUCTURE_VERSION + 1;
    assert_err(ERR_UNSUPPORTED, structure_open(slice_of(copy, row.n), &s));
    copy[1] = 0;
    assert_err(ERR_CORRUPT, structure_open(slice_of(copy, row.n), &s));
    free(copy);
    buf_done(&row);
}

static void file_names(void **unused)
{
    (void)unused;
    CLEANUP_ARENA struct arena arena = ARENA_INIT(10000);
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    struct header_params type, disposition, none;
    header_params_parse(S("a/b; name=type.txt"), &arena, &type);
    header_params_parse(S("attachment; filename=disposition.txt"), &arena, &disposition);
    header_params_parse(S("x"), &arena, &none);
    assert_true(mime_put_file_name(NULL, &type, &disposition, &out));
    assert_slice("disposition.txt", buf_slice(&out));
    buf_clear(&out);
    assert_true(mime_put_file_name(NULL, &type, &none, &out));
    assert_slice("type.txt", buf_slice(&out));
    assert_false(mime_put_file_name(NULL, &none, &none, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),    cmocka_unit_test(sections),     cmocka_unit_test(part_fields),
        cmocka_unit_test(envelopes), cmocka_unit_test(damaged_rows), cmocka_unit_test(file_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
