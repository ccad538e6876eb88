/* fuzz_sasl_server - any client against every mechanism's server side. The first octet chooses the mechanism and whether
 * there is an initial response; the rest is a list of responses, each with two octets of length before it. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/random.h"
#include "sasl/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take_message(struct slice *rest, struct slice *ret_message)
{
    if (rest->n < 2)
        return false;
    size_t n = (size_t)(unsigned char)rest->p[0] << 8 | (unsigned char)rest->p[1];
    *ret_message = slice_sub(*rest, 2, n);
    *rest = slice_from(*rest, 2 + n);
    return true;
}

/* What the vault relies on: a claim is well-formed whatever the client said. */
static void check_claim(const struct sasl_server *s)
{
    const struct sasl_claim *claim = sasl_server_claim(s);
    struct slice secret = secret_reveal(claim->secret);
    assert(claim->authcid.n && claim->authcid.n <= LIMIT_SASL_NAME && utf8_is_valid(claim->authcid));
    assert(claim->authzid.n <= LIMIT_SASL_NAME && utf8_is_valid(claim->authzid));
    assert(secret.n && secret.n <= LIMIT_PASSWORD_MAX && utf8_is_valid(secret));
    assert(!slice_has(claim->authcid, '\0') && !slice_has(claim->authzid, '\0') && !slice_has(secret, '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    crypto_init();
    struct sasl_env env = {.slab = secret_slab_new(16384)};
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    struct sasl_server *s = sasl_server_new(&all[(data[0] >> 2) % count], &env);
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    struct slice rest = slice_of(data + 1, size - 1), message;
    bool has_initial = (data[0] & 1) && take_message(&rest, &message);
    enum sasl_outcome outcome = sasl_server_start(s, has_initial ? &message : NULL, &out);
    for (;;) {
        if (outcome == SASL_CLAIM) {
            check_claim(s);
            outcome = sasl_server_judged(s, data[0] & 2, &out);
        }
        if (outcome == SASL_DONE || outcome == SASL_FAILED || outcome == SASL_BAD)
            assert(secret_slab_used(env.slab) == 0);
        if (!take_message(&rest, &message))
            break;
        outcome = sasl_server_step(s, message, &out);
    }
    sasl_server_free(&s);
    assert(secret_slab_used(env.slab) == 0);
    secret_slab_free(&env.slab);
    return 0;
}
