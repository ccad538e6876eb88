/* What people give as a server and as an address. */
#include "test.h"

#include "cli/doctor.h"

static void test_servers(void **state)
{
    static const struct {
        const char *text, *tls, *host;
        uint16_t port;
        enum security security;
    } rows[] = {
        {"imap.example.org", "", "imap.example.org", 993, SECURITY_TLS},
        {"imap.example.org", "starttls", "imap.example.org", 143, SECURITY_STARTTLS},
        {"imap.example.org", "none", "imap.example.org", 143, SECURITY_NONE},
        {"imap.example.org:143", "", "imap.example.org", 143, SECURITY_STARTTLS},
        {"imap.example.org:143", "implicit", "imap.example.org", 143, SECURITY_TLS},
        {"imap.example.org:9993", "", "imap.example.org", 9993, SECURITY_UNKNOWN},
        {" IMAP.Example.ORG. ", "", "imap.example.org", 993, SECURITY_TLS},
        {"imaps://imap.example.org:994/INBOX", "", "imap.example.org", 994, SECURITY_TLS},
        {"https://alice@imap.example.org/", "", "imap.example.org", 993, SECURITY_TLS},
        {"[2001:DB8::1]:993", "", "2001:db8::1", 993, SECURITY_TLS},
        {"[2001:db8::1]", "", "2001:db8::1", 993, SECURITY_TLS},
        {"2001:db8::1", "", "2001:db8::1", 993, SECURITY_TLS},
        {"192.0.2.1:143", "", "192.0.2.1", 143, SECURITY_STARTTLS},
        {"邮件.example", "", "xn--5nq051n.example", 993, SECURITY_TLS},
        {"localhost:65535", "", "localhost", 65535, SECURITY_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
        struct endpoint e;
        assert_ok(
            doctor_endpoint_parse(&arena, SERVICE_IMAP, slice_str(rows[i].text), slice_str(rows[i].tls), &e));
        if (!slice_eq(e.host, slice_str(rows[i].host)))
            fail_msg("%s: " SLICE_FMT, rows[i].text, SLICE_ARG(e.host));
        assert_int_equal(e.port, rows[i].port);
        assert_int_equal(e.security, rows[i].security);
        assert_int_equal(e.source, SOURCE_GIVEN);
        assert_true(e.trusted);
    }
}

static void test_what_is_no_server(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        ":993",
        "a b",
        "host:",
        "host:0",
        "host:65536",
        "host:99999999999999999999",
        "host:-1",
        "host:9x",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "[]:1",
        "[host]:1:2",
        "a..b",
        "-",
        "_",
        "imaps://",
        "/",
        "@",
        "a:1:2",
        "\xff",
        "host\n:1",
        "[::1]:",
        "::1::2:3"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
        struct endpoint e;
        if (doctor_endpoint_parse(&arena, SERVICE_SMTP, slice_str(texts[i]), SLICE_EMPTY, &e) == OK)
            fail_msg("\"%s\" became " SLICE_FMT ":%u", texts[i], SLICE_ARG(e.host), e.port);
    }
}

static void test_domains(void **state)
{
    static const struct {
        const char *address, *domain;
    } rows[] = {
        {"alice@example.org", "example.org"},
        {" alice@Example.ORG ", "example.org"},
        {"alice＠example.org", "example.org"},
        {"a@b@example.org", "example.org"},
        {"ali＠ce@bücher.example", "xn--bcher-kva.example"},
        {"alice", ""},
        {"alice@", ""},
        {"alice@a b", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
        struct slice domain = doctor_domain_of(&arena, slice_str(rows[i].address));
        if (!slice_eq(domain, slice_str(rows[i].domain)))
            fail_msg("%s: " SLICE_FMT, rows[i].address, SLICE_ARG(domain));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_what_is_no_server),
        cmocka_unit_test(test_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
