/* strikes.h - different things that went wrong under one key, and the pause they have earned.    room: guard   runs in: vault
 *
 * Each thing is known by a print of 16 bits and the minute it was counted. `allowed` different prints within the window earn
 * a pause, and so does each further one; each pause is twice as long as the last. A print that is there already is no
 * new strike and prolongs nothing.
 */
#ifndef GUARD_STRIKES_H
#define GUARD_STRIKES_H

#include "guard/table.h"

struct strikes_rule {
    unsigned allowed;
    uint64_t window_ms; /* at most a day */
    bool slides;        /* a print counts for a window; else all of them until there was none for a window */
    uint64_t pause_max_ms; /* from LIMIT_GUARD_PAUSE up to this */
};

void strikes_table_init(struct guard_table *t, size_t limit);
/* Must this key wait now? */
bool strikes_wait(const struct guard_table *t, uint64_t now_ms, struct slice key);
/* True when the print is a new one. */
bool strikes_count(
    struct guard_table *t, const struct strikes_rule *rule, uint64_t now_ms, struct slice key,
    uint16_t print);
/* Drops prints of this age, and the keys that have none left. */
void strikes_tidy(struct guard_table *t, uint64_t now_ms, uint64_t age_ms);

#endif
