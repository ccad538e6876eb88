/* What a server answers to a probe: every prefix says "more" or what the whole says, and no length is believed. */
#include <stdlib.h>
#include <string.h>

#include "tls/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(struct slice octets, bool exchange)
{
    struct probe_answer whole = {.alert = 7777}, part;
    enum err e = probe_read(octets, exchange, &whole);
    if (e != OK && whole.alert != 7777)
        abort();
    size_t step = octets.n > 300 ? octets.n / 100 : 1;
    for (size_t n = 0; n < octets.n; n += step) {
        enum err early = probe_read(slice_sub(octets, 0, n), exchange, &part);
        if (early != ERR_AGAIN && early != e)
            abort();
        if (early == OK &&
            (part.kind != whole.kind || part.suite != whole.suite || part.alert != whole.alert))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    check(slice_of(data, n), false);
    check(slice_of(data, n), true);
    return 0;
}
