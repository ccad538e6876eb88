#include "test.h"

#include "doctor/steps/fetch.h"
#include "doctor/steps/find_parts.h"

static struct dns_record srv(uint16_t priority, uint16_t weight, uint16_t port, const char *host)
{
    return (struct dns_record){.priority = priority, .weight = weight, .port = port, .host = slice_str(host)};
}

static bool take(
    const struct dns_record *records, size_t count, enum dns_proof proof, enum security as,
    struct arena *arena, struct candidates *found)
{
    struct dns_answer answer = {.status = DNS_FOUND, .proof = proof, .records = records, .count = count};
    struct endpoint e = {.service = SERVICE_IMAP, .security = as, .source = SOURCE_SRV};
    *found = (struct candidates){.count = 0};
    return find_take_records(&answer, &e, S("example.org"), arena, found);
}

/* RFC 2782: lowest priority, then the heaviest; equal ones as they came. */
static void records_have_an_order(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(10000);
    struct candidates c;
    const struct dns_record some[] = {
        srv(20, 9, 993, "c.example.org"), srv(10, 1, 993, "b.example.org"), srv(10, 5, 993, "a.example.org"),
        srv(10, 5, 1993, "a2.example.org")};
    assert_true(take(some, 4, DNS_UNPROVED, SECURITY_TLS, &arena, &c));
    assert_int_equal(c.count, 2);
    assert_slice("a.example.org", c.rows[0].host);
    assert_slice("a2.example.org", c.rows[1].host);
    assert_int_equal(c.rows[1].security, SECURITY_TLS);
    assert_true(take(some, 2, DNS_UNPROVED, SECURITY_TLS, &arena, &c));
    assert_slice("b.example.org", c.rows[0].host);
    assert_slice("c.example.org", c.rows[1].host);
    const struct dns_record same[] = {srv(1, 1, 993, "x.example.org"), srv(1, 1, 993, "y.example.org")};
    assert_true(take(same, 2, DNS_UNPROVED, SECURITY_TLS, &arena, &c));
    assert_slice("x.example.org", c.rows[0].host);
    assert_slice("y.example.org", c.rows[1].host);
}

/* RFC 6186 section 3.4: "." says that it is not offered. */
static void a_dot_is_a_no(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(10000);
    struct candidates c;
    const struct dns_record no = srv(0, 0, 0, "");
    assert_false(take(&no, 1, DNS_PROVED, SECURITY_TLS, &arena, &c));
    assert_int_equal(c.count, 0);
    assert_true(take(NULL, 0, DNS_UNPROVED, SECURITY_TLS, &arena, &c));
    assert_int_equal(c.count, 0);
}

static void only_proof_or_the_domain_is_trusted(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(10000);
    struct candidates c;
    const struct dns_record inside = srv(0, 0, 993, "in.example.org"),
                            outside = srv(0, 0, 993, "in.example.net"),
                            alike = srv(0, 0, 993, "badexample.org");
    take(&inside, 1, DNS_UNPROVED, SECURITY_TLS, &arena, &c);
    assert_true(c.rows[0].trusted);
    take(&outside, 1, DNS_UNPROVED, SECURITY_TLS, &arena, &c);
    assert_false(c.rows[0].trusted);
    take(&alike, 1, DNS_UNPROVED, SECURITY_TLS, &arena, &c);
    assert_false(c.rows[0].trusted);
    take(&outside, 1, DNS_PROVED, SECURITY_TLS, &arena, &c);
    assert_true(c.rows[0].trusted);
}

static void odd_records_are_left_out(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(10000);
    struct candidates c;
    const struct dns_record odd[] = {
        srv(0, 0, 22, "a.example.org"), srv(1, 0, 5432, "b.example.org"), srv(2, 0, 993, "c.example.org")};
    take(odd, 3, DNS_PROVED, SECURITY_TLS, &arena, &c);
    assert_int_equal(c.count, 0);
    assert_int_equal(c.refused, 2);
    const struct dns_record port = srv(0, 0, 993, "a.example.org");
    take(&port, 1, DNS_PROVED, SECURITY_STARTTLS, &arena, &c);
    assert_int_equal(c.rows[0].security, SECURITY_TLS);
    report_threat("T-107", 2);
}

static void places_on_the_web(void **state)
{
    static const struct {
        const char *url, *host;
    } good[] = {
        {"https://Example.org/x?y=z", "example.org"},
        {"http://a.example.org:80/", "a.example.org"},
        {"https://a.example.org:443", "a.example.org"}};
    static const char *const bad[] = {
        "",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "https://example.org:22/",
        "http://example.org:25/",
        "https://example.org:5432/",
        "https://example.org:80/",
        "https://u@example.org/",
        "https://u:p@example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://exa mple.org/",
        "//example.org/",
        "https:///x",
        "javascript:alert(1)",
    };
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct fetch_place p;
        assert_ok(fetch_place_of(slice_str(good[i].url), &arena, &p));
        assert_true(slice_eq(p.host, slice_str(good[i].host)));
        assert_int_equal(p.https, good[i].url[4] == 's');
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fetch_place p;
        if (fetch_place_of(slice_str(bad[i]), &arena, &p) == OK)
            fail_msg("%s is followed", bad[i]);
    }
    report_threat("T-107", sizeof bad / sizeof *bad);
}

static void private_networks_are_known(void **state)
{
    static const char *const inner[] = {"127.0.0.1",       "10.1.2.3", "192.168.1.1",    "172.31.0.1",
                                        "169.254.169.254", "0.0.0.0",  "100.64.0.1",     "::1",
                                        "fd00::1",         "fe80::1",  "255.255.255.255"};
    static const char *const outer[] = {"192.0.2.1", "8.8.8.8", "172.32.0.1", "2001:db8::1", "100.128.0.1"};
    struct ip ip;
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        assert_ok(ip_parse(slice_str(inner[i]), &ip));
        if (!fetch_is_inner(&ip))
            fail_msg("%s", inner[i]);
    }
    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++) {
        assert_ok(ip_parse(slice_str(outer[i]), &ip));
        if (fetch_is_inner(&ip))
            fail_msg("%s", outer[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_an_order),    cmocka_unit_test(a_dot_is_a_no),
        cmocka_unit_test(odd_records_are_left_out), cmocka_unit_test(only_proof_or_the_domain_is_trusted),
        cmocka_unit_test(places_on_the_web),        cmocka_unit_test(private_networks_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
