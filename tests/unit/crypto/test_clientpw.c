#include "test.h"

#include <assert.h>

#include "crypto/clientpw.h"
#include "crypto/random.h"

static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";

static struct clientpw made(void)
{
    struct clientpw pw;
    clientpw_make(&pw);
    return pw;
}

static enum clientpw_look look(struct slice typed)
{
    struct clientpw pw;
    return clientpw_read(typed, &pw);
}

static void the_form_is_what_issue_2_says(void **state)
{
    for (int round = 0; round < 1000; round++) {
        struct clientpw pw = made(), back;
        char shown[CLIENTPW_SHOWN];
        clientpw_show(&pw, shown);
        assert_true(sizeof shown <= 32);
        for (size_t i = 0; i < sizeof shown; i++) {
            if (i % 8 == 7)
                assert_int_equal(shown[i], '-');
            else
                assert_non_null(strchr(alphabet, shown[i]));
        }
        assert_int_equal(clientpw_read(slice_of(shown, sizeof shown), &back), CLIENTPW_GOOD);
        assert_memory_equal(&back, &pw, sizeof pw);
    }
}

static int by_octets(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct clientpw));
}

/* T-249: no repeat, and every symbol equally likely in every place: within six standard deviations of n / 32. */
static void all_are_different_and_even(void **state)
{
    size_t n = getenv("LETTERLOCK_FULL") ? 1000000 : 100000;
    struct clientpw *all = malloc(n * sizeof *all);
    static unsigned counts[CLIENTPW_SYMBOLS][128];
    for (size_t i = 0; i < n; i++) {
        all[i] = made();
        for (size_t k = 0; k < CLIENTPW_SYMBOLS; k++)
            counts[k][(unsigned char)all[i].symbols[k]]++;
    }
    qsort(all, n, sizeof *all, by_octets);
    for (size_t i = 1; i < n; i++)
        assert_int_not_equal(memcmp(&all[i - 1], &all[i], sizeof *all), 0);
    int64_t mean = (int64_t)n / 32, far_squared = 36 * mean * 31 / 32;
    for (size_t k = 0; k < CLIENTPW_SYMBOLS; k++)
        for (size_t s = 0; s < 32; s++) {
            int64_t off = (int64_t)counts[k][(unsigned char)alphabet[s]] - mean;
            assert_true(off * off < far_squared);
        }
    static_assert(CLIENTPW_RANDOM * 5 >= 100, "bits of chance");
    print_message("T-249 cases=%zu passed=%zu\n", n, n);
    free(all);
}

/* One with digits enough that two slips leave some: one in twenty passwords has fewer, and its slips count as wrong secrets. */
static struct clientpw with_digits(void)
{
    for (;;) {
        struct clientpw pw = made();
        unsigned digits = 0;
        for (size_t i = 0; i < CLIENTPW_SYMBOLS; i++)
            digits += pw.symbols[i] >= '0' && pw.symbols[i] <= '9';
        if (digits >= 4)
            return pw;
    }
}

static void every_single_slip_is_seen(void **state)
{
    for (int round = 0; round < 30; round++) {
        struct clientpw pw = with_digits();
        for (size_t at = 0; at < CLIENTPW_SYMBOLS; at++) {
            for (size_t s = 0; s < 32; s++) {
                struct clientpw wrong = pw;
                wrong.symbols[at] = alphabet[s];
                bool same = alphabet[s] == pw.symbols[at];
                assert_int_equal(look(clientpw_slice(&wrong)), same ? CLIENTPW_GOOD : CLIENTPW_SLIP);
            }
            struct clientpw wrong = pw;
            wrong.symbols[at] = '0'; /* no symbol at all */
            assert_int_equal(look(clientpw_slice(&wrong)), CLIENTPW_SLIP);
        }
    }
}

static void every_exchange_and_every_two_slips_are_seen(void **state)
{
    for (int round = 0; round < 300; round++) {
        struct clientpw pw = with_digits();
        for (size_t a = 0; a < CLIENTPW_SYMBOLS; a++) {
            for (size_t b = a + 1; b < CLIENTPW_SYMBOLS; b++) {
                struct clientpw swapped = pw, two = pw;
                swapped.symbols[a] = pw.symbols[b];
                swapped.symbols[b] = pw.symbols[a];
                bool same = pw.symbols[a] == pw.symbols[b];
                assert_int_equal(look(clientpw_slice(&swapped)), same ? CLIENTPW_GOOD : CLIENTPW_SLIP);
                do
                    two.symbols[a] = alphabet[random_below(32)];
                while (two.symbols[a] == pw.symbols[a]);
                two.symbols[b] = alphabet[random_below(32)];
                assert_int_equal(look(clientpw_slice(&two)), CLIENTPW_SLIP);
            }
        }
    }
}

