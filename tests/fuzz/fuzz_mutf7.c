/* Names in modified UTF-7: what is accepted has one spelling, and whatever UTF-8 goes in comes back. */
#include <assert.h>

#include "base/utf8.h"
#include "imap/wire/mutf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_controls(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct buf CLEANUP_BUF there = BUF_INIT(1 << 20), CLEANUP_BUF back = BUF_INIT(1 << 20);
    if (imap_mutf7_get(input, &there) == OK) {
        assert(utf8_is_valid(buf_slice(&there)) && !has_controls(buf_slice(&there)));
        assert(imap_mutf7_put(&back, buf_slice(&there)) == OK);
        assert(slice_eq(buf_slice(&back), input));
    }
    buf_clear(&there);
    buf_clear(&back);
    if (imap_mutf7_put(&there, input) == OK && !has_controls(input)) {
        assert(imap_mutf7_get(buf_slice(&there), &back) == OK);
        assert(slice_eq(buf_slice(&back), input));
    }
    return 0;
}
