#include "sasl/mechanism.h"

#include "sasl/ops.h"

static const struct sasl_mechanism table[] = {
    {"PLAIN", SASL_SENDS_SECRET | SASL_CLIENT_FIRST | SASL_NEEDS_TLS, &sasl_plain_server, &sasl_plain_client},
    {"LOGIN", SASL_SENDS_SECRET | SASL_NEEDS_TLS, &sasl_login_server, &sasl_login_client},
};

const struct sasl_mechanism *sasl_mechanisms(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof *table;
    return table;
}

const struct sasl_mechanism *sasl_find(struct slice name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (slice_eq_nocase(name, slice_str(table[i].name)))
            return &table[i];
    return NULL;
}
