/* Addresses of envelopes, their keys, domains, and the lists of header fields, hostile ones included. */
#include "cases.h"
#include "mail/address.h"
#include "test.h"

static void domains(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in;
        enum err e;
        const char *out;
    } rows[] = {
        {S("Example.ORG"), OK, "example.org"},
        {S("example.org."), OK, "example.org"},
        {S("b\xc3\xbc"
           "cher.example"),
         OK, "xn--bcher-kva.example"},
        {S("B\xc3\x9c"
           "CHER.example"),
         OK, "xn--bcher-kva.example"},
        {S("\xe4\xbe\x8b\xe5\xad\x90.\xe6\xb5\x8b\xe8\xaf\x95"), OK, "xn--fsqu00a.xn--0zwm56d"},
        {S("\xe4\xbe\x8b\xe5\xad\x90\xe3\x80\x82\xe6\xb5\x8b\xe8\xaf\x95"), OK, "xn--fsqu00a.xn--0zwm56d"},
        {S("XN--FSQU00A.test"), OK, "xn--fsqu00a.test"},
        {S("a"), OK, "a"},
        {S("stra\xc3\x9f"
           "e.example"),
         OK, "xn--strae-oqa.example"},
        {S(""), ERR_SYNTAX, NULL},
        {S("."), ERR_SYNTAX, NULL},
        {S("a..b"), ERR_SYNTAX, NULL},
        {S(".a"), ERR_SYNTAX, NULL},
        {S("-a.b"), ERR_SYNTAX, NULL},
        {S("a-.b"), ERR_SYNTAX, NULL},
        {S("a_b.c"), ERR_SYNTAX, NULL},
        {S("a b"), ERR_SYNTAX, NULL},
        {S("a\0b.test"), ERR_SYNTAX, NULL},
        {S("\xff.test"), ERR_SYNTAX, NULL},
        {S("\xe2\x80\xae.test"), ERR_SYNTAX, NULL},
        {S("0123456789012345678901234567890123456789012345678901234567890123.test"), ERR_SYNTAX, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct domain d;
        enum err e = domain_parse(rows[i].in, &d);
        assert_int_equal(rows[i].e, e);
        if (e == OK)
            assert_string_equal(rows[i].out, d.text);
    }
    char text[300];
    memset(text, 'a', sizeof text);
    for (size_t i = 60; i < sizeof text; i += 60)
        text[i] = '.';
    struct domain d;
    assert_ok(domain_parse(slice_of(text, 255), &d));
    assert_err(ERR_LIMIT, domain_parse(slice_of(text, 256), &d));
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    assert_ok(domain_parse(S("xn--bcher-kva.example"), &d));
    domain_put_unicode(&out, &d);
    assert_slice(
        "b\xc3\xbc"
        "cher.example",
        buf_slice(&out));
    buf_clear(&out);
    assert_ok(domain_parse(S("xn--zzzzzz9999999.example"), &d));
    domain_put_unicode(&out, &d);
    assert_slice("xn--zzzzzz9999999.example", buf_slice(&out));
    assert_true(domain_is_within(S("a.b.test"), S("b.test")) && domain_is_within(S("b.test"), S("b.test")));
    assert_false(domain_is_within(S("ab.test"), S("b.test")) || domain_is_within(S("b.test"), S("")));
}

static const unsigned ALL =
    ADDRESS_ALLOW_UTF8 | ADDRESS_ALLOW_NULL | ADDRESS_ALLOW_POSTMASTER | ADDRESS_ALLOW_LITERAL;

