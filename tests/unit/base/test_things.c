/* Maps, addresses, dates, errors, limits, the log. */
#include "test.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"

static void maps_against_an_array(void **unused)
{
    (void)unused;
    enum { KEYS = 3000, LIMIT = 2500 };
    static uint64_t keys[KEYS];
    static bool in[KEYS];
    struct map m = MAP_INIT(LIMIT);
    size_t count = 0;
    uint32_t state = 1;
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = i * 0x100000001u;
    for (int step = 0; step < 200000; step++) {
        state = state * 1103515245 + 12345;
        size_t i = (state >> 8) % KEYS;
        if (state & 0x80) {
            enum err e = map_add(&m, map_id(&keys[i]), &keys[i]);
            assert_int_equal(in[i] ? ERR_EXISTS : count == LIMIT ? ERR_LIMIT : OK, e);
            count += e == OK;
            in[i] |= e == OK;
        } else {
            assert_ptr_equal(in[i] ? &keys[i] : NULL, map_drop(&m, map_id(&keys[i])));
            count -= in[i];
            in[i] = false;
        }
        assert_int_equal(count, m.count);
    }
    size_t seen = 0;
    void *value;
    for (size_t at = 0; map_next(&m, &at, &value); seen++)
        assert_true(in[(uint64_t *)value - keys]);
    assert_int_equal(count, seen);
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(in[i] ? &keys[i] : NULL, map_find(&m, map_id(&keys[i])));
    map_done(&m);
}

static void addresses(void **unused)
{
    (void)unused;
    struct ip ip;
    char text[IP_TEXT_MAX];
    assert_ok(ip_parse(S("192.0.2.7"), &ip));
    assert_true(ip_is_v4(&ip));
    assert_string_equal("192.0.2.7", ip_text(&ip, text));
    assert_ok(ip_parse(S("2001:DB8::1"), &ip));
    assert_string_equal("2001:db8::1", ip_text(&ip, text));
    assert_false(ip_is_v4(&ip));
    static const char *const bad[] = {"",    "1.2.3",    "1.2.3.4.5", "256.1.1.1",
                                      "::g", "1.2.3.4 ", "[::1]",     "localhost"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(ERR_SYNTAX, ip_parse(slice_str(bad[i]), &ip));
    struct ip_net net;
    struct ip in, out;
    assert_ok(ip_net_parse(S("10.1.0.0/16"), &net));
    assert_ok(ip_parse(S("10.1.255.255"), &in));
    assert_ok(ip_parse(S("10.2.0.0"), &out));
    assert_true(ip_net_has(&net, &in) && !ip_net_has(&net, &out));
    assert_err(ERR_SYNTAX, ip_net_parse(S("10.1.0.1/16"), &net)); /* host bits */
    assert_err(ERR_LIMIT, ip_net_parse(S("10.0.0.0/33"), &net));
    assert_ok(ip_net_parse(S("2001:db8::/32"), &net));
    assert_ok(ip_parse(S("2001:db8:ffff::1"), &in));
    assert_true(ip_net_has(&net, &in) && !ip_net_has(&net, &out));
    assert_ok(ip_parse(S("2001:db8:1:2:3:4:5:6"), &in));
    struct ip limited = ip_limit_net(&in);
    assert_string_equal("2001:db8:1:2::", ip_text(&limited, text));
    assert_ok(ip_parse(S("127.3.2.1"), &in));
    assert_true(ip_is_loopback(&in));
}

static void dates(void **unused)
{
    (void)unused;
    static const struct {
        int64_t unix_s;
        struct civil c;
    } known[] = {
        {0, {1970, 1, 1, 0, 0, 0, 4}},
        {951782400, {2000, 2, 29, 0, 0, 0, 2}},
        {1795305600, {2026, 11, 22, 0, 0, 0, 0}},
        {-1, {1969, 12, 31, 23, 59, 59, 3}},
        {4107542400, {2100, 3, 1, 0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct civil c = civil_of_unix(known[i].unix_s);
        assert_memory_equal(&known[i].c, &c, sizeof c);
        assert_int_equal(known[i].unix_s, civil_to_unix(&c));
    }
    for (int64_t day = -800000; day < 800000; day += 13) {
        struct civil c = civil_of_unix(day * 86400 + 4711);
        assert_int_equal(day * 86400 + 4711, civil_to_unix(&c));
    }
}

static void errors_and_limits_have_words(void **unused)
{
    (void)unused;
    for (int e = 0; e > ERR_N; e--) {
        assert_true(strlen(err_text((enum err)e)) > 3);
        assert_true(strlen(err_name((enum err)e)) > 1);
    }
    assert_string_equal("unknown", err_name((enum err)1));
    size_t n;
    const struct limit *limits = limit_table(&n);
    assert_true(n > 50);
    for (size_t i = 0; i < n; i++) {
        assert_true(limits[i].value > 0); /* zero never means "no limit" */
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(limits[i].name, limits[k].name);
    }
}

static char last_line[5000];
static void keep(enum log_level level, struct slice line, void *arg)
{
    (void)level;
    (void)arg;
    memcpy(last_line, line.p, line.n);
    last_line[line.n] = '\0';
}

static void log_escapes(void **unused)
{
    (void)unused;
    log_init("test", 2, LOG_FORM_JSON, LOG_DEBUG);
    log_set_sink(keep, NULL);
    log_event(
        LOG_INFO, "x", LOG_TEXT("t", S("a\r\n\x1b[2J\"\\\xe2\x80\xae\xff\xe4\xbd\xa0%n")), LOG_NUM("n", -5),
        LOG_ID(0xabc));
    assert_non_null(strstr(
        last_line, "\"t\":\"a\\u000d\\u000a\\u001b[2J\\\"\\\\\\u202e\\u00ff\xe4\xbd\xa0%n\",\"n\":-5,"
                   "\"session\":\"0000000000000abc\"}"));
    char longer[3000];
    memset(longer, 'y', sizeof longer);
    log_event(LOG_INFO, "x", LOG_TEXT("t", slice_of(longer, sizeof longer)));
    assert_true(strlen(last_line) < 600);
    assert_non_null(strstr(last_line, "yyy..."));
    /* a line that would be too long is cut, and still one whole object */
    struct log_field many[60];
    for (int i = 0; i < 59; i++)
        many[i] = LOG_TEXT("field", slice_of(longer, 256));
    many[59] = (struct log_field){.key = NULL};
    log_event_fields(LOG_INFO, "x", many);
    assert_true(last_line[strlen(last_line) - 1] == '}' && strlen(last_line) < 4001);
    last_line[0] = '\0';
    log_set_level(LOG_WARN);
    log_event(LOG_INFO, "x");
    assert_int_equal(0, last_line[0]);
    log_set_sink(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_against_an_array),
        cmocka_unit_test(addresses),
        cmocka_unit_test(dates),
        cmocka_unit_test(errors_and_limits_have_words),
        cmocka_unit_test(log_escapes),
    };
    return cmocka_run_group_tests_name("base/things", tests, NULL, NULL);
}
