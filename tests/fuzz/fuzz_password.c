/* fuzz_password - what people choose and administrators write: the strength of any text, codes to reset, and values of policies,
 * which read back as they were written. */
#include <assert.h>

#include "base/limits.h"
#include "crypto/random.h"
#include "mail/precis.h"
#include "vault/policy.h"
#include "vault/strength.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_strength(struct slice text)
{
    struct buf normal = BUF_INIT(LIMIT_PASSWORD_MAX);
    size_t half = text.n / 2;
    const struct slice about[] = {
        slice_sub(text, 0, half < 80 ? half : 80), S("alice@example.org"), slice_from(text, half)};
    struct strength s = strength_of(text, about, sizeof about / sizeof *about);
    assert(s.colour <= STRENGTH_RED && s.reason < PASSWORD_REASON_N && s.bits >= 0);
    assert((s.colour == STRENGTH_GREEN) == (s.reason == PASSWORD_FINE));
    if (precis_opaque(text, &normal) == OK) {
        size_t n = password_characters(buf_slice(&normal));
        assert(n > 0 && n <= normal.n && password_kinds(buf_slice(&normal)) >= 1);
    }
    buf_wipe(&normal);
}

static void check_policy(struct slice text)
{
    for (unsigned i = 0; i < POLICY_N; i++) {
        enum policy_key key = (enum policy_key)i;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_POLICY_VALUE);
        int64_t value, again = -1;
        if (policy_value_read(key, text, &value) != OK)
            continue;
        policy_value_put(key, value, &out);
        enum err e = policy_value_read(key, buf_slice(&out), &again);
        assert(buf_check(&out) == OK && e == OK && again == value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    crypto_init();
    struct slice text = slice_of(data, size);
    check_strength(text);
    check_policy(slice_sub(text, 0, 64));
    return 0;
}