static void paths(void **unused)
{
    (void)unused;
    static const struct {
        struct slice in;
        unsigned allow;
        enum err e;
        struct slice local, domain, rest;
    } rows[] = {
        {S("<a@B.test> SIZE=1"), 0, OK, S("a"), S("b.test"), S(" SIZE=1")},
        {S("<>"), 2, OK, S(""), S(""), S("")},
        {S("<>"), 0, ERR_SYNTAX},
        {S("<Postmaster>"), 4, OK, S("Postmaster"), S(""), S("")},
        {S("<Postmaster>"), 0, ERR_SYNTAX},
        {S("<webmaster>"), 4, ERR_SYNTAX},
        {S("<\"a b\"@c.test>"), 0, OK, S("a b"), S("c.test"), S("")},
        {S("<\"a>b\"@c.test>x"), 0, OK, S("a>b"), S("c.test"), S("x")},
        {S("<\"a\\\"@\\\\b\"@c.test>"), 0, OK, S("a\"@\\b"), S("c.test"), S("")},
        {S("<\"\"@c.test>"), 0, ERR_SYNTAX},
        {S("<\"a@c.test>"), 0, ERR_SYNTAX},
        {S("<\"a\\"), 0, ERR_SYNTAX},
        {S("<a@[192.0.2.1]>"), 8, OK, S("a"), S("[192.0.2.1]"), S("")},
        {S("<a@[IPv6:2001:DB8::1]>"), 8, OK, S("a"), S("[ipv6:2001:db8::1]"), S("")},
        {S("<a@[192.0.2.1]>"), 0, ERR_UNSUPPORTED},
        {S("<a@[192.0.2.256]>"), 8, ERR_SYNTAX},
        {S("<a@[IPv6:192.0.2.1]>"), 8, ERR_SYNTAX},
        {S("<a@[2001:db8::1]>"), 8, ERR_SYNTAX},
        {S("<a@[x]>"), 8, ERR_SYNTAX},
        {S("<a@[192.0.2.1>"), 8, ERR_SYNTAX},
        {S("<@x.test:a@b.test>"), ALL, ERR_UNSUPPORTED},
        {S("<@x.test,@y.test:a@b.test>"), ALL, ERR_UNSUPPORTED},
        {S("<\xc3\xa9@b.test>"), 0, ERR_UNSUPPORTED},
        {S("<a@\xc3\xa9.test>"), 0, ERR_UNSUPPORTED},
        {S("<\xc3\xa9@\xc3\xa9.test>"), 1, OK, S("\xc3\xa9"), S("xn--9ca.test"), S("")},
        {S("<\xff@b.test>"), 1, ERR_SYNTAX},
        {S("<\xc2\x85@b.test>"), 1, ERR_SYNTAX},
        {S("a@b.test"), 0, ERR_SYNTAX},
        {S("<a@b.test"), 0, ERR_SYNTAX},
        {S("< a@b.test>"), 0, ERR_SYNTAX},
        {S("<a @b.test>"), 0, ERR_SYNTAX},
        {S("<a@b.test >"), 0, ERR_SYNTAX},
        {S("<a@b.test.>"), 0, ERR_SYNTAX},
        {S("<a..b@c.test>"), 0, ERR_SYNTAX},
        {S("<.a@c.test>"), 0, ERR_SYNTAX},
        {S("<a.@c.test>"), 0, ERR_SYNTAX},
        {S("<a@b@c.test>"), 0, ERR_SYNTAX},
        {S("<a@>"), 0, ERR_SYNTAX},
        {S("<@>"), 0, ERR_UNSUPPORTED},
        {S("<<a@b.test>>"), 0, ERR_SYNTAX},
        {S("<a(b)@c.test>"), 0, ERR_SYNTAX},
        {S("<a\r\n@c.test>"), 0, ERR_SYNTAX},
        {S(""), ALL, ERR_SYNTAX},
        {S("<"), ALL, ERR_SYNTAX},
        {S("<0123456789012345678901234567890123456789012345678901234567890123@c.test>"), 0, OK,
         S("0123456789012345678901234567890123456789012345678901234567890123"), S("c.test"), S("")},
        {S("<01234567890123456789012345678901234567890123456789012345678901234@c.test>"), 0, ERR_LIMIT},
        {S("<\"01234567890123456789012345678901234567890123456789012345678901234\"@c.test>"), 0, ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address a;
        struct slice rest = rows[i].in;
        enum err e = address_take_path(&rest, rows[i].allow, &a);
        if (e != rows[i].e)
            fail_msg("%.*s: %s", SLICE_ARG(rows[i].in), err_name(e));
        if (e != OK) {
            assert_true(rest.p == rows[i].in.p);
            continue;
        }
        assert_true(
            slice_eq(address_local(&a), rows[i].local) && slice_eq(address_domain(&a), rows[i].domain));
        assert_true(slice_eq(rest, rows[i].rest));
        CLEANUP_BUF struct buf out = BUF_INIT(1000);
        address_put(&out, &a);
        struct address again;
        if (!address_is_null(&a)) {
            assert_ok(address_parse(buf_slice(&out), ALL, &again));
            assert_true(slice_eq(address_local(&again), rows[i].local));
        }
    }
}

static void keys(void **unused)
{
    (void)unused;
    static const struct {
        struct slice a, b;
        bool same;
    } rows[] = {
        {S("Alice@Example.test"), S("alice@example.TEST"), true},
        {S("\"alice\"@example.test"), S("alice@example.test"), true},
        {S("e\xcc\x81@example.test"), S("\xc3\x89@example.test"), true}, /* NFC, then case */
        {S("STRASSE@example.test"),
         S("stra\xc3\x9f"
           "e@example.test"),
         true},
        {S("a@b\xc3\xbc"
           "cher.test"),
         S("a@xn--bcher-kva.test"), true},
        {S("alice@example.test"),
         S("al\xd1\x96"
           "ce@example.test"),
         false},                                                      /* a lookalike is someone else */
        {S("a@example.test"), S("\xef\xbd\x81@example.test"), false}, /* full-width: no NFKC here */
        {S("a.b@example.test"), S("ab@example.test"), false},
        {S("\"a@b\"@example.test"), S("a@example.test"), false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address a, b;
        struct address_key ka, kb;
        assert_ok(address_parse(rows[i].a, ALL, &a));
        assert_ok(address_parse(rows[i].b, ALL, &b));
        assert_ok(address_key(&a, &ka));
        assert_ok(address_key(&b, &kb));
        assert_int_equal(rows[i].same, slice_eq(address_key_text(&ka), address_key_text(&kb)));
        assert_int_equal(ka.n, strlen(ka.text));
        assert_true(ka.text[ka.local_n] == '@' && address_key_domain(&ka).n + ka.local_n + 1u == ka.n);
        /* a key's key is itself */
        struct address again;
        assert_ok(address_make(address_key_local(&ka), address_key_domain(&ka), ALL, &again));
        assert_ok(address_key(&again, &kb));
        assert_true(slice_eq(address_key_text(&ka), address_key_text(&kb)));
    }
    struct address a;
    struct address_key k;
    assert_ok(address_make(S("postmaster"), S(""), ALL, &a));
    assert_err(ERR_SYNTAX, address_key(&a, &k));
    char grows[64]; /* U+0390 folds to three code points */
    for (size_t i = 0; i < sizeof grows; i += 2)
        memcpy(grows + i, "\xce\x90", 2);
    assert_ok(address_make(slice_of(grows, sizeof grows), S("x.test"), ALL, &a));
    assert_ok(address_key(&a, &k));
    struct slice base, tag;
    assert_true(
        address_split_tag(S("a+b+c"), '+', &base, &tag) && slice_eq(base, S("a")) && slice_eq(tag, S("b+c")));
    assert_false(address_split_tag(S("a"), '+', &base, &tag) || address_split_tag(S("+a"), '+', &base, &tag));
}

/* "name<route!local|domain>", '-' for what is absent; "name:" and ";" for groups; then "!" when invalid. */
static void show(const struct address_list *l, struct buf *out)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct address_item *item = &l->items[i];
        if (i)
            buf_put_char(out, ' ');
        if (item->kind == ADDRESS_GROUP_END) {
            buf_put_char(out, ';');
            continue;
        }
        buf_put(out, item->name.p ? item->name : S("-"));
        if (item->kind == ADDRESS_GROUP_START) {
            buf_put_char(out, ':');
            continue;
        }
        buf_put_char(out, '<');
        if (item->route.p) {
            buf_put(out, item->route);
            buf_put_char(out, '!');
        }
        buf_put(out, item->local);
        buf_put_char(out, '|');
        buf_put(out, item->domain.p ? item->domain : S("-"));
        buf_put_char(out, '>');
    }
    if (l->invalid)
        buf_put_str(out, " !");
}

