#include "sasl/mechanism.h"

#include "sasl/ops.h"

static const struct sasl_mechanism table[] = {
    {"SCRAM-SHA-256-PLUS", SASL_CLIENT_FIRST | SASL_BINDS_CHANNEL | SASL_NEEDS_TLS, &sasl_scram_server,
     &sasl_scram_client},
    {"SCRAM-SHA-256", SASL_CLIENT_FIRST, &sasl_scram_server, &sasl_scram_client},
    {"EXTERNAL", SASL_CLIENT_FIRST | SASL_NEEDS_TLS | SASL_NEEDS_CERTIFICATE, &sasl_external_server,
     &sasl_external_client},
    {"OAUTHBEARER", SASL_SENDS_SECRET | SASL_CLIENT_FIRST | SASL_NEEDS_TLS | SASL_TAKES_TOKEN,
     &sasl_oauthbearer_server, &sasl_oauthbearer_client},
    {"XOAUTH2", SASL_SENDS_SECRET | SASL_CLIENT_FIRST | SASL_NEEDS_TLS | SASL_TAKES_TOKEN,
     &sasl_xoauth2_server, &sasl_xoauth2_client},
    {"CRAM-MD5", SASL_NEEDS_CLEAR_SECRET | SASL_OFF_BY_DEFAULT, &sasl_cram_server, &sasl_cram_client},
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
