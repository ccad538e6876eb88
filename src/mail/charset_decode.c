/* charset_decode.c - octets to UTF-8 by the tables: one octet at a time, so that any cut gives the same output. */
#include "base/utf8.h"
#include "mail/charset_table.h"

static void put_code(struct buf *out, uint32_t code)
{
    char octets[4];
    buf_put(out, slice_of(octets, utf8_encode(code, octets)));
}

static void put_bad(struct charset_decoder *d, struct buf *out)
{
    d->malformed = true;
    buf_put(out, S("\xef\xbf\xbd"));
}

static void put_or_bad(struct charset_decoder *d, uint32_t code, struct buf *out)
{
    char octets[4];
    size_t n = code ? utf8_encode(code, octets) : 0;
    if (n)
        buf_put(out, slice_of(octets, n));
    else
        put_bad(d, out);
}

static void put_latin1(struct buf *out, unsigned char c)
{
    put_code(out, c >= 0x80 && c < 0xa0 ? charset_latin1_high[c - 0x80] : c);
}

/* ---- UTF-8, and octets of nobody knows what ---- */

/* May `held` begin a character? (RFC 3629 4: overlong forms and surrogates fall at the second octet.) */
static bool utf8_may_begin(const unsigned char *held, size_t n)
{
    unsigned lead = held[0];
    if (lead < 0xc2 || lead > 0xf4)
        return false;
    if (n < 2)
        return true;
    unsigned least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return held[1] >= least && held[1] <= most && (n < 3 || (held[2] & 0xc0) == 0x80) &&
           (n < 4 || (held[3] & 0xc0) == 0x80);
}

static void utf8_give_up(struct charset_decoder *d, bool latin1, struct buf *out)
{
    if (d->held_n == 0)
        return;
    d->malformed = true;
    for (uint8_t i = 0; latin1 && i < d->held_n; i++)
        put_latin1(out, d->held[i]);
    if (!latin1)
        put_bad(d, out);
    d->held_n = 0;
}

static void utf8_octet(struct charset_decoder *d, unsigned char c, bool latin1, struct buf *out)
{
    d->held[d->held_n++] = c;
    if (d->held_n > 1 && !utf8_may_begin(d->held, d->held_n)) {
        d->held_n--;
        utf8_give_up(d, latin1, out);
        d->held[d->held_n++] = c;
    }
    if (c < 0x80) {
        buf_put_char(out, (char)c);
        d->held_n = 0;
    } else if (!utf8_may_begin(d->held, d->held_n)) {
        utf8_give_up(d, latin1, out);
    } else if (d->held_n == (d->held[0] >= 0xf0 ? 4 : d->held[0] >= 0xe0 ? 3 : 2)) {
        buf_put(out, slice_of(d->held, d->held_n));
        d->held_n = 0;
    }
}

/* ---- one and two octets ---- */

static uint32_t pair_code(const struct charset *c, unsigned lead, unsigned trail)
{
    if (lead < PAIR_LEAD || lead == 0xff || trail < PAIR_TRAIL || trail == 0xff)
        return 0;
    return c->pairs[(lead - PAIR_LEAD) * PAIR_TRAILS + (trail - PAIR_TRAIL)];
}

/* A second octet that fits nothing: when it is ASCII it stands for itself, so that no quote or angle is swallowed. */
static void pair_put(struct charset_decoder *d, uint32_t code, unsigned char trail, struct buf *out)
{
    d->held_n = 0;
    put_or_bad(d, code, out);
    if (!code && trail < 0x80)
        buf_put_char(out, (char)trail);
}

static void double_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (d->held_n)
        pair_put(d, pair_code(d->charset, d->held[0], c), c, out);
    else if (c < 0x80)
        buf_put_char(out, (char)c);
    else if (d->charset->single[c - 0x80])
        put_code(out, d->charset->single[c - 0x80]);
    else if (c == 0x80 || c == 0xff)
        put_bad(d, out);
    else
        d->held[d->held_n++] = c;
}

