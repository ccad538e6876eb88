#include "base/encode.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct buf *out, struct slice data)
{
    const unsigned char *p = (const unsigned char *)data.p;
    for (size_t i = 0; i < data.n; i += 3) {
        size_t have = data.n - i < 3 ? data.n - i : 3;
        uint32_t v =
            (uint32_t)p[i] << 16 | (have > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (have > 2 ? p[i + 2] : 0u);
        char quad[4] = {
            alphabet[v >> 18], alphabet[v >> 12 & 63], have > 1 ? alphabet[v >> 6 & 63] : '=',
            have > 2 ? alphabet[v & 63] : '='};
        buf_put(out, slice_of(quad, 4));
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

fallible base64_get(struct slice text, struct buf *out)
{
    if (text.n % 4)
        return ERR_SYNTAX;
    for (size_t i = 0; i < text.n; i += 4) {
        bool last = i + 4 == text.n;
        int pad = !last ? 0 : text.p[i + 3] != '=' ? 0 : text.p[i + 2] != '=' ? 1 : 2;
        uint32_t v = 0;
        for (int k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : base64_value(text.p[i + (size_t)k]);
            if (d < 0)
                return ERR_SYNTAX;
            v = v << 6 | (uint32_t)d;
        }
        if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
            return ERR_SYNTAX;
        char bytes[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};
        buf_put(out, slice_of(bytes, 3 - (size_t)pad));
    }
    return buf_check(out);
}

static const char hex_digits[] = "0123456789abcdef";

void hex_text(struct slice data, char *out)
{
    for (size_t i = 0; i < data.n; i++) {
        *out++ = hex_digits[(unsigned char)data.p[i] >> 4];
        *out++ = hex_digits[(unsigned char)data.p[i] & 15];
    }
    *out = '\0';
}

void hex_put(struct buf *out, struct slice data)
{
    for (size_t i = 0; i < data.n; i++) {
        buf_put_char(out, hex_digits[(unsigned char)data.p[i] >> 4]);
        buf_put_char(out, hex_digits[(unsigned char)data.p[i] & 15]);
    }
}

static int hex_value(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

fallible hex_get(struct slice text, void *out, size_t n)
{
    if (text.n != 2 * n)
        return ERR_SYNTAX;
    for (size_t i = 0; i < text.n; i++)
        if (hex_value(text.p[i]) < 0)
            return ERR_SYNTAX;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)out)[i] =
            (unsigned char)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
    return OK;
}
