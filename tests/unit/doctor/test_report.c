#include "test.h"

#include "base/encode.h"
#include "crypto/sha256.h"
#include "doctor/report.h"
#include "doctor_knowledge.h"
#include "html_scan.h"

static struct examination x;

static struct checked *begin(struct slice host)
{
    examination_init(&x, k);
    x.has_secret = true;
    x.address = S("alice@example.org");
    struct endpoint e = {
        .service = SERVICE_IMAP, .host = host, .port = 993, .security = SECURITY_TLS, .source = SOURCE_GIVEN};
    struct checked *c = examination_add(&x, &e);
    c->standing = (struct standing){
        .connected = true, .encrypted = true, .private_ = true, .greeted = true, .tried = true};
    return c;
}

static void write(enum lang lang, struct slice when, struct buf *out)
{
    struct verdict v;
    struct grading g;
    verdict_init(&v, &x);
    grading_init(&g, &x);
    const struct report r = {
        .examination = &x,
        .verdict = &v,
        .grading = &g,
        .lang = lang,
        .when = when,
        .program = S("letterlock 1")};
    report_put(&r, out);
    assert_ok(buf_check(out));
    grading_done(&g);
    verdict_done(&v);
}

static bool has(const struct buf *b, const char *what)
{
    return slice_search(buf_slice(b), slice_str(what)) != SLICE_NPOS;
}

static void it_tells_verdict_proof_and_remedy(void **state)
{
    for (int l = 0; l < LANG_N; l++) {
        struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT);
        struct checked *c = begin(S("imap.example.org"));
        c->notes.step = STEP_TLS;
        struct observation *o = notes_observed(
            &c->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_EXPIRED, PROOF_CERTIFICATE,
            S("until 2020-01-01"));
        const struct diagnosis *d = o->diagnosis;
        notes_observed(&c->notes, TONE_WARNING, OBSERVED_NET_SLOW, PROOF_MEASURED, S("3 s"));
        write((enum lang)l, S("2026-11-22 20:00 UTC"), &out);
        assert_true(html_is_strict(buf_slice(&out)));
        assert_true(has(&out, l == LANG_ZH ? "<html lang=\"zh-CN\">" : "<html lang=\"en\">"));
        assert_true(slice_search(buf_slice(&out), d->remedy[l]) != SLICE_NPOS || has(&out, "&#39;"));
        assert_true(has(&out, "until 2020-01-01"));
        assert_true(has(&out, "imap.example.org:993"));
        assert_true(has(&out, "2026-11-22 20:00 UTC"));
        assert_true(has(&out, "alice@example.org"));
        assert_true(has(&out, "<svg class=\"tree\""));
        assert_true(has(&out, "flowchart TD"));
        assert_true(has(&out, step_words(STEP_TLS, (enum lang)l)));
        buf_done(&out);
        examination_done(&x);
    }
}

/* The policy allows the one style that is there, by its digest, and nothing else. */
static void the_policy_names_the_style(void **state)
{
    struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT), wanted = BUF_INIT(256);
    uint8_t digest[SHA256_LEN];
    begin(S("imap.example.org"));
    write(LANG_EN, SLICE_EMPTY, &out);
    struct slice html = buf_slice(&out);
    size_t from = slice_search(html, S("<style>")) + 7, to = slice_search(html, S("</style>"));
    sha256_of(slice_sub(html, from, to - from), digest);
    buf_put_str(&wanted, "default-src 'none'; style-src 'sha256-");
    base64_put(&wanted, slice_of(digest, sizeof digest));
    buf_put_str(&wanted, "'; base-uri 'none'; form-action 'none'");
    assert_true(slice_search(html, buf_slice(&wanted)) != SLICE_NPOS);
    const char *const never[] = {"<script", "http://", "https://", "url(",
                                 "@import", "style=",  "href",     "src="};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        size_t at = slice_search(html, slice_str(never[i]));
        bool namespace =
            at != SLICE_NPOS && slice_starts(slice_from(html, at), S("http://www.w3.org/2000/svg"));
        if (at != SLICE_NPOS && !namespace)
            fail_msg("%s", never[i]);
    }
    buf_done(&out);
    buf_done(&wanted);
    examination_done(&x);
}

