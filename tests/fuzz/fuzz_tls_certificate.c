/* A certificate as a hostile server may show it: all its texts are read, and lie in the arena. */
#include <stdlib.h>

#include "tls/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Looked at octet by octet, so that a text that lies elsewhere is found. */
static void touch(struct slice s)
{
    static volatile char last;
    for (size_t i = 0; i < s.n; i++)
        last = s.p[i];
    (void)last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(100000);
    struct tls_certificate c = {.not_before_s = 0};
    const unsigned char *at = data;
    X509 *x = d2i_X509(NULL, &at, (long)n);
    if (x) {
        tls_read_certificate(x, &arena, &c);
        const struct slice texts[] = {c.subject, c.issuer, c.organisation, c.names, c.key, c.signature};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            touch(texts[i]);
        if (c.names.n > 4000)
            abort();
    }
    X509_free(x);
    ERR_clear_error();
    return 0;
}
