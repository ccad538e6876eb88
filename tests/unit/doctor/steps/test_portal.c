/* A known page against what comes instead of it; kinds of addresses. */
#include "test.h"

#include "doctor/steps/network_parts.h"
#include "doctor/steps/portal.h"

static const struct portal_page page = {"known.example", "/page", 200, "Success"};
static const struct portal_page empty_page = {"known.example", "/204", 204, ""};

static void the_request(void **state)
{
    struct buf b CLEANUP_BUF = BUF_INIT(512);
    portal_put_request(&page, &b);
    assert_slice("GET /page HTTP/1.0\r\nHost: known.example\r\nConnection: close\r\n\r\n", buf_slice(&b));
    for (size_t i = 0; i < PORTAL_PAGES; i++) {
        buf_clear(&b);
        portal_put_request(&portal_pages[i], &b);
        assert_ok(buf_check(&b));
        assert_true(portal_pages[i].path[0] == '/');
    }
}

static void what_came(void **state)
{
    static const struct {
        const struct portal_page *page;
        const char *answer;
        enum portal wanted;
        const char *proof;
    } rows[] = {
        {&page, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n<BODY>Success</BODY>", PORTAL_CLEAR, "HTTP/1.1 200 OK"},
        {&page, "HTTP/1.0 200 OK\r\n\r\nSuccess", PORTAL_CLEAR, "HTTP/1.0 200 OK"},
        {&page, "HTTP/1.1 200 OK\r\n\r\nWelcome to the Wi-Fi", PORTAL_CAUGHT, "HTTP/1.1 200 OK"},
        {&page, "HTTP/1.1 200 OK\r\nSuccess: yes\r\n\r\nWelcome", PORTAL_CAUGHT, "HTTP/1.1 200 OK"},
        {&page, "HTTP/1.1 302 Found\r\nLocation: http://login.wifi/?u=known.example\r\n\r\n", PORTAL_CAUGHT,
         "http://login.wifi/?u=known.example"},
        {&page, "HTTP/1.1 302 Found\r\nlocation:http://known.example.wifi/\r\n\r\n", PORTAL_CAUGHT,
         "http://known.example.wifi/"},
        {&page, "HTTP/1.1 301 Moved\r\nLocation: https://known.example/page\r\n\r\n", PORTAL_UNCLEAR,
         "https://known.example/page"},
        {&page, "HTTP/1.1 301 Moved\r\nLocation: /other\r\n\r\n", PORTAL_UNCLEAR, "/other"},
        {&page, "HTTP/1.1 302 Found\r\n\r\n", PORTAL_UNCLEAR, "HTTP/1.1 302 Found"},
        {&page, "HTTP/1.1 511 Network Authentication Required\r\n\r\n", PORTAL_CAUGHT,
         "HTTP/1.1 511 Network Authentication Required"},
        {&page, "HTTP/1.1 404 Not Found\r\n\r\nSuccess", PORTAL_UNCLEAR, "HTTP/1.1 404 Not Found"},
        {&page, "HTTP/1.1 503 Busy\r\n\r\n", PORTAL_UNCLEAR, "HTTP/1.1 503 Busy"},
        {&page, "HTTP/1.1 200 OK", PORTAL_UNCLEAR, NULL},
        {&page, "HTTP/1.1 2x0 OK\r\n\r\nSuccess", PORTAL_UNCLEAR, NULL},
        {&page, "HTTP/1.1", PORTAL_UNCLEAR, NULL},
        {&page, "* OK IMAP\r\n", PORTAL_UNCLEAR, NULL},
        {&page, "", PORTAL_UNCLEAR, NULL},
        {&empty_page, "HTTP/1.1 204 No Content\r\n\r\n", PORTAL_CLEAR, "HTTP/1.1 204 No Content"},
        {&empty_page, "HTTP/1.1 200 OK\r\n\r\nlogin", PORTAL_CAUGHT, "HTTP/1.1 200 OK"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice proof = SLICE_EMPTY;
        enum portal got = portal_read(rows[i].page, slice_str(rows[i].answer), &proof);
        if (got != rows[i].wanted || !slice_eq(proof, slice_str(rows[i].proof)))
            fail_msg("row %zu: %d, \"%.*s\"", i, got, SLICE_ARG(proof));
    }
}

static void kinds_of_addresses(void **state)
{
    static const struct {
        const char *ip;
        enum address_kind kind;
    } rows[] = {
        {"192.0.2.1", ADDRESS_PUBLIC},       {"9.255.255.255", ADDRESS_PUBLIC},
        {"10.0.0.0", ADDRESS_PRIVATE},       {"172.15.0.1", ADDRESS_PUBLIC},
        {"172.31.255.255", ADDRESS_PRIVATE}, {"192.168.1.1", ADDRESS_PRIVATE},
        {"169.254.1.1", ADDRESS_PRIVATE},    {"100.64.0.1", ADDRESS_PRIVATE},
        {"100.128.0.1", ADDRESS_PUBLIC},     {"127.0.0.53", ADDRESS_LOOPBACK},
        {"0.0.0.0", ADDRESS_NOTHING},        {"198.17.255.255", ADDRESS_PUBLIC},
        {"198.18.0.1", ADDRESS_FAKE},        {"198.19.255.255", ADDRESS_FAKE},
        {"198.20.0.0", ADDRESS_PUBLIC},      {"::", ADDRESS_NOTHING},
        {"::1", ADDRESS_LOOPBACK},           {"fd00::1", ADDRESS_PRIVATE},
        {"fe80::1", ADDRESS_PRIVATE},        {"2001:db8::1", ADDRESS_PUBLIC},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip ip;
        assert_ok(ip_parse(slice_str(rows[i].ip), &ip));
        if (address_kind(&ip) != rows[i].kind)
            fail_msg("%s", rows[i].ip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request),
        cmocka_unit_test(what_came),
        cmocka_unit_test(kinds_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
