/* What an IMAP server says: however it is cut, the reader finds the same responses; what is parsed lies in what came. */
#include <assert.h>

#include "base/limits.h"
#include "imap/wire/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct slice part, struct slice whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void look(struct slice text)
{
    struct imap_response x;
    struct imap_fetched f;
    struct imap_quota q;
    struct slice word;
    if (imap_response_parse(text, &x) != OK)
        return;
    assert(lies_in(x.tag, text) && lies_in(x.code, text) && lies_in(x.args, text) && lies_in(x.text, text));
    assert(lies_in(x.name, text) && lies_in(x.rest, text));
    assert(x.kind != IMAP_SAYS_DATA || (x.name.n && !x.tag.n));
    while (imap_response_word(&x.args, &word))
        assert(word.n && !slice_has(word, ' '));
    if (imap_fetched_parse(x.rest, &f) == OK)
        assert(f.flags <= x.rest.n && (f.has_flags || !f.flags));
    if (imap_quota_parse(x.rest, &q) == OK)
        assert(q.root.n && lies_in(q.root, text));
}

/* Reads all of it in pieces of `step`; appends what was found, each with a NUL behind it. Returns how it ended. */
static enum imap_response_read read_all(struct slice input, size_t step, struct buf *found)
{
    struct imap_responses r;
    enum imap_response_read now = IMAP_RESPONSE_MORE;
    imap_responses_init(&r);
    while (input.n && now != IMAP_RESPONSE_BAD) {
        size_t taken = 0;
        struct slice piece = slice_sub(input, 0, step);
        now = imap_responses_feed(&r, piece, &taken);
        assert(taken <= piece.n && (now != IMAP_RESPONSE_MORE || taken == piece.n));
        input = slice_from(input, taken);
        if (now == IMAP_RESPONSE_DONE) {
            buf_put(found, imap_responses_text(&r));
            buf_put_char(found, '\0');
            look(imap_responses_text(&r));
            imap_responses_next(&r);
        }
        assert(r.text.n <= LIMIT_IMAP_RESPONSE);
    }
    imap_responses_done(&r);
    return now;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct buf CLEANUP_BUF whole = BUF_INIT(4 * size + 4), CLEANUP_BUF bytes = BUF_INIT(4 * size + 4);
    bool one_bad = read_all(input, size + 1, &whole) == IMAP_RESPONSE_BAD;
    bool other_bad = read_all(input, 1, &bytes) == IMAP_RESPONSE_BAD;
    assert(one_bad == other_bad);
    assert(slice_eq(buf_slice(&whole), buf_slice(&bytes)));
    look(input);
    return 0;
}
