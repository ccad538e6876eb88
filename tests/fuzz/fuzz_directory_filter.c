/* A search filter keeps its form whatever stands in the address. */
#include <assert.h>
#include <stdlib.h>

#include "directory/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out CLEANUP_BUF = BUF_INIT(65536);
    struct slice address = slice_of(data, size);
    if (directory_filter_put(S("(|(uid={local})(mail={address}))"), address, &out) != OK)
        return 0;
    size_t open = 0, close = 0;
    for (size_t i = 0; i < out.n; i++) {
        assert(out.p[i] >= 0x20 && out.p[i] < 0x7f && out.p[i] != '*');
        open += out.p[i] == '(';
        close += out.p[i] == ')';
    }
    assert(open == 3 && close == 3);
    return 0;
}
