#include "test.h"

#include "base/buf.h"
#include "doctor/steps/autoconfig.h"

static const struct autoconfig_who alice = {S("alice@example.org"), S("alice"), S("example.org")};

static const char whole[] =
    "<?xml version=\"1.0\"?>\n<clientConfig version=\"1.1\">\n <emailProvider id=\"example.org\">\n"
    "  <domain>example.org</domain><displayName>Example</displayName>\n"
    "  <incomingServer type=\"pop3\"><hostname>pop.example.org</hostname><port>110</port>"
    "<socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username>"
    "<authentication>password-encrypted</authentication></incomingServer>\n"
    "  <incomingServer type=\"imap\"><hostname>IMAP.%EMAILDOMAIN%</hostname><port>993</port>"
    "<socketType>SSL</socketType><username>%EMAILADDRESS%</username><authentication>OAuth2</authentication>"
    "<authentication>password-cleartext</authentication></incomingServer>\n"
    "  <incomingServer type=\"imap\"><hostname>imap.example.org</hostname><port>143</port>"
    "<socketType>plain</socketType><username>%EMAILLOCALPART%.%EMAILDOMAIN%</username></incomingServer>\n"
    "  <incomingServer "
    "type=\"exchange\"><hostname>x.example.org</hostname><port>443</port></incomingServer>\n"
    "  <outgoingServer type=\"smtp\"><hostname>smtp.example.org</hostname><port>465</port>"
    "<socketType>SSL</socketType><authentication>GSSAPI</authentication></outgoingServer>\n"
    " </emailProvider>\n</clientConfig>\n";

static void a_whole_autoconfig(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct candidates c;
    assert_ok(autoconfig_read(slice_str(whole), &alice, &arena, &c));
    assert_int_equal(c.count, 4);
    assert_int_equal(c.refused, 0);
    assert_int_equal(c.rows[0].service, SERVICE_IMAP);
    assert_slice("imap.example.org", c.rows[0].host);
    assert_int_equal(c.rows[0].port, 993);
    assert_int_equal(c.rows[0].security, SECURITY_TLS);
    assert_slice("", c.rows[0].user);
    assert_int_equal(c.rows[0].takes, TAKES_OAUTH2 | TAKES_PASSWORD);
    assert_int_equal(c.rows[0].source, SOURCE_AUTOCONFIG);
    assert_false(c.rows[0].trusted);
    assert_int_equal(c.rows[1].security, SECURITY_NONE);
    assert_slice("alice.example.org", c.rows[1].user);
    assert_int_equal(c.rows[2].service, SERVICE_POP3);
    assert_int_equal(c.rows[2].security, SECURITY_STARTTLS);
    assert_slice("alice", c.rows[2].user);
    assert_int_equal(c.rows[2].takes, TAKES_PASSWORD);
    assert_int_equal(c.rows[3].service, SERVICE_SMTP);
    assert_int_equal(c.rows[3].takes, 0);
}

/* One IMAP server with this host, port and user. */
static void
read_one(const char *host, const char *port, const char *user, struct arena *arena, struct candidates *c)
{
    struct buf b CLEANUP_BUF = BUF_INIT(100000);
    buf_printf(
        &b,
        "<clientConfig><emailProvider><incomingServer type='imap'><hostname>%s</hostname><port>%s</port>"
        "<username>%s</username></incomingServer></emailProvider></clientConfig>",
        host, port, user);
    assert_ok(autoconfig_read(buf_slice(&b), &alice, arena, c));
}

