/* The search for one person: what others typed never becomes syntax (T-251). */
#include "directory/filter.h"

#include <stdio.h>

#include "cases.h"
#include "test.h"

static void put(const char *template, struct slice address, const char *wanted)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    assert_ok(directory_filter_put(slice_str(template), address, &out));
    assert_string_equal(buf_cstr(&out), wanted);
}

static void test_template(void **state)
{
    put("(mail={address})", S("alice@ours.test"), "(mail=alice@ours.test)");
    put("(uid={local})", S("alice@ours.test"), "(uid=alice)");
    put("(|(uid={local})(mail={address}))", S("a.b@ours.test"), "(|(uid=a.b)(mail=a.b@ours.test))");
    put("(&(objectClass=person)(mail={address})(!(locked=*)))", S("x@y.z"),
        "(&(objectClass=person)(mail=x@y.z)(!(locked=*)))");
    put("(mail={address}{local})", S("\"a@b\"@c.d"), "(mail=\\22a@b\\22@c.d\\22a@b\\22)");
}

/* RFC 4515 section 4: the examples of escaped values. */
static void test_escape(void **state)
{
    static const struct {
        struct slice value;
        const char *wanted;
    } cases[] = {
        {{"Parens R Us (for all your parenthetical needs)", 46},
         "Parens R Us \\28for all your parenthetical needs\\29"},
        {{"*", 1}, "\\2a"},
        {{"C:\\MyFile", 9}, "C\\3a\\5cMyFile"},
        {{"\x00\x00\x00\x04", 4}, "\\00\\00\\00\\04"},
        {{"Lu\xc4\x8di\xc4\x87", 7}, "Lu\\c4\\8di\\c4\\87"},
        {{"", 0}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(4096);
        directory_escape(cases[i].value, &out);
        assert_true(slice_eq(buf_slice(&out), slice_str(cases[i].wanted)));
    }
}

static void test_all(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    assert_ok(directory_filter_all(S("(|(uid={local})(mail={address}))"), &out));
    assert_string_equal(buf_cstr(&out), "(|(uid=*)(mail=*))");
}

static void test_no_address(void **state)
{
    static const struct slice bad[] = {{"", 0}, {"alice", 5}, {"@ours.test", 10}, {"alice@", 6}, {"@", 1}};
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(ERR_SYNTAX, directory_filter_put(S("(mail={address})"), bad[i], &out));
    char long_one[2000];
    memset(long_one, 'a', sizeof long_one);
    long_one[1990] = '@';
    assert_err(
        ERR_SYNTAX, directory_filter_put(S("(mail={address})"), slice_of(long_one, sizeof long_one), &out));
    assert_int_equal(out.n, 0);
}

/* T-251: names that would be syntax somewhere, in every place of a template. */
static void test_t251(void **state)
{
    static const struct slice names[] = {
        {"*", 1},
        {"*)(uid=*", 8},
        {"*)(|(mail=*", 11},
        {"\\2a", 3},
        {"\\", 1},
        {"\\2", 2},
        {"alice\0", 6},
        {"\0", 1},
        {"alice)(objectClass=*", 20},
        {"(", 1},
        {")", 1},
        {"))", 2},
        {"' OR 1=1--", 10},
        {"%", 1},
        {"%{user}", 7},
        {"${x}", 4},
        {"{{7*7}}", 7},
        {"{address}", 9},
        {"{local}", 7},
        {"alice\nbob", 9},
        {"alice\r\n", 7},
        {"\xbf'", 2},
        {"\xef\xbc\x8a", 3},
        {"&(a=b)", 6},
        {"|", 1},
        {"!", 1},
        {"~=", 2},
        {">=", 2},
        {":dn:=", 5},
        {"\x7f", 1}};
    static const char *const templates[] = {
        "(mail={address})", "(uid={local})", "(|(uid={local})(mail={address}))",
        "(&(a=b)(!(mail={address})))"};
    struct cases c = {.id = "T-251"};
    for (size_t t = 0; t < sizeof templates / sizeof *templates; t++) {
        struct buf plain CLEANUP_BUF = BUF_INIT(4096);
        assert_ok(directory_filter_put(slice_str(templates[t]), S("a@b.c"), &plain));
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            struct buf address CLEANUP_BUF = BUF_INIT(256), out CLEANUP_BUF = BUF_INIT(4096);
            buf_put(&address, names[i]);
            buf_put_str(&address, "@ours.test");
            bool good = directory_filter_put(slice_str(templates[t]), buf_slice(&address), &out) == OK;
            /* As many brackets and asterisks as with a harmless name, and nothing but ASCII that is seen. */
            for (const char *sign = "()*"; *sign; sign++) {
                size_t had = 0, has = 0;
                for (size_t k = 0; k < plain.n; k++)
                    had += plain.p[k] == *sign;
                for (size_t k = 0; k < out.n; k++)
                    has += out.p[k] == *sign;
                good = good && had == has;
            }
            for (size_t k = 0; k < out.n; k++)
                good = good && out.p[k] >= 0x20 && out.p[k] < 0x7f;
            char what[60];
            snprintf(what, sizeof what, "template %zu, name %zu", t, i);
            cases_check(&c, good, what);
        }
    }
    cases_end(&c, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_template),   cmocka_unit_test(test_escape), cmocka_unit_test(test_all),
        cmocka_unit_test(test_no_address), cmocka_unit_test(test_t251),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
