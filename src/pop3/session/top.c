#include "pop3/session/top.h"

static void end_line(struct pop3_top *t)
{
    if (t->in_body)
        t->lines--;
    else if (t->line < 2)
        t->in_body = true;
    t->line = 0;
    t->done = t->in_body && t->lines == 0;
}

struct slice pop3_top_feed(struct pop3_top *t, struct slice content)
{
    size_t at = 0;
    while (at < content.n && !t->done) {
        struct slice rest = slice_from(content, at);
        size_t lf = slice_find(rest, '\n');
        struct slice line = slice_sub(rest, 0, lf);
        if (line.n)
            t->line = t->line == 0 && line.n == 1 && line.p[0] == '\r' ? 1 : 2;
        at += lf == SLICE_NPOS ? rest.n : lf + 1;
        if (lf != SLICE_NPOS)
            end_line(t);
    }
    return slice_sub(content, 0, at);
}
