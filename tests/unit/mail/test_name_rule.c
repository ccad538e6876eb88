#include "test.h"

#include <string.h>

#include "base/utf8.h"
#include "cases.h"
#include "mail/address.h"
#include "mail/name_rule.h"

static void utf8_put(struct buf *out, uint32_t code)
{
    if (code < 0x80) {
        buf_put_char(out, (char)code);
        return;
    }
    unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    buf_put_char(out, (char)(lead[more] | code >> (6 * more)));
    while (more--)
        buf_put_char(out, (char)(0x80 | (code >> (6 * more) & 0x3f)));
}

/* As the local part of an address, which no longer name can be. */
static enum err fold(struct slice name, struct address_key *ret_key)
{
    if (name.n > LIMIT_LOCAL_PART)
        return ERR_LIMIT;
    struct address a = {.local_n = (uint8_t)name.n, .domain_n = 1};
    memcpy(a.text, name.p, name.n);
    a.text[name.n] = 'x';
    return address_key(&a, ret_key);
}

static enum name_flaw flaw_of(const char *name)
{
    struct address_key key;
    return fold(slice_str(name), &key) == OK ? name_flaw_of(address_key_local(&key)) : NAME_CHARACTER;
}

static const struct {
    const char *name;
    enum name_flaw flaw;
} rows[] = {
    {"alice", NAME_FINE},
    {"ALICE", NAME_FINE},
    {"a.b-c_d'e+f", NAME_FINE},
    {"bj\u00f6rn", NAME_FINE},
    {"bjo\u0308rn", NAME_FINE},
    {"stra\u00dfe", NAME_FINE},
    {"\u03b4\u03bf\u03ba\u03b9\u03bc\u03ae", NAME_FINE},
    {"\u0438\u0432\u0430\u043d", NAME_FINE},
    {"\u0438\u0432\u0430\u043d.42", NAME_FINE},
    {"\u7528\u6237", NAME_FINE},
    {"\u7530\u4e2d\u3055\u3093", NAME_FINE},
    {"\u5c0f\u660ewang", NAME_FINE},
    {"\ud64d\uae38\ub3d9", NAME_FINE},
    {"\u05d3\u05d5\u05d3", NAME_FINE},
    {"\u0645\u062d\u0645\u062f", NAME_FINE},
    {"\u0930\u093e\u092e", NAME_FINE},
    {"\u0430lice", NAME_SCRIPTS}, /* a Cyrillic a */
    {"al\u0131ce", NAME_FINE},    /* its skeleton is taken where alice is */
    {"p\u03b1ul", NAME_SCRIPTS},
    {"\u0645\u062d\u0645\u062fbob", NAME_SCRIPTS},
    {"\uff41\uff4c\uff49\uff43\uff45", NAME_VARIANT},
    {"\ufb01n", NAME_FINE}, /* folds to "fin": the same key, the same account */
    {"\u1d2e\u1d35\u1d33", NAME_VARIANT},
    {"\u2460", NAME_CHARACTER},
    {"\U0001d41a\U0001d425", NAME_VARIANT},
    {"alice\u200d", NAME_CHARACTER},
    {"ali\u00adce", NAME_CHARACTER},
    {"al\u2060ice", NAME_CHARACTER},
    {"alice\u202e", NAME_CHARACTER},
    {"alice\ufeff", NAME_CHARACTER},
    {"al\u3164ice", NAME_CHARACTER},
    {"alice\u00a0bob", NAME_CHARACTER},
    {" alice", NAME_CHARACTER},
    {"alice\x7f", NAME_CHARACTER},
    {"\U0001f600", NAME_CHARACTER},
    {"\U000e0041lice", NAME_CHARACTER},
    {"room1\u0662", NAME_DIGITS},
    {"\u0661\u06f2", NAME_DIGITS},
    {"\u13a0\u13a1", NAME_CHARACTER}, /* Cherokee: not a script that we know */
};

