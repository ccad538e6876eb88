#include "scope/scope.h"

static const struct scope_kind_row rows[] = {
#define KIND(number, id, name, repeats, value, en, zh) {SCOPE_##id, name, value, repeats, {en, zh}},
    SCOPE_KINDS(KIND)
#undef KIND
};

const struct scope_kind_row *scope_kinds(size_t *ret_count)
{
    *ret_count = sizeof rows / sizeof *rows;
    return rows;
}

const struct scope_kind_row *scope_kind_by_name(struct slice name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_eq(name, slice_str(rows[i].name)))
            return &rows[i];
    return NULL;
}

const struct scope_kind_row *scope_kind_by_number(int64_t number)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((int64_t)rows[i].kind == number)
            return &rows[i];
    return NULL;
}
