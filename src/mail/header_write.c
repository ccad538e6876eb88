/* header_write.c - fields that the server writes: folded, encoded, and never more than one field. */
#include "base/encode.h"
#include "base/utf8.h"
#include "mail/header.h"

enum { COLUMNS = 78, WORD_OCTETS = 45 /* 60 digits of base64 in a word of 75 */, SEGMENT = 60 };

static char harmless(char c)
{
    return c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

void header_put_field(struct buf *out, struct slice name, struct slice value)
{
    buf_put(out, name);
    buf_put(out, S(": "));
    size_t column = name.n + 2;
    value = slice_trim(value);
    for (size_t i = 0; i < value.n;) {
        /* a word and the blanks before it move together; a line never consists of blanks alone */
        size_t word = i, end;
        while (word < value.n && harmless(value.p[word]) == ' ')
            word++;
        for (end = word; end < value.n && harmless(value.p[end]) != ' '; end++)
            continue;
        if (i > 0 && word < value.n && column + (end - i) > COLUMNS) {
            buf_put(out, S("\r\n"));
            column = 0;
        }
        for (size_t k = i; k < end; k++)
            buf_put_char(out, harmless(value.p[k]));
        column += end - i;
        i = end;
    }
    buf_put(out, S("\r\n"));
}

static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || (unsigned char)text.p[i] > 0x7e)
            return false;
    return slice_search(text, S("=?")) == SLICE_NPOS;
}

/* How many octets of the front fit into `most` without cutting a character; at least one. */
static size_t whole_characters(struct slice utf8, size_t most)
{
    if (utf8.n <= most)
        return utf8.n;
    size_t n = most;
    while (n > 1 && ((unsigned char)utf8.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* Encoded-words, each at most 75 octets, parted by CRLF SP. */
static void put_words(struct buf *out, struct slice text)
{
    CLEANUP_BUF struct buf clean = BUF_INIT(text.n * 3 + 1);
    header_put_clean(&clean, text);
    struct slice rest = buf_slice(&clean);
    while (rest.n) {
        size_t n = whole_characters(rest, WORD_OCTETS);
        buf_put(out, S("=?UTF-8?B?"));
        base64_put(out, slice_sub(rest, 0, n));
        buf_put(out, S("?="));
        rest = slice_from(rest, n);
        if (rest.n)
            buf_put(out, S("\r\n "));
    }
}

void header_put_text_field(struct buf *out, struct slice name, struct slice text)
{
    if (is_plain(text)) {
        header_put_field(out, name, text);
        return;
    }
    buf_put(out, name);
    buf_put(out, name.n > 1 ? S(":\r\n ") : S(": "));
    put_words(out, text);
    buf_put(out, S("\r\n"));
}

static bool is_attr_char(char c)
{
    return ascii_is_digit(c) || ascii_is_alpha(c) || (c != '\0' && strchr("!#$&+-.^_`{|}~", c));
}

static bool is_token(struct slice value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!is_attr_char(value.p[i]))
            return false;
    return value.n > 0;
}

static void put_quoted(struct buf *out, struct slice value)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, value.p[i]);
    }
    buf_put_char(out, '"');
}

static size_t put_percent(struct buf *out, struct slice value, size_t most)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t i = 0;
    for (size_t column = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        column += is_attr_char((char)c) ? 1 : 3;
        if (column > most)
            break;
        if (is_attr_char((char)c))
            buf_put_char(out, (char)c);
        else
            buf_put(out, slice_of((char[]){'%', digits[c >> 4], digits[c & 15]}, 3));
    }
    return i;
}

void header_put_param(struct buf *out, struct slice name, struct slice value)
{
    CLEANUP_BUF struct buf clean = BUF_INIT(value.n * 3 + 1);
    header_put_clean(&clean, value);
    struct slice rest = buf_slice(&clean);
    bool is_short = rest.n <= SEGMENT;
    if (is_short && (ascii_is_all(rest))) {
        buf_printf(out, ";\r\n " SLICE_FMT "=", SLICE_ARG(name));
        if (is_token(rest))
            buf_put(out, rest);
        else
            put_quoted(out, rest);
        return;
    }
    /* RFC 2231 3 and 4: numbered segments, the first names the charset */
    for (unsigned number = 0; rest.n; number++) {
        buf_printf(out, ";\r\n " SLICE_FMT "*%u*=%s", SLICE_ARG(name), number, number ? "" : "UTF-8''");
        rest = slice_from(rest, put_percent(out, rest, SEGMENT));
    }
}
