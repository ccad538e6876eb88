#include "crypto/symbols.h"

#include <assert.h>

#include "base/utf8.h"
#include "crypto/random.h"

static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(sizeof alphabet - 1 == 32, "five bits a symbol");

char symbol_of(unsigned value)
{
    assert(value < 32);
    return alphabet[value];
}

int symbol_value(char c)
{
    if (c == '1' || c == 'l')
        c = 'i';
    const char *at = memchr(alphabet, c, sizeof alphabet - 1);
    return at ? (int)(at - alphabet) : -1;
}

void symbols_random(char *out, size_t n)
{
    random_bytes(out, n);
    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[out[i] & 31]; /* 32 divides 256 */
}

static bool is_separator(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-' || c == 0xa0 || c == 0xad ||
           c == 0x3000 || (c >= 0x2000 && c <= 0x200d) || (c >= 0x2010 && c <= 0x2015) || c == 0x202f ||
           c == 0x205f || c == 0x2060 || c == 0x2212 || c == 0xfe58 || c == 0xfe63 || c == 0xff0d ||
           c == 0xfeff;
}

/* To a plain lower-case ASCII character, or 0 when nobody typing such a secret can have meant it. */
static char plain_of(uint32_t c)
{
    if (c >= 0xff01 && c <= 0xff5e)
        c = c - 0xff01 + 0x21;
    if (c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? (char)c : 0;
}

bool symbols_read(struct slice typed, char *out, size_t max, size_t *ret_n)
{
    size_t n = 0;
    while (typed.n) {
        uint32_t c;
        size_t used = utf8_decode(typed, &c);
        if (!used)
            return false;
        typed = slice_from(typed, used);
        if (is_separator(c))
            continue;
        char plain = plain_of(c);
        if (!plain || n == max)
            return false;
        out[n++] = plain;
    }
    *ret_n = n;
    return true;
}
