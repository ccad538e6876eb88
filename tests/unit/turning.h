/* turning.h - waits for what a loop, or threads beside it, still have to bring about. Nobody knows how many turns that takes on a
 * machine that is busy: so it is waited for, not counted. The deadline is the test's, on a clock that no test moves.
 */
#ifndef UNIT_TURNING_H
#define UNIT_TURNING_H

#include <time.h>

#include "loop/loop.h"
#include "test.h"

enum { TURNING_SECONDS = 60, TURNING_MS = 5 };

static inline int64_t turning_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* Takes this step again and again until the condition is true. */
#define STEP_UNTIL(condition, step)                                                                          \
    do {                                                                                                     \
        int64_t turning_end_ = turning_now_s() + TURNING_SECONDS;                                            \
        while (!(condition)) {                                                                               \
            if (turning_now_s() > turning_end_)                                                              \
                fail_msg("within %d s this did not come true: %s", TURNING_SECONDS, #condition);             \
            step;                                                                                            \
        }                                                                                                    \
    } while (0)
#define TURN_UNTIL(loop, condition) STEP_UNTIL(condition, loop_turn((loop), TURNING_MS))

#endif