/* ---- GB18030 ---- */

static uint32_t quad_code(const struct charset *c, const unsigned char *q)
{
    uint32_t at =
        (((uint32_t)(q[0] - 0x81) * 10 + (q[1] - 0x30u)) * 126 + (q[2] - 0x81u)) * 10 + (q[3] - 0x30u);
    if (at < QUADS)
        return c->quads[at];
    return at >= QUADS_HIGH && at - QUADS_HIGH < 0x100000 ? 0x10000 + at - QUADS_HIGH : 0;
}

static void gb18030_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (d->held_n <= 1) {
        if (d->held_n == 1 && c >= 0x30 && c <= 0x39)
            d->held[d->held_n++] = c;
        else
            double_octet(d, c, out);
        return;
    }
    bool fits = d->held_n == 2 ? c >= 0x81 && c <= 0xfe : c >= 0x30 && c <= 0x39;
    if (fits && d->held_n == 2) {
        d->held[d->held_n++] = c;
        return;
    }
    if (fits) {
        d->held[3] = c;
        d->held_n = 0;
        put_or_bad(d, quad_code(d->charset, d->held), out);
        return;
    }
    /* the lead was alone: what stands behind it is read again */
    unsigned char again[3] = {d->held[1], d->held[2], c};
    size_t n = d->held_n;
    if (n == 2)
        again[1] = c;
    d->held_n = 0;
    put_bad(d, out);
    for (size_t i = 0; i < n; i++)
        gb18030_octet(d, again[i], out);
}

/* ---- EUC-JP ---- */

static bool is_jis(unsigned c)
{
    return c >= 0xa1 && c <= 0xfe;
}

static void euc_jp_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (d->held_n == 0) {
        if (c < 0x80)
            buf_put_char(out, (char)c);
        else if (is_jis(c) || c == 0x8e || c == 0x8f)
            d->held[d->held_n++] = c;
        else
            put_bad(d, out);
        return;
    }
    unsigned char lead = d->held[0];
    if (lead == 0x8f && d->held_n == 1 && is_jis(c)) {
        d->held[d->held_n++] = c;
        return;
    }
    uint32_t code = 0;
    if (lead == 0x8e)
        code = c >= 0xa1 && c <= 0xdf ? 0xff61 + (c - 0xa1u) : 0;
    else if (lead == 0x8f)
        code =
            d->held_n == 2 && is_jis(c) ? d->charset->extra[(d->held[1] - 0xa1) * JIS_ROW + (c - 0xa1)] : 0;
    else
        code = is_jis(c) ? pair_code(d->charset, lead, c) : 0;
    pair_put(d, code, c, out);
}

/* ---- seven-bit charsets with shifts ---- */

enum { JP_ASCII, JP_ROMAN, JP_0208, JP_KATAKANA, JP_0212 };
enum { ESC = 0x1b, SHIFT_OUT = 0x0e, SHIFT_IN = 0x0f };

/* RFC 1468, ISO-2022-JP-1 (RFC 2237), and half-width katakana as found in mail. */
static const struct {
    const char *text;
    uint8_t mode;
} jp_escapes[] = {{"(B", JP_ASCII}, {"(J", JP_ROMAN}, {"(H", JP_ROMAN}, {"(I", JP_KATAKANA}, {"$@", JP_0208},
                  {"$B", JP_0208},  {"$(@", JP_0208}, {"$(B", JP_0208}, {"$(D", JP_0212}};

/* An escape sequence in held: true while it may still become one, or became one. */
static bool jp_escape(struct charset_decoder *d)
{
    struct slice seen = slice_of(d->held + 1, (size_t)d->held_n - 1);
    for (size_t i = 0; i < sizeof jp_escapes / sizeof *jp_escapes; i++) {
        struct slice text = slice_str(jp_escapes[i].text);
        if (!slice_starts(text, seen))
            continue;
        if (text.n == seen.n) {
            d->mode = jp_escapes[i].mode;
            d->held_n = 0;
        }
        return true;
    }
    return false;
}

