/* CSV of strangers' spreadsheets: any octets end in rows or in a fault at a line; what is written back reads the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "cli/csv.h"

enum { MOST = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct slice *fields, size_t count)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct slice back[MOST];
    struct csv c;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        csv_put(&out, i == 0, fields[i]);
    csv_end_row(&out);
    csv_start(&c, buf_slice(&out));
    if (count == 1 && fields[0].n == 0)
        return; /* an empty line is no row */
    assert(csv_next(&c, &arena, back, MOST, &n) && n == count);
    for (size_t i = 0; i < count; i++)
        assert(slice_eq(back[i], fields[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct slice fields[MOST];
    struct csv c;
    size_t count;
    unsigned line = 0;
    if (size > 65536)
        return 0;
    csv_start(&c, slice_of(data, size));
    while (csv_next(&c, &arena, fields, MOST, &count)) {
        assert(c.row_line > line && count >= 1 && count <= MOST);
        line = c.row_line;
        same_again(fields, count);
    }
    return 0;
}
