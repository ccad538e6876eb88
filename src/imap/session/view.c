#include "imap/session/view.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void view_done(struct view *v)
{
    change_watch_stop(&v->watch);
    free(v->uids);
    free(v->arrived);
    free(v->hidden);
    *v = (struct view){0};
}

void view_add(struct view *v, uint32_t uid, int64_t arrived_s)
{
    assert(uid > view_last_uid(v));
    if (v->n == v->cap) {
        v->cap = v->cap ? v->cap + v->cap / 2 : 64;
        v->uids = mem_resize(v->uids, v->cap * sizeof *v->uids);
        if (v->is_window)
            v->arrived = mem_resize(v->arrived, v->cap * sizeof *v->arrived);
    }
    if (v->is_window) {
        v->arrived[v->n] = arrived_s;
        v->oldest = v->n && v->oldest < arrived_s ? v->oldest : arrived_s;
    }
    v->uids[v->n++] = uid;
}

/* ---- what is hidden ---- */

/* Is a message of the view between the two? */
static bool has_between(const struct view *v, uint32_t low, uint32_t high)
{
    size_t at = view_at_least(v, low);
    return at < v->n && v->uids[at] <= high;
}

static void hidden_insert(struct view *v, size_t at, uint32_t uid)
{
    if (v->hidden_n == v->hidden_cap) {
        v->hidden_cap = v->hidden_cap ? v->hidden_cap * 2 : 16;
        v->hidden = mem_resize(v->hidden, v->hidden_cap * sizeof *v->hidden);
    }
    memmove(v->hidden + at + 1, v->hidden + at, (v->hidden_n - at) * sizeof *v->hidden);
    v->hidden[at] = (struct uid_range){uid, uid};
    v->hidden_n++;
}

/* The first run that ends at `uid` or behind it. */
static size_t hidden_at_least(const struct view *v, uint32_t uid)
{
    size_t low = 0, high = v->hidden_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v->hidden[mid].last < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void view_hide(struct view *v, uint32_t uid)
{
    size_t at = hidden_at_least(v, uid);
    if (at < v->hidden_n && v->hidden[at].first <= uid)
        return;
    bool joins_before = at > 0 && !has_between(v, v->hidden[at - 1].last, uid);
    bool joins_behind = at < v->hidden_n && !has_between(v, uid, v->hidden[at].first);
    if (joins_before && joins_behind) {
        v->hidden[at - 1].last = v->hidden[at].last;
        v->hidden_n--;
        memmove(v->hidden + at, v->hidden + at + 1, (v->hidden_n - at) * sizeof *v->hidden);
    } else if (joins_before) {
        v->hidden[at - 1].last = uid;
    } else if (joins_behind) {
        v->hidden[at].first = uid;
    } else {
        hidden_insert(v, at, uid);
    }
}

/* The ranges without what is hidden; both are ascending and disjoint. */
static fallible
without_hidden(const struct view *v, const struct view_ranges *r, struct arena *mem, struct view_ranges *ret)
{
    struct uid_range *at = arena_array(mem, r->n + v->hidden_n + 1, sizeof *at);
    size_t n = 0;
    if (!at)
        return ERR_LIMIT;
    for (size_t i = 0; i < r->n; i++) {
        struct uid_range left = r->at[i];
        bool any = true;
        for (size_t h = hidden_at_least(v, left.first); any && h < v->hidden_n; h++) {
            const struct uid_range *gone = &v->hidden[h];
            if (gone->first > left.last)
                break;
            if (gone->first > left.first)
                at[n++] = (struct uid_range){left.first, gone->first - 1};
            any = gone->last < left.last;
            left.first = gone->last + 1;
        }
        if (any)
            at[n++] = left;
    }
    *ret = (struct view_ranges){at, n};
    return OK;
}

fallible view_all(const struct view *v, struct arena *mem, struct view_ranges *ret_ranges)
{
    struct uid_range all = {1, view_last_uid(v)};
    return without_hidden(v, &(struct view_ranges){&all, v->n ? 1 : 0}, mem, ret_ranges);
}

size_t view_at_least(const struct view *v, uint32_t uid)
{
    size_t low = 0, high = v->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v->uids[mid] < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

uint32_t view_sequence(const struct view *v, uint32_t uid)
{
    size_t at = view_at_least(v, uid);
    return at < v->n && v->uids[at] == uid ? (uint32_t)at + 1 : 0;
}

void view_add_recent(struct view *v, uint32_t first, uint32_t last)
{
    if (first > last)
        return;
    if (v->recent_n && v->recent[v->recent_n - 1].last + 1 == first) {
        v->recent[v->recent_n - 1].last = last;
        return;
    }
    if (v->recent_n == VIEW_RECENT_RANGES) {
        v->recent_n--;
        memmove(v->recent, v->recent + 1, v->recent_n * sizeof *v->recent);
    }
    v->recent[v->recent_n++] = (struct uid_range){first, last};
}

bool view_is_recent(const struct view *v, uint32_t uid)
{
    for (size_t i = 0; i < v->recent_n; i++)
        if (uid >= v->recent[i].first && uid <= v->recent[i].last)
            return true;
    return false;
}

size_t view_count_recent(const struct view *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->recent_n; i++)
        n += view_at_least(v, v->recent[i].last) - view_at_least(v, v->recent[i].first) +
             (view_sequence(v, v->recent[i].last) != 0);
    return n;
}

static inline void keep(struct view *v, size_t to, size_t from)
{
    v->uids[to] = v->uids[from];
    if (v->arrived)
        v->arrived[to] = v->arrived[from];
}

void view_remove(
    struct view *v, const struct imap_set *gone, void (*told)(void *owner, uint32_t sequence), void *owner)
{
    size_t kept = gone->n ? view_at_least(v, gone->ranges[0].first) : v->n;
    size_t range = 0;
    for (size_t i = kept; i < v->n; i++) {
        while (range < gone->n && gone->ranges[range].last < v->uids[i])
            range++;
        if (range < gone->n && v->uids[i] >= gone->ranges[range].first)
            told(owner, (uint32_t)kept + 1);
        else
            keep(v, kept++, i);
    }
    v->n = kept;
}

/* Sequence numbers to the uids at their ends: between them the store has no message that the view does not know, but for
 * hidden ones. */
static void to_uids(const struct view *v, struct imap_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        set->ranges[i].first = v->uids[set->ranges[i].first - 1];
        set->ranges[i].last = v->uids[set->ranges[i].last - 1];
    }
}

