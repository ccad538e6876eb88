#include "base/line.h"

fallible line_find(struct slice input, size_t max, struct line *ret_line)
{
    size_t lf = slice_find(slice_sub(input, 0, max), '\n');
    if (lf == SLICE_NPOS)
        return input.n >= max ? ERR_LIMIT : ERR_AGAIN;
    struct line line = {.text = slice_sub(input, 0, lf), .used = lf + 1};
    if (lf > 0 && input.p[lf - 1] == '\r')
        line.text.n--;
    else
        line.bare = true;
    line.dirty = slice_has(line.text, '\0') || slice_has(line.text, '\r');
    *ret_line = line;
    return OK;
}
