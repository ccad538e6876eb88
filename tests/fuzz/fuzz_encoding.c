/* Transfer encodings, charsets, folding, line ends: any cut gives the same output, which is valid and bounded. The first
 * octet chooses. */
#include <assert.h>

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/encoding.h"
#include "mail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct charsets *charsets;

static bool decode(enum encoding encoding, struct slice in, size_t step, struct buf *out)
{
    struct encoding_decoder d;
    encoding_decoder_init(&d, encoding);
    for (size_t at = 0; at < in.n; at += step)
        encoding_decoder_feed(&d, slice_sub(in, at, step), out);
    encoding_decoder_finish(&d, out);
    return d.ambiguous;
}

static void encodings(struct slice in)
{
    for (int e = 0; e < ENCODING_N; e++) {
        CLEANUP_BUF struct buf whole = BUF_INIT(1 << 22), cut = BUF_INIT(1 << 22);
        assert(decode((enum encoding)e, in, SIZE_MAX / 2, &whole) == decode((enum encoding)e, in, 1, &cut));
        assert(slice_eq(buf_slice(&whole), buf_slice(&cut)) && whole.n <= in.n);
    }
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 22), back = BUF_INIT(1 << 22);
    encoding_put_base64(&text, in);
    assert(!decode(ENCODING_BASE64, buf_slice(&text), 7, &back) && slice_eq(buf_slice(&back), in));
    buf_clear(&text);
    buf_clear(&back);
    encoding_put_quoted_printable(&text, in);
    assert(!decode(ENCODING_QUOTED_PRINTABLE, buf_slice(&text), 7, &back) && slice_eq(buf_slice(&back), in));
}

static void text(const struct charset *charset, struct slice in, size_t step, struct buf *out)
{
    struct charset_decoder d;
    charset_decoder_init(&d, charset);
    for (size_t at = 0; at < in.n; at += step)
        charset_decoder_feed(&d, slice_sub(in, at, step), out);
    charset_decoder_finish(&d, out);
    assert(utf8_is_valid(buf_slice(out)) && out->n <= 4 * in.n + 4);
}

static void fold(struct slice in, size_t step, struct buf *out)
{
    struct text_fold f;
    text_fold_init(&f);
    for (size_t at = 0; at < in.n; at += step)
        text_fold_feed(&f, slice_sub(in, at, step), out);
    text_fold_finish(&f, out);
    assert(utf8_is_valid(buf_slice(out)));
}

static void lines(struct slice in, size_t step, struct buf *out)
{
    struct message_lines l;
    message_lines_init(&l);
    for (size_t at = 0; at < in.n; at += step)
        message_lines_feed(&l, slice_sub(in, at, step), out);
    message_lines_finish(&l, out);
    for (size_t i = 0; i < out->n; i++)
        assert(
            out->p[i] == '\r' ? i + 1 < out->n && out->p[i + 1] == '\n'
                              : out->p[i] != '\n' || (i && out->p[i - 1] == '\r'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!charsets)
        assert(charsets_new(&charsets, NULL) == OK);
    if (size == 0)
        return 0;
    struct slice in = slice_of(data + 1, size - 1);
    const struct charset *chosen = NULL; /* past the end of the list: unknown */
    for (size_t i = 0; i <= data[0] && (chosen = charset_at(charsets, i)); i++)
        continue;
    encodings(in);
    CLEANUP_BUF struct buf whole = BUF_INIT(1 << 24), cut = BUF_INIT(1 << 24);
    text(chosen, in, SIZE_MAX / 2, &whole);
    text(chosen, in, 1, &cut);
    assert(slice_eq(buf_slice(&whole), buf_slice(&cut)));
    buf_clear(&whole);
    buf_clear(&cut);
    fold(in, SIZE_MAX / 2, &whole);
    fold(in, 1, &cut);
    assert(slice_eq(buf_slice(&whole), buf_slice(&cut)));
    buf_clear(&whole);
    buf_clear(&cut);
    lines(in, SIZE_MAX / 2, &whole);
    lines(in, 1, &cut);
    assert(slice_eq(buf_slice(&whole), buf_slice(&cut)));
    return 0;
}
