#include "imap/wire/mutf7.h"

#include "base/utf8.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == ',' ? 63 : -1;
}

static bool is_direct(uint32_t code)
{
    return code >= 0x20 && code <= 0x7e;
}

/* Decoding of one run: bits come in by six, UTF-16 units leave by sixteen. */
struct run {
    uint32_t bits;
    unsigned bits_n;
    uint32_t high; /* the first half of a surrogate pair, or 0 */
};

static fallible run_unit(struct run *run, uint32_t unit, struct buf *out)
{
    char utf8[4];
    uint32_t code = unit;
    if (unit >= 0xdc00 && unit <= 0xdfff) {
        if (!run->high)
            return ERR_SYNTAX;
        code = 0x10000 + ((run->high - 0xd800) << 10) + (unit - 0xdc00);
        run->high = 0;
    } else if (run->high) {
        return ERR_SYNTAX;
    }
    if (unit >= 0xd800 && unit <= 0xdbff) {
        run->high = unit;
        return OK;
    }
    /* What can stand for itself must, or a name would have two spellings; control characters are no part of names. */
    if (code <= 0x7f)
        return ERR_SYNTAX;
    buf_put(out, slice_of(utf8, utf8_encode(code, utf8)));
    return OK;
}

/* `digits`: between "&" and "-", not empty. */
static fallible run_decode(struct slice digits, struct buf *out)
{
    struct run run = {0};
    for (size_t i = 0; i < digits.n; i++) {
        int d = digit_of(digits.p[i]);
        if (d < 0)
            return ERR_SYNTAX;
        run.bits = run.bits << 6 | (uint32_t)d;
        run.bits_n += 6;
        if (run.bits_n >= 16) {
            run.bits_n -= 16;
            TRY(run_unit(&run, run.bits >> run.bits_n & 0xffff, out));
        }
    }
    /* The last digit completes a unit, and what is left of it is zero. */
    bool leftover = run.bits_n >= 6 || (run.bits & ((1u << run.bits_n) - 1)) != 0;
    return leftover || run.high ? ERR_SYNTAX : OK;
}

static fallible decode(struct slice name, struct buf *out)
{
    bool after_run = false;
    while (name.n) {
        char c = name.p[0];
        if (!is_direct((unsigned char)c))
            return ERR_SYNTAX;
        if (c != '&') {
            buf_put_char(out, c);
            name = slice_from(name, 1);
            after_run = false;
            continue;
        }
        size_t end = slice_find(name, '-');
        if (end == SLICE_NPOS)
            return ERR_SYNTAX;
        struct slice digits = slice_sub(name, 1, end - 1);
        if (digits.n == 0)
            buf_put_char(out, '&');
        else if (after_run)
            return ERR_SYNTAX; /* two runs side by side are one */
        else
            TRY(run_decode(digits, out));
        after_run = digits.n > 0;
        name = slice_from(name, end + 1);
    }
    return OK;
}

fallible imap_mutf7_get(struct slice name, struct buf *out)
{
    size_t before = out->n;
    enum err e = decode(name, out);
    if (e != OK) {
        out->n = before;
        return e;
    }
    return buf_check(out);
}

/* Encoding: the open run's bits that do not make a digit yet. */
struct encoder {
    struct buf *out;
    bool open;
    uint32_t bits;
    unsigned bits_n;
};

static void encoder_unit(struct encoder *e, uint32_t unit)
{
    if (!e->open)
        buf_put_char(e->out, '&');
    e->open = true;
    e->bits = e->bits << 16 | unit;
    e->bits_n += 16;
    while (e->bits_n >= 6) {
        e->bits_n -= 6;
        buf_put_char(e->out, alphabet[e->bits >> e->bits_n & 63]);
    }
}

static void encoder_close(struct encoder *e)
{
    if (!e->open)
        return;
    if (e->bits_n)
        buf_put_char(e->out, alphabet[e->bits << (6 - e->bits_n) & 63]);
    buf_put_char(e->out, '-');
    *e = (struct encoder){.out = e->out};
}

fallible imap_mutf7_put(struct buf *out, struct slice utf8)
{
    struct encoder e = {.out = out};
    if (!utf8_is_valid(utf8))
        return ERR_SYNTAX;
    while (utf8.n) {
        uint32_t code = 0;
        utf8 = slice_from(utf8, utf8_decode(utf8, &code));
        if (is_direct(code)) {
            encoder_close(&e);
            buf_put_char(out, (char)code);
            if (code == '&')
                buf_put_char(out, '-');
        } else if (code >= 0x10000) {
            encoder_unit(&e, 0xd800 + ((code - 0x10000) >> 10));
            encoder_unit(&e, 0xdc00 + ((code - 0x10000) & 0x3ff));
        } else {
            encoder_unit(&e, code);
        }
    }
    encoder_close(&e);
    return buf_check(out);
}
