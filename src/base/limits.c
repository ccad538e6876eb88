#include "base/limits.h"

static const struct limit table[] = {
#define LIMIT(name, value, unit, why) {#name, value, unit, why},
#include "base/limits.def"
#undef LIMIT
};

const struct limit *limit_table(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof *table;
    return table;
}
