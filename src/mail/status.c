#include "mail/status.h"

static const struct status_info table[] = {
#define STATUS(name_, basic_, enhanced_, words_) {#name_, (basic_), (enhanced_), (words_)},
#include "mail/status.def"
#undef STATUS
};
_Static_assert(sizeof table / sizeof *table == STATUS_N, "a status without a row");

const struct status_info *status_info(enum status s)
{
    return &table[(unsigned)s < STATUS_N ? s : STATUS_FAILED];
}

bool status_is_temporary(enum status s)
{
    return status_info(s)->basic / 100 == 4;
}

bool status_is_permanent(enum status s)
{
    return status_info(s)->basic / 100 == 5;
}

fallible status_find(struct slice name, enum status *ret_status)
{
    for (size_t i = 0; i < STATUS_N; i++) {
        if (!slice_eq(name, slice_str(table[i].name)))
            continue;
        *ret_status = (enum status)i;
        return OK;
    }
    return ERR_NOT_FOUND;
}
