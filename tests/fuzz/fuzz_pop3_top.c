/* TOP against a slow reading of RFC 1939 7: the header, the empty line, n lines, however the message is cut. */
#include <assert.h>

#include "pop3/session/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t reference(struct slice message, uint32_t lines)
{
    struct slice rest = message, line;
    bool in_body = false;
    while (rest.n && !(in_body && lines == 0)) {
        size_t lf = slice_find(rest, '\n');
        if (lf == SLICE_NPOS)
            return message.n;
        line = slice_sub(rest, 0, lf);
        if (in_body)
            lines--;
        else
            in_body = line.n == 0 || slice_eq(line, S("\r"));
        rest = slice_from(rest, lf + 1);
    }
    return message.n - rest.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice message = slice_of(data + 2, size - 2);
    struct pop3_top top = {.lines = data[0]};
    size_t shown = 0, step = 1 + data[1] % 17;
    for (size_t at = 0; at < message.n && !top.done; at += step) {
        struct slice piece = slice_sub(message, at, step), part = pop3_top_feed(&top, piece);
        assert(part.n <= piece.n && (part.n == piece.n || top.done) && (!part.n || part.p == piece.p));
        shown += part.n;
    }
    assert(shown == reference(message, data[0]));
    return 0;
}
