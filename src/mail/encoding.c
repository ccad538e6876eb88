#include "mail/encoding.h"

#include "base/encode.h"

static const char *const names[ENCODING_UNKNOWN] = {
    [ENCODING_7BIT] = "7bit",
    [ENCODING_8BIT] = "8bit",
    [ENCODING_BINARY] = "binary",
    [ENCODING_BASE64] = "base64",
    [ENCODING_QUOTED_PRINTABLE] = "quoted-printable",
};

enum encoding encoding_find(struct slice token)
{
    if (token.n == 0)
        return ENCODING_7BIT;
    for (size_t i = 0; i < ENCODING_UNKNOWN; i++)
        if (slice_eq_nocase(token, slice_str(names[i])))
            return (enum encoding)i;
    return ENCODING_UNKNOWN;
}

bool encoding_is_identity(enum encoding e)
{
    return e == ENCODING_7BIT || e == ENCODING_8BIT || e == ENCODING_BINARY;
}

void encoding_decoder_init(struct encoding_decoder *d, enum encoding encoding)
{
    memset(d, 0, sizeof *d);
    d->encoding = encoding;
}

/* ---- base64 ---- */

enum { B64_JUNK = 0, B64_SKIP = 65, B64_PAD = 66, B64_URL_62 = 67, B64_URL_63 = 68 };
/* 1 to 64: the digit's value plus one. */
/* clang-format off */
static const unsigned char base64_class[256] = {
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8, ['I'] = 9, ['J'] = 10,
    ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19,
    ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
    ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,
    ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46,
    ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55,
    ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
    ['\r'] = B64_SKIP, ['\n'] = B64_SKIP, [' '] = B64_SKIP, ['\t'] = B64_SKIP,
    ['='] = B64_PAD, ['-'] = B64_URL_62, ['_'] = B64_URL_63,
};
/* clang-format on */

/* The whole octets of a quantum of 2 or 3 digits; the digits are then used up. */
static size_t base64_flush(struct encoding_decoder *d, char *to)
{
    size_t octets = d->have > 1 ? (size_t)d->have - 1 : 0;
    uint32_t q = d->quantum << (6 * (4 - d->have));
    if (d->have == 1 || (octets && (q & (0xffffffu >> (8 * octets)))))
        d->ambiguous = true;
    if (octets)
        to[0] = (char)(q >> 16);
    if (octets > 1)
        to[1] = (char)(q >> 8);
    d->have = 0;
    d->quantum = 0;
    return octets;
}

static size_t base64_pad(struct encoding_decoder *d, char *to)
{
    if (d->have >= 2) {
        d->pads = (uint8_t)(4 - d->have - 1);
        d->any_pad = true;
        return base64_flush(d, to);
    }
    if (d->have == 0 && d->pads > 0) {
        d->pads--;
        return 0;
    }
    d->ambiguous = true;
    d->any_pad = true;
    d->have = 0;
    d->quantum = 0;
    return 0;
}

static size_t base64_digit(struct encoding_decoder *d, uint32_t value, char *to)
{
    if (d->any_pad) {
        d->ambiguous = true;
        d->any_pad = false;
        d->pads = 0;
    }
    d->quantum = d->quantum << 6 | value;
    if (++d->have < 4)
        return 0;
    to[0] = (char)(d->quantum >> 16);
    to[1] = (char)(d->quantum >> 8);
    to[2] = (char)d->quantum;
    d->have = 0;
    d->quantum = 0;
    return 3;
}

static void base64_feed(struct encoding_decoder *d, struct slice in, struct buf *out)
{
    char *to = buf_reserve(out, in.n / 4 * 3 + 6);
    if (!to)
        return;
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        unsigned c = base64_class[(unsigned char)in.p[i]];
        if (c >= 1 && c <= 64)
            n += base64_digit(d, c - 1, to + n);
        else if (c == B64_PAD)
            n += base64_pad(d, to + n);
        else if (c != B64_SKIP) {
            d->ambiguous = true;
            if (c == B64_URL_62 || c == B64_URL_63)
                n += base64_digit(d, c == B64_URL_62 ? 62 : 63, to + n);
        }
    }
    buf_added(out, n);
}

static void base64_finish(struct encoding_decoder *d, struct buf *out)
{
    if (d->have || d->pads)
        d->ambiguous = true;
    char octets[2];
    size_t n = base64_flush(d, octets);
    buf_put(out, slice_of(octets, n));
    d->pads = 0;
    d->any_pad = false;
}

/* ---- quoted-printable ---- */

enum {
    QP_TEXT,
    QP_CR,           /* a CR that may begin a line end; blanks may be held before it */
    QP_EQUALS,       /* '=', perhaps blanks */
    QP_EQUALS_CR,    /* '=', perhaps blanks, CR */
    QP_EQUALS_DIGIT, /* '=' and one digit, kept in `hex` */
};

