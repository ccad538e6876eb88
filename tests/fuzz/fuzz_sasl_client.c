/* fuzz_sasl_client - any server against every mechanism's client side. The first octet chooses the mechanism; the rest is
 * a list of challenges, each with an octet of length before it. The secret must never leave twice. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/random.h"
#include "sasl/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t times_in(struct slice text, struct slice word)
{
    size_t times = 0, at;
    while ((at = slice_search(text, word)) != SLICE_NPOS) {
        times++;
        text = slice_from(text, at + word.n);
    }
    return times;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    crypto_init();
    struct secret_slab *slab = secret_slab_new(4096);
    struct secret secret;
    if (secret_copy(slab, S("q4canary7z"), &secret) != OK)
        abort();
    struct sasl_identity who = {.authcid = S("alice"), .secret = &secret};
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    struct sasl_client *c = NULL;
    if (sasl_client_new(&all[data[0] % count], &who, &c) != OK)
        abort();
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    bool has_initial = false;
    enum err e = sasl_client_start(c, &out, &has_initial);
    for (size_t at = 1; e == OK && at < size;) {
        size_t n = data[at] < size - at - 1 ? data[at] : size - at - 1;
        struct slice challenge = slice_of(data + at + 1, n);
        e = n % 16 == 15 ? sasl_client_end(c, &challenge) : sasl_client_step(c, challenge, &out);
        at += 1 + n;
    }
    assert(times_in(buf_slice(&out), S("q4canary7z")) <= 1);
    sasl_client_free(&c);
    secret_free(&secret);
    secret_slab_free(&slab);
    return 0;
}
