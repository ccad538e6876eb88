/* limits.h - every budget of the house: lengths, depths, counts, times.         room: base   runs in: all
 *
 * "How much can a stranger make us hold?" has one answer: limits.def. Zero never means "no limit". The table
 * is what `letterlock limits` prints, and what tests read.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum limit_value {
#define LIMIT(name, value, unit, why) LIMIT_##name = (value),
#include "base/limits.def"
#undef LIMIT
};

struct limit {
    const char *name; /* "SMTP_COMMAND" */
    uint64_t value;
    const char *unit; /* octets, count, levels, ms, s */
    const char *why;
};
const struct limit *limit_table(size_t *ret_count);

#endif