static int hex_digit(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void blank_hold(struct encoding_decoder *d, char c)
{
    if (d->blanks >= 8 * sizeof d->blank_bits)
        d->ambiguous = true;
    else if (c == '\t')
        d->blank_bits[d->blanks / 8] |= (char)(1u << d->blanks % 8);
    d->blanks++;
}

static void blanks_drop(struct encoding_decoder *d)
{
    d->blanks = 0;
    memset(d->blank_bits, 0, sizeof d->blank_bits);
}

static void blanks_put(struct encoding_decoder *d, struct buf *out)
{
    if (d->blanks == 0)
        return;
    for (uint64_t i = 0; i < d->blanks; i++)
        buf_put_char(
            out,
            i < 8 * sizeof d->blank_bits && ((unsigned char)d->blank_bits[i / 8] >> i % 8 & 1) ? '\t' : ' ');
    blanks_drop(d);
}

/* What was held turns out to be plain text. */
static void qp_give_up(struct encoding_decoder *d, struct buf *out)
{
    if (d->state == QP_EQUALS || d->state == QP_EQUALS_CR || d->state == QP_EQUALS_DIGIT)
        buf_put_char(out, '=');
    blanks_put(d, out);
    if (d->state == QP_CR || d->state == QP_EQUALS_CR)
        buf_put_char(out, '\r');
    if (d->state == QP_EQUALS_DIGIT)
        buf_put_char(out, (char)d->hex);
    d->ambiguous = true;
    d->state = QP_TEXT;
}

static void qp_text(struct encoding_decoder *d, char c, struct buf *out)
{
    if (c == ' ' || c == '\t') {
        blank_hold(d, c);
        return;
    }
    if (c == '\r') {
        d->state = QP_CR;
        return;
    }
    if (c == '\n')
        blanks_drop(d);
    else
        blanks_put(d, out);
    if (c == '=') {
        d->state = QP_EQUALS;
        return;
    }
    if (((unsigned char)c < 0x20 && c != '\n') || (unsigned char)c > 0x7e)
        d->ambiguous = true;
    buf_put_char(out, c);
}

/* One octet behind a '='. False: what was held is plain text and the octet is to be read again. */
static bool qp_escape(struct encoding_decoder *d, char c, struct buf *out)
{
    if (d->state == QP_EQUALS_DIGIT) {
        if (hex_digit(c) < 0)
            return false;
        if ((d->hex >= 'a' && d->hex <= 'f') || (c >= 'a' && c <= 'f'))
            d->ambiguous = true;
        buf_put_char(out, (char)(hex_digit((char)d->hex) << 4 | hex_digit(c)));
        d->state = QP_TEXT;
        return true;
    }
    if (c == '\n') {
        if (d->blanks || d->state == QP_EQUALS)
            d->ambiguous = true;
        blanks_drop(d);
        d->state = QP_TEXT;
        return true;
    }
    if (d->state == QP_EQUALS_CR)
        return false;
    if (c == '\r')
        d->state = QP_EQUALS_CR;
    else if (c == ' ' || c == '\t')
        blank_hold(d, c);
    else if (d->blanks == 0 && hex_digit(c) >= 0) {
        d->hex = (uint8_t)c;
        d->state = QP_EQUALS_DIGIT;
    } else
        return false;
    return true;
}

static void qp_octet(struct encoding_decoder *d, char c, struct buf *out)
{
    if (d->state == QP_CR && c == '\n') {
        blanks_drop(d);
        buf_put(out, S("\r\n"));
        d->state = QP_TEXT;
        return;
    }
    if (d->state == QP_CR)
        qp_give_up(d, out);
    else if (d->state != QP_TEXT) {
        if (qp_escape(d, c, out))
            return;
        qp_give_up(d, out);
    }
    qp_text(d, c, out);
}

static void qp_feed(struct encoding_decoder *d, struct slice in, struct buf *out)
{
    size_t i = 0;
    while (i < in.n) {
        size_t run = i;
        if (d->state == QP_TEXT && d->blanks == 0)
            while (run < in.n && in.p[run] > ' ' && in.p[run] != '=' && in.p[run] != 0x7f)
                run++;
        buf_put(out, slice_of(in.p + i, run - i));
        if (run < in.n)
            qp_octet(d, in.p[run++], out);
        i = run;
    }
}

void encoding_decoder_feed(struct encoding_decoder *d, struct slice in, struct buf *out)
{
    if (in.n == 0)
        return;
    if (d->encoding == ENCODING_BASE64)
        base64_feed(d, in, out);
    else if (d->encoding == ENCODING_QUOTED_PRINTABLE)
        qp_feed(d, in, out);
    else {
        if (d->encoding == ENCODING_UNKNOWN)
            d->ambiguous = true;
        buf_put(out, in);
    }
}

void encoding_decoder_finish(struct encoding_decoder *d, struct buf *out)
{
    if (d->encoding == ENCODING_BASE64)
        base64_finish(d, out);
    else if (d->encoding == ENCODING_QUOTED_PRINTABLE) {
        if (d->state != QP_TEXT)
            qp_give_up(d, out);
        else
            blanks_drop(d); /* the end of the content ends its last line */
    }
}

/* ---- writing ---- */

void encoding_put_base64(struct buf *out, struct slice data)
{
    for (size_t i = 0; i < data.n; i += 57) {
        base64_put(out, slice_sub(data, i, 57));
        buf_put(out, S("\r\n"));
    }
}

static bool is_line_end(struct slice text, size_t i)
{
    return i + 1 < text.n && text.p[i] == '\r' && text.p[i + 1] == '\n';
}

void encoding_put_quoted_printable(struct buf *out, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t column = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (is_line_end(text, i)) {
            buf_put(out, S("\r\n"));
            column = 0;
            i++;
            continue;
        }
        unsigned char c = (unsigned char)text.p[i];
        bool ends_line = i + 1 == text.n || is_line_end(text, i + 1);
        bool plain = (c >= 33 && c <= 126 && c != '=') || ((c == ' ' || c == '\t') && !ends_line);
        size_t width = plain ? 1 : 3;
        if (column + width > (ends_line ? 76u : 75u)) {
            buf_put(out, S("=\r\n"));
            column = 0;
        }
        if (plain)
            buf_put_char(out, (char)c);
        else
            buf_put(out, slice_of((char[]){'=', digits[c >> 4], digits[c & 15]}, 3));
        column += width;
    }
}
