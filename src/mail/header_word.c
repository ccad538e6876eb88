/* header_word.c - encoded-words (RFC 2047): found, decoded, joined. */
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/encoding.h"
#include "mail/header.h"

struct word {
    struct slice charset;
    struct slice text;
    char encoding; /* 'b' or 'q' */
    size_t n;      /* octets of the whole word */
};

/* RFC 2047 2: no blanks and controls inside; a '?' ends each of the three pieces, so that the search is linear. */
static bool take_piece(struct slice s, size_t *at, struct slice *ret_piece)
{
    size_t start = *at;
    while (*at < s.n && s.p[*at] != '?' && (unsigned char)s.p[*at] > ' ')
        ++*at;
    if (*at >= s.n || s.p[*at] != '?')
        return false;
    *ret_piece = slice_of(s.p + start, *at - start);
    ++*at;
    return true;
}

static bool word_at(struct slice s, struct word *ret_word)
{
    if (!slice_starts(s, S("=?")))
        return false;
    size_t at = 2;
    struct slice charset, encoding, text;
    if (!take_piece(s, &at, &charset) || !take_piece(s, &at, &encoding) || !take_piece(s, &at, &text))
        return false;
    char how = encoding.n == 1 ? ascii_lower(encoding.p[0]) : 0;
    if (charset.n == 0 || (how != 'b' && how != 'q') || at >= s.n || s.p[at] != '=')
        return false;
    *ret_word = (struct word){charset, text, how, at + 1};
    return true;
}

static int hex_digit(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2047 4.2: '_' is a space. */
static void put_q(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '=' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0) {
            buf_put_char(out, (char)(hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2])));
            i += 2;
        } else
            buf_put_char(out, s.p[i] == '_' ? ' ' : s.p[i]);
    }
}

/* What stands between words, and the decoder that is still open from the word before. */
struct run {
    struct charsets *charsets;
    struct charset_decoder decoder;
    struct slice charset; /* p NULL: no decoder is open */
    char encoding;
    struct buf *out;
    struct buf octets;
};

static void run_close(struct run *r)
{
    if (r->charset.p)
        charset_decoder_finish(&r->decoder, r->out);
    r->charset = SLICE_EMPTY;
}

static void run_word(struct run *r, const struct word *w)
{
    if (!r->charset.p || r->encoding != w->encoding || !slice_eq_nocase(r->charset, w->charset)) {
        run_close(r);
        charset_decoder_init(&r->decoder, charset_find(r->charsets, w->charset));
        r->charset = w->charset;
        r->encoding = w->encoding;
    }
    buf_clear(&r->octets);
    if (w->encoding == 'q') {
        put_q(&r->octets, w->text);
    } else {
        struct encoding_decoder base64;
        encoding_decoder_init(&base64, ENCODING_BASE64);
        encoding_decoder_feed(&base64, w->text, &r->octets);
        encoding_decoder_finish(&base64, &r->octets);
    }
    charset_decoder_feed(&r->decoder, buf_slice(&r->octets), r->out);
}

/* Text outside words; line ends go (unfolding). */
static void put_raw(struct buf *out, struct slice s)
{
    for (size_t i = 0, start = 0; i <= s.n; i++) {
        bool line_end = i < s.n && (s.p[i] == '\n' || (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n'));
        if (i < s.n && !line_end)
            continue;
        utf8_put_repaired(out, slice_sub(s, start, i - start));
        start = i + 1;
    }
}

void header_decode_text(struct charsets *charsets, struct slice value, struct buf *out)
{
    value = slice_trim(value);
    CLEANUP_BUF struct buf text = BUF_INIT(value.n * 4 + 64);
    struct run run = {.charsets = charsets, .out = &text, .octets = BUF_INIT(value.n + 8)};
    size_t start = 0; /* of the text not written yet */
    for (size_t i = 0; i < value.n;) {
        struct word word;
        if (value.p[i] != '=' || !word_at(slice_from(value, i), &word)) {
            i++;
            continue;
        }
        struct slice before = slice_sub(value, start, i - start);
        /* RFC 2047 6.2: blanks between two words are not shown */
        bool adjacent = run.charset.p && slice_trim(before).n == 0;
        if (!adjacent) {
            run_close(&run);
            put_raw(&text, before);
        }
        run_word(&run, &word);
        i += word.n;
        start = i;
    }
    run_close(&run);
    put_raw(&text, slice_from(value, start));
    buf_done(&run.octets);
    header_put_clean(out, buf_slice(&text));
}

void header_put_clean(struct buf *out, struct slice utf8)
{
    size_t start = 0, i = 0;
    while (i < utf8.n) {
        uint32_t code = 0;
        size_t used = utf8_decode(slice_from(utf8, i), &code);
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
        if (used && !control) {
            i += used;
            continue;
        }
        buf_put(out, slice_sub(utf8, start, i - start));
        buf_put(out, used ? S(" ") : S("\xef\xbf\xbd"));
        i += used ? used : 1;
        start = i;
    }
    buf_put(out, slice_from(utf8, start));
}