static void jp_character(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (c < 0x21 || c > 0x7e) {
        if (d->held_n) {
            d->held_n = 0;
            put_bad(d, out);
        }
        if (c == '\n') /* RFC 1468: a line begins in ASCII */
            d->mode = JP_ASCII;
        if (c < 0x80)
            buf_put_char(out, (char)c);
        else
            put_bad(d, out);
    } else if (d->mode == JP_KATAKANA)
        put_or_bad(d, c <= 0x5f ? 0xff61 + (c - 0x21u) : 0, out);
    else if (d->mode == JP_ROMAN)
        put_code(out, c == '\\' ? 0xa5 : c == '~' ? 0x203e : c);
    else if (d->mode == JP_ASCII)
        buf_put_char(out, (char)c);
    else if (d->held_n == 0)
        d->held[d->held_n++] = c;
    else {
        unsigned lead = d->held[0] | 0x80u, trail = c | 0x80u;
        d->held_n = 0;
        put_or_bad(
            d,
            d->mode == JP_0208 ? pair_code(d->charset, lead, trail)
                               : d->charset->extra[(lead - 0xa1) * JIS_ROW + (trail - 0xa1)],
            out);
    }
}

static void iso_2022_jp_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (d->held_n && d->held[0] == ESC) {
        d->held[d->held_n++] = c;
        if (jp_escape(d))
            return;
        size_t n = d->held_n;
        unsigned char again[4];
        memcpy(again, d->held, n);
        d->held_n = 0;
        put_bad(d, out); /* for the ESC; what followed is text */
        for (size_t i = 1; i < n; i++)
            iso_2022_jp_octet(d, again[i], out);
    } else if (c == ESC) {
        if (d->held_n)
            put_bad(d, out);
        d->held[0] = ESC;
        d->held_n = 1;
    } else
        jp_character(d, c, out);
}

/* RFC 1557: ESC $ ) C once, then SO and SI. */
static void iso_2022_kr_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (d->held_n && d->held[0] == ESC) {
        d->held[d->held_n++] = c;
        struct slice seen = slice_of(d->held, d->held_n);
        if (slice_starts(S("\x1b$)C"), seen)) {
            if (d->held_n == 4)
                d->held_n = 0;
            return;
        }
        unsigned char again[4];
        size_t n = d->held_n;
        memcpy(again, d->held, n);
        d->held_n = 0;
        put_bad(d, out);
        for (size_t i = 1; i < n; i++)
            iso_2022_kr_octet(d, again[i], out);
        return;
    }
    bool in_pair = d->mode == 1 && c > 0x20 && c < 0x7f;
    if (in_pair && d->held_n) {
        pair_put(d, pair_code(d->charset, d->held[0] | 0x80u, c | 0x80u), 0x80, out);
        return;
    }
    if (d->held_n) {
        d->held_n = 0;
        put_bad(d, out);
    }
    if (in_pair || c == ESC)
        d->held[d->held_n++] = c;
    else if (c == SHIFT_OUT || c == SHIFT_IN)
        d->mode = c == SHIFT_OUT;
    else if (c >= 0x80)
        put_bad(d, out);
    else {
        if (c == '\n')
            d->mode = 0;
        buf_put_char(out, (char)c);
    }
}

/* RFC 1843: ~{ and ~} around pairs, ~~ is a tilde, a tilde at the line's end joins lines. */
static void hz_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (d->held_n && d->held[0] == '~') {
        d->held_n = 0;
        if (c == '{' || c == '}')
            d->mode = c == '{';
        else if (c == '~')
            buf_put_char(out, '~');
        else if (c != '\n') {
            put_bad(d, out);
            hz_octet(d, c, out);
        }
        return;
    }
    bool in_pair = d->mode == 1 && c > 0x20 && c < 0x7f && (d->held_n || c != '~');
    if (in_pair && d->held_n) {
        pair_put(d, pair_code(d->charset, d->held[0] | 0x80u, c | 0x80u), 0x80, out);
        return;
    }
    if (d->held_n) {
        d->held_n = 0;
        put_bad(d, out);
    }
    if (in_pair || c == '~')
        d->held[d->held_n++] = c;
    else if (c >= 0x80)
        put_bad(d, out);
    else {
        if (c == '\n')
            d->mode = 0;
        buf_put_char(out, (char)c);
    }
}

