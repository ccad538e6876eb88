#include "base/utf8.h"

size_t utf8_decode(struct slice s, uint32_t *ret_code)
{
    if (!s.n)
        return 0;
    unsigned char lead = (unsigned char)s.p[0];
    if (lead < 0x80) {
        *ret_code = lead;
        return 1;
    }
    size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || s.n < need)
        return 0;
    uint32_t code = lead & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        unsigned char next = (unsigned char)s.p[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return need;
}

size_t utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; --i > 0; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[n] | code);
    return n;
}

bool utf8_is_valid(struct slice s)
{
    while (s.n) {
        uint32_t code;
        size_t used = utf8_decode(s, &code);
        if (!used)
            return false;
        s = slice_from(s, used);
    }
    return true;
}

bool ascii_is_all(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

void utf8_put_repaired(struct buf *out, struct slice s)
{
    while (s.n) {
        uint32_t code;
        size_t used = utf8_decode(s, &code);
        buf_put(out, used ? slice_sub(s, 0, used) : S("\xef\xbf\xbd"));
        s = slice_from(s, used ? used : 1);
    }
}

/* Controls, and what moves or hides other text: soft hyphens, fillers, joiners, marks and embeddings of direction, line and
 * paragraph separators, annotations, tags. In ascending order. */
static const struct {
    uint32_t first, last;
} unsafe[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f}, {0x061c, 0x061c},
    {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool utf8_is_unsafe(uint32_t c)
{
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe && unsafe[i].first <= c; i++)
        if (c <= unsafe[i].last)
            return true;
    return false;
}

void utf8_put_safe(struct buf *out, struct slice s)
{
    while (s.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(s, &c);
        if (used == 0)
            buf_printf(out, "\\x%02x", (unsigned char)s.p[0]);
        else if (utf8_is_unsafe(c))
            buf_printf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c);
        else
            buf_put(out, slice_sub(s, 0, used));
        s = slice_from(s, used ? used : 1);
    }
}
