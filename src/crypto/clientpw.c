#include "crypto/clientpw.h"

#include <assert.h>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/symbols.h"

static_assert(CLIENTPW_SHOWN <= 32, "short enough for every program's field");
static_assert(CLIENTPW_SYMBOLS % CLIENTPW_GROUP == 0, "whole groups");

/* GF(32) with x^5 + x^2 + 1; `a` is x, which generates all 31 non-zero elements. */
static unsigned times_a(unsigned v)
{
    v <<= 1;
    return v & 32 ? v ^ 0x25 : v;
}

static unsigned times(unsigned v, unsigned w)
{
    unsigned product = 0;
    for (; w; w >>= 1, v = times_a(v))
        if (w & 1)
            product ^= v;
    return product;
}

/* The word as a polynomial (first symbol highest) at a and at a^2; a code word is zero at both. */
static void syndromes(const unsigned char *values, size_t n, unsigned *at_a, unsigned *at_a2)
{
    unsigned s1 = 0, s2 = 0;
    for (size_t i = 0; i < n; i++) {
        s1 = times_a(s1) ^ values[i];
        s2 = times_a(times_a(s2)) ^ values[i];
    }
    *at_a = s1;
    *at_a2 = s2;
}

/* Divides by g = (x - a)(x - a^2) = x^2 + (a + a^2) x + a^3: the remainder of the shifted data is the check. */
static void add_check(unsigned char values[CLIENTPW_SYMBOLS])
{
    enum { A = 2, A2 = 4, A3 = 8 };
    unsigned high = 0, low = 0;
    for (size_t i = 0; i < CLIENTPW_RANDOM; i++) {
        unsigned factor = high ^ values[i];
        high = low ^ times(factor, A ^ A2);
        low = times(factor, A3);
    }
    values[CLIENTPW_RANDOM] = (unsigned char)high;
    values[CLIENTPW_RANDOM + 1] = (unsigned char)low;
}

void clientpw_make(struct clientpw *ret_pw)
{
    unsigned char values[CLIENTPW_SYMBOLS];
    random_bytes(values, CLIENTPW_RANDOM);
    for (size_t i = 0; i < CLIENTPW_RANDOM; i++)
        values[i] &= 31; /* 32 divides 256: no value is likelier */
    add_check(values);
    for (size_t i = 0; i < CLIENTPW_SYMBOLS; i++)
        ret_pw->symbols[i] = symbol_of(values[i]);
    secret_wipe(values, sizeof values);
}

void clientpw_show(const struct clientpw *pw, char out[CLIENTPW_SHOWN])
{
    for (size_t i = 0, at = 0; i < CLIENTPW_SYMBOLS; i++) {
        if (i && i % CLIENTPW_GROUP == 0)
            out[at++] = '-';
        out[at++] = pw->symbols[i];
    }
}

/* Nearly one of ours, or a sentence of as many letters? Of 28 random symbols a quarter are digits, and fewer than two of them
 * are so in one password of three hundred; a slip brings in no more than two symbols that are none of ours. */
static bool is_nearly(const char *symbols, size_t n)
{
    enum { DIGITS = 2, STRANGE = 2 };
    unsigned digits = 0, strange = 0;
    if (n + 2 < CLIENTPW_SYMBOLS || n > CLIENTPW_SYMBOLS + 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        digits += symbols[i] >= '0' && symbols[i] <= '9';
        strange += symbol_value(symbols[i]) < 0;
    }
    return digits >= DIGITS && strange <= STRANGE;
}

enum clientpw_look clientpw_read(struct slice typed, struct clientpw *ret_pw)
{
    char symbols[CLIENTPW_SYMBOLS + 2];
    unsigned char values[CLIENTPW_SYMBOLS];
    size_t n = 0;
    bool is_read = symbols_read(typed, symbols, sizeof symbols, &n);
    enum clientpw_look look = is_read && is_nearly(symbols, n) ? CLIENTPW_SLIP : CLIENTPW_OTHER;
    bool good = is_read && n == CLIENTPW_SYMBOLS;
    for (size_t i = 0; good && i < CLIENTPW_SYMBOLS; i++) {
        int value = symbol_value(symbols[i]);
        good = value >= 0;
        values[i] = (unsigned char)(value & 31);
        symbols[i] = symbol_of(values[i]);
    }
    if (good) {
        unsigned s1, s2;
        syndromes(values, CLIENTPW_SYMBOLS, &s1, &s2);
        good = (s1 | s2) == 0;
    }
    if (good) {
        memcpy(ret_pw->symbols, symbols, CLIENTPW_SYMBOLS);
        look = CLIENTPW_GOOD;
    }
    secret_wipe(symbols, sizeof symbols);
    secret_wipe(values, sizeof values);
    return look;
}
