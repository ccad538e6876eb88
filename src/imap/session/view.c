#include "imap/session/view.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void view_done(struct view *v)
{
    change_watch_stop(&v->watch);
    free(v->uids);
    *v = (struct view){0};
}

void view_add(struct view *v, uint32_t uid)
{
    assert(uid > view_last_uid(v));
    if (v->n == v->cap) {
        v->cap = v->cap ? v->cap + v->cap / 2 : 64;
        v->uids = mem_resize(v->uids, v->cap * sizeof *v->uids);
    }
    v->uids[v->n++] = uid;
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
            v->uids[kept++] = v->uids[i];
    }
    v->n = kept;
}

/* Sequence numbers to the uids at their ends: between them the store has no message that the view does not know. */
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
    return OK;
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
