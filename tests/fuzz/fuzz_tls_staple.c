/* What a hostile server staples to its certificate: whatever its octets are, only what the issuer signed is told. The seeds are
 * signed by the authority below, for a hundred years. */
#include <stdlib.h>

#include "tls/private.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char issuer_pem[] = "-----BEGIN CERTIFICATE-----\n"
                                 "MIIBjjCCATWgAwIBAgIUFh2bySZr4Djm0l3gDP44+c9yuPMwCgYIKoZIzj0EAwIw\n"
                                 "HDEaMBgGA1UEAwwRRnV6emluZyBBdXRob3JpdHkwIBcNMjYxMTIyMjMzMTI2WhgP\n"
                                 "MjEyNjEwMjkyMzMxMjZaMBwxGjAYBgNVBAMMEUZ1enppbmcgQXV0aG9yaXR5MFkw\n"
                                 "EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEchWkU7eea7kyUZQtbNlWsED+M+pc7aKP\n"
                                 "d87Yeb+kj1PUzgNHcT9eforzTIREkBZcgh+pePkanb6s3zEeb8ZFdKNTMFEwHQYD\n"
                                 "VR0OBBYEFJkU3Ml9L/tQQhFNanFHmagWDtmWMB8GA1UdIwQYMBaAFJkU3Ml9L/tQ\n"
                                 "QhFNanFHmagWDtmWMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIg\n"
                                 "H7RNXTMkIaw7JZQCR1r5JswJlaKVGrn+vCJvbqLWSTsCIHWBVFwCJ2BIR6zzHoBg\n"
                                 "AzIglhHQCI40uFR+QuDCyDHR\n"
                                 "-----END CERTIFICATE-----\n";
static const char leaf_pem[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBGTCBvwICEAAwCgYIKoZIzj0EAwIwHDEaMBgGA1UEAwwRRnV6emluZyBBdXRo\n"
                               "b3JpdHkwIBcNMjYxMTIyMjMzMTI2WhgPMjEyNjEwMjkyMzMxMjZaMBIxEDAOBgNV\n"
                               "BAMMB214LnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATuL6V9xkoyCZL4\n"
                               "HPchVtq5buDyoaS/lfbrBfha+qfbAv5lY4ovyhZr/X/wd5L02WxZUs4o9pWz8vJh\n"
                               "cwMnydQDMAoGCCqGSM49BAMCA0kAMEYCIQCOtdJH2FAX8crmd27pzLeI/PV/B7AG\n"
                               "FAR9xnLitJDJLAIhAJSrCUwOqmZccPE4itYnN/Tgcn3GeV0Ryx52ZGfKr1K+\n"
                               "-----END CERTIFICATE-----\n";
enum { NOW = 1800000000 }; /* January 2027 */

static STACK_OF(X509) * path;
static X509_STORE *store;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    enum tls_fault fault;
    path = tls_read_certificates(slice_str(leaf_pem), &fault);
    STACK_OF(X509) *issuer = tls_read_certificates(slice_str(issuer_pem), &fault);
    store = X509_STORE_new();
    if (!path || !issuer || !store || !sk_X509_push(path, sk_X509_value(issuer, 0)) ||
        X509_STORE_add_cert(store, sk_X509_value(issuer, 0)) != 1)
        abort();
    sk_X509_free(issuer);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct tls_stapled s = {.text = NULL};
    tls_staple_read(slice_of(data, n), path, store, NOW, &s);
    bool told = s.kind == TLS_STAPLE_GOOD || s.kind == TLS_STAPLE_REVOKED || s.kind == TLS_STAPLE_OVER ||
                s.kind == TLS_STAPLE_EARLY || s.kind == TLS_STAPLE_UNKNOWN;
    if (!s.text || ERR_peek_error() || (!told && (s.from_s || s.until_s || s.revoked_s)))
        abort();
    if ((s.kind == TLS_STAPLE_NONE) != (n == 0))
        abort();
    return 0;
}
