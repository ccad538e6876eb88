#include "mail/status.h"

static const struct status_info table[] = {
#define STATUS(name_, basic_, enhanced_, words_) {(basic_), (enhanced_), (words_)},
#include "mail/status.def"
#undef STATUS
};
_Static_assert(sizeof table / sizeof *table == STATUS_N, "a status without a row");

const struct status_info *status_info(enum status s)
{
    return &table[(unsigned)s < STATUS_N ? s : STATUS_FAILED];
}

bool status_is_permanent(enum status s)
{
    return status_info(s)->basic / 100 == 5;
}