/* ---- UTF-16, UTF-32, UTF-7 ---- */

/* A unit of 16 bits; a high surrogate waits in `store`. */
static void utf16_unit(struct charset_decoder *d, uint32_t unit, uint32_t *high, struct buf *out)
{
    bool low = unit >= 0xdc00 && unit <= 0xdfff;
    if (*high) {
        uint32_t code = low ? 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00) : 0;
        *high = 0;
        put_or_bad(d, code, out);
        if (low)
            return;
    }
    if (unit >= 0xd800 && unit <= 0xdbff)
        *high = unit;
    else if (low)
        put_bad(d, out);
    else
        put_code(out, unit);
}

enum { ORDER_UNKNOWN, ORDER_BIG, ORDER_LITTLE };

static void utf16_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    d->held[d->held_n++] = c;
    if (d->held_n < 2)
        return;
    d->held_n = 0;
    uint32_t big = (uint32_t)d->held[0] << 8 | d->held[1], little = (uint32_t)d->held[1] << 8 | d->held[0];
    if (d->mode == ORDER_UNKNOWN) {
        d->mode = big == 0xfffe ? ORDER_LITTLE : ORDER_BIG;
        if (big == 0xfffe || big == 0xfeff)
            return;
    }
    utf16_unit(d, d->mode == ORDER_BIG ? big : little, &d->store, out);
}

static void utf32_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    d->held[d->held_n++] = c;
    if (d->held_n < 4)
        return;
    d->held_n = 0;
    uint32_t big = 0, little = 0;
    for (int i = 0; i < 4; i++) {
        big = big << 8 | d->held[i];
        little = little << 8 | d->held[3 - i];
    }
    if (d->mode == ORDER_UNKNOWN) {
        d->mode = little == 0xfeff ? ORDER_LITTLE : ORDER_BIG;
        if (little == 0xfeff || big == 0xfeff)
            return;
    }
    uint32_t code = d->mode == ORDER_BIG ? big : little;
    char octets[4];
    if (code == 0 || utf8_encode(code, octets))
        put_code(out, code);
    else
        put_bad(d, out);
}