static void typed_forms_are_read(void **state)
{
    struct clientpw pw, back;
    do
        pw = made();
    while (!memchr(pw.symbols, 'i', sizeof pw.symbols));
    char upper[CLIENTPW_SYMBOLS], misread[CLIENTPW_SYMBOLS];
    char wide[CLIENTPW_SYMBOLS * 3], spaced[CLIENTPW_SYMBOLS * 4];
    for (size_t i = 0; i < CLIENTPW_SYMBOLS; i++) {
        char c = pw.symbols[i];
        upper[i] = ascii_upper(c);
        misread[i] = c == 'i' ? "1lL"[i % 3] : c;
        unsigned code = 0xff01u + (unsigned char)ascii_upper(c) - 0x21u;
        wide[3 * i] = (char)(0xe0 | code >> 12);
        wide[3 * i + 1] = (char)(0x80 | (code >> 6 & 63));
        wide[3 * i + 2] = (char)(0x80 | (code & 63));
        memcpy(
            spaced + 4 * i,
            (const char *[]){"\xe3\x80\x80", "\xe2\x80\x91", "\xef\xbc\x8d", "\xe2\x80\x94"}[i % 4], 3);
        spaced[4 * i + 3] = c;
    }
    const struct slice forms[] = {
        clientpw_slice(&pw), slice_of(upper, sizeof upper), slice_of(misread, sizeof misread),
        slice_of(wide, sizeof wide), slice_of(spaced, sizeof spaced)};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_int_equal(clientpw_read(forms[i], &back), CLIENTPW_GOOD);
        assert_memory_equal(&back, &pw, sizeof pw);
    }
}

/* A mailbox password may be a sentence of as many letters as a client password has. */
static void sentences_are_no_slips(void **state)
{
    static const char *const sentences[] = {
        "correct horse battery 7 Staple", "my dog ate three pies today", "Sommer am See mit Oma 2026!",
        "seventeen quick brown foxes", "the rain in spain stays mai"};
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        assert_int_equal(look(slice_str(sentences[i])), CLIENTPW_OTHER);
}

static void other_secrets_are_other(void **state)
{
    struct clientpw pw = with_digits();
    static const struct slice others[] = {
        {"", 0},
        {"hunter2", 7},
        {"correct horse battery staple", 28},
        {"----", 4},
        {"\xff\xfe", 2},
        {"abcdefghijkmnpqrstuvwxyz2345678!", 32},
        {"abcdefghijkmnpqrstuvwxyz234567892345678", 39},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_not_equal(look(others[i]), CLIENTPW_GOOD);
    assert_int_equal(look(others[1]), CLIENTPW_OTHER);
    assert_int_equal(look(others[5]), CLIENTPW_OTHER);
    assert_int_equal(look(others[6]), CLIENTPW_OTHER);
    /* One or two symbols missing or doubled is a slip, more is something else. */
    assert_int_equal(look(slice_sub(clientpw_slice(&pw), 0, 27)), CLIENTPW_SLIP);
    assert_int_equal(look(slice_sub(clientpw_slice(&pw), 0, 26)), CLIENTPW_SLIP);
    assert_int_equal(look(slice_sub(clientpw_slice(&pw), 0, 25)), CLIENTPW_OTHER);
    char longer[CLIENTPW_SYMBOLS + 1];
    memcpy(longer, pw.symbols, CLIENTPW_SYMBOLS);
    longer[CLIENTPW_SYMBOLS] = 'a';
    assert_int_equal(look(slice_of(longer, sizeof longer)), CLIENTPW_SLIP);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_what_issue_2_says),
        cmocka_unit_test(all_are_different_and_even),
        cmocka_unit_test(every_single_slip_is_seen),
        cmocka_unit_test(every_exchange_and_every_two_slips_are_seen),
        cmocka_unit_test(typed_forms_are_read),
        cmocka_unit_test(other_secrets_are_other),
        cmocka_unit_test(sentences_are_no_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
