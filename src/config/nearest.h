/* nearest.h - "did you mean": the distance between two words.                   room: config   runs in: cli supervisor */
#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include "base/slice.h"

/* Least number of changed, added, dropped or swapped neighbouring octets (ASCII case and -/_ count nothing). Words above
 * 64 octets are infinitely far from everything. */
size_t nearest_distance(struct slice a, struct slice b);
/* May `b` have been meant by `a`? A third of its length, at least 1, may be wrong. */
bool nearest_is_close(struct slice a, struct slice b);

#endif