static int base64_value(unsigned char c)
{
    if (ascii_is_digit((char)c))
        return c - '0' + 52;
    if (ascii_is_alpha((char)c))
        return c >= 'a' ? c - 'a' + 26 : c - 'A';
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum { U7_DIRECT, U7_OPENED, U7_INSIDE };

/* RFC 2152. `store` holds bits not used yet, held[0..1] a high surrogate. */
static void utf7_octet(struct charset_decoder *d, unsigned char c, struct buf *out)
{
    if (d->mode == U7_DIRECT) {
        if (c == '+')
            d->mode = U7_OPENED;
        else if (c >= 0x80)
            put_bad(d, out);
        else
            buf_put_char(out, (char)c);
        return;
    }
    int value = base64_value(c);
    uint32_t high = (uint32_t)d->held[0] << 8 | d->held[1];
    if (value >= 0) {
        d->mode = U7_INSIDE;
        d->store = d->store << 6 | (uint32_t)value;
        d->bits = (uint8_t)(d->bits + 6);
        if (d->bits >= 16) {
            d->bits = (uint8_t)(d->bits - 16);
            utf16_unit(d, d->store >> d->bits & 0xffff, &high, out);
            d->store &= (1u << d->bits) - 1;
        }
        d->held[0] = (unsigned char)(high >> 8);
        d->held[1] = (unsigned char)high;
        return;
    }
    bool opened = d->mode == U7_OPENED;
    if (high || d->store)
        put_bad(d, out);
    d->mode = U7_DIRECT;
    d->bits = 0;
    d->store = 0;
    d->held[0] = d->held[1] = 0;
    if (c == '-') {
        if (opened)
            buf_put_char(out, '+');
        return;
    }
    utf7_octet(d, c, out);
}

/* ---- the decoder ---- */

static enum charset_kind kind_of(const struct charset_decoder *d)
{
    return d->charset ? d->charset->kind : CHARSET_UNKNOWN;
}

void charset_decoder_init(struct charset_decoder *d, const struct charset *charset)
{
    memset(d, 0, sizeof *d);
    d->charset = charset;
    enum charset_kind kind = kind_of(d);
    if (kind == CHARSET_UTF16BE || kind == CHARSET_UTF32BE)
        d->mode = ORDER_BIG;
    if (kind == CHARSET_UTF16LE || kind == CHARSET_UTF32LE)
        d->mode = ORDER_LITTLE;
}

static void octet(struct charset_decoder *d, enum charset_kind kind, unsigned char c, struct buf *out)
{
    switch (kind) {
    case CHARSET_UNKNOWN:
    case CHARSET_UTF8:
        utf8_octet(d, c, kind == CHARSET_UNKNOWN, out);
        break;
    case CHARSET_LATIN1:
        put_latin1(out, c);
        break;
    case CHARSET_SINGLE:
        if (c < 0x80)
            buf_put_char(out, (char)c);
        else
            put_or_bad(d, d->charset->single[c - 0x80], out);
        break;
    case CHARSET_DOUBLE:
        double_octet(d, c, out);
        break;
    case CHARSET_GB18030:
        gb18030_octet(d, c, out);
        break;
    case CHARSET_EUC_JP:
        euc_jp_octet(d, c, out);
        break;
    case CHARSET_ISO_2022_JP:
        iso_2022_jp_octet(d, c, out);
        break;
    case CHARSET_ISO_2022_KR:
        iso_2022_kr_octet(d, c, out);
        break;
    case CHARSET_HZ:
        hz_octet(d, c, out);
        break;
    case CHARSET_UTF7:
        utf7_octet(d, c, out);
        break;
    case CHARSET_UTF16:
    case CHARSET_UTF16BE:
    case CHARSET_UTF16LE:
        utf16_octet(d, c, out);
        break;
    case CHARSET_UTF32:
    case CHARSET_UTF32BE:
    case CHARSET_UTF32LE:
        utf32_octet(d, c, out);
        break;
    }
}

void charset_decoder_feed(struct charset_decoder *d, struct slice in, struct buf *out)
{
    enum charset_kind kind = kind_of(d);
    bool ascii_runs = kind <= CHARSET_EUC_JP;
    for (size_t i = 0; i < in.n;) {
        size_t run = i;
        if (ascii_runs && d->held_n == 0)
            while (run < in.n && (unsigned char)in.p[run] < 0x80)
                run++;
        buf_put(out, slice_of(in.p + i, run - i));
        if (run < in.n)
            octet(d, kind, (unsigned char)in.p[run++], out);
        i = run;
    }
}

void charset_decoder_finish(struct charset_decoder *d, struct buf *out)
{
    enum charset_kind kind = kind_of(d);
    bool in_utf7 = kind == CHARSET_UTF7;
    if (kind == CHARSET_UNKNOWN)
        utf8_give_up(d, true, out);
    else if (in_utf7 ? d->held[0] || d->store : d->held_n || d->store)
        put_bad(d, out);
    bool malformed = d->malformed;
    charset_decoder_init(d, d->charset);
    d->malformed = malformed;
}

bool charset_put_utf8(const struct charsets *charsets, struct slice name, struct slice in, struct buf *out)
{
    struct charset_decoder d;
    charset_decoder_init(&d, charset_find(charsets, name));
    charset_decoder_feed(&d, in, out);
    charset_decoder_finish(&d, out);
    return d.charset && !d.malformed;
}
