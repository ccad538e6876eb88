#include "test.h"

#include "base/buf.h"
#include "crypto/clientpw.h"
#include "doctor/password.h"
#include "doctor_knowledge.h"

/* The ids of what was noted, in order, joined by blanks; warnings end in "!". */
static const char *said(const struct notes *n)
{
    static char text[600];
    size_t at = 0;
    text[0] = 0;
    for (size_t i = 0; i < n->count; i++) {
        const struct observation *o = &n->rows[i];
        assert_non_null(o->diagnosis);
        assert_int_equal(o->step, STEP_PASSWORD);
        assert_true(o->tone == TONE_NOTE || o->tone == TONE_WARNING);
        at += (size_t)snprintf(
            text + at, sizeof text - at, "%s%.*s%s", i ? " " : "", SLICE_ARG(slice_from(o->diagnosis->id, 6)),
            o->tone == TONE_WARNING ? "!" : "");
        assert_true(at < sizeof text);
    }
    return text;
}

static void check(struct slice secret, bool is_token, const char *provider, const char *wanted)
{
    struct notes n;
    notes_init(&n, k);
    const struct provider *p = provider ? knowledge_provider(k, slice_str(provider)) : NULL;
    assert_true(!provider || p);
    password_look(secret, is_token, p, &n);
    if (strcmp(said(&n), wanted) != 0)
        fail_msg("\"%.*s\": wanted \"%s\", got \"%s\"", SLICE_ARG(secret), wanted, said(&n));
    for (size_t i = 0; i < n.count; i++) {
        assert_int_equal(n.rows[i].proof.n, 0);
        assert_int_equal(n.rows[i].proof_kind, PROOF_NONE);
    }
    notes_done(&n);
}

