/* guard_limits.h - the limits of a guard where no configuration says others (config/keys.def). */
#ifndef UNIT_GUARD_LIMITS_H
#define UNIT_GUARD_LIMITS_H

#include "guard/guard.h"

static const struct guard_limits guard_presets = {
    .strikes = 5, .window_ms = 15 * 60000, .pause_max_ms = 15 * 60000, .day = 100, .spray = 20};

#endif
