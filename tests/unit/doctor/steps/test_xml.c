#include "test.h"

#include "base/buf.h"
#include "base/limits.h"
#include "doctor/steps/xml.h"

static const char small[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c -->\n"
                            "<a:top xmlns:a=\"urn:x\" a:kind=\" one \" other='&amp;&#x41;'>\n"
                            "  <item> first </item><other/>\n  <item><![CDATA[<second>]]></item>\n</a:top>\n";

static void a_file_becomes_a_tree(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    const struct xml_node *root = NULL;
    assert_ok(xml_parse(slice_str(small), &arena, &root));
    assert_slice("top", root->name);
    assert_slice("", root->text);
    assert_slice("one", xml_attribute_of(root, "kind"));
    assert_slice("&A", xml_attribute_of(root, "other"));
    assert_slice("", xml_attribute_of(root, "none"));
    const struct xml_node *item = xml_first(root, "item");
    assert_slice("first", item->text);
    assert_slice("first", xml_text(root, "item"));
    item = xml_next(item);
    assert_slice("<second>", item->text);
    assert_null(xml_next(item));
    assert_null(xml_first(root, "Item"));
    assert_null(xml_first(NULL, "item"));
    assert_slice("", xml_text(root, "other"));
    assert_ptr_equal(item->parent, root);
}

static void every_cut_is_refused(void **state)
{
    for (size_t n = 0; n + 2 < sizeof small - 1; n++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
        const struct xml_node *root = NULL;
        assert_err(ERR_SYNTAX, xml_parse(slice_of(small, n), &arena, &root));
        assert_null(root);
    }
}

static void check_bad(const char *file, enum err wanted)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    const struct xml_node *root = NULL;
    enum err e = xml_parse(slice_str(file), &arena, &root);
    if (e != wanted)
        fail_msg("%s: %s", file, err_text(e));
    assert_null(root);
}

static void what_is_no_xml_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "hello",
        "<!doctype htm><html>",
        "<a>",
        "<a></b>",
        "<a b=c/>",
        "<a b='1' b='2'/>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>\x01</a>",
        "<a>\xff</a>",
        "<a/><b/>",
        "<a/>text",
        "<?xml version=\"1.0\" encoding=\"EBCDIC\"?><a/>",
        "{\"a\": 1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_bad(bad[i], ERR_SYNTAX);
}

/* T-107: entities that grow, entities that fetch, and other bombs. */
static void bombs_do_not_go_off(void **state)
{
    static const char *const bombs[] = {
        "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;&x;&x;\"><!ENTITY z \"&y;&y;\">]><a>&z;&z;</a>",
        "<!DOCTYPE a SYSTEM \"http://169.254.169.254/latest\"><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1:22/\">%p;]><a/>",
        "<!DOCTYPE a PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x.dtd\"><a/>",
        "<!DOCTYPE a [<!ATTLIST a b CDATA \"1\">]><a/>",
        "<!DOCTYPE a><a/>",
    };
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++)
        check_bad(bombs[i], ERR_DENIED);
    report_threat("T-107", sizeof bombs / sizeof *bombs);
}

static void
check_repeated(const char *before, const char *middle, size_t times, const char *after, enum err wanted)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_NOTES_MEMORY);
    struct buf b CLEANUP_BUF = BUF_INIT(4 << 20);
    const struct xml_node *root = NULL;
    buf_put_str(&b, before);
    for (size_t i = 0; i < times; i++)
        buf_put_str(&b, middle);
    buf_put_str(&b, after);
    assert_err(wanted, xml_parse(buf_slice(&b), &arena, &root));
    assert_true((root != NULL) == (wanted == OK));
}

static void budgets_end_it(void **state)
{
    check_repeated("", "<a>", LIMIT_DOCTOR_XML_DEPTH + 1, "", ERR_LIMIT);
    check_repeated("", "<a>", 80000, "", ERR_LIMIT);
    check_repeated("<a>", "<b/>", LIMIT_DOCTOR_XML_NODES - 1, "</a>", OK);
    check_repeated("<a>", "<b/>", LIMIT_DOCTOR_XML_NODES, "</a>", ERR_LIMIT);
    check_repeated("<a>", "x", LIMIT_DOCTOR_FETCH - 7, "</a>", OK);
    check_repeated("<a>", "x", LIMIT_DOCTOR_FETCH, "</a>", ERR_LIMIT);
    check_repeated("<a b='", "&lt;", 60000, "'/>", OK);
    struct arena arena CLEANUP_ARENA = ARENA_INIT(300);
    const struct xml_node *root = NULL;
    assert_err(ERR_LIMIT, xml_parse(S("<a><b>1</b><b>2</b><b>3</b></a>"), &arena, &root));
    assert_null(root);
}

static void attributes_are_bounded(void **state)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct buf b CLEANUP_BUF = BUF_INIT(100000);
    const struct xml_node *root = NULL;
    buf_put_str(&b, "<a");
    for (unsigned i = 0; i < 2 * LIMIT_DOCTOR_XML_ATTRIBUTES; i++)
        buf_printf(&b, " x%u='%u'", i, i);
    buf_put_str(&b, "/>");
    assert_ok(xml_parse(buf_slice(&b), &arena, &root));
    assert_int_equal(root->attribute_count, LIMIT_DOCTOR_XML_ATTRIBUTES);
    assert_slice("15", xml_attribute_of(root, "x15"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_a_tree),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(what_is_no_xml_is_refused),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(budgets_end_it),
        cmocka_unit_test(attributes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
