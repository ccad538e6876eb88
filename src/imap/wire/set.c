#include "imap/wire/set.h"

#include <stdlib.h>

/* seq-number: 1 to 2^32-1, or "*"; the star is kept as IMAP_SET_STAR, and 4294967295 itself means the same place. */
static fallible parse_number(struct slice word, bool *star, uint32_t *ret_number)
{
    uint64_t n;
    if (slice_eq(word, S("*"))) {
        *star = true;
        *ret_number = IMAP_SET_STAR;
        return OK;
    }
    if (slice_to_u64(word, UINT32_MAX, &n) != OK || n == 0 || word.p[0] == '0')
        return ERR_SYNTAX;
    *ret_number = (uint32_t)n;
    return OK;
}

static fallible parse_range(struct slice word, struct imap_set *set, struct imap_range *ret_range)
{
    struct imap_range r;
    size_t colon = slice_find(word, ':');
    if (colon == SLICE_NPOS) {
        TRY(parse_number(word, &set->star, &r.first));
        r.last = r.first;
    } else {
        TRY(parse_number(slice_sub(word, 0, colon), &set->star, &r.first));
        TRY(parse_number(slice_from(word, colon + 1), &set->star, &r.last));
    }
    *ret_range = r;
    return OK;
}

static size_t count_commas(struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',';
    return n;
}

fallible imap_set_parse(struct slice text, size_t max_ranges, struct arena *arena, struct imap_set *ret_set)
{
    struct imap_set set = {0};
    struct slice word;
    if (slice_eq(text, S("$"))) {
        *ret_set = (struct imap_set){.saved = true};
        return OK;
    }
    if (text.n == 0)
        return ERR_SYNTAX;
    size_t count = count_commas(text) + 1;
    if (count > max_ranges)
        return ERR_LIMIT;
    set.ranges = arena_array(arena, count, sizeof *set.ranges);
    if (!set.ranges)
        return ERR_LIMIT;
    while (slice_cut(&text, ',', &word)) {
        TRY(parse_range(word, &set, &set.ranges[set.n]));
        set.n++;
    }
    *ret_set = set;
    return OK;
}

static int range_cmp(const void *a, const void *b)
{
    const struct imap_range *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static void set_merge(struct imap_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct imap_range r = set->ranges[i];
        /* touching counts as overlapping: 1:3,4 is 1:4 */
        if (n > 0 && r.first - 1 <= set->ranges[n - 1].last) {
            if (r.last > set->ranges[n - 1].last)
                set->ranges[n - 1].last = r.last;
        } else {
            set->ranges[n++] = r;
        }
    }
    set->n = n;
}

void imap_set_resolve(struct imap_set *set, uint32_t largest)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct imap_range r = set->ranges[i];
        if (set->star && r.first == IMAP_SET_STAR)
            r.first = largest;
        if (set->star && r.last == IMAP_SET_STAR)
            r.last = largest;
        if (r.first > r.last)
            r = (struct imap_range){r.last, r.first};
        if (r.first == 0)
            continue; /* "*" of an empty mailbox */
        set->ranges[n++] = r;
    }
    set->n = n;
    set->star = false;
    if (n > 1) {
        qsort(set->ranges, n, sizeof *set->ranges, range_cmp);
        set_merge(set);
    }
}

bool imap_set_has(const struct imap_set *set, uint32_t number)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (number < set->ranges[mid].first)
            high = mid;
        else if (number > set->ranges[mid].last)
            low = mid + 1;
        else
            return true;
    }
    return false;
}

uint32_t imap_set_largest(const struct imap_set *set)
{
    uint32_t most = 0;
    for (size_t i = 0; i < set->n; i++) {
        uint32_t ends[] = {set->ranges[i].first, set->ranges[i].last};
        for (size_t k = 0; k < 2; k++)
            if (ends[k] > most && !(set->star && ends[k] == IMAP_SET_STAR))
                most = ends[k];
    }
    return most;
}

void imap_set_writer_init(struct imap_set_writer *w, struct buf *out)
{
    *w = (struct imap_set_writer){.out = out};
}

void imap_set_writer_done(struct imap_set_writer *w)
{
    if (!w->first)
        return;
    if (w->any)
        buf_put_char(w->out, ',');
    buf_put_u64(w->out, w->first);
    if (w->last != w->first) {
        buf_put_char(w->out, ':');
        buf_put_u64(w->out, w->last);
    }
    w->any = true;
    w->first = 0;
}

void imap_set_writer_add(struct imap_set_writer *w, uint32_t number)
{
    if (w->first && number == w->last + 1) {
        w->last = number;
        return;
    }
    imap_set_writer_done(w);
    w->first = w->last = number;
}
