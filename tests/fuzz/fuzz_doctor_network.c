/* Answers of proxies and of web servers: any octets end in a meaning, an error, or in how many more are wanted. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "doctor/steps/portal.h"
#include "doctor/steps/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct slice part, struct slice all)
{
    assert(part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    if (size > PORTAL_ANSWER_MAX)
        return 0;
    for (size_t i = 0; i < PORTAL_PAGES; i++) {
        struct slice proof = SLICE_EMPTY;
        (void)portal_read(&portal_pages[i], all, &proof);
        within(proof, all);
    }
    size_t more = 0;
    unsigned value = 0;
    enum err e = socks_read_choice(all, &more, &value);
    assert(e != ERR_AGAIN || (more > 0 && size + more <= SOCKS_REPLY_MAX));
    e = socks_read_reply(all, &more, &value);
    assert(e != ERR_AGAIN || (more > 0 && size + more <= SOCKS_REPLY_MAX));
    assert(e != OK || (value < 256 && socks_code_words(value)));
    return 0;
}
