/* Headers: the reader of pieces sees the section that the scanner sees; words, parameters and dates of anything; what is
 * written is one field that reads back. */
#include <assert.h>

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct charsets *charsets;

static void sections(struct slice input)
{
    for (size_t step = 1; step < 12; step += 5) {
        struct header_reader r;
        header_reader_init(&r);
        enum err e = OK;
        for (size_t at = 0, used = 0; at < input.n && e == OK && !r.done; at += used)
            e = header_reader_feed(&r, slice_sub(input, at, step), &used);
        if (e == OK) {
            header_reader_finish(&r);
            assert(slice_eq(header_reader_section(&r), slice_sub(input, 0, header_length(input))));
        }
        header_reader_done(&r);
    }
}

static void texts(struct slice value)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 22), field = BUF_INIT(1 << 22), back = BUF_INIT(1 << 22);
    header_decode_text(charsets, value, &text);
    assert(utf8_is_valid(buf_slice(&text)));
    for (size_t i = 0; i < text.n; i++)
        assert((unsigned char)text.p[i] >= ' ' && text.p[i] != 0x7f);
    header_put_text_field(&field, S("Subject"), value);
    struct header_field f;
    size_t at = 0;
    assert(header_next(buf_slice(&field), &at, &f) && at == field.n && slice_eq(f.name, S("Subject")));
    struct mail_date date;
    if (date_parse(value, &date) == OK) {
        buf_clear(&back);
        date_put(&back, date.unix_s, date.zone);
        struct mail_date same;
        assert(date_parse(buf_slice(&back), &same) == OK);
        assert(same.unix_s == date.unix_s || date.unix_s < -2208902400);
    }
}

static void params(struct slice value)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 22);
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 22), written = BUF_INIT(1 << 22), back = BUF_INIT(1 << 22);
    struct header_params p;
    header_params_parse(value, &arena, &p);
    assert(p.count <= 2 * LIMIT_MIME_PARAMETERS);
    for (size_t i = 0; i < p.count; i++) {
        buf_clear(&text);
        header_param_put_text(charsets, &p.items[i], &text);
        assert(utf8_is_valid(buf_slice(&text)));
    }
    if (value.n > 2000)
        return;
    buf_clear(&text);
    header_put_clean(&text, value);
    buf_put(&written, S("a"));
    header_put_param(&written, S("name"), value);
    header_params_parse(buf_slice(&written), &arena, &p);
    const struct header_param *name = header_param_find(&p, S("name"));
    assert(name && !p.ambiguous);
    header_param_put_text(charsets, name, &back);
    bool has_word = !name->extended && slice_search(name->value, S("=?")) != SLICE_NPOS;
    assert(has_word || slice_eq(buf_slice(&text), buf_slice(&back)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!charsets)
        assert(charsets_new(&charsets, NULL) == OK);
    struct slice input = slice_of(data, size);
    sections(input);
    texts(input);
    params(input);
    return 0;
}
