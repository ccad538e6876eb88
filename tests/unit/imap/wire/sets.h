/* sets.h - a sequence set as text, so that tests read. */
#ifndef UNIT_IMAP_WIRE_SETS_H
#define UNIT_IMAP_WIRE_SETS_H

#include "imap/wire/set.h"

static inline void put_set(struct buf *out, const struct imap_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        buf_printf(out, "%s%u", i ? "," : "", set->ranges[i].first);
        if (set->ranges[i].last != set->ranges[i].first)
            buf_printf(out, ":%u", set->ranges[i].last);
    }
}

#endif