static void foreign_texts_are_no_markup(void **state)
{
    static const struct slice hostile[] = {
        S("<script>alert(1)</script>"),
        S("\"><img src=x onerror=alert(1)>"),
        S("' onmouseover='x"),
        S("</style><script>"),
        S("</pre></figure></section>"),
        S("&lt;b&gt; &amp; &#60;"),
        S("<!-- <![CDATA["),
        S("a\0b\x1b[31m\x7f"),
        S("\xe2\x80\xae"
          "gnp.exe\xe2\x80\x8b"),
        S("\xff\xfe<\xc3"),
        S("two\r\nlines\n\n"),
        S("\xf3\xa0\x80\x81tag"),
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        for (int l = 0; l < LANG_N; l++) {
            struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT);
            struct checked *c = begin(hostile[i]);
            x.address = hostile[i];
            c->tls.shaken = true;
            c->tls.issuer = c->tls.key = c->tls.suite = c->tls.signature = hostile[i];
            c->notes.step = STEP_GREETING;
            notes_fact(&c->notes, TONE_GOOD, FACT_GREETING, hostile[i], hostile[i], hostile[i]);
            notes_fact(&c->notes, TONE_GOOD, FACT_MECHANISMS, hostile[i], SLICE_EMPTY, SLICE_EMPTY);
            notes_observed(&c->notes, TONE_FAULT, OBSERVED_GREETING_OTHER_PROTOCOL, PROOF_REPLY, hostile[i]);
            write((enum lang)l, hostile[i], &out);
            if (!html_is_strict(buf_slice(&out)))
                fail_msg("case %zu", i);
            buf_done(&out);
            examination_done(&x);
        }
}

static void lines_of_a_reply_stay_lines(void **state)
{
    struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT);
    struct checked *c = begin(S("smtp.example.org"));
    c->notes.step = STEP_SIGN_IN;
    notes_observed(&c->notes, TONE_FAULT, OBSERVED_SIGNIN_REFUSED, PROOF_REPLY, S("535-one <1>\r\n535 two"));
    write(LANG_EN, SLICE_EMPTY, &out);
    assert_true(has(&out, "<pre>535-one &lt;1&gt;\n535 two</pre>"));
    buf_done(&out);
    examination_done(&x);
}

static void what_was_done_is_told(void **state)
{
    struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT);
    struct checked *c = begin(S("imap.example.org"));
    write(LANG_EN, SLICE_EMPTY, &out);
    assert_true(has(&out, "A sign-in was tried, by the ways named above, at: imap.example.org:993"));
    assert_true(has(&out, "No message was sent."));
    buf_clear(&out);
    c->standing.tried = false;
    write(LANG_EN, SLICE_EMPTY, &out);
    assert_true(has(&out, "No password or token was sent to any server."));
    assert_true(has(&out, "Looked at without signing in: imap.example.org:993"));
    buf_clear(&out);
    c->standing = (struct standing){.connected = false};
    notes_fact(&c->notes, TONE_GOOD, FACT_TEST_SENT, S("alice@example.org"), SLICE_EMPTY, SLICE_EMPTY);
    write(LANG_EN, SLICE_EMPTY, &out);
    assert_true(has(&out, "Not reached: imap.example.org:993"));
    assert_true(has(&out, "One test message was sent"));
    buf_done(&out);
    examination_done(&x);
}

static void nothing_at_all_is_a_report_too(void **state)
{
    struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT);
    examination_init(&x, k);
    write(LANG_EN, SLICE_EMPTY, &out);
    assert_true(html_is_strict(buf_slice(&out)));
    assert_true(has(&out, "No server was looked at."));
    buf_done(&out);
    examination_done(&x);
}

/* As many notes as there can be, each of the worst signs: the ceiling of the report holds them. */
static void the_largest_examination_fits(void **state)
{
    struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT);
    char worst[LIMIT_DOCTOR_PROOF];
    memset(worst, 0x01, sizeof worst);
    examination_init(&x, k);
    for (int i = 0; i < 4; i++) {
        char host[32];
        snprintf(host, sizeof host, "imap%d.example.org", i);
        struct endpoint e = {
            .service = SERVICE_IMAP, .host = slice_str(host), .port = 993, .source = SOURCE_GIVEN};
        struct checked *c = examination_add(&x, &e);
        for (int j = 0; j < LIMIT_DOCTOR_NOTES + 1; j++)
            notes_observed(
                &c->notes, TONE_FAULT, OBSERVED_SIGNIN_REFUSED, PROOF_REPLY, slice_of(worst, sizeof worst));
    }
    write(LANG_EN, SLICE_EMPTY, &out);
    assert_true(html_is_strict(buf_slice(&out)));
    assert_true(has(&out, "More was seen than is shown here."));
    assert_true(out.n / 4 < LIMIT_DOCTOR_REPORT / (LIMIT_DOCTOR_SERVERS + 1));
    buf_done(&out);
    examination_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_verdict_proof_and_remedy),
        cmocka_unit_test(the_policy_names_the_style),
        cmocka_unit_test(foreign_texts_are_no_markup),
        cmocka_unit_test(lines_of_a_reply_stay_lines),
        cmocka_unit_test(what_was_done_is_told),
        cmocka_unit_test(nothing_at_all_is_a_report_too),
        cmocka_unit_test(the_largest_examination_fits),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}