static const struct {
    struct slice in;
    const char *out;
} lists[] = {
    {S("a@b.test"), "-<a|b.test>"},
    {S("Pete <p@silly.test>"), "Pete<p|silly.test>"},
    {S("\"Joe Q. Public\" <john.q.public@example.com>"), "Joe Q. Public<john.q.public|example.com>"},
    {S("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
     "Mary Smith<mary|x.test> -<jdoe|example.org> Who?<one|y.test>"},
    {S("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
     "-<boss|nil.test> Giant; \"Big\" Box<sysservices|example.net>"},
    {S("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
     "A Group: Ed Jones<c|a.test> -<joe|where.test> John<jdoe|one.test> ;"},
    {S("Undisclosed recipients:;"), "Undisclosed recipients: ;"},
    {S("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"), "Pete<pete|silly.test>"},
    {S("A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org,\r\n"
       "  John <jdoe@one.test> (my dear friend); (the end of the group)"),
     "A Group: Chris Jones<c|public.example> -<joe|example.org> John<jdoe|one.test> ;"},
    {S("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;"), "Hidden recipients: ;"},
    {S("Joe Q. Public <john.q.public@example.com>"), "Joe Q. Public<john.q.public|example.com>"},
    {S("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"),
     "Mary Smith<@node.test!mary|example.net> -<jdoe|test.example>"},
    {S("<@a.test,@b.test:c@d.test>"), "-<@a.test,@b.test!c|d.test>"},
    {S("john@x.test (John Doe)"), "John Doe<john|x.test>"},
    {S("\"a b\"@c.test"), "-<a b|c.test>"},
    {S("\"a b\" . c @ d.test"), "-<a b.c|d.test>"},
    {S("a@[192.0.2.1]"), "-<a|[192.0.2.1]>"},
    {S("=?utf-8?q?J=C3=BC?= <j@x.test>"), "=?utf-8?q?J=C3=BC?=<j|x.test>"},
    {S("J\xc3\xbcrgen <j\xc3\xbc@x.test>"), "J\xc3\xbcrgen<j\xc3\xbc|x.test>"},
    {S("a@b.test,"), "-<a|b.test>"},
    {S(""), ""},
    {S(" \r\n "), ""},
    {S("(only a comment)"), ""},
    /* what does not follow the grammar is read as well as may be, and marked */
    {S("alice@ours.test <bob@evil.test>"), "alice@ours.test<bob|evil.test> !"},
    {S("<a@b.test> <c@d.test>"), "-<a|b.test> -<c|d.test> !"},
    {S("a@b.test c@d.test"), "-<a|b.test> -<c|d.test> !"},
    {S("alice bob@x.test"), "alice<bob|x.test> !"},
    {S("<alice@ours.test> bob@evil.test"), "-<alice|ours.test> -<bob|evil.test> !"},
    {S("a@b.test@c.test"), "-<a|b.test> -<c.test|-> !"},
    {S("alice"), "-<alice|-> !"},
    {S("<alice>"), "-<alice|-> !"},
    {S("<>"), "-<|-> !"},
    {S("@b.test"), "-<|b.test> !"},
    {S("a@"), "-<a|-> !"},
    {S("a@b..test"), "-<a|b..test> !"},
    {S("a..b@c.test"), "-<a..b|c.test> !"},
    {S("a@b.test; c@d.test"), "-<a|b.test> -<c|d.test> !"},
    {S("g:a@b.test"), "g: -<a|b.test> ; !"},
    {S("a:b:c@d.test;"), "a: -<c|d.test> ; !"},
    {S("a:b:x;"), "a: -<x|-> ; !"},
    {S("x <a@b.test"), "x<a|b.test> !"},
    {S("x <a@b.test, y <c@d.test>"), "x<a|b.test> y<c|d.test> !"},
    {S("a@[b"), "-<a|[b]> !"},
    {S("\"a"), "-<a|-> !"},
    {S("a (b\\"), "b\\<a|-> !"},
    {S("\"a\\"), "-<a\\|-> !"},
    {S("a\\b@c.test"), NULL},
    {S("<<a@b.test>>"), NULL},
    {S(",,,"), ""},
    {S(";"), " !"},
    {S("@"), NULL},
    {S("\\"), " !"},
};

static void list_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
        CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
        struct address_list l;
        address_list_parse(lists[i].in, &arena, &l);
        assert_false(l.truncated);
        show(&l, &out);
        if (lists[i].out ? !slice_eq(buf_slice(&out), slice_str(lists[i].out)) : !l.invalid)
            fail_msg("%.*s\n  gave %.*s", SLICE_ARG(lists[i].in), SLICE_ARG(buf_slice(&out)));
    }
}

/* Every prefix of every row, placed so that reading one octet too far is seen by the sanitizer. */
static void list_cuts(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t n = 0; n <= lists[i].in.n; n++) {
            char *copy = malloc(n + !n);
            memcpy(copy, lists[i].in.p, n);
            CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
            struct address_list l;
            address_list_parse(slice_of(copy, n), &arena, &l);
            for (size_t k = 0; k < l.count; k++)
                assert_true(l.items[k].kind != ADDRESS_MAILBOX || l.items[k].local.p);
            free(copy);
        }
}

