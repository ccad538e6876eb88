/* What an SMTP server says: a reply line by line, then what its EHLO offers. Everything shown points into what came. */
#include <stdlib.h>

#include "base/line.h"
#include "smtp/wire/offer.h"
#include "smtp/wire/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct slice part, struct slice whole)
{
    if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void fuzz_offer(struct slice text)
{
    struct smtp_offer offer;
    smtp_offer_read(text, &offer);
    inside(offer.name, text);
    if (offer.word_n > SMTP_OFFER_WORDS || (offer.word_n && !offer.auth) || (offer.size && !offer.size_said))
        abort();
    for (size_t i = 0; i < offer.word_n; i++) {
        inside(offer.words[i], text);
        if (offer.words[i].n == 0 || slice_has(offer.words[i], ' ') || slice_has(offer.words[i], '\n'))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct smtp_reply_reader r;
    struct line line;
    fuzz_offer(input);
    smtp_is_masked(input);
    smtp_reply_reader_init(&r);
    while (line_find(input, 1024, &line) == OK) {
        enum err e = smtp_reply_reader_feed(&r, line.text);
        if (e == OK && r.code == 250)
            fuzz_offer(buf_slice(&r.text));
        if (e != ERR_AGAIN) {
            buf_done(&r.text);
            smtp_reply_reader_init(&r);
        }
        input = slice_from(input, line.used);
    }
    buf_done(&r.text);
    return 0;
}