/* Uids beyond the last one told of are nobody's yet. */
static void cut_unknown(const struct view *v, struct imap_set *set)
{
    uint32_t last = view_last_uid(v);
    while (set->n && set->ranges[set->n - 1].first > last)
        set->n--;
    if (set->n && set->ranges[set->n - 1].last > last)
        set->ranges[set->n - 1].last = last;
}

fallible view_resolve(
    const struct view *v, const struct imap_set *set, bool by_uid, struct arena *mem,
    struct view_ranges *ret_ranges)
{
    struct imap_set own = *set;
    if (!by_uid && (imap_set_largest(set) > v->n || v->n == 0))
        return ERR_SYNTAX;
    own.ranges = arena_array(mem, set->n, sizeof *own.ranges);
    if (set->n && !own.ranges)
        return ERR_LIMIT;
    if (set->n)
        memcpy(own.ranges, set->ranges, set->n * sizeof *own.ranges);
    imap_set_resolve(&own, by_uid ? view_last_uid(v) : (uint32_t)v->n);
    if (by_uid)
        cut_unknown(v, &own);
    else
        to_uids(v, &own);
    struct uid_range *at = arena_array(mem, own.n + 1, sizeof *at);
    if (!at)
        return ERR_LIMIT;
    for (size_t i = 0; i < own.n; i++)
        at[i] = (struct uid_range){own.ranges[i].first, own.ranges[i].last};
    *ret_ranges = (struct view_ranges){at, own.n};
    return v->hidden_n ? without_hidden(v, ret_ranges, mem, ret_ranges) : OK;
}

fallible view_portion(
    const struct view *v, const struct view_ranges *ranges, uint32_t from, size_t most, struct arena *mem,
    struct view_ranges *ret_part, uint32_t *ret_next)
{
    struct view_ranges part = {0};
    uint32_t next = 0;
    size_t i = 0;
    while (i < ranges->n && ranges->at[i].last < from)
        i++;
    part.at = arena_array(mem, ranges->n - i + 1, sizeof *part.at);
    if (!part.at)
        return ERR_LIMIT;
    for (; i < ranges->n && !next; i++) {
        struct uid_range r = ranges->at[i];
        if (r.first < from)
            r.first = from;
        size_t first = view_at_least(v, r.first),
               end = view_at_least(v, r.last) + (view_sequence(v, r.last) != 0);
        if (end - first > most) {
            next = v->uids[first + most];
            end = first + most;
            r.last = next - 1;
        }
        most -= end - first;
        if (end > first)
            part.at[part.n++] = r;
    }
    *ret_part = part;
    *ret_next = next;
    return OK;
}
