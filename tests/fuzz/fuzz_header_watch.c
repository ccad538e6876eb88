/* The gate's look at a header that streams by says the same however it is cut, and the same as the reader that keeps the
 * header whole: too big, looping, or fine. */
#include <assert.h>

#include "smtp/front/header_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status watch(struct slice content, size_t step)
{
    struct header_watch w;
    header_watch_init(&w);
    enum status s = STATUS_OK;
    for (size_t at = 0; at < content.n && s == STATUS_OK && !w.in_body; at += step)
        s = header_watch_feed(&w, slice_sub(content, at, step));
    return s;
}

/* The last line needs its end: a message in the making is not judged by half a line. */
static struct slice whole_lines(struct slice content)
{
    while (content.n && content.p[content.n - 1] != '\n')
        content.n--;
    return content;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice content = whole_lines(slice_of(data + 1, size - 1));
    enum status s = watch(content, 1 + data[0]);
    assert(s == watch(content, content.n + 1));
    struct header_reader r;
    header_reader_init(&r);
    size_t used;
    enum err e = header_reader_feed(&r, content, &used);
    if (e == OK) {
        header_reader_finish(&r);
        size_t hops = header_count(header_reader_section(&r), S("Received"));
        assert(s == (hops > LIMIT_RECEIVED_HOPS ? STATUS_LOOP : STATUS_OK));
    } else {
        assert(s == STATUS_HEADER_TOO_BIG || s == STATUS_LOOP);
    }
    header_reader_done(&r);
    return 0;
}