static void every_slip_is_noticed(void **state)
{
    static const struct {
        struct slice typed;
        const char *wanted;
    } cases[] = {
        {S(""), "empty-password!"},
        {S("   "), "empty-password!"},
        {S("\n"), "empty-password!"},
        {S("\xe3\x80\x80\t"), "empty-password!"},
        {S("hunter22 "), "leading-trailing-space!"},
        {S(" hunter22"), "leading-trailing-space!"},
        {S("\thunter22"), "leading-trailing-space!"},
        {S("hunter22\xc2\xa0"), "leading-trailing-space!"},
        {S("\xe3\x80\x80hunter22"), "leading-trailing-space! full-width!"},
        {S("hunter22\n"), "pasted-newline!"},
        {S("hunter22\r\n"), "pasted-newline!"},
        {S("hun\nter22"), "pasted-newline!"},
        {S("hunter22 \n"), "pasted-newline! leading-trailing-space!"},
        {S("hunter22\xe2\x80\xa8"), "pasted-newline!"},
        {S("\xef\xbd\x88unter22"), "full-width!"},
        {S("hunter\xef\xbc\x92\xef\xbc\x92"), "full-width!"},
        {S("hun\xe3\x80\x80ter22"), "full-width!"},
        {S("hunter\xe2\x80\x8b"
           "22"),
         "zero-width!"},
        {S("\xef\xbb\xbfhunter22"), "zero-width!"},
        {S("hunter22\xe2\x81\xa0"), "zero-width!"},
        {S("hun\xe2\x80\x8dter22"), "zero-width!"},
        {S("hun\xc2\xadter22"), "zero-width!"},
        {S("\xe2\x80\xaahunter22"), "zero-width!"},
        {S("hunter\x00"
           "22"),
         "control-character!"},
        {S("hunter22\x7f"), "control-character!"},
        {S("\x1b[Ahunter22"), "control-character!"},
        {S("h\xc3\xc4"
           "nter22"),
         "not-utf8!"},
        {S("h\xfcnter22"), "not-utf8!"},
        {S("\xc3\xdc\xc2\xeb"
           "123"),
         "not-utf8!"},                        /* GBK */
        {S("hunt\xd0\xb5r22"), "homoglyph!"}, /* Cyrillic ie */
        {S("p\xce\xbfny-7x"), "homoglyph!"},  /* Greek omicron */
        {S("\xd0\xa1orrect7"), "homoglyph!"}, /* Cyrillic Es */
        {S("don\xe2\x80\x99t-tell"), "smart-quotes"},
        {S("\xe2\x80\x9cquoted\xe2\x80\x9d 7"), "smart-quotes"},
        {S("long\xe2\x80\x94"
           "dash7"),
         "smart-quotes"},
        {S("dots\xe2\x80\xa6"
           "7up"),
         "smart-quotes"},
        {S("cafe\xcc\x81-noir"), "decomposed-letters"},
        {S("caf\xc3\xa9-noir"), "non-ascii-password"},
        {S("100\xe2\x82\xac"
           "fuer7"),
         "non-ascii-password"},
        {S("\xe5\xaf\x86\xe7\xa0\x81"), "non-ascii-password"},
        {S("\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
           "abc"),
         "non-ascii-password"},
        {S("hUNTER22"), "caps-lock"},
        {S("cORRECT-hORSE"), ""}, /* two small letters: somebody's own way of writing */
        {S("cORRECTHORSE!"), "caps-lock"},
        {S("Hunter"), "first-letter-capital"},
        {S("123456"), "totp-as-password"},
        {S("123 456"), "totp-as-password"},
        {S("1234567"), ""},
        {S("12345"), ""},
        {S("abcd efgh ijkl mnop"), "app-password-spaces"},
        {S("abcd efgh ijkl mno1"), ""},
        {S("back\\slash7"), "backslash-quote"},
        {S("quo\"te77"), "backslash-quote"},
        {S("cheap$$7"), "percent-dollar"},
        {S("100%sure"), "percent-dollar"},
        {S("12345678901234567890123456789012345678901234567890123456789012345"), "very-long-password"},
        {S("1234567890123456789012345678901234567890123456789012345678901234"), ""},
        {S("ya29.a0AfB_byC-0123456789abcdefghijklmnopqrstuvwxyz"), "token-as-password!"},
        {S("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"), "token-as-password!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].typed, false, NULL, cases[i].wanted);
}

static void ordinary_passwords_give_nothing(void **state)
{
    static const char *const good[] = {
        "hunter22",
        "correct horse battery staple",
        "Tr0ub4dor-and-3",
        "xK9!mQ2@vL5^",
        "s3cr3t_w0rd",
        "P@ssw0rd!",
        "MyDogHas4Legs",
        "letmein",
        "ABCDEFGH",
        "A1B2C3D4",
        "QWERTYuiop",
        "aB3",
        "x",
        "20240229",
        "9f86d081884c7d65",
        "Vfq8-Lw2k-Zz0p",
        "it's fine",
        "(semi;colon)",
        "a+b=c/d",
        "~tilde~",
        "Summer2024!",
        "zzzzzzzzzzzzzzzz",
        "correct-horse-battery-staple",
        "e9b1c2d3-0f4a-4b5c-8d6e-7f8091a2b3c4",
        "iPhone12Pro",
        "eyJ.not.a-token"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check(slice_str(good[i]), false, NULL, "");
}

static void scripts_that_need_joiners_are_no_slip(void **state)
{
    check(
        S("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85"), false, NULL,
        "non-ascii-password");
    check(S("\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"), false, NULL, "non-ascii-password");
}

static void a_provider_has_its_own_form_of_code(void **state)
{
    check(S("abcdefghijklmnop"), false, "qq", "");
    check(S("MyQQpassword1"), false, "qq", "web-password-for-code");
    check(S("ABCDEFGHIJKLMNOP"), false, "qq", "caps-lock");
    check(S("Abcdefghijklmnop"), false, "qq", "first-letter-capital");
    check(S("abcdefghijklmnop "), false, "qq", "leading-trailing-space!");
    check(S("ABCDEFGHIJKLMNOP"), false, "netease", "");
    check(S("AB12EF34IJ56MN78"), false, "netease", "");
    check(S("mima2024"), false, "netease", "web-password-for-code");
    check(S("ABCDEFGHIJKLMNO!"), false, "netease", "web-password-for-code");
    check(S("abcd efgh ijkl mnop"), false, "gmail", "");
    check(S("abcdefghijklmnop"), false, "gmail", "");
    check(S("hunter2hunter2"), false, "gmail", "web-password-for-code");
    check(S("abcd-efgh-ijkl-mnop"), false, "icloud", "");
    check(S("Apple-Id-Password7"), false, "icloud", "web-password-for-code");
    check(S("123456"), false, "gmail", "totp-as-password web-password-for-code");
    /* whoever takes passwords as well, or whose codes have no fixed form */
    check(S("hunter2hunter2"), false, "gmx", "");
    check(S("hunter2hunter2"), false, "t-online", "");
    check(S("abcd efgh ijkl mnop"), false, "gmx", "app-password-spaces");
}

static void tokens_are_no_passwords(void **state)
{
    check(S("ya29.a0AfB_byC-0123456789abcdefghijklmnopqrstuvwxyz"), true, "gmail", "");
    check(S("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"), true, NULL, "");
    check(S("hunter2"), true, "gmail", "password-as-token");
    check(S("a long sentence is no token at all"), true, NULL, "password-as-token");
    check(S("Bearer ya29.a0AfB_byC-0123456789abcdefghijklmnopqrstuv"), true, NULL, "token-prefix!");
    check(S("ya29.a0AfB_byC-0123456789abcdefghijklmnopqrstuvwxyz\n"), true, NULL, "pasted-newline!");
    check(S(""), true, NULL, "empty-password!");
}

static void a_mistyped_client_password_is_told(void **state)
{
    struct clientpw pw;
    char shown[CLIENTPW_SHOWN];
    for (int i = 0; i < 200; i++) {
        clientpw_make(&pw);
        clientpw_show(&pw, shown);
        size_t digits = 0;
        for (size_t j = 0; j < sizeof shown; j++)
            digits += ascii_is_digit(shown[j]);
        if (digits < 4) /* the check is told from a sentence by its digits */
            continue;
        check(slice_of(shown, sizeof shown), false, NULL, "");
        size_t at = 9;
        shown[at] = shown[at] == 'a' ? 'b' : 'a';
        check(slice_of(shown, sizeof shown), false, NULL, "client-password-slip");
        check(slice_of(shown, sizeof shown - 1), false, NULL, "client-password-slip");
    }
}

static void names_are_looked_at_too(void **state)
{
    static const struct {
        struct slice typed;
        const char *wanted;
    } cases[] = {
        {S("alice@example.org"), ""},
        {S("alice"), ""},
        {S("m\xc3\xbcller@example.de"), ""},
        {S("EXAMPLE\\alice"), ""},
        {S(" alice@example.org"), "name-blank!"},
        {S("alice@example.org\n"), "name-blank!"},
        {S("alice\xef\xbc\xa0"
           "example.org"),
         "full-width-at!"},
        {S("alice@example\xe3\x80\x82org"), "full-width-at!"},
        {S("alice@exam\xe2\x80\x8bple.org"), "name-hidden-sign!"},
        {S("\xd0\xb0lice@example.org"), "name-homoglyph!"},
        {S("Alice Miller"), "display-name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notes n;
        notes_init(&n, k);
        name_look(cases[i].typed, &n);
        assert_string_equal(said(&n), cases[i].wanted);
        if (n.count)
            assert_true(slice_eq(n.rows[0].proof, cases[i].typed) && n.rows[0].proof_kind == PROOF_SETTING);
        notes_done(&n);
    }
}

/* Nothing of the secret, not even its length, may be told by a note: passwords with the same slip give the same notes,
 * which have no text but that of the knowledge. */
static void notes_tell_nothing_of_the_secret(void **state)
{
    static const struct slice two[] = {S("hunter-swordfish-77 "), S("a77 ")};
    struct notes n[2];
    for (int i = 0; i < 2; i++) {
        notes_init(&n[i], k);
        password_look(two[i], false, NULL, &n[i]);
    }
    assert_int_equal(n[0].count, n[1].count);
    assert_int_equal(n[0].arena.used, n[1].arena.used);
    for (size_t i = 0; i < n[0].count; i++)
        for (int j = 0; j < 2; j++) {
            const struct observation *o = &n[j].rows[i];
            assert_true(o->diagnosis == n[0].rows[i].diagnosis && o->tone == n[0].rows[i].tone);
            assert_true(o->sure == o->diagnosis->sure && !o->alternative && o->fact == FACT_NONE);
            assert_int_equal(o->proof.n + o->args[0].n + o->args[1].n + o->args[2].n, 0);
        }
    notes_done(&n[0]);
    notes_done(&n[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slip_is_noticed),
        cmocka_unit_test(ordinary_passwords_give_nothing),
        cmocka_unit_test(scripts_that_need_joiners_are_no_slip),
        cmocka_unit_test(a_provider_has_its_own_form_of_code),
        cmocka_unit_test(tokens_are_no_passwords),
        cmocka_unit_test(a_mistyped_client_password_is_told),
        cmocka_unit_test(names_are_looked_at_too),
        cmocka_unit_test(notes_tell_nothing_of_the_secret),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}