static void list_limits(void **unused)
{
    (void)unused;
    CLEANUP_BUF struct buf in = BUF_INIT(8 << 20);
    static const char *const pieces[] = {
        "a@b,", "(", "\"", "<", "a:b;", "a:", "\\", "@", "a@[", "=?", ".", "a b "};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        buf_clear(&in);
        for (size_t i = 0; i < 300000; i++)
            buf_put_str(&in, pieces[p]);
        CLEANUP_ARENA struct arena arena = ARENA_INIT(8 << 20);
        struct address_list l;
        address_list_parse(buf_slice(&in), &arena, &l);
        assert_true(l.count <= LIMIT_ENVELOPE_ADDRESSES + 1);
        assert_true(p != 0 || (l.truncated && l.mailboxes == LIMIT_ENVELOPE_ADDRESSES));
    }
    /* a small arena ends the list, and says so */
    CLEANUP_ARENA struct arena tiny = ARENA_INIT(400);
    struct address_list l;
    address_list_parse(S("a@b,c@d,e@f,g@h,i@j,k@l"), &tiny, &l);
    assert_true(l.truncated && l.count < 6);
}

static void t030_nul(void **unused)
{
    (void)unused;
    struct cases c = {"T-030", 0, 0};
    struct address a;
    struct slice rest = S("<a\0b@their.test>");
    cases_check(&c, address_take_path(&rest, ALL, &a) == ERR_SYNTAX, "NUL in a local part");
    rest = S("<bob@ours.test\0.evil.test>");
    cases_check(&c, address_take_path(&rest, ALL, &a) == ERR_SYNTAX, "NUL in a domain");
    rest = S("<\"a\0b\"@their.test>");
    cases_check(&c, address_take_path(&rest, ALL, &a) == ERR_SYNTAX, "NUL in quotes");
    rest = S("<\"a\\\0b\"@their.test>");
    cases_check(&c, address_take_path(&rest, ALL, &a) == ERR_SYNTAX, "escaped NUL");
    cases_check(&c, address_parse(S("bob@ours.test\0"), ALL, &a) == ERR_SYNTAX, "NUL at the end");
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 16);
    struct address_list l;
    address_list_parse(S("a@evil.test\0b@ours.test"), &arena, &l);
    cases_check(&c, l.invalid, "From with NUL is invalid");
    cases_check(&c, l.count && slice_has(l.items[0].domain, '\0'), "and is not cut there");
    address_list_parse(S("\"a\0b\" <x@y.test>"), &arena, &l);
    cases_check(&c, l.invalid && l.items[0].name.n == 3, "a name with NUL keeps its length");
    cases_end(&c, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains),   cmocka_unit_test(paths),     cmocka_unit_test(keys),
        cmocka_unit_test(list_rows), cmocka_unit_test(list_cuts), cmocka_unit_test(list_limits),
        cmocka_unit_test(t030_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