static void names_that_may_be_given(void **state)
{
    struct cases cases = {.id = "T-257"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cases_check(&cases, flaw_of(rows[i].name) == rows[i].flaw, rows[i].name);
    /* Every invisible and bidirectional character, at three places of a name. */
    static const struct {
        uint32_t first, last;
    } hidden[] = {{0x200b, 0x200f}, {0x202a, 0x202e},   {0x2060, 0x206f},
                  {0xfe00, 0xfe0f}, {0xe0020, 0xe007f}, {0x180b, 0x180e}};
    for (size_t h = 0; h < sizeof hidden / sizeof *hidden; h++) {
        for (uint32_t code = hidden[h].first; code <= hidden[h].last; code++) {
            for (int place = 0; place < 3; place++) {
                struct buf name CLEANUP_BUF = BUF_INIT(64);
                buf_put(&name, slice_sub(S("bob"), 0, (size_t)place));
                utf8_put(&name, code);
                buf_put(&name, slice_from(S("bob"), (size_t)place));
                buf_put_char(&name, '\0');
                enum name_flaw flaw = flaw_of(name.p);
                cases_check(&cases, flaw != NAME_FINE, "an invisible character");
            }
        }
    }
    cases_end(&cases, 400);
}

/* T-263: width, and marks upon marks. */
static void long_and_tall_names(void **state)
{
    struct cases cases = {.id = "T-263"};
    static const char *const marks[] = {"\u0301", "\u0308", "\u0323", "\u0489", "\u20e3", "\u0e49", "\u0489"};
    for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
        for (unsigned n = 4; n <= 64; n *= 4) {
            char name[256] = "z";
            for (unsigned i = 0; i < n; i++)
                strncat(name, marks[m], sizeof name - strlen(name) - 1);
            cases_check(&cases, flaw_of(name) != NAME_FINE, "marks upon marks");
        }
    }
    char wide[256] = "";
    for (int i = 0; i < 21; i++)
        strcat(wide, "\ufdfd");
    cases_check(&cases, flaw_of(wide) != NAME_FINE, "the widest character");
    /* Octets count, and no character is cut. */
    for (size_t n = 60; n <= 70; n++) {
        struct buf text CLEANUP_BUF = BUF_INIT(200);
        struct address a;
        while (text.n + 2 <= n)
            buf_put_str(&text, "\u00e9");
        while (text.n < n)
            buf_put_char(&text, 'x');
        buf_put_str(&text, "@example.test");
        bool fits = n <= LIMIT_LOCAL_PART;
        cases_check(
            &cases, (address_parse(buf_slice(&text), ADDRESS_ALLOW_UTF8, &a) == OK) == fits, "64 octets");
    }
    cases_end(&cases, 24);
}

/* T-258: for every code point alone, and beside an ASCII letter: folding twice is folding once. */
static void folding_is_idempotent(void **state)
{
    struct cases cases = {.id = "T-258"};
    for (uint32_t code = 1; code < 0x110000; code++) {
        if (code >= 0xd800 && code <= 0xdfff)
            continue;
        struct buf name CLEANUP_BUF = BUF_INIT(16);
        struct address_key once, twice;
        if (code % 2)
            buf_put_char(&name, 'a');
        utf8_put(&name, code);
        if (fold(buf_slice(&name), &once) != OK)
            continue;
        bool same = fold(address_key_local(&once), &twice) == OK &&
                    slice_eq(address_key_text(&once), address_key_text(&twice));
        cases.run++;
        cases.passed += same;
        if (!same)
            print_message("U+%04X\n", (unsigned)code);
    }
    cases_end(&cases, 1000000);
}

static void look_alikes_have_one_skeleton(void **state)
{
    static const struct {
        const char *one, *other;
        bool is_same;
    } pairs[] = {
        {"\u0441\u043e\u0441\u043e", "coco", true},
        {"al\u0131ce", "alice", true},
        {"\u03bf\u03bf", "oo", true},
        {"\u0441\u043e\u0441\u043e", "\u03c3\u03bf", false},
        {"alice", "bob", false},
        {"\u0438\u0432\u0430\u043d", "ivan", false},
        {"\u7528\u6237", "\u7528\u6237", true},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buf a CLEANUP_BUF = BUF_INIT(256), b CLEANUP_BUF = BUF_INIT(256);
        name_skeleton_put(slice_str(pairs[i].one), &a);
        name_skeleton_put(slice_str(pairs[i].other), &b);
        assert_int_equal(slice_eq(buf_slice(&a), buf_slice(&b)), pairs[i].is_same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_may_be_given),
        cmocka_unit_test(long_and_tall_names),
        cmocka_unit_test(folding_is_idempotent),
        cmocka_unit_test(look_alikes_have_one_skeleton),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
