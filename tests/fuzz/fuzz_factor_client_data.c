/* fuzz_factor_client_data - what a browser says of a ceremony. Whatever is accepted holds the expected challenge and origin. */
#include <assert.h>

#include "crypto/random.h"
#include "factor/client_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t challenge[32] = {1, 2, 3};
    static bool ready;
    if (!ready) {
        crypto_init();
        factor_init();
        ready = true;
    }
    const struct slice origins[] = {S("https://mail.example.test")};
    struct slice json = slice_of(data, size);
    for (int r = 0; r < 2; r++) {
        struct ceremony expected = {
            .is_registration = r,
            .challenge = slice_of(challenge, sizeof challenge),
            .rp_id = S("mail.example.test"),
            .origins = origins,
            .origin_count = 1,
        };
        enum flaw flaw = client_data_check(json, &expected);
        assert(flaw < FLAW_N && flaw_name(flaw)[0]);
        /* Without escapes it can be looked for; with them a program may write the same otherwise. */
        if (flaw == FLAW_NONE && !slice_has(json, '\\'))
            assert(
                slice_search(json, S("AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")) != SLICE_NPOS &&
                slice_search(json, S("https://mail.example.test")) != SLICE_NPOS);
    }
    return 0;
}