static void what_makes_no_sense_is_left_out(void **state)
{
    static const char *const bad[][2] = {
        {"127.0.0.1", "993"},        {"::1", "993"},
        {"localhost", "993"},        {"", "993"},
        {"a b.example", "993"},      {"a_b.example", "993"},
        {"http://a.example", "993"}, {"a.example/x", "993"},
        {"imap.example.org", "22"},  {"a.example", "80"},
        {"a.example", "5432"},       {"a.example", "6379"},
        {"a.example", "0"},          {"a.example", "-1"},
        {"a.example", "65536"},      {"a.example", "993x"},
        {"a.example", ""},           {"-a.example", "993"},
        {"a..example", "993"},       {"a\xe2\x80\xae.example", "993"},
        {"[127.0.0.1]", "993"},      {"0x7f000001", "993"},
        {"2130706433", "993"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
        struct candidates c;
        read_one(bad[i][0], bad[i][1], "", &arena, &c);
        if (c.count || c.refused != 1)
            fail_msg("%s:%s is taken", bad[i][0], bad[i][1]);
    }
    report_threat("T-107", sizeof bad / sizeof *bad);
}

static void names_and_ports_that_do(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct candidates c;
    read_one("Mail.Example.ORG.", "10993", "a&#x202e;b", &arena, &c);
    assert_int_equal(c.count, 1);
    assert_slice("mail.example.org", c.rows[0].host);
    assert_int_equal(c.rows[0].security, SECURITY_UNKNOWN);
    assert_slice("", c.rows[0].user);
    read_one(
        "mail.b\xc3\xbc"
        "cher.example",
        "143", "%EMAILLOCALPART%%", &arena, &c);
    assert_slice("mail.xn--bcher-kva.example", c.rows[0].host);
    assert_int_equal(c.rows[0].security, SECURITY_STARTTLS);
    assert_slice("alice%", c.rows[0].user);
}

static void other_files_are_refused(void **state)
{
    static const struct {
        const char *file;
        enum err e;
    } cases[] = {
        {"<html><body>404</body></html>", ERR_SYNTAX},
        {"<clientConfig/>", ERR_SYNTAX},
        {"<x><emailProvider/></x>", ERR_SYNTAX},
        {"<!DOCTYPE clientConfig><clientConfig><emailProvider/></clientConfig>", ERR_DENIED},
        {"<clientConfig><emailProvider>", ERR_SYNTAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
        struct candidates c = {.count = 7};
        assert_err(cases[i].e, autoconfig_read(slice_str(cases[i].file), &alice, &arena, &c));
        assert_int_equal(c.count, 7);
    }
}

static void many_servers_are_bounded(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1000000);
    struct buf b CLEANUP_BUF = BUF_INIT(200000);
    struct candidates c;
    buf_put_str(&b, "<clientConfig><emailProvider>");
    for (unsigned i = 0; i < LIMIT_DOCTOR_CANDIDATES + 10; i++)
        buf_printf(
            &b,
            "<incomingServer type='imap'><hostname>h%u.example</hostname><port>993</port></incomingServer>",
            i);
    buf_put_str(&b, "</emailProvider></clientConfig>");
    assert_ok(autoconfig_read(buf_slice(&b), &alice, &arena, &c));
    assert_int_equal(c.count, LIMIT_DOCTOR_CANDIDATES);
    assert_int_equal(c.refused, 10);
}

static const char discovered[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
    "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">"
    "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">"
    "<User><DisplayName>Alice</DisplayName></User><Account><AccountType>email</AccountType><Action>settings</"
    "Action>"
    "<Protocol><Type>IMAP</Type><Server>imap.example.org</Server><Port>993</Port><SSL>on</SSL>"
    "<LoginName>alice</LoginName></Protocol>"
    "<Protocol><Type>POP3</Type><Server>pop.example.org</Server><Port>110</Port><Encryption>TLS</Encryption>"
    "<LoginName>alice@example.org</LoginName></Protocol>"
    "<Protocol><Type>SMTP</Type><Server>smtp.example.org</Server><Port>587</Port><SSL>on</SSL></Protocol>"
    "<Protocol><Type>SMTP</Type><Server>smtp.example.org</Server><Port>2525</Port><SSL>off</SSL></Protocol>"
    "<Protocol><Type>EXCH</Type><Server>x.example.org</Server></Protocol></Account></Response></"
    "Autodiscover>";

static void a_whole_autodiscover(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct slice next = SLICE_EMPTY;
    struct candidates c;
    assert_ok(autodiscover_read(slice_str(discovered), &alice, &arena, &c, &next));
    assert_int_equal(c.count, 4);
    assert_int_equal(c.rows[0].security, SECURITY_TLS);
    assert_slice("alice", c.rows[0].user);
    assert_int_equal(c.rows[1].service, SERVICE_POP3);
    assert_int_equal(c.rows[1].security, SECURITY_STARTTLS);
    assert_slice("", c.rows[1].user);
    assert_int_equal(c.rows[2].security, SECURITY_STARTTLS);
    assert_int_equal(c.rows[3].security, SECURITY_STARTTLS);
    assert_int_equal(c.rows[0].source, SOURCE_AUTODISCOVER);
    assert_ok(autodiscover_read(
        S("<Autodiscover><Response><Account><Action>redirectUrl</Action><RedirectUrl>https://x.example/a</"
          "RedirectUrl>"
          "</Account></Response></Autodiscover>"),
        &alice, &arena, &c, &next));
    assert_int_equal(c.count, 0);
    assert_slice("https://x.example/a", next);
    assert_err(ERR_SYNTAX, autodiscover_read(S("<Autodiscover/>"), &alice, &arena, &c, &next));
    assert_ok(autodiscover_read(
        S("<Autodiscover><Response><Error><ErrorCode>600</ErrorCode></Error></Response></Autodiscover>"),
        &alice, &arena, &c, &next));
    assert_int_equal(c.count, 0);
}

static void the_question_is_escaped(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    const struct autoconfig_who odd = {S("a&<b>@example.org"), S("a&<b>"), S("example.org")};
    struct slice question = autodiscover_question(&odd, &arena);
    assert_true(
        slice_search(question, S("<EMailAddress>a&amp;&lt;b&gt;@example.org</EMailAddress>")) != SLICE_NPOS);
}

static struct endpoint at(enum service service, const char *host, uint16_t port, enum source source)
{
    return (struct endpoint){
        .service = service,
        .host = slice_str(host),
        .port = port,
        .security = security_of_port(port),
        .source = source};
}

static void the_best_source_wins(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct candidates a = {.count = 0}, chosen;
    const struct endpoint rows[] = {
        at(SERVICE_IMAP, "i.example.org", 143, SOURCE_AUTOCONFIG),
        at(SERVICE_IMAP, "i.example.org", 993, SOURCE_AUTOCONFIG),
        at(SERVICE_IMAP, "j.example.org", 993, SOURCE_AUTOCONFIG),
        at(SERVICE_IMAP, "k.example.org", 993, SOURCE_SRV),
        at(SERVICE_SMTP, "s.example.org", 587, SOURCE_SRV),
        at(SERVICE_SMTP, "s.example.org", 587, SOURCE_MX)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        candidates_add(&a, &rows[i], &arena);
    assert_int_equal(a.count, 5);
    candidates_choose(&a, &chosen);
    assert_int_equal(chosen.count, 3);
    assert_slice("i.example.org", chosen.rows[0].host);
    assert_int_equal(chosen.rows[0].port, 993);
    assert_slice("j.example.org", chosen.rows[1].host);
    assert_int_equal(chosen.rows[2].port, 587);
    assert_true(candidates_have(&a, SERVICE_SMTP));
    assert_false(candidates_have(&a, SERVICE_POP3));
    const struct endpoint *one, *other;
    assert_true(candidates_differ(&a, &one, &other));
    assert_slice("i.example.org", one->host);
    assert_slice("k.example.org", other->host);
    struct endpoint agree = at(SERVICE_IMAP, "i.example.org", 144, SOURCE_SRV);
    agree.port = 1143;
    candidates_add(&a, &agree, &arena);
    struct candidates less = {.count = 0};
    candidates_add(&less, &rows[1], &arena);
    candidates_add(&less, &agree, &arena);
    assert_false(candidates_differ(&less, &one, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_autoconfig),       cmocka_unit_test(what_makes_no_sense_is_left_out),
        cmocka_unit_test(names_and_ports_that_do),  cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(many_servers_are_bounded), cmocka_unit_test(a_whole_autodiscover),
        cmocka_unit_test(the_question_is_escaped),  cmocka_unit_test(the_best_source_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
