/* The time that a web server tells, and what is none. */
#include "test.h"

#include "doctor/steps/fetch_head.h"

#define GOOD "Sun, 22 Nov 2026 19:26:02 GMT"
enum { GOOD_S = 1795375562 };

/* Lines are parted by "|". */
static int64_t told(const char *lines)
{
    struct fetch_head h = {.dates = 0};
    struct slice rest = slice_str(lines), line;
    while (slice_cut(&rest, '|', &line))
        fetch_head_line(&h, line);
    return h.date_s;
}

static void the_time_is_read(void **state)
{
    assert_int_equal(told("HTTP/1.1 200 OK|Date: " GOOD "|Content-Length: 0|"), GOOD_S);
    assert_int_equal(told("HTTP/1.1 200 OK\r\n|DATE:" GOOD "\r\n|\r\n"), GOOD_S);
    assert_int_equal(told("HTTP/1.1 200 OK|date:      " GOOD "     |"), GOOD_S);
    assert_int_equal(told("HTTP/1.1 200 OK|Date: Sunday, 22-Nov-26 19:26:02 GMT|"), GOOD_S);
    assert_int_equal(told("HTTP/1.1 200 OK|Content-Length: 0|"), 0);
    assert_int_equal(told(""), 0);
}

static void what_makes_no_sense_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "1",
        "20261122",
        "now",
        "Sun, 22 Nov 72026 19:26:02 GMT",
        "Sun, 22 Nov \377\377\37772026 19:26:02 GMT",
        "Sun, 22 Nov 2026 25:26:02 GMT",
        "Sun, 31 Feb 2026 19:26:02 GMT",
        "Sun, 22 Nov 2026 19:26:02 +0200",
        "Sun, 22 Nov 2026 19:26:02 -0000",
        "Sun, 22 Nov 1969 19:26:02 GMT",
        "Sun Nov 22 19:26:02 2026",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char lines[300];
        snprintf(lines, sizeof lines, "HTTP/1.1 200 OK|Date: %s|", bad[i]);
        if (told(lines) != 0)
            fail_msg("\"%s\" is %lld", bad[i], (long long)told(lines));
    }
    struct fetch_head h = {.dates = 0};
    fetch_head_line(&h, S("Date: Sun, 22 Nov 2026\0 19:26:02 GMT"));
    assert_int_equal(h.date_s, 0);
    assert_int_equal(h.dates, 1);
}

static void it_is_the_answer_s_own(void **state)
{
    /* of an interim answer, behind the header, told twice */
    assert_int_equal(told("HTTP/1.1 103 Early|Date: " GOOD "||HTTP/1.1 200 OK||"), 0);
    assert_int_equal(told("HTTP/1.1 103 Early|Date: x||HTTP/1.1 200 OK|Date: " GOOD "||"), GOOD_S);
    assert_int_equal(told("HTTP/1.1 200 OK||Date: " GOOD "|"), 0);
    assert_int_equal(told("HTTP/1.1 200 OK|Date: " GOOD "|Date: " GOOD "||"), 0);
    assert_int_equal(told("HTTP/1.1 200 OK|Date: x|Date: " GOOD "|Date: " GOOD "||"), 0);
    assert_int_equal(told("HTTP/1.1 200 OK|X-Date: " GOOD "|Dates: " GOOD "||"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_is_read),
        cmocka_unit_test(what_makes_no_sense_is_none),
        cmocka_unit_test(it_is_the_answer_s_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
