/* What a greeting tells by its words, and a reply without the secret: whatever the server says. */
#include <assert.h>
#include <stdint.h>

#include "crypto/random.h"
#include "doctor/steps/greeting_words.h"
#include "doctor/steps/reply_note.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct secret_slab *slab;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    crypto_init();
    slab = secret_slab_new(65536);
    return 0;
}

/* The secret is the front of the octets, so that the fuzzer can make the reply hold it. */
static void fuzz_secret(struct slice input)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
    struct secret secret;
    size_t n = input.n < 24 ? input.n : 24;
    if (n < 4 || secret_copy(slab, slice_sub(input, 0, n), &secret) != OK)
        return;
    struct slice clean = reply_without_secret(&secret, &arena, slice_from(input, n));
    /* "[...]" beside what is left could spell a secret that is made of its signs; all others are gone */
    if (!slice_has(slice_sub(input, 0, n), '.') && !slice_has(slice_sub(input, 0, n), '[') &&
        !slice_has(slice_sub(input, 0, n), ']'))
        assert(slice_search(clean, secret_reveal(&secret)) == SLICE_NPOS);
    secret_free(&secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice input = slice_of(data, n);
    int64_t at;
    enum greets greets = greets_of(input);
    assert(greets < GREETS_N && (greets == GREETS_NOTHING) == (n == 0));
    assert(greets_observed(greets) < OBSERVED_N);
    IGNORE(greeting_time(input, &at), "any answer is right");
    greeting_software(input);
    fuzz_secret(slice_sub(input, 0, LIMIT_DOCTOR_LINE));
    return 0;
}
