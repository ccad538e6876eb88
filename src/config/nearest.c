#include "config/nearest.h"

enum { WORD_MAX = 64 };

static char folded(char c)
{
    return c == '-' ? '_' : ascii_lower(c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, three rows at a time. */
size_t nearest_distance(struct slice a, struct slice b)
{
    size_t rows[3][WORD_MAX + 1];
    if (a.n > WORD_MAX || b.n > WORD_MAX)
        return (size_t)-1;
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = folded(a.p[i - 1]) == folded(b.p[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && folded(a.p[i - 1]) == folded(b.p[j - 2]) &&
                folded(a.p[i - 2]) == folded(b.p[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.n];
}

bool nearest_is_close(struct slice a, struct slice b)
{
    size_t allowed = b.n / 3 ? b.n / 3 : 1;
    return nearest_distance(a, b) <= allowed;
}
